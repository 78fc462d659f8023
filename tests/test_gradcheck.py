"""The gradient check is itself checked: it must pass what is right, and catch one wrong coordinate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.cells import RNN
from rnncourse.gradcheck import Worst, gradcheck, numerical_gradient, relative_error
from rnncourse.layers import Linear, Stacked
from rnncourse.losses import softmax_cross_entropy

SEED = st.integers(0, 2**32 - 1)


def quadratic(rng, shape=(3, 4)):
    """A loss of one array with a known gradient: ½ xᵀ x + c · x."""
    x, c = rng.normal(size=shape), rng.normal(size=shape)
    return x, lambda: 0.5 * (x * x).sum() + (c * x).sum(), x + c


@given(seed=SEED)
def test_differences_of_a_quadratic_are_its_gradient(seed):
    x, loss, gradient = quadratic(np.random.default_rng(seed))
    np.testing.assert_allclose(numerical_gradient(loss, x), gradient, rtol=0, atol=1e-8)


def test_only_the_asked_for_positions_are_computed():
    x, loss, gradient = quadratic(np.random.default_rng(0))
    got = numerical_gradient(loss, x, indices=[0, 7])
    assert np.flatnonzero(np.isfinite(got)).tolist() == [0, 7]
    np.testing.assert_allclose(got.flat[[0, 7]], gradient.flat[[0, 7]], rtol=0, atol=1e-8)


def test_error_falls_with_the_square_of_eps():
    x = np.array([0.7])
    errors = [abs(numerical_gradient(lambda: np.exp(x[0]), x, eps)[0] - np.exp(0.7)) for eps in (1e-2, 1e-3)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize("layout", ["C", "F", "every second column", "transposed"])
def test_arrays_of_any_layout(layout):
    rng = np.random.default_rng(0)
    x = {
        "C": rng.normal(size=(3, 4)),
        "F": np.asfortranarray(rng.normal(size=(3, 4))),
        "every second column": rng.normal(size=(3, 8))[:, ::2],
        "transposed": rng.normal(size=(4, 3)).T,
    }[layout]
    weights = np.arange(12.0).reshape(3, 4)
    before = x.copy()
    gradcheck(lambda: (weights * x**2).sum(), {"x": x}, {"x": 2 * weights * x}, rng)
    np.testing.assert_allclose(numerical_gradient(lambda: (weights * x**2).sum(), x), 2 * weights * x, atol=1e-7)
    assert (x == before).all()


def model_and_gradients(seed):
    rng = np.random.default_rng(seed)
    T, B, D, H, V = rng.integers(1, 12, 5)
    model = Stacked(RNN(D, H, rng), Linear(H, V, rng))
    X, targets = rng.normal(size=(T, B, D)), rng.integers(0, V, (T, B))
    Y, _, tape = model.forward(X)
    dX, _, grads = model.backward(softmax_cross_entropy(Y, targets)[1], tape)
    params = {"X": X, **model.params}
    return params, {"X": dX, **grads}, lambda: softmax_cross_entropy(model.forward(X)[0], targets)[0], rng


@pytest.mark.parametrize("seed", range(40))
def test_a_right_gradient_passes(seed):
    params, grads, loss, rng = model_and_gradients(seed)
    assert gradcheck(loss, params, grads, rng).error <= 1e-6


def test_a_vanishing_gradient_passes():
    """Gradients of 1e-9 and less, which rounding hides from differences."""
    rng = np.random.default_rng(0)
    cell, X, R = RNN(3, 8, rng), rng.normal(size=(40, 2, 3)), np.zeros((40, 2, 8))
    R[-1] = rng.normal(size=(2, 8))
    dX, _, _ = cell.backward(R, cell.forward(X)[2])
    assert 0 < abs(dX[0]).max() < 1e-9
    gradcheck(lambda: (cell.forward(X)[0] * R).sum(), {"X": X}, {"X": dX}, rng, samples=X.size)


@pytest.mark.parametrize("seed", range(10))
def test_one_wrong_coordinate_is_caught_and_named(seed):
    params, grads, loss, rng = model_and_gradients(seed)
    name = list(params)[seed % len(params)]
    index = tuple(int(rng.integers(n)) for n in params[name].shape)
    right = grads[name][index]
    grads[name][index] += 1e-3
    place = rf"{name.replace('.', chr(92) + '.')}\[{', '.join(map(str, index))}\]"
    with pytest.raises(
        AssertionError, match=rf"failed at {place}: got \S+, expected \S+, relative error \S+ \(tol"
    ) as info:
        gradcheck(loss, params, grads, rng, samples=10**6)
    words = str(info.value).split()
    assert float(words[words.index("got") + 1].rstrip(",")) == pytest.approx(right + 1e-3, rel=1e-8)
    assert float(words[words.index("expected") + 1].rstrip(",")) == pytest.approx(right, abs=1e-8)


def test_the_relative_error_it_prints_is_that_of_got_and_expected():
    x = np.array([1.0, 2.0])
    with pytest.raises(
        AssertionError, match=r"x\[1\]: got 5, expected 4(\.0\d+)?, relative error 0\.11 \(tolerance 1e-06\)"
    ):
        gradcheck(lambda: (x**2).sum(), {"x": x}, {"x": np.array([2.0, 5.0])}, np.random.default_rng(0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_fails(bad):
    x, loss, gradient = quadratic(np.random.default_rng(0))
    gradient[1, 2] = bad
    with pytest.raises(AssertionError, match=r"x\[1, 2\]: got (nan|inf)"):
        gradcheck(loss, {"x": x}, {"x": gradient}, np.random.default_rng(0))


def test_the_tolerance_is_where_it_says():
    x = np.array([2.0, 3.0])
    gradient, tolerance = 2 * x, 1e-6
    gradcheck(lambda: (x**2).sum(), {"x": x}, {"x": gradient * (1 + 1.8 * tolerance)}, np.random.default_rng(0))
    with pytest.raises(AssertionError, match=r"tolerance 1e-06"):
        gradcheck(lambda: (x**2).sum(), {"x": x}, {"x": gradient * (1 + 2.2 * tolerance)}, np.random.default_rng(0))


def test_all_zeros_instead_of_a_gradient_fails():
    x, loss, gradient = quadratic(np.random.default_rng(0))
    with pytest.raises(AssertionError, match="got 0,"):
        gradcheck(loss, {"x": x}, {"x": 0 * gradient}, np.random.default_rng(0))


def test_the_worst_coordinate_comes_back():
    x, loss, gradient = quadratic(np.random.default_rng(0))
    gradient[2, 1] *= 1 + 1e-3
    worst = gradcheck(loss, {"x": x}, {"x": gradient}, np.random.default_rng(0), tolerance=1e-2)
    assert isinstance(worst, Worst)
    assert (worst.parameter, worst.coordinate) == ("x", (2, 1))
    assert worst.error == pytest.approx(5e-4, rel=1e-2)  # |g' − g| / (|g'| + |g|)


def test_samples_bounds_the_work():
    x, loss, gradient = quadratic(np.random.default_rng(0), (30, 40))
    calls = 0

    def counting():
        nonlocal calls
        calls += 1
        return loss()

    gradcheck(counting, {"x": x}, {"x": gradient}, np.random.default_rng(0), samples=5)
    assert 2 * 5 <= calls <= 2 * 5 + 1


def test_parameters_come_back_even_if_the_loss_raises():
    x, loss, gradient = quadratic(np.random.default_rng(0))
    before, calls = x.copy(), 0

    def failing():
        nonlocal calls
        calls += 1
        if calls == 8:
            raise RuntimeError("out of luck")
        return loss()

    with pytest.raises(RuntimeError, match="out of luck"):
        gradcheck(failing, {"x": x}, {"x": gradient}, np.random.default_rng(0))
    assert calls == 8
    assert (x == before).all()


def test_parameters_come_back_bit_for_bit():
    params, grads, loss, rng = model_and_gradients(3)
    before = {name: p.copy() for name, p in params.items()}
    gradcheck(loss, params, grads, rng)
    assert all((params[name] == before[name]).all() for name in params)


def test_relative_error():
    assert relative_error(3.0, 1.0) == 0.5
    assert relative_error(0.0, 0.0) == 0
    assert relative_error(1e-9, 0.0) == 0.1  # below the floor of 1e-8
    assert relative_error(np.array([1.0, -1.0]), np.array([1.0, 1.0])).tolist() == [0, 1]
