"""RNN and ReLURNN against torch, against finite differences, and against what can be computed by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncourse.cells import RNN, ReLURNN
from rnncourse.interop import to_torch

SIZES = st.tuples(*[st.integers(1, 6)] * 4)
SEED = st.integers(0, 2**32 - 1)
cells = pytest.mark.parametrize("Cell", [RNN, ReLURNN])


def ragged(T, B, rng):
    """A mask of sequences that stop early, and their lengths."""
    lengths = rng.integers(1, T + 1, B)
    return np.arange(T)[:, None] < lengths, lengths


def assert_equal_to_torch(cell, X, h, mask, lengths, rng):
    """Outputs, last state and all gradients of Σ Y ⊙ dY + Σ h_last ⊙ dh equal torch's to 1e-10."""
    Y, (last,), tape = cell.forward(X, (h,), mask)
    dY, dlast = rng.normal(size=Y.shape), rng.normal(size=h.shape)
    if mask is not None:
        dY *= mask[..., None]
    dX, (dh,), grads = cell.backward(dY, tape, (dlast,))

    module = to_torch(cell)
    tX, th = (torch.tensor(a, requires_grad=True) for a in (X, h))
    if mask is None:
        tY, tlast = module(tX, th[None])
    else:
        packed = pack_padded_sequence(tX, torch.tensor(lengths), enforce_sorted=False)
        packed, tlast = module(packed, th[None])
        tY, _ = pad_packed_sequence(packed, total_length=len(X))
        Y = Y * mask[..., None]  # torch pads its outputs with zeros
    ((tY * torch.tensor(dY)).sum() + (tlast[0] * torch.tensor(dlast)).sum()).backward()

    pairs = {
        "outputs": (Y, tY.detach()),
        "last state": (last, tlast[0].detach()),
        "dX": (dX, tX.grad),
        "dstate": (dh, th.grad),
        "dW_x": (grads["W_x"], module.weight_ih_l0.grad.numpy().T),
        "dW_h": (grads["W_h"], module.weight_hh_l0.grad.numpy().T),
        "db": (grads["b"], module.bias_ih_l0.grad),
    }
    for name, (ours, theirs) in pairs.items():
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10, err_msg=name)


@cells
@given(sizes=SIZES, seed=SEED)
def test_equals_torch(Cell, sizes, seed):
    (T, B, D, H), rng = sizes, np.random.default_rng(seed)
    cell = Cell(D, H, rng)
    assert_equal_to_torch(cell, rng.normal(size=(T, B, D)), rng.normal(size=(B, H)), None, None, rng)


@cells
@given(sizes=SIZES, seed=SEED)
def test_masked_equals_torch_packed(Cell, sizes, seed):
    (T, B, D, H), rng = sizes, np.random.default_rng(seed)
    cell, (mask, lengths) = Cell(D, H, rng), ragged(T, B, rng)
    assert_equal_to_torch(cell, rng.normal(size=(T, B, D)), rng.normal(size=(B, H)), mask, lengths, rng)


@cells
@given(sizes=st.tuples(*[st.integers(1, 4)] * 4), seed=SEED, masked=st.booleans())
def test_gradients_equal_differences(Cell, check_by_differences, sizes, seed, masked):
    (T, B, D, H), rng = sizes, np.random.default_rng(seed)
    mask = rng.random((T, B)) < 0.7 if masked else None
    check_by_differences(Cell(D, H, rng), rng.normal(size=(T, B, D)), (rng.normal(size=(B, H)),), mask, rng)


def test_one_step_by_hand():
    cell = RNN(1, 1, np.random.default_rng(0))
    cell.W_x[:], cell.W_h[:], cell.b[:] = 2.0, 3.0, 0.5
    Y, (h,), _ = cell.forward(np.full((1, 1, 1), 0.1), (np.full((1, 1), -0.2),))
    assert Y.item() == h.item() == pytest.approx(np.tanh(0.1 * 2 - 0.2 * 3 + 0.5), abs=1e-15)


def test_relu_counts_on_without_bound():
    cell = ReLURNN(1, 1, np.random.default_rng(0))
    cell.W_x[:], cell.W_h[:], cell.b[:] = 1.0, 1.0, 0.0
    Y, _, _ = cell.forward(np.array([2.0, 3.0, -1.0, -9.0, 4.0]).reshape(5, 1, 1))
    assert Y.ravel().tolist() == [2, 5, 4, 0, 4]


def test_relu_has_slope_zero_at_zero():
    cell = ReLURNN(1, 1, np.random.default_rng(0))
    cell.b[:] = 0
    _, _, tape = cell.forward(np.zeros((1, 1, 1)))
    assert cell.backward(np.ones((1, 1, 1)), tape)[2]["b"].item() == 0


def test_tanh_does_not_overflow():
    cell = RNN(3, 4, np.random.default_rng(0))
    Y, _, tape = cell.forward(np.full((2, 1, 3), 1e300))
    assert (abs(Y) == 1).all()
    assert not cell.backward(np.ones_like(Y), tape)[0].any(), "a saturated unit passes no gradient"


@cells
def test_float32_follows_float64(Cell):
    rng = np.random.default_rng(1)
    cell, X = Cell(5, 7, rng), rng.normal(size=(20, 3, 5))
    single = Cell(5, 7, np.random.default_rng(0), np.float32)
    for name, p in single.params.items():
        p[:] = cell.params[name]
    Y, (h,), tape = cell.forward(X)
    Y32, (h32,), tape32 = single.forward(X.astype(np.float32))
    dX, (dh,), grads = cell.backward(Y, tape)
    dX32, (dh32,), grads32 = single.backward(Y32, tape32)
    pairs = [(Y, Y32), (h, h32), (dX, dX32), (dh, dh32)] + [(grads[k], grads32[k]) for k in grads]
    for double, rounded in pairs:
        assert rounded.dtype == np.float32
        assert abs(double - rounded).max() < 1e-5 * max(1, abs(double).max())
        assert abs(double).max() > 1e-3, "nothing to compare"


@cells
def test_parameters_start_within_one_over_root_H(Cell):
    cell = Cell(9, 25, np.random.default_rng(0))
    for name, p in cell.params.items():
        assert abs(p).max() <= 0.2, name
        assert abs(p).max() > 0.18, name
        assert abs(p.mean()) < 0.06, name


def test_parameter_shapes_and_count():
    params = RNN(3, 5, np.random.default_rng(0)).params
    assert {name: p.shape for name, p in params.items()} == {"W_x": (3, 5), "W_h": (5, 5), "b": (5,)}
    assert sum(p.size for p in params.values()) == 3 * 5 + 5 * 5 + 5


@cells
def test_same_seed_same_bits(Cell):
    one, two, other = (Cell(4, 6, np.random.default_rng(seed)) for seed in (7, 7, 8))
    for name in one.params:
        assert (one.params[name] == two.params[name]).all()
        assert (one.params[name] != other.params[name]).any()
    X = np.random.default_rng(0).normal(size=(9, 2, 4))
    assert one.forward(X)[0].tobytes() == two.forward(X)[0].tobytes()


def test_changing_params_in_place_changes_the_cell():
    cell = RNN(2, 3, np.random.default_rng(0))
    for p in cell.params.values():
        p[:] = 0
    assert not cell.forward(np.ones((4, 1, 2)))[0].any()
