"""Where parameters start."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.arrays import sigmoid
from rnncourse.cells import GRU, LSTM, GRUResetBefore
from rnncourse.init import (
    identity,
    orthogonal,
    scaled_to_radius,
    set_chrono_biases,
    set_forget_bias,
    uniform,
    xavier,
)
from rnncourse.variants import CoupledLSTM, LayerNormLSTM, PeepholeLSTM

SIZE = st.integers(1, 9)
SEED = st.integers(0, 2**32 - 1)


def test_uniform_fills_its_interval_evenly():
    values = uniform((100, 100), 0.3, np.random.default_rng(0))
    counts, _ = np.histogram(values, bins=10, range=(-0.3, 0.3))
    assert counts.sum() == 10000, "a value lies outside"
    assert abs(counts - 1000).max() < 4 * np.sqrt(900)


def test_uniform_has_its_dtype_and_draws_the_same_numbers_in_both():
    single, double = (uniform((4, 5), 1.0, np.random.default_rng(0), dtype) for dtype in (np.float32, np.float64))
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert (single == double.astype(np.float32)).all()


@pytest.mark.parametrize("radius", [0.1, 1.0, 1.7])
@pytest.mark.parametrize("seed", range(5))
def test_scaled_to_radius(radius, seed):
    W = np.random.default_rng(seed).normal(size=(6, 6))
    scaled = scaled_to_radius(W, radius)
    assert abs(np.linalg.eigvals(scaled)).max() == pytest.approx(radius)
    ratio = scaled / W
    assert ratio.min() > 0
    np.testing.assert_allclose(ratio, ratio[0, 0])


def test_scaled_to_radius_with_complex_eigenvalues():
    rotation = np.array([[0.0, -3.0], [3.0, 0.0]])
    np.testing.assert_allclose(scaled_to_radius(rotation, 1.0), rotation / 3)


@pytest.mark.parametrize(("shape", "gain"), [((300, 100), 1.0), ((100, 300), 1.0), ((200, 200), 2.5)])
def test_xavier_fills_its_interval_evenly_and_has_the_variance_it_promises(shape, gain):
    W = xavier(shape, np.random.default_rng(0), gain)
    bound = gain * np.sqrt(6 / 400)
    counts, _ = np.histogram(W, bins=10, range=(-bound, bound))
    assert counts.sum() == W.size, "a value lies outside"
    assert abs(counts / W.size - 0.1).max() < 4 * np.sqrt(0.09 / W.size)
    assert W.var() == pytest.approx(gain**2 * 2 / 400, rel=0.02)


@given(m=SIZE, n=SIZE, seed=SEED, gain=st.floats(0.1, 10))
def test_orthogonal_has_orthonormal_rows_or_columns_times_its_gain(m, n, seed, gain):
    W = orthogonal((m, n), np.random.default_rng(seed), gain)
    assert W.shape == (m, n)
    gram = W @ W.T if m <= n else W.T @ W
    np.testing.assert_allclose(gram, gain**2 * np.eye(min(m, n)), rtol=0, atol=1e-12 * gain**2)


@given(m=SIZE, n=SIZE, seed=SEED)
def test_orthogonal_is_the_decomposition_of_a_gaussian_matrix_with_positive_diagonal(m, n, seed):
    """Only one orthonormal Q makes QᵀA upper triangular with a positive diagonal."""
    A = np.random.default_rng(seed).normal(size=(max(m, n), min(m, n)))
    W = orthogonal((m, n), np.random.default_rng(seed))
    R = (W.T if m >= n else W) @ A
    assert np.diag(R).min() > 0
    np.testing.assert_allclose(np.tril(R, -1), 0, atol=1e-12)


def test_every_orthogonal_matrix_is_equally_likely():
    """Of a uniformly drawn rotation or reflection of space, each entry is uniform on [−1, 1] (Archimedes)."""
    rng = np.random.default_rng(0)
    draws = np.array([orthogonal((3, 3), rng) for _ in range(3000)])
    grid = np.linspace(-1, 1, 21)
    for i, j in np.ndindex(3, 3):
        below = np.array([(draws[:, i, j] <= x).mean() for x in grid])
        distance = abs(below - (grid + 1) / 2).max()
        assert distance < 1.95 / np.sqrt(3000), f"entry {i}, {j} is not uniform"  # Kolmogorov–Smirnov, p = 0.001
    reflections = (np.linalg.det(draws) < 0).mean()
    assert reflections == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(3000))


def test_identity_is_scaled():
    assert identity(3, 0.25).tolist() == [[0.25, 0, 0], [0, 0.25, 0], [0, 0, 0.25]]


@pytest.mark.parametrize(
    "draw",
    [
        lambda dtype: xavier((3, 4), np.random.default_rng(0), 1.0, dtype),
        lambda dtype: orthogonal((3, 4), np.random.default_rng(0), 1.0, dtype),
        lambda dtype: orthogonal((4, 3), np.random.default_rng(0), 1.0, dtype),
        lambda dtype: identity(3, 1 / 3, dtype),
    ],
    ids=["xavier", "orthogonal, wide", "orthogonal, tall", "identity"],
)
def test_both_dtypes_hold_the_same_numbers(draw):
    single, double = draw(np.float32), draw(np.float64)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert (single == double.astype(np.float32)).all()
    assert (draw(np.float64) == double).all(), "same seed, other bits"


# Where the bias of the gate that keeps the old state lies, counted in blocks of H.
KEEPS = {LSTM: 1, PeepholeLSTM: 1, LayerNormLSTM: 1, CoupledLSTM: 0, GRU: 1, GRUResetBefore: 1}


def cell_of(cls, H=4, dtype=np.float64):
    return cls(3, H, np.random.default_rng(0), dtype)


@pytest.mark.parametrize("cls", KEEPS)
@pytest.mark.parametrize("value", [2.5, np.arange(4.0)], ids=["a number", "one a unit"])
def test_forget_bias_fills_its_own_block_in_place(cls, value):
    cell, k = cell_of(cls), KEEPS[cls]
    array, before = cell.b, cell.b.copy()
    set_forget_bias(cell, value)
    assert cell.b is array
    assert (cell.b[4 * k : 4 * k + 4] == value).all()
    others = np.delete(np.arange(len(before)), np.s_[4 * k : 4 * k + 4])
    assert (cell.b[others] == before[others]).all()


@pytest.mark.parametrize("cls", KEEPS)
def test_an_open_gate_keeps_the_state_and_a_shut_one_drops_it(cls):
    """The block is the right one: what the last array of the state holds stays, or goes, by its bias alone."""
    for bias, kept in ((40.0, 1.0), (-40.0, 0.0)):
        cell = cell_of(cls)
        for p in cell.params.values():
            p[:] = 0
        set_forget_bias(cell, bias)
        state = tuple(np.full((1, 4), 0.7) for _ in range(cell.n_states))
        _, last, _ = cell.forward(np.ones((5, 1, 3)), state)
        np.testing.assert_allclose(last[-1], kept * 0.7, atol=1e-12)


@pytest.mark.parametrize("cls", KEEPS)
def test_chrono_spreads_time_scales_evenly_from_2_to_T_max(cls):
    cell, k = cell_of(cls, H=4000), KEEPS[cls]
    before = cell.b.copy()
    set_chrono_biases(cell, 50, np.random.default_rng(1))
    keeps = cell.b.reshape(-1, 4000)[k]
    scale = 1 / (1 - sigmoid(keeps))
    counts, _ = np.histogram(scale, bins=8, range=(2, 50))
    assert counts.sum() == 4000, "a time scale lies outside"
    assert abs(counts - 500).max() < 4 * np.sqrt(500)
    touched = {k}
    if "i" in cell.gate_names:
        touched.add(0)
        np.testing.assert_allclose(sigmoid(cell.b[:4000]), 1 - sigmoid(keeps), rtol=0, atol=1e-14)
    for block in set(range(cell.n_gates)) - touched:
        assert (cell.b.reshape(-1, 4000)[block] == before.reshape(-1, 4000)[block]).all()


def test_chrono_keeps_the_dtype_and_the_seed_decides():
    one, two = (cell_of(LSTM, dtype=np.float32) for _ in range(2))
    set_chrono_biases(one, 9, np.random.default_rng(3))
    set_chrono_biases(two, 9, np.random.default_rng(3))
    assert one.b.dtype == np.float32
    assert one.b.tobytes() == two.b.tobytes()
