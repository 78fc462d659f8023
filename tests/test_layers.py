"""Each layer against torch, and what it promises by itself; what every composition promises is in test_composition."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncourse.cells import RNN, ReLURNN
from rnncourse.interop import to_torch
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
    causal_cnn,
    window_mlp,
)
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


class Spy(Linear):
    """Notes what it is handed."""

    def __init__(self, seen):
        super().__init__(2, 2, np.random.default_rng(0))
        self.seen = seen

    def forward(self, X, state=None, mask=None, rng=None):
        self.seen.append((state, mask, rng))
        return super().forward(X, state, mask, rng)

    def backward(self, dY, X, dstate=None):
        self.seen.append(dstate)
        return super().backward(dY, X, dstate)


@pytest.mark.parametrize("kind", [Stacked, Bidirectional])
def test_state_mask_and_rng_reach_both_layers_and_dstate_comes_back(kind):
    X, rng, mask, seen = np.ones((2, 1, 2)), np.random.default_rng(0), np.array([[True], [False]]), []
    layer = kind(Spy(seen), Spy(seen))
    Y, state, tape = layer.forward(X, ["a", "b"], mask, rng)
    (first, mask1, rng1), (second, mask2, rng2) = seen
    assert [first, second] == state == ["a", "b"]
    assert rng1 is rng2 is rng
    assert (mask1 == mask).all()
    assert (mask2 == (mask[::-1] if kind is Bidirectional else mask)).all()
    assert layer.backward(Y, tape, ["c", "d"])[1] == ["c", "d"]
    assert sorted(seen[2:]) == ["c", "d"]


@pytest.mark.parametrize("kind", [Residual, Frozen])
def test_state_mask_and_rng_reach_the_layer_within_and_dstate_comes_back(kind):
    X, rng, mask, seen = np.ones((2, 1, 2)), np.random.default_rng(0), np.array([[True], [False]]), []
    layer = kind(Spy(seen))
    Y, state, tape = layer.forward(X, "a", mask, rng)
    assert seen[0][0] == state == "a"
    assert seen[0][1] is mask
    assert seen[0][2] is rng
    assert layer.backward(Y, tape, "c")[1] == seen[1] == "c"


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


def agree_with_torch(layer, X, twin):
    """Forward and back beside `twin`, a function of a tensor; returns the layer's own gradients."""
    Y, _, tape = layer.forward(X)
    dY = np.random.default_rng(X.size).normal(size=Y.shape)
    dX, _, grads = layer.backward(dY, tape)
    tX = torch.tensor(X, requires_grad=True)
    tY = twin(tX)
    (tY * torch.tensor(dY)).sum().backward()
    np.testing.assert_allclose(Y, tY.detach(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(dX, tX.grad, rtol=0, atol=1e-10)
    return grads


@pytest.mark.parametrize(("layer", "twin"), [(Tanh(), torch.tanh), (ReLU(), torch.relu)])
@given(sizes=SIZES, seed=SEED)
def test_activations_equal_torch(layer, twin, sizes, seed):
    assert agree_with_torch(layer, np.random.default_rng(seed).normal(size=sizes[:3]), twin) == {}


def test_relu_has_slope_0_at_0():
    X = np.array([[[-1.0, 0.0, 1.0]]])
    assert agree_with_torch(ReLU(), X, torch.relu) == {}


@given(sizes=SIZES, seed=SEED)
def test_layer_norm_equals_torch(sizes, seed):
    (T, B, D, _), rng = sizes, np.random.default_rng(seed)
    layer = LayerNorm(D)
    layer.gain[:], layer.bias[:] = rng.normal(size=(2, D))
    gain, bias = (torch.tensor(p, requires_grad=True) for p in (layer.gain, layer.bias))
    grads = agree_with_torch(
        layer, rng.normal(3, 5, (T, B, D)), lambda X: torch.nn.functional.layer_norm(X, (D,), gain, bias)
    )
    np.testing.assert_allclose(grads["gain"], gain.grad, rtol=0, atol=1e-10)
    np.testing.assert_allclose(grads["bias"], bias.grad, rtol=0, atol=1e-10)


def test_layer_norm_starts_by_changing_nothing_but_mean_and_scale():
    layer = LayerNorm(3)
    assert (layer.gain == 1).all()
    assert (layer.bias == 0).all()


@given(sizes=SIZES, seed=SEED, k=st.integers(1, 4), dilation=st.integers(1, 3))
def test_window_and_linear_are_a_causal_convolution(sizes, seed, k, dilation):
    (T, B, D, Q), rng = sizes, np.random.default_rng(seed)
    layer = Stacked(Window(k, dilation), Linear(k * D, Q, rng))
    kernel = layer.layers[1].W.reshape(k, D, Q)[::-1].transpose(2, 1, 0)  # torch: (Q, D, k), the oldest input first
    kernel, bias = (torch.tensor(a.copy(), requires_grad=True) for a in (kernel, layer.layers[1].b))

    def convolution(X):
        padded = torch.nn.functional.pad(X.permute(1, 2, 0), ((k - 1) * dilation, 0))
        return torch.nn.functional.conv1d(padded, kernel, bias, dilation=dilation).permute(2, 0, 1)

    grads = agree_with_torch(layer, rng.normal(size=(T, B, D)), convolution)
    expected = kernel.grad.numpy().transpose(2, 1, 0)[::-1].reshape(k * D, Q)
    np.testing.assert_allclose(grads["1.W"], expected, rtol=0, atol=1e-10)


def test_window_s_state_is_the_last_inputs_oldest_first():
    X = np.arange(1.0, 6.0).reshape(5, 1, 1)
    assert [s.item() for s in Window(3).forward(X)[1]] == [4, 5]
    assert [s.item() for s in Window(2, 3).forward(X[:1])[1]] == [0, 0, 1]
    assert Window(1).forward(X)[1] == ()


def test_window_counts_a_masked_input_as_0():
    mask = np.array([True, False, True])[:, None]
    Y, (last,), _ = Window(2).forward(np.full((3, 1, 1), 7.0), None, mask)
    assert Y[:, 0].tolist() == [[7, 0], [0, 7], [7, 0]]
    assert last.item() == 7


@pytest.mark.parametrize(("depth", "k"), [(1, 2), (3, 2), (2, 3), (1, 1)])
def test_a_causal_cnn_sees_k_to_the_depth_steps(depth, k):
    model = causal_cnn(1, 4, 1, depth, np.random.default_rng(0), k)
    seen = k**depth
    for p in model.params.values():
        p[:] = abs(p)  # no unit of ReLU is off, so that no path is closed
    X = np.ones((seen + 3, 1, 1))
    Y, _, tape = model.forward(X)
    dY = np.zeros_like(Y)
    dY[-1] = 1
    reached = model.backward(dY, tape)[0][:, 0, 0] != 0
    assert reached.tolist() == [False] * 3 + [True] * seen


def test_parameters_of_the_window_networks():
    k, D, H, Q, rng = 10, 3, 16, 2, np.random.default_rng(0)
    count = lambda model: sum(p.size for p in model.params.values())
    assert count(window_mlp(k, D, H, Q, rng)) == (k * D + 1) * H + (H + 1) * Q
    assert count(causal_cnn(D, H, Q, 3, rng)) == (2 * D + 1) * H + 2 * (2 * H + 1) * H + (H + 1) * Q


def test_a_window_mlp_sees_k_steps_and_no_more():
    model = window_mlp(4, 1, 8, 1, np.random.default_rng(0))
    Y, _, tape = model.forward(np.random.default_rng(1).normal(size=(9, 1, 1)))
    dY = np.zeros_like(Y)
    dY[-1] = 1
    assert (model.backward(dY, tape)[0][:, 0, 0] != 0).tolist() == [False] * 5 + [True] * 4


def test_window_networks_are_made_in_the_dtype_asked_for():
    X, rng = np.ones((4, 2, 1), np.float32), np.random.default_rng(0)
    for model in (window_mlp(3, 1, 4, 1, rng, np.float32), causal_cnn(1, 4, 1, 2, rng, dtype=np.float32)):
        assert model.forward(X)[0].dtype == np.float32


@pytest.mark.parametrize("kind", [Dropout, SequenceDropout])
def test_dropout_drops_a_share_p_and_keeps_the_mean(kind):
    X, p = np.full((20, 500, 20), 3.0), 0.3
    Y, _, tape = kind(p).forward(X, None, None, np.random.default_rng(0))
    assert set(np.unique(Y)) == {0.0, 3 / (1 - p)}
    dropped = Y == 0
    # Four deviations of a mean of independent draws: 200 000 of them, or 10 000 where the steps share theirs.
    n = X.size if kind is Dropout else X[0].size
    assert abs(dropped.mean() - p) < 4 * (p * (1 - p) / n) ** 0.5
    assert (kind(p).backward(X, tape)[0] == Y).all(), "the way back drops and scales as the way there did"


def test_sequence_dropout_drops_the_same_at_every_step_and_dropout_does_not():
    X, rng = np.ones((50, 4, 6)), np.random.default_rng(0)
    same = SequenceDropout(0.5).forward(X, None, None, rng)[0]
    other = Dropout(0.5).forward(X, None, None, rng)[0]
    assert (same == same[0]).all()
    assert len(np.unique(same[0], axis=0)) > 1, "every sequence draws its own"
    assert len(np.unique(other[:, 0], axis=0)) > 25


@pytest.mark.parametrize("kind", [Dropout, SequenceDropout])
def test_dropout_outside_training_is_the_identity(kind):
    X = np.random.default_rng(0).normal(size=(3, 2, 4))
    Y, _, tape = kind(0.5).forward(X)
    assert (Y == X).all()
    assert (kind(0.5).backward(X, tape)[0] == X).all()


def test_dropout_keeps_single_precision_whatever_p_s_type():
    X = np.ones((3, 2, 4), np.float32)
    assert Dropout(np.float64(0.5)).forward(X, None, None, np.random.default_rng(0))[0].dtype == np.float32


def test_embedding_is_a_one_hot_vector_times_the_table():
    rng = np.random.default_rng(0)
    table, ids = Embedding(5, 3, rng), rng.integers(0, 5, (4, 2))
    assert (table.forward(ids)[0] == np.eye(5)[ids] @ table.W).all()


def test_embedding_adds_up_the_gradients_of_an_id_that_comes_twice():
    table = Embedding(3, 1, np.random.default_rng(0))
    dX, _, grads = table.backward(np.array([[[1.0], [10.0]], [[100.0], [1000.0]]]), np.array([[0, 2], [2, 2]]))
    assert dX is None
    assert grads["W"].tolist() == [[1], [0], [1110]]


@pytest.mark.parametrize("padding", [0, 1])
def test_the_padding_row_is_0_and_stays_0(padding):
    table = Embedding(3, 2, np.random.default_rng(0), padding)
    assert (table.W == 0).all(axis=1).tolist() == [padding == 0, padding == 1, False]
    grads = table.backward(np.ones((2, 2, 2)), np.array([[1, 0], [1, 1]]))[2]
    assert grads["W"].tolist() == [[[0, 0], [3, 3], [0, 0]], [[1, 1], [0, 0], [0, 0]]][padding]


def test_embedding_starts_from_the_standard_normal_distribution():
    W = Embedding(1000, 50, np.random.default_rng(0)).W
    assert abs(W.mean()) < 4 / W.size**0.5
    assert abs(W.var() - 1) < 4 * (2 / W.size) ** 0.5


def test_a_frozen_layer_computes_the_same_and_learns_nothing():
    rng = np.random.default_rng(0)
    cell, X, state, dstate = RNN(2, 3, rng), rng.normal(size=(4, 2, 2)), (np.ones((2, 3)),), (np.ones((2, 3)),)
    mask = rng.random((4, 2)) < 0.7
    Y, last, tape = cell.forward(X, state, mask)
    dX, dfirst, _ = cell.backward(Y, tape, dstate)
    frozen = Frozen(cell)
    Y1, last1, tape1 = frozen.forward(X, state, mask)
    dX1, dfirst1, grads = frozen.backward(Y, tape1, dstate)
    assert (Y1 == Y).all()
    assert (last1[0] == last[0]).all()
    assert (dX1 == dX).all()
    assert (dfirst1[0] == dfirst[0]).all()
    assert grads == frozen.params == {}


def test_residual_adds_the_input():
    rng = np.random.default_rng(0)
    cell, X = RNN(3, 3, rng), rng.normal(size=(4, 2, 3))
    Y, _, tape = Residual(cell).forward(X)
    assert (X + cell.forward(X)[0] == Y).all()
    assert list(Residual(cell).params) == list(cell.params)
    np.testing.assert_allclose(Residual(cell).backward(Y, tape)[0], Y + cell.backward(Y, tape)[0], rtol=0, atol=1e-14)


def test_bidirectional_is_both_readings_side_by_side():
    rng = np.random.default_rng(0)
    left, right, X = RNN(2, 3, rng), ReLURNN(2, 4, rng), rng.normal(size=(5, 2, 2))
    Y, (before, after), _ = Bidirectional(left, right).forward(X)
    R, last, _ = right.forward(X[::-1])
    assert (Y[..., :3] == left.forward(X)[0]).all()
    assert (Y[..., 3:] == R[::-1]).all()
    assert (after[0] == last[0]).all()
    assert (Y[0, :, 3:] == after[0]).all(), "its last step is the sequence's first"
    assert (Y[-1, :, :3] == before[0]).all()


def test_layers_without_parameters_may_come_twice():
    rng, tanh, frozen = np.random.default_rng(0), Tanh(), Frozen(RNN(3, 3, np.random.default_rng(1)))
    model = Stacked(Linear(2, 3, rng), tanh, frozen, Linear(3, 3, rng), tanh, Bidirectional(frozen, frozen))
    assert model.forward(np.ones((4, 2, 2)))[0].shape == (4, 2, 6)


def test_bidirectional_over_ids_has_no_gradient_for_them():
    rng = np.random.default_rng(0)
    layer = Bidirectional(*(Stacked(Embedding(5, 2, rng), RNN(2, 3, rng)) for _ in range(2)))
    Y, _, tape = layer.forward(np.array([[0, 1], [4, 4]]))
    dX, _, grads = layer.backward(Y, tape)
    assert dX is None
    assert list(grads) == list(layer.params)


def test_an_error_says_which_layers_it_came_from():
    rng = np.random.default_rng(0)
    model = Stacked(Tanh(), Bidirectional(RNN(2, 3, rng), Stacked(RNN(2, 3, rng), Linear(4, 1, rng))))
    with pytest.raises(ValueError, match="expected X of shape") as caught:
        model.forward(np.ones((4, 2, 2)))
    assert caught.value.__notes__ == ["(in layer 1, Linear)", "(in right, Stacked)", "(in layer 1, Bidirectional)"]


@pytest.mark.parametrize(
    "layer", [Tanh(), ReLU(), Dropout(0.5), LayerNorm(2), Embedding(3, 2, np.random.default_rng(0))]
)
def test_a_layer_without_state_passes_it_and_its_gradient_by(layer):
    state, dstate = object(), object()
    X = np.zeros((1, 1), int) if isinstance(layer, Embedding) else np.ones((1, 1, 2))
    Y, passed, tape = layer.forward(X, state)
    assert passed is state
    assert layer.backward(Y, tape, dstate)[1] is dstate
