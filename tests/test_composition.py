"""Whatever layers are put together, however deep: right gradients, and everything that must make no difference.

A plan is a nested tuple that hypothesis draws and shrinks; `build` makes the model of it.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.analysis.structure import each, leaves
from rnncourse.cells import GRU, LSTM, RNN, GRUResetBefore, ReLURNN
from rnncourse.gradcheck import gradcheck
from rnncourse.layers import (
    Bidirectional,
    Dropout,
    Embedding,
    Frozen,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    SequenceDropout,
    Stacked,
    Tanh,
    Window,
)
from rnncourse.variants import CoupledLSTM, LayerNormLSTM, LayerNormRNN, LeakyReLURNN, PeepholeLSTM, SkipRNN

SEED = st.integers(0, 2**32 - 1)
SIZES = st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4))
WIDTH = st.integers(1, 4)

CELLS = [RNN, ReLURNN, LeakyReLURNN, LSTM, PeepholeLSTM, CoupledLSTM, LayerNormRNN, LayerNormLSTM, GRU, GRUResetBefore]
LEAVES = st.one_of(
    st.tuples(st.sampled_from([Linear, *CELLS]), WIDTH),
    st.tuples(st.just(SkipRNN), WIDTH, st.integers(2, 3)),
    st.tuples(st.just(Window), st.integers(1, 3), st.integers(1, 2)),
    st.tuples(st.sampled_from([Dropout, SequenceDropout]), st.sampled_from([0.0, 0.2, 0.5])),
    st.tuples(st.sampled_from([Tanh, ReLU, LayerNorm])),
)


def made_of(plans, *more):
    """Plans made of plans: stacked, around one, or of the kinds in `more`."""
    return st.one_of(
        st.lists(plans, min_size=1, max_size=3).map(lambda some: (Stacked, *some)),
        st.tuples(st.sampled_from([Residual, Frozen]), plans),
        *(st.tuples(st.just(kind), plans, plans) for kind in more),
    )


PLANS = st.recursive(LEAVES, lambda plans: made_of(plans, Bidirectional), max_leaves=4)
CAUSAL = st.recursive(LEAVES, made_of, max_leaves=4)


def build(plan, D, rng, dtype=np.float64):
    """The layer of a plan, for inputs of width D, and the width of its outputs."""
    kind, *parts = plan
    if kind is Stacked:
        layers, width = [], D
        for part in parts:
            layer, width = build(part, width, rng, dtype)
            layers.append(layer)
        return Stacked(*layers), width
    if kind is Bidirectional:
        (left, Q), (right, Q_right) = (build(part, D, rng, dtype) for part in parts)
        return Bidirectional(left, right), Q + Q_right
    if kind is Residual:
        layer, Q = build(parts[0], D, rng, dtype)
        return Residual(Stacked(layer, Linear(Q, D, rng, dtype))), D
    if kind is Frozen:
        layer, Q = build(parts[0], D, rng, dtype)
        return Frozen(layer), Q
    if kind is Window:
        return Window(*parts), parts[0] * D
    if kind is LayerNorm:
        layer = LayerNorm(D, dtype)
        layer.gain += rng.normal(size=D)
        layer.bias += rng.normal(size=D)
        return layer, D
    if kind in (Tanh, ReLU, Dropout, SequenceDropout):
        return kind(*parts), D
    return kind(D, *parts, rng, dtype), parts[0]


def problem(plan, sizes, seed, mask="none", dtype=np.float64):
    """A model, and X, state, mask, dY, dstate for it; the mask has holes, or pads on the right or on the left."""
    (T, B, D), rng = sizes, np.random.default_rng(seed)
    model, Q = build(plan, D, rng, dtype)
    random = lambda *shape: rng.normal(size=shape).astype(dtype)
    X, dY, lengths = random(T, B, D), random(T, B, Q), rng.integers(1, T + 1, B)
    steps, holes = np.arange(T)[:, None], rng.random((T, B)) < 0.7
    mask = {"none": None, "holes": holes, "right": steps < lengths, "left": steps >= T - lengths}[mask]
    if mask is not None:
        dY *= mask[..., None]
    _, last, _ = model.forward(X)
    state, dstate = (each(lambda s: random(*s.shape), last) for _ in range(2))
    return model, X, state, mask, dY, dstate


def run(model, X, state, mask, dY, dstate, seed=None):
    """Both ways: (Y, last state), (dX, dstate, grads). A seed means training."""
    Y, last, tape = model.forward(X, state, mask, None if seed is None else np.random.default_rng(seed))
    return (Y, last), model.backward(dY, tape, dstate)


def undropped(plan):
    """The plan with every dropout at p = 0."""
    kind, *parts = plan
    if kind in (Dropout, SequenceDropout):
        return kind, 0.0
    return kind, *(undropped(part) if isinstance(part, tuple) else part for part in parts)


def assert_same(got, expected, atol=1e-12, where=""):
    """Equal arrays, to `atol`, in equal nests of tuples, lists and dicts."""
    if isinstance(expected, np.ndarray):
        np.testing.assert_allclose(got, expected, rtol=atol, atol=atol, err_msg=where)
    elif isinstance(expected, dict):
        assert list(got) == list(expected), where
        for name in expected:
            assert_same(got[name], expected[name], atol, f"{where}.{name}")
    elif expected is None:
        assert got is None, where
    else:
        assert len(got) == len(expected), where
        for k, (g, e) in enumerate(zip(got, expected, strict=True)):
            assert_same(g, e, atol, f"{where}[{k}]")


def check_gradients(model, X, state, mask, dY, dstate, seed):
    """Every gradient of Σ Y ⊙ dY + Σ last ⊙ dstate against central differences, dropping the same entries each time."""

    def loss():
        Y, last, _ = model.forward(X, state, mask, np.random.default_rng(seed))
        return (Y * dY).sum() + sum((s * d).sum() for s, d in zip(leaves(last), leaves(dstate), strict=True))

    _, (dX, dfirst, grads) = run(model, X, state, mask, dY, dstate, seed)
    states, dstates = ({f"state {k}": s for k, s in enumerate(leaves(both))} for both in (state, dfirst))
    return gradcheck(
        loss, {"X": X, **states, **model.params}, {"X": dX, **dstates, **grads}, np.random.default_rng(seed), 1e-5
    )


MASKS = st.sampled_from(["none", "holes", "right", "left"])


def test_a_stacked_residual_bidirectional_lstm_with_dropout_and_a_mask_is_one_expression():
    rng = np.random.default_rng(0)
    T, B, D, H, Q = 6, 3, 4, 3, 2
    model = Stacked(
        Bidirectional(LSTM(D, H, rng), LSTM(D, H, rng)),
        Dropout(0.3),
        Residual(Bidirectional(LSTM(2 * H, H, rng), LSTM(2 * H, H, rng))),
        SequenceDropout(0.3),
        Linear(2 * H, Q, rng),
    )
    X, mask = rng.normal(size=(T, B, D)), np.arange(T)[:, None] < [6, 2, 4]
    dY = rng.normal(size=(T, B, Q)) * mask[..., None]
    _, last, _ = model.forward(X)
    state, dstate = (each(lambda s: rng.normal(size=s.shape), last) for _ in range(2))
    worst = check_gradients(model, X, state, mask, dY, dstate, 0)
    assert worst.error < 1e-6, str(worst)
    assert len(model.params) == 14


@given(plan=PLANS, sizes=SIZES, seed=SEED, mask=MASKS)
def test_gradients_equal_differences(plan, sizes, seed, mask):
    check_gradients(*problem(plan, sizes, seed, mask), seed)


@given(plan=PLANS, sizes=SIZES, seed=SEED)
def test_gradients_have_the_parameters_names_and_shapes(plan, sizes, seed):
    model, *rest = problem(plan, sizes, seed)
    grads = run(model, *rest)[1][2]
    assert [(name, g.shape) for name, g in grads.items()] == [(name, p.shape) for name, p in model.params.items()]


@given(plan=CAUSAL, sizes=SIZES, seed=SEED, mask=MASKS, cut=st.integers(1, 6))
def test_chunks_that_hand_state_and_gradient_on_are_the_whole(plan, sizes, seed, mask, cut):
    T, B, D = sizes
    model, X, state, mask, dY, dstate = problem(plan, (T + 1, B, D), seed, mask)
    (Y, last), (dX, dfirst, grads) = run(model, X, state, mask, dY, dstate)
    cut = min(cut, T)
    early, late = (None, None) if mask is None else (mask[:cut], mask[cut:])
    Y1, between, tape1 = model.forward(X[:cut], state, early)
    (Y2, last2), (dX2, handed, grads2) = run(model, X[cut:], between, late, dY[cut:], dstate)
    dX1, dfirst1, grads1 = model.backward(dY[:cut], tape1, handed)
    assert_same((np.concatenate([Y1, Y2]), last2), (Y, last))
    assert_same((np.concatenate([dX1, dX2]), dfirst1), (dX, dfirst))
    assert_same({name: grads1[name] + grads2[name] for name in grads}, grads, 1e-10)


@given(plan=CAUSAL, sizes=SIZES, seed=SEED, cut=st.integers(1, 5))
def test_the_past_does_not_see_the_future(plan, sizes, seed, cut):
    model, X, state, *_ = problem(plan, sizes, seed)
    other = X.copy()
    other[cut:] += 1
    assert_same(model.forward(other, state)[0][:cut], model.forward(X, state)[0][:cut])


@given(plan=PLANS, sizes=SIZES, seed=SEED, mask=st.sampled_from(["holes", "right", "left"]), training=st.booleans())
def test_pad_values_change_nothing_and_get_no_gradient(plan, sizes, seed, mask, training):
    model, X, state, mask, dY, dstate = problem(plan, sizes, seed, mask)
    rest, real = (state, mask, dY, dstate, seed if training else None), mask[..., None]
    (Y, last), expected = run(model, X, *rest)
    other = np.where(real, X, 1e3 * np.random.default_rng(seed).normal(size=X.shape))
    (Y1, last1), back1 = run(model, other, *rest)
    assert_same((Y1 * real, last1), (Y * real, last))
    assert_same(back1, expected, 1e-9)
    assert not (expected[0] * ~real).any(), "a padded input was given a gradient"


@given(plan=PLANS, sizes=SIZES, seed=SEED, side=st.sampled_from(["right", "left"]))
def test_a_padded_batch_is_each_sequence_alone(plan, sizes, seed, side):
    """Outputs and gradients; so a layer that reads backwards starts at each sequence's own end."""
    model, X, _, mask, dY, _ = problem(plan, sizes, seed, side)
    (Y, _), (dX, _, grads) = run(model, X, None, mask, dY, None)
    total = {name: np.zeros_like(g) for name, g in grads.items()}
    for b, real in enumerate(mask.T):
        (Yb, _), (dXb, _, gradsb) = run(model, X[real, b : b + 1], None, None, dY[real, b : b + 1], None)
        assert_same((Y[real, b : b + 1], dX[real, b : b + 1]), (Yb, dXb))
        for name, g in gradsb.items():
            total[name] += g
    assert_same(grads, total, 1e-10)


