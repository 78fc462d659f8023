"""Jacobians against autograd and differences, leaks against layers that leak, costs against torch's own counter."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import CELLS, autograd
from torch.utils.flop_counter import FlopCounterMode

from rnncourse.analysis import (
    Leaks,
    count_parameters,
    effective_memory,
    flops,
    leak_test,
    singular_values,
    state_jacobians,
)
from rnncourse.analysis.structure import leaves, parts
from rnncourse.cells import GRU, LSTM, RNN, ReLURNN
from rnncourse.init import orthogonal
from rnncourse.layers import (
    Bidirectional,
    Dropout,
    Embedding,
    Frozen,
    LayerNorm,
    Linear,
    Residual,
    Stacked,
    Tanh,
    Window,
    causal_cnn,
)

SEED = st.integers(0, 2**32 - 1)
SIZES = st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))


def rng():
    return np.random.default_rng(0)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# Jacobians


@given(sizes=SIZES, seed=SEED, name=st.sampled_from(sorted(CELLS)), masked=st.booleans())
def test_jacobians_of_every_cell_equal_autograd(sizes, seed, name, masked):
    (T, B, D, H), r = sizes, np.random.default_rng(seed)
    cell, X, mask = CELLS[name](D, H, rng=r), r.normal(size=(T, B, D)), r.random((T, B)) < 0.7 if masked else None
    state = tuple(r.normal(size=(B, H)) for _ in range(cell.n_states))
    J = state_jacobians(cell, X, state, mask)
    S = cell.n_states * H
    assert J.shape == (T + 1, B, S, S)
    for t in range(T):  # from the state after t steps, as leaves of a graph of its own
        after, p = autograd(cell, X[t:], state, None if mask is None else mask[t:])
        for b, i in np.ndindex(B, S):
            last = after[-1][i // H][b, i % H]
            grads = torch.autograd.grad(last, p["state"], retain_graph=True, allow_unused=True)
            row = torch.cat([torch.zeros(H) if g is None else g[b] for g in grads])
            np.testing.assert_allclose(J[T - t, b, i], row, rtol=0, atol=1e-10, err_msg=f"after {t} steps")
        state = tuple(s.detach().numpy() for s in after[0])
    assert (J[0] == np.eye(S)).all()


STACK = Stacked(LSTM(3, 2, rng()), Residual(Stacked(LayerNorm(2), GRU(2, 2, rng()))), Window(2), Linear(4, 2, rng()))


def test_jacobians_of_a_stack_equal_differences():
    """Change one number of the state after t steps and run on: layers above and below hear of it."""
    X, T, eps = normal(5, 2, 3), 5, 1e-6
    J = state_jacobians(STACK, X)
    for t in range(1, T):
        _, state, _ = STACK.forward(X[:t])
        column = 0
        for array in leaves(state):
            for j in range(array.shape[1]):
                ends = []
                for sign in (1, -1):
                    array[:, j] += sign * eps
                    ends.append(np.concatenate(leaves(STACK.forward(X[t:], state)[1]), axis=1))
                    array[:, j] -= sign * eps
                slope = (ends[0] - ends[1]) / (2 * eps)
                np.testing.assert_allclose(J[T - t, :, :, column], slope, rtol=0, atol=1e-8)
                column += 1
        assert column == J.shape[-1]


@given(sizes=SIZES, seed=SEED, name=st.sampled_from([*sorted(CELLS), "stack"]), masked=st.booleans())
def test_the_gradient_of_the_first_state_is_the_last_ones_times_the_whole_jacobian(sizes, seed, name, masked):
    (T, B, D, H), r = sizes, np.random.default_rng(seed)
    layer = STACK if name == "stack" else CELLS[name](D, H, rng=r)
    X = r.normal(size=(T, B, 3 if name == "stack" else D))
    mask = r.random((T, B)) < 0.7 if masked else None
    Y, last, tape = layer.forward(X, None, mask)
    J = state_jacobians(layer, X, None, mask)
    dlast = r.normal(size=J.shape[1:3])
    columns = iter(np.split(dlast, np.cumsum([s.shape[1] for s in leaves(last)]), axis=1))

    def fill(state):
        return None if state is None else next(columns) if isinstance(state, np.ndarray) else [fill(s) for s in state]

    _, dfirst, _ = layer.backward(np.zeros_like(Y), tape, fill(last))
    expected = np.concatenate(leaves(dfirst), axis=1)
    np.testing.assert_allclose(np.einsum("bi,bij->bj", dlast, J[T]), expected, rtol=0, atol=1e-10)


def test_a_linear_run_has_powers_of_its_matrix():
    cell = ReLURNN(1, 3, rng())
    cell.W_h[:] = abs(cell.W_h)
    J = state_jacobians(cell, np.ones((6, 1, 1)), (np.ones((1, 3)) * 5,))
    assert (cell.forward(np.ones((6, 1, 1)), (np.ones((1, 3)) * 5,))[0] > 0).all(), "the test is not of a linear run"
    for lag in range(7):
        np.testing.assert_allclose(J[lag, 0], np.linalg.matrix_power(cell.W_h.T, lag), rtol=1e-12)


def test_ids_give_the_jacobians_of_their_rows():
    table, cell, ids = Embedding(5, 3, rng()), GRU(3, 2, rng()), np.array([[0, 4], [3, 1], [2, 2]])
    J = state_jacobians(Stacked(table, cell), ids)
    np.testing.assert_allclose(J, state_jacobians(cell, table.W[ids]), rtol=0, atol=1e-14)


def test_a_step_that_waits_loses_nothing():
    mask = np.ones((5, 2), bool)
    mask[3:, 0] = False
    J = state_jacobians(LSTM(3, 2, rng()), normal(5, 2, 3), None, mask)
    assert (J[:3, 0] == np.eye(4)).all()
    assert abs(J[1, 1] - np.eye(4)).max() > 0.1


def test_jacobians_are_of_the_layers_dtype():
    cell = LSTM(3, 2, rng(), np.float32)
    assert state_jacobians(cell, normal(4, 2, 3).astype(np.float32)).dtype == np.float32


@given(seed=SEED, S=st.integers(1, 5))
def test_singular_values_are_the_roots_of_the_eigenvalues_of_JtJ(seed, S):
    J = np.random.default_rng(seed).normal(size=(2, 3, S, S))
    values = singular_values(J)
    expected = np.linalg.eigvalsh(np.swapaxes(J, -1, -2) @ J)[..., ::-1]
    np.testing.assert_allclose(values**2, expected, rtol=0, atol=1e-10)
    directions = np.random.default_rng(seed).normal(size=(2, 3, S, 50))
    stretch = np.linalg.norm(J @ directions, axis=-2) / np.linalg.norm(directions, axis=-2)
    assert (stretch <= values[..., :1] + 1e-10).all()
    assert (stretch >= values[..., -1:] - 1e-10).all()


def test_at_rest_an_orthogonal_matrix_keeps_every_norm_at_1():
    cell = RNN(1, 4, rng())
    cell.W_h[:], cell.b[:] = orthogonal((4, 4), rng()), 0  # h stays 0, where tanh′ = 1
    J = state_jacobians(cell, np.zeros((3, 1, 1)))
    np.testing.assert_allclose(singular_values(J), 1, rtol=0, atol=1e-12)


@given(
    values=st.lists(st.sampled_from([0.0, 0.1, 0.49, 0.5, 0.51, 1.0, 3.0]), max_size=8),
    fraction=st.sampled_from([0.1, 0.5, 1.0]),
)
def test_effective_memory_is_the_first_lag_from_which_all_norms_are_below(values, fraction):
    norms = np.array([1.0, *values])
    lags = [k for k in range(len(norms)) if all(n < fraction for n in norms[k:])]
    assert effective_memory(norms, fraction) == (min(lags) if lags else np.inf)


def test_effective_memory_is_relative_and_each_sequences_own():
    lags = np.arange(50.0)
    norms = np.stack([7 * 0.5**lags, 0.9**lags, lags + 1, np.where(lags < 20, 1.0, 1e-9)], axis=1)
    assert effective_memory(norms, 0.1).tolist() == [4, 22, np.inf, 20]
    assert effective_memory(np.exp(-lags / 9.5), np.exp(-1)) == 10


def test_a_wider_open_forget_gate_remembers_longer():
    X, memories = normal(60, 4, 3), []
    for bias in (0.0, 2.0, 4.0):
        cell = LSTM(3, 8, rng())
        cell.b[8:16] = bias
        memories.append(effective_memory(singular_values(state_jacobians(cell, X))[..., 0], 0.01).mean())
    assert memories[0] < 15
    assert memories == sorted(memories)
    assert memories[2] == np.inf


# leaks

SOUND = {
    **{name: cell(3, 4, rng=rng()) for name, cell in CELLS.items()},
    "a stack": STACK,
    "a causal CNN": causal_cnn(3, 4, 2, 3, rng()),
    "dropout, outside training": Stacked(Dropout(0.5), RNN(3, 2, rng())),
}
LENGTHS = np.arange(7)[:, None] < np.array([7, 4, 1])


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("mask", [None, LENGTHS, LENGTHS[::-1]], ids=["no mask", "padded right", "padded left"])
def test_sound_layers_leak_nothing(name, mask):
    found = leak_test(SOUND[name], normal(7, 3, 3), rng(), mask)
    assert found.future == 0
    assert (found.pads is None) == (mask is None)
    assert max(found.pads or 0, found.order, found.neighbors) < 1e-12, str(found)


def test_a_masked_bidirectional_layer_sees_the_future_alone():
    layer = Stacked(Bidirectional(LSTM(3, 4, rng()), GRU(3, 2, rng())), Linear(6, 2, rng()))
    found = leak_test(layer, normal(7, 3, 3), rng(), LENGTHS)
    assert found.future > 0.01
    assert max(found.pads, found.order, found.neighbors) < 1e-12, str(found)


class Wrong(Stacked):
    """A stack with a mistake in it, for the test to find."""

    def __init__(self, mistake, *layers):
        super().__init__(*layers)
        self.mistake = mistake

    def forward(self, X, state=None, mask=None, rng=None):
        return self.mistake(super().forward, X, state, mask)


def next_input(forward, X, state, mask):
    """One step's output holds the next one's input: at step 4 alone."""
    Y, state, tape = forward(X, state, mask)
    Y = Y.copy()
    Y[4] += X[5].sum(axis=-1, keepdims=True)
    return Y, state, tape


def no_mask(forward, X, state, mask):
    return forward(X, state, None)


def standardized(forward, X, state, mask):
    """Batch statistics, of padding too: no order matters, yet every sequence hears of all others."""
    return forward(X - X.mean(axis=1, keepdims=True), state, mask)


def by_place(forward, X, state, mask):
    """The first sequence of a batch, whichever it is, gets more."""
    Y, state, tape = forward(X, state, mask)
    return Y + np.array([1.0, 0, 0])[:, None], state, tape


def state_of_the_neighbour(forward, X, state, mask):
    """Outputs are right, but each sequence goes on from another's state."""
    Y, [(h,)], tape = forward(X, state, mask)
    return Y, [(np.roll(h, 1, axis=0),)], tape


