"""Weights cross to torch and back without losing a bit, and both sides then compute the same: all outputs, all states,
all gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncourse.cells import GRU, LSTM, RNN, ReLURNN
from rnncourse.interop import by_suffix, from_torch, load_state_dict, state_dict, to_torch
from rnncourse.layers import Bidirectional, Dropout, Embedding, Linear, Stacked
from rnncourse.twins import Plan, build, cells, outline, planned

KINDS = [RNN, ReLURNN, LSTM, GRU]
SIZE, SEED = st.integers(1, 6), st.integers(0, 2**32 - 1)
PLANS = st.builds(
    Plan, st.sampled_from(KINDS), SIZE, SIZE, st.integers(1, 3), st.booleans(), st.sampled_from([0.0, 0.25])
)
dtypes = pytest.mark.parametrize(("dtype", "tensor_type"), [(np.float32, torch.float32), (np.float64, torch.float64)])


def layer_of(plan, rng, dtype=np.float64):
    """The layer of a plan, no parameter of which is 0."""
    layer = build(plan, dtype)
    for p in layer.params.values():
        p[:] = rng.uniform(-1, 1, p.shape)
    return layer


def simple_layers(dtype):
    rng = np.random.default_rng(0)
    return Linear(4, 2, rng, dtype), Embedding(5, 3, rng, None, dtype), Embedding(5, 3, rng, 2, dtype)


def same(got, expected, what):
    np.testing.assert_allclose(got, expected.detach(), rtol=0, atol=1e-10, err_msg=what)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@given(plan=PLANS, T=SIZE, B=SIZE, seed=SEED)
def test_outputs_states_and_every_gradient_are_torch_s(kind, masked, plan, T, B, seed):
    plan, rng = plan._replace(kind=kind), np.random.default_rng(seed)
    layer = layer_of(plan, rng)
    module = to_torch(layer).eval()
    n, H = len(cells(layer)), plan.H
    lengths = rng.integers(1, T + 1, B) if masked else np.full(B, T)
    real = np.arange(T)[:, None] < lengths
    X, dY = rng.normal(size=(T, B, plan.D)), rng.normal(size=(T, B, H * (1 + plan.bidirectional))) * real[..., None]
    n_arrays = 2 if plan.kind is LSTM else 1
    first, dlast = rng.normal(size=(2, n_arrays, n, B, H))  # torch's layout: cells along the second axis

    Y, last, tape = layer.forward(X, ours(layer, first), real if masked else None)
    dX, dfirst, grads = layer.backward(dY, tape, ours(layer, dlast))

    tX, tfirst = torch.tensor(X, requires_grad=True), [torch.tensor(s, requires_grad=True) for s in first]
    tY, tlast = module(
        pack_padded_sequence(tX, torch.tensor(lengths), enforce_sorted=False) if masked else tX,
        tuple(tfirst) if n_arrays == 2 else tfirst[0],
    )
    tY, tlast = pad_packed_sequence(tY, total_length=T)[0] if masked else tY, tlast if n_arrays == 2 else (tlast,)
    loss = (tY * torch.tensor(dY)).sum() + sum((s * torch.tensor(d)).sum() for s, d in zip(tlast, dlast, strict=True))
    loss.backward()

    same(Y[real], tY[torch.tensor(real)], "outputs")
    same(dX, tX.grad, "gradient of X")
    for name, mine, theirs in [("last", last, tlast), ("first", dfirst, [s.grad for s in tfirst])]:
        for k, arrays in enumerate(flat_state(mine)):
            for j, array in enumerate(arrays):
                same(array, theirs[j][k], f"{name} state, cell {k}, array {j}")
    theirs = {name: p.grad for name, p in module.named_parameters()}
    prefixes = [name.removesuffix("W_x") for name in layer.params if name.endswith("W_x")]
    for prefix, (suffix, _) in zip(prefixes, by_suffix(layer), strict=True):
        same(grads[prefix + "W_x"], theirs["weight_ih" + suffix].T, prefix + "W_x")
        same(grads[prefix + "W_h"], theirs["weight_hh" + suffix].T, prefix + "W_h")
        same(grads[prefix + "b"], theirs["bias_ih" + suffix], prefix + "b")
        if plan.kind is GRU:
            same(grads[prefix + "b_h"], theirs["bias_hh" + suffix][2 * H :], prefix + "b_h")


def ours(layer, state):
    """(n_arrays, n_cells, B, H) to the nest of states that the layer takes."""
    each = iter([tuple(arrays) for arrays in state.swapaxes(0, 1)])

    def nest(layer):
        if isinstance(layer, Stacked):
            return [nest(level) for level in layer.layers]
        if isinstance(layer, Bidirectional):
            return [nest(layer.left), nest(layer.right)]
        return None if isinstance(layer, Dropout) else next(each)

    return nest(layer)


def flat_state(state):
    """The cells' states in order: a nest of lists with tuples of arrays at its ends."""
    if state is None:
        return []
    return [state] if isinstance(state, tuple) else [cell for part in state for cell in flat_state(part)]


@given(V=SIZE, D=SIZE, T=SIZE, B=SIZE, seed=SEED, padded=st.booleans())
def test_embedding_is_torch_s(V, D, T, B, seed, padded):
    rng = np.random.default_rng(seed)
    layer = Embedding(V, D, rng, padding=int(rng.integers(V)) if padded else None)
    ids, dY = rng.integers(0, V, (T, B)), rng.normal(size=(T, B, D))
    Y, _, tape = layer.forward(ids)
    module = to_torch(layer)
    tY = module(torch.tensor(ids))
    (tY * torch.tensor(dY)).sum().backward()
    same(Y, tY, "outputs")
    same(layer.backward(dY, tape)[2]["W"], module.weight.grad, "gradient of W")