@given(plan=PLANS, sizes=SIZES, seed=SEED, mask=MASKS)
def test_batch_permutation_commutes(plan, sizes, seed, mask):
    model, X, state, mask, dY, dstate = problem(plan, sizes, seed, mask)
    (Y, last), (dX, dfirst, grads) = run(model, X, state, mask, dY, dstate)
    order = np.random.default_rng(seed).permutation(X.shape[1])
    permuted = lambda s: each(lambda a: a[order], s)
    mask_permuted = None if mask is None else mask[:, order]
    got = run(model, X[:, order], permuted(state), mask_permuted, dY[:, order], permuted(dstate))
    assert_same(got[0], (Y[:, order], permuted(last)))
    assert_same(got[1], (dX[:, order], permuted(dfirst), grads), 1e-10)


@given(plan=PLANS, sizes=SIZES, seed=SEED, training=st.booleans())
def test_a_mask_of_ones_is_no_mask(plan, sizes, seed, training):
    model, X, state, _, *rest = problem(plan, sizes, seed)
    rest += [seed if training else None]
    assert_same(run(model, X, state, np.ones(X.shape[:2], bool), *rest), run(model, X, state, None, *rest), 0)


@given(left=PLANS, right=PLANS, sizes=SIZES, seed=SEED, mask=MASKS)
def test_reading_the_reversed_sequence_is_swapping_the_sides(left, right, sizes, seed, mask):
    model, X, state, mask, dY, dstate = problem((Bidirectional, left, right), sizes, seed, mask)
    (Y, last), (dX, dfirst, grads) = run(model, X, state, mask, dY, dstate)
    Q = model.left.forward(X)[0].shape[-1]
    turned = lambda A: np.concatenate([A[::-1, :, Q:], A[::-1, :, :Q]], axis=-1)
    mirror = Bidirectional(model.right, model.left)
    mask = None if mask is None else mask[::-1]
    (Y1, last1), (dX1, dfirst1, grads1) = run(mirror, X[::-1], state[::-1], mask, turned(dY), dstate[::-1])
    assert_same((Y1, last1[::-1]), (turned(Y), last), 0)
    assert_same((dX1[::-1], dfirst1[::-1]), (dX, dfirst))
    for name, g in grads.items():
        side, _, rest = name.partition(".")
        assert_same(grads1[f"{'right' if side == 'left' else 'left'}.{rest}"], g)


