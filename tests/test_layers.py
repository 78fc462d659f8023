"""Linear and Stacked against torch and against finite differences; the contract that lets layers compose."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncourse.cells import RNN, ReLURNN
from rnncourse.interop import to_torch
from rnncourse.layers import Linear, Stacked
from rnncourse.layers.combinators import joined

SIZES = st.tuples(*[st.integers(1, 5)] * 4)
SEED = st.integers(0, 2**32 - 1)


@given(sizes=SIZES, seed=SEED)
def test_linear_equals_torch(sizes, seed):
    (T, B, D, Q), rng = sizes, np.random.default_rng(seed)
    layer, X, dY = Linear(D, Q, rng), rng.normal(size=(T, B, D)), rng.normal(size=(T, B, Q))
    Y, _, tape = layer.forward(X)
    dX, _, grads = layer.backward(dY, tape)
    module, tX = to_torch(layer), torch.tensor(X, requires_grad=True)
    tY = module(tX)
    (tY * torch.tensor(dY)).sum().backward()
    np.testing.assert_allclose(Y, tY.detach(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(dX, tX.grad, rtol=0, atol=1e-10)
    np.testing.assert_allclose(grads["W"], module.weight.grad.numpy().T, rtol=0, atol=1e-10)
    np.testing.assert_allclose(grads["b"], module.bias.grad, rtol=0, atol=1e-10)


def test_linear_passes_state_and_its_gradient_by():
    layer, state, dstate = Linear(2, 3, np.random.default_rng(0)), object(), object()
    Y, passed, tape = layer.forward(np.ones((1, 1, 2)), state)
    assert passed is state
    assert layer.backward(Y, tape, dstate)[1] is dstate


def test_linear_starts_within_one_over_root_D():
    for p in Linear(25, 40, np.random.default_rng(0)).params.values():
        assert 0.18 < abs(p).max() <= 0.2


@given(sizes=SIZES, seed=SEED, masked=st.booleans())
def test_stacked_equals_torch(sizes, seed, masked):
    """Two recurrent layers and a linear one: torch.nn.RNN(num_layers=2), packed if masked, and torch.nn.Linear."""
    (T, B, D, H), rng, Q = sizes, np.random.default_rng(seed), 3
    model = Stacked(RNN(D, H, rng), RNN(H, H, rng), Linear(H, Q, rng))
    X, state = rng.normal(size=(T, B, D)), [(rng.normal(size=(B, H)),), (rng.normal(size=(B, H)),), None]
    lengths = rng.integers(1, T + 1, B) if masked else np.full(B, T)
    mask = np.arange(T)[:, None] < lengths if masked else None
    Y, last, tape = model.forward(X, state, mask)
    dY, dlast = rng.normal(size=Y.shape), [(rng.normal(size=(B, H)),), (rng.normal(size=(B, H)),), None]
    dY *= (np.arange(T)[:, None] < lengths)[..., None]
    dX, dstate, grads = model.backward(dY, tape, dlast)

    module = torch.nn.RNN(D, H, num_layers=2, dtype=torch.float64)
    weights = {}
    for k in range(2):
        twin = to_torch(model.layers[k]).state_dict()
        weights |= {name.replace("_l0", f"_l{k}"): p for name, p in twin.items()}
    module.load_state_dict(weights)
    head, tX = to_torch(model.layers[2]), torch.tensor(X, requires_grad=True)
    th = torch.tensor(np.stack([state[0][0], state[1][0]]), requires_grad=True)
    packed, tlast = module(pack_padded_sequence(tX, torch.tensor(lengths), enforce_sorted=False), th)
    tY = head(pad_packed_sequence(packed, total_length=T)[0])
    tdlast = torch.tensor(np.stack([dlast[0][0], dlast[1][0]]))
    ((tY * torch.tensor(dY)).sum() + (tlast * tdlast).sum()).backward()

    real = np.arange(T)[:, None] < lengths
    np.testing.assert_allclose(Y[real], tY.detach().numpy()[real], rtol=0, atol=1e-10, err_msg="outputs")
    np.testing.assert_allclose(dX, tX.grad, rtol=0, atol=1e-10, err_msg="dX")
    for k in range(2):
        np.testing.assert_allclose(last[k][0], tlast[k].detach(), rtol=0, atol=1e-10, err_msg=f"last state {k}")
        np.testing.assert_allclose(dstate[k][0], th.grad[k], rtol=0, atol=1e-10, err_msg=f"dstate {k}")
        for ours, theirs in [("W_x", "weight_ih"), ("W_h", "weight_hh"), ("b", "bias_ih")]:
            expected = getattr(module, f"{theirs}_l{k}").grad.numpy().T
            np.testing.assert_allclose(grads[f"{k}.{ours}"], expected, rtol=0, atol=1e-10, err_msg=f"{k}.{ours}")
    np.testing.assert_allclose(grads["2.W"], head.weight.grad.numpy().T, rtol=0, atol=1e-10)
    np.testing.assert_allclose(grads["2.b"], head.bias.grad, rtol=0, atol=1e-10)


@given(seed=SEED, masked=st.booleans())
def test_stacked_gradients_equal_differences(check_by_differences, seed, masked):
    rng = np.random.default_rng(seed)
    T, B, D, H, Q = rng.integers(1, 4, 5)
    model = Stacked(RNN(D, H, rng), Stacked(Linear(H, Q, rng), ReLURNN(Q, H, rng)))
    state = [(rng.normal(size=(B, H)),), [None, (rng.normal(size=(B, H)),)]]
    mask = rng.random((T, B)) < 0.7 if masked else None
    check_by_differences(model, rng.normal(size=(T, B, D)), state, mask, rng)


def test_parameters_and_gradients_have_equal_keys_and_shapes():
    rng = np.random.default_rng(0)
    model = Stacked(RNN(2, 3, rng), Stacked(RNN(3, 3, rng), Linear(3, 1, rng)))
    Y, _, tape = model.forward(np.ones((4, 2, 2)))
    grads = model.backward(Y, tape)[2]
    assert list(model.params) == ["0.W_x", "0.W_h", "0.b", "1.0.W_x", "1.0.W_h", "1.0.b", "1.1.W", "1.1.b"]
    assert {k: g.shape for k, g in grads.items()} == {k: p.shape for k, p in model.params.items()}


def test_stacked_hands_mask_and_rng_to_every_layer():
    class Spy(Linear):
        def forward(self, X, state=None, mask=None, rng=None):
            seen.append((mask, rng))
            return super().forward(X, state, mask, rng)

    seen, rng, mask = [], np.random.default_rng(0), np.ones((1, 1), bool)
    Stacked(Spy(2, 2, rng), Spy(2, 2, rng)).forward(np.ones((1, 1, 2)), None, mask, rng)
    assert [(m is mask, r is rng) for m, r in seen] == [(True, True)] * 2


def test_state_carried_through_a_stack_equals_one_long_run():
    rng = np.random.default_rng(0)
    model = Stacked(RNN(2, 3, rng), RNN(3, 4, rng), Linear(4, 2, rng))
    X = rng.normal(size=(7, 2, 2))
    first, state, _ = model.forward(X[:3])
    second, state, _ = model.forward(X[3:], state)
    whole, last, _ = model.forward(X)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=0, atol=1e-14)
    np.testing.assert_allclose(state[1][0], last[1][0], rtol=0, atol=1e-14)


def test_joined_keeps_every_name():
    assert joined(range(3), [{"W": 1}, {}, {"0.W": 2}]) == {"0.W": 1, "2.0.W": 2}


@pytest.mark.parametrize("contiguous", [True, False])
def test_linear_takes_arrays_of_any_layout(contiguous):
    rng = np.random.default_rng(0)
    layer, X, dY = Linear(3, 2, rng), rng.normal(size=(5, 4, 3)), rng.normal(size=(5, 4, 2))
    expected = layer.backward(dY, X)
    if not contiguous:
        X, dY = np.asfortranarray(X), dY.transpose(1, 0, 2).copy().transpose(1, 0, 2)
    got = layer.backward(dY, layer.forward(X)[2])
    np.testing.assert_allclose(got[0], expected[0], rtol=0, atol=1e-14)
    np.testing.assert_allclose(got[2]["W"], expected[2]["W"], rtol=0, atol=1e-14)
