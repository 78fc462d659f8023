"""Where parameters start. Every function takes a generator: nothing here is random by itself."""

import numpy as np

from rnncourse.arrays import expect_rng


def uniform(shape, bound, rng, dtype=np.float64):
    """An array of the given shape, drawn from U(−bound, bound).

    Recurrent layers use bound = 1/√H, as torch does, so that a sum over H units starts at a moderate size.
    Raises TypeError if `rng` is not a `numpy.random.Generator`.

    >>> abs(uniform((3, 4), 0.5, np.random.default_rng(0))).max() <= 0.5
    np.True_
    """
    return expect_rng("rng", rng).uniform(-bound, bound, shape).astype(dtype)


def scaled_to_radius(W, radius):
    """W (H, H) times the factor that gives it the spectral radius `radius`: its largest eigenvalue's modulus.

    Raises ValueError if every eigenvalue of W is 0 (no factor helps).

    >>> W = scaled_to_radius(np.array([[0.0, 1.0], [-4.0, 0.0]]), 0.5)
    >>> abs(np.linalg.eigvals(W)).max().round(12)
    np.float64(0.5)
    """
    now = abs(np.linalg.eigvals(W)).max()
    if now == 0:
        raise ValueError("expected W with a non-zero eigenvalue, got spectral radius 0")
    return W * (radius / now)