@given(plan=PLANS, sizes=SIZES, seed=SEED, mask=MASKS, training=st.booleans())
def test_single_and_double_precision_agree_to_rounding(plan, sizes, seed, mask, training):
    one, two = (
        run(*problem(plan, sizes, seed, mask, dtype), seed if training else None) for dtype in (np.float32, np.float64)
    )
    (Y, last), (dX, dfirst, grads) = one
    assert {a.dtype for a in leaves([Y, last, dX, dfirst, *grads.values()])} == {np.dtype(np.float32)}
    # Dividing by a small deviation enlarges rounding. Half precision would be off by 5e-4 or more.
    assert_same(one, two, 1e-3 if "LayerNorm" in str(plan) else 1e-4)


@given(plan=PLANS, sizes=SIZES, seed=SEED, mask=MASKS)
def test_the_same_seed_gives_the_same_bits(plan, sizes, seed, mask):
    first, second = (run(*problem(plan, sizes, seed, mask), seed) for _ in range(2))
    assert_same(first, second, 0)


@given(plan=PLANS, sizes=SIZES, seed=SEED)
def test_without_a_generator_nothing_is_dropped(plan, sizes, seed):
    assert_same(run(*problem(plan, sizes, seed)), run(*problem(undropped(plan), sizes, seed), seed))