MISTAKES = {
    "next input": (next_input, {"future"}),
    "ignored mask": (no_mask, {"pads"}),
    "batch statistics": (standardized, {"neighbors", "pads"}),
    "the place in the batch": (by_place, {"order"}),
    "another's state": (state_of_the_neighbour, {"neighbors"}),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_found_by_its_own_test_and_no_other(name):
    mistake, kinds = MISTAKES[name]
    found = leak_test(Wrong(mistake, RNN(3, 4, rng())), normal(7, 3, 3), rng(), LENGTHS)
    assert {kind for kind, moved in found._asdict().items() if moved > 0.01} == kinds, str(found)
    assert all(moved < 1e-12 for kind, moved in found._asdict().items() if kind not in kinds), str(found)


def test_two_sequences_of_two_steps_are_enough():
    def mistaken(forward, X, state, mask):
        Y, state, tape = forward(X, state, mask)
        return Y + X[::-1].sum(axis=-1, keepdims=True) + np.array([[1.0], [0]]) + X[:, ::-1].sum(), state, tape

    found = leak_test(
        Wrong(mistaken, RNN(3, 4, rng())), normal(2, 2, 3), rng(), np.array([[True, True], [True, False]])
    )
    assert min(found) > 0.01, str(found)


def test_padding_reversed_into_a_sequence_is_found():
    """The trap of bidirectional layers: without the mask the backward reader starts in the padding."""
    layer = Wrong(no_mask, Bidirectional(RNN(3, 4, rng()), RNN(3, 4, rng())))
    assert leak_test(layer, normal(7, 3, 3), rng(), LENGTHS).pads > 0.01


def test_the_change_reported_is_the_largest():
    """y_t = 2 x_{t+1}: the output moves by twice what the input was moved by, at most."""

    class Shift:
        params = {}  # noqa: RUF012

        def forward(self, X, state=None, mask=None, rng=None):
            seen.append(X)
            return np.concatenate([2 * X[1:], 0 * X[:1]]), state, None

        def backward(self, dY, tape, dstate=None):
            raise NotImplementedError

    seen, X = [], normal(6, 1, 2)
    found = leak_test(Shift(), X, rng())
    assert (seen[0] == X).all()
    assert found.future == max(2 * abs(other - X)[t].max() for t, other in enumerate(seen[1:], 1))


def test_what_comes_out_as_nan_is_reported_as_nan():
    def spoiled(forward, X, state, mask):
        Y, state, tape = forward(X, state, mask)
        return np.where(X[6:, :, :1] == last, Y, np.nan), state, tape

    X = normal(7, 1, 3)
    last = X[6:, :, :1].copy()
    assert np.isnan(leak_test(Wrong(spoiled, RNN(3, 4, rng())), X, rng()).future)


def test_ids_become_other_ids():
    ids, seen = np.array([[0, 4, 2], [1, 1, 0]]), []

    class Spy(Embedding):
        def forward(self, X, state=None, mask=None, rng=None):
            seen.append(X)
            return super().forward(X, state, mask, rng)

    mask = np.array([[True, True, True], [True, False, True]])
    found = leak_test(Stacked(Spy(5, 3, rng()), RNN(3, 4, rng())), ids, rng(), mask)
    assert max(found) < 1e-12
    assert (seen[1][0] == ids[0]).all()
    assert (seen[1][1] != ids[1]).all()
    assert ((seen[2] != ids) == ~mask).all()


def test_every_id_becomes_any_other_up_to_the_largest_and_no_more():
    ids, seen = np.random.default_rng(1).integers(0, 4, (2, 200)), []

    class Spy(Embedding):
        def forward(self, X, state=None, mask=None, rng=None):
            seen.append(X)
            return super().forward(X, state, mask, rng)

    leak_test(Spy(4, 1, rng()), ids, rng())
    changes = {(int(old), int(new)) for old, new in zip(ids[1], seen[1][1], strict=True)}
    assert changes == {(old, new) for old in range(4) for new in range(4) if new != old}


def test_the_largest_id_may_be_the_largest_of_its_dtype():
    ids, seen = np.array([[3, 255, 7], [255, 0, 9]], np.uint8), []

    class Spy(Embedding):
        def forward(self, X, state=None, mask=None, rng=None):
            seen.append(X)
            return super().forward(X, state, mask, rng)

    leak_test(Spy(256, 2, rng()), ids, rng())
    assert seen[1].dtype == np.uint8
    assert (seen[1][1] != ids[1]).all()
    assert seen[1][1].any()


def test_the_batch_and_the_parameters_are_left_alone():
    X, layer = normal(5, 3, 3), RNN(3, 4, rng())
    before, params = X.copy(), {name: p.copy() for name, p in layer.params.items()}
    leak_test(layer, X, rng(), LENGTHS[:5])
    state_jacobians(layer, X)
    assert np.array_equal(X, before)
    assert all((layer.params[name] == p).all() for name, p in params.items())


def test_what_cannot_be_tested_is_not_called_sound():
    found = leak_test(RNN(3, 4, rng()), normal(1, 1, 3), rng(), np.ones((1, 1), bool))
    assert found == Leaks(None, None, None, None)
    assert str(found).count("not tested") == 4


# costs


@pytest.mark.parametrize("name", CELLS)
def test_flops_equal_what_torch_counts(name):
    T, B, D, H = 5, 3, 4, 6
    cell = CELLS[name](D, H, rng=rng())
    state = [np.zeros((B, H))] * cell.n_states
    with FlopCounterMode(display=False) as forward:
        states, _ = autograd(cell, normal(T, B, D), state)
    with FlopCounterMode(display=False) as backward:
        sum(s[0].sum() for s in states).backward()
    unused = 2 * T * B * H * H if name == "GRUResetBefore" else 0  # the oracle computes h W_hn too, in vain
    assert flops(cell, T, B) == (forward.get_total_flops() - unused, backward.get_total_flops())


def test_flops_of_torchs_own_module():
    layer, module = LSTM(4, 6, rng()), torch.nn.LSTM(4, 6, dtype=torch.float64)
    with FlopCounterMode(display=False) as counter:
        module(torch.ones(5, 3, 4, dtype=torch.float64))
    assert flops(layer, 5, 3).forward == counter.get_total_flops()


def test_flops_of_a_model_are_its_layers_together():
    table, both, head = Embedding(50, 4, rng()), Bidirectional(RNN(4, 6, rng()), RNN(4, 6, rng())), Linear(12, 4, rng())
    model = Stacked(Frozen(table), LayerNorm(4), Residual(Stacked(both, head, Tanh())))
    assert flops(model, 7, 2).forward == 2 * 7 * 2 * (2 * (4 * 6 + 6 * 6) + 12 * 4)
    assert flops(Frozen(head), 7, 2) == flops(head, 7, 2), "a frozen layer is run all the same"
    assert flops(model, 14, 2).forward == flops(model, 7, 4).forward == 2 * flops(model, 7, 2).forward


def test_parameters_are_counted_as_torch_counts_them():
    modules = torch.nn.Embedding(9, 4), torch.nn.LSTM(4, 6, bidirectional=True), torch.nn.Linear(12, 5)
    ours = Stacked(Embedding(9, 4, rng()), Bidirectional(LSTM(4, 6, rng()), LSTM(4, 6, rng())), Linear(12, 5, rng()))
    second_biases = 2 * 4 * 6
    expected = sum(p.numel() for module in modules for p in module.parameters()) - second_biases
    assert count_parameters(ours) == expected
    assert count_parameters(Frozen(ours)) == 0, "nothing is left to learn"


def test_parts_are_found_in_tuples_lists_and_attributes():
    class Pair:
        params = {}  # noqa: RUF012

        def __init__(self, *pair):
            self.pair, self.size = list(pair), 2

        def forward(self, X, state=None, mask=None, rng=None):
            raise NotImplementedError

        backward = forward

    inner = [Tanh(), Linear(3, 3, rng()), RNN(3, 3, rng())]
    outer = Stacked(Pair(inner[0], inner[1]), Residual(inner[2]))
    assert [type(part).__name__ for part in parts(outer)] == ["Stacked", "Pair", "Tanh", "Linear", "Residual", "RNN"]