@dtypes
@given(plan=PLANS, seed=SEED)
def test_there_and_back_keeps_every_bit(dtype, tensor_type, plan, seed):
    for layer in (layer_of(plan, np.random.default_rng(seed), dtype), *simple_layers(dtype)):
        module = to_torch(layer)
        back = from_torch(module)
        assert {p.dtype for p in module.parameters()} == {tensor_type}
        assert outline(back) == outline(layer)
        assert getattr(back, "padding", None) == getattr(layer, "padding", None)
        assert list(back.params) == list(layer.params)
        for name, p in layer.params.items():
            assert back.params[name].dtype == dtype
            assert (back.params[name] == p).all(), name


@dtypes
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("n", [1, 2])
def test_from_torch_computes_what_the_module_does(dtype, tensor_type, n, both):
    torch.manual_seed(0)
    sizes = {"num_layers": n, "bidirectional": both, "dtype": tensor_type, "dropout": 0.5 * (n > 1)}
    make = torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU
    for module in [*(cls(3, 5, **sizes) for cls in make), torch.nn.RNN(3, 5, nonlinearity="relu", **sizes)]:
        module.eval()
        assert all(abs(p).min() > 0 for p in module.parameters()), "a weight that is 0 shows nothing"
        X = np.random.default_rng(0).normal(size=(6, 2, 3)).astype(dtype)
        Y = from_torch(module).forward(X)[0]
        assert Y.dtype == dtype
        expected = module(torch.tensor(X))[0].detach()
        np.testing.assert_allclose(Y, expected, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-14)


def test_from_torch_takes_linear_and_embedding_as_they_are():
    linear, table = torch.nn.Linear(4, 3, dtype=torch.float64), torch.nn.Embedding(5, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        table.weight[3] = 7.0  # torch lets a padding row hold anything
    X, ids = np.random.default_rng(0).normal(size=(6, 2, 4)), np.array([[0, 3], [4, 3]])
    same(from_torch(linear).forward(X)[0], linear(torch.tensor(X)), "Linear")
    same(from_torch(table).forward(ids)[0], table(torch.tensor(ids)), "Embedding")


def test_dropout_goes_between_the_layers():
    layer = from_torch(torch.nn.LSTM(3, 4, num_layers=3, dropout=0.25, bidirectional=True))
    assert [type(level).__name__ for level in layer.layers] == ["Bidirectional", "Dropout"] * 2 + ["Bidirectional"]
    assert [level.p for level in layer.layers[1::2]] == [0.25] * 2
    assert to_torch(layer).dropout == 0.25


def test_dropout_that_drops_nothing_has_no_say():
    rng = np.random.default_rng(0)
    layer = Stacked(LSTM(2, 3, rng), Dropout(0.0), LSTM(3, 3, rng), Dropout(0.0))
    X = rng.normal(size=(5, 2, 2))
    same(layer.forward(X)[0], to_torch(layer)(torch.tensor(X))[0], "outputs")


def test_a_stack_of_one_has_the_twin_of_its_layer():
    rng = np.random.default_rng(0)
    assert to_torch(Stacked(GRU(2, 3, rng))).num_layers == 1


@pytest.mark.parametrize("both", [False, True])
def test_state_dict_has_torch_s_names_and_shapes(both):
    module = torch.nn.GRU(3, 4, num_layers=2, bidirectional=both, dtype=torch.float64)
    ours, theirs = state_dict(from_torch(module)), module.state_dict()
    assert {name: p.shape for name, p in ours.items()} == {name: p.shape for name, p in theirs.items()}
    assert list(ours) == list(theirs)


def test_load_state_dict_is_in_place_and_adds_the_two_biases():
    module, cell = torch.nn.GRU(2, 3, dtype=torch.float64), GRU(2, 3, np.random.default_rng(0))
    before = cell.params
    load_state_dict(cell, module.state_dict())
    ih, hh = module.bias_ih_l0.detach().numpy(), module.bias_hh_l0.detach().numpy()
    assert all(cell.params[name] is p for name, p in before.items())
    assert (cell.b[:6] == ih[:6] + hh[:6]).all()
    assert (cell.b[6:] == ih[6:]).all()
    assert (cell.b_h == hh[6:]).all()


def test_weights_that_do_not_fit_change_nothing():
    cell = RNN(2, 3, np.random.default_rng(0))
    before = {name: p.copy() for name, p in cell.params.items()}
    weights = torch.nn.RNN(2, 3, dtype=torch.float64).state_dict()
    weights["bias_hh_l0"] = weights["bias_hh_l0"][:1]
    with pytest.raises(ValueError, match=r"^expected bias_hh_l0 of shape \(3,\), got \(1,\)"):
        load_state_dict(cell, weights)
    assert all((cell.params[name] == p).all() for name, p in before.items())


def test_the_twins_share_no_memory():
    rng = np.random.default_rng(0)
    for layer in (layer_of(Plan(GRU, 3, 4, 2, True, 0.0), rng), *simple_layers(np.float64)):
        module, copies = to_torch(layer), state_dict(layer)
        back = from_torch(module)
        before = {name: p.copy() for name, p in layer.params.items()}
        with torch.no_grad():
            for p in (*module.parameters(), *copies.values()):
                p.zero_()
        assert all((layer.params[name] == p).all() for name, p in before.items())
        assert all((back.params[name] == p).all() for name, p in before.items())


@given(plan=PLANS)
def test_the_plan_of_a_plan_s_layer_is_the_plan(plan):
    if plan.num_layers == 1:
        plan = plan._replace(dropout=0.0)
    assert planned(build(plan)) == plan