@given(plan=PLANS, sizes=SIZES, seed=SEED, training=st.booleans())
def test_no_argument_is_written_to(plan, sizes, seed, training):
    model, *arguments = problem(plan, sizes, seed, "holes")
    before = [a.copy() for a in leaves([*arguments, *model.params.values()])]
    run(model, *arguments, seed if training else None)
    assert_same([*leaves([*arguments, *model.params.values()])], before, 0)


@given(plan=PLANS, sizes=SIZES, seed=SEED)
def test_a_tape_can_be_used_twice(plan, sizes, seed):
    model, X, state, mask, dY, dstate = problem(plan, sizes, seed, "holes")
    tape = model.forward(X, state, mask, np.random.default_rng(seed))[2]
    assert_same(model.backward(dY, tape, dstate), model.backward(dY, tape, dstate), 0)


@given(plan=PLANS, sizes=SIZES, seed=SEED, padding=st.sampled_from([None, 0, 2]))
def test_an_embedding_below_is_the_table_s_rows(plan, sizes, seed, padding):
    """A model on ids is the model on the rows; the table gathers what the rows would have been given."""
    (T, B, D), rng, V = sizes, np.random.default_rng(seed), 4
    model, _, state, mask, dY, dstate = problem(plan, sizes, seed, "right")
    table, ids = Embedding(V, D, rng, padding), rng.integers(0, V, (T, B))
    forward, (dX, dfirst, grads) = run(Stacked(table, model), ids, [None, state], mask, dY, [None, dstate])
    (Y, last), (drows, dstate_rows, grads_rows) = run(model, table.W[ids], state, mask, dY, dstate)
    assert_same(forward, (Y, [None, last]), 0)
    assert dX is None
    assert_same(dfirst, [None, dstate_rows], 0)
    one_hot = (ids[..., None] == np.arange(V)) & (np.arange(V) != padding)
    expected = {"0.W": np.einsum("tbv,tbd->vd", one_hot, drows), **{f"1.{k}": g for k, g in grads_rows.items()}}
    assert_same(grads, expected)
