"""Where parameters start."""

import numpy as np
import pytest

from rnncourse.init import scaled_to_radius, uniform


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
