"""Check a gradient against central differences: an oracle that knows nothing of the formula."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from rnncourse.arrays import Array, Params, expect, expect_positive, expect_rng
from rnncourse.optim import expect_matching


class Worst(NamedTuple):
    """The coordinate where gradient and differences disagree most.

    >>> print(Worst("W_h", (0, 2), got=0.5, expected=0.25, error=1 / 3))
    W_h[0, 2]: got 0.5, expected 0.25, relative error 0.33
    """

    parameter: str
    coordinate: tuple[int, ...]
    got: Any  # the gradient under test
    expected: Any  # the central difference
    error: Any  # relative error

    def __str__(self) -> str:
        where = f"{self.parameter}[{', '.join(map(str, self.coordinate))}]"
        return f"{where}: got {self.got:.9g}, expected {self.expected:.9g}, relative error {self.error:.2g}"


def numerical_gradient(
    loss: Callable[[], Any], array: Array, eps: float = 1e-5, indices: Iterable[int] | None = None
) -> Array:
    """(L(θ+ε) − L(θ−ε)) / 2ε, one coordinate of `array` at a time.

    `loss()` takes no argument and reads `array`, which is changed in place and put back. `indices` are flat positions
    (all if None). Returns an array of the shape of `array`, NaN at the positions not asked for.
    The error is O(ε²) from the formula plus O(u/ε) from rounding (u the machine's precision), least near ε = u^(1/3).
    Raises ValueError if ε is so small that it changes nothing; TypeError or ValueError unless `array` is an array of
    finite floats.

    >>> x = np.array([3.0, 5.0])
    >>> numerical_gradient(lambda: x[0] * x[1], x).round(6)
    array([5., 3.])
    """
    expect("array", array, np.shape(array))
    result = np.full(array.shape, np.nan)
    for k in range(array.size) if indices is None else indices:
        old = array.flat[k]
        try:
            array.flat[k] = old + eps
            up, above = loss(), array.flat[k]
            array.flat[k] = old - eps
            down, below = loss(), array.flat[k]
        finally:
            array.flat[k] = old
        if above == below:
            raise ValueError(f"expected eps large enough to change {old} in {array.dtype}, got {eps:g}")
        result.flat[k] = (up - down) / (float(above) - float(below))
    return result


def relative_error(got: Any, expected: Any, floor: float = 1e-8) -> Any:
    """|got − expected| / max(|got| + |expected|, floor), elementwise.

    >>> relative_error(1.0, 3.0)
    np.float64(0.5)
    """
    return abs(got - expected) / np.maximum(abs(got) + abs(expected), floor)


def gradcheck(
    loss: Callable[[], Any],
    params: Params,
    grads: Params,
    rng: np.random.Generator,
    tolerance: float = 1e-6,
    eps: float = 1e-5,
    samples: int = 20,
) -> Worst:
    """Compare `grads` with central differences of `loss()` at `samples` random coordinates of each parameter.

    `params` and `grads` are dicts of arrays with equal keys; the arrays must be the ones `loss` reads. Meant for
    float64. Rounding alone gives each difference an error of a few u·|L|/ε; a gradient too small to rise above that
    by the factor 1/tolerance is held to this absolute error instead, since differences cannot see more.
    Returns the `Worst` coordinate; raises AssertionError that prints it if its relative error exceeds `tolerance`,
    KeyError if the keys differ; ValueError if a gradient's shape is not its parameter's, if `tolerance` or `samples` is
    not positive or if there is nothing to check; TypeError if a parameter is no array of floats or `rng` no NumPy
    generator.

    >>> x = np.array([1.0, 2.0])
    >>> gradcheck(lambda: (x**2).sum(), {"x": x}, {"x": 2 * x}, np.random.default_rng(0)).error < 1e-9
    np.True_
    """
    expect_matching(params, grads)
    expect_rng("rng", rng)
    expect_positive(samples=samples)
    if not 0 < tolerance < np.inf:
        raise ValueError(f"expected tolerance to be positive and finite, got {tolerance}")
    if not any(p.size for p in params.values()):
        raise ValueError("expected parameters to check, got none")
    for name, p in params.items():
        expect(name, p, p.shape)
    worst = Worst("", (), 0.0, 0.0, -1.0)
    rounding = 10 * np.finfo(float).eps * max(1.0, abs(loss())) / eps
    for name, p in params.items():
        indices = rng.choice(p.size, size=min(samples, p.size), replace=False)
        expected = numerical_gradient(loss, p, eps, indices)
        for k in indices:
            got, want = grads[name].flat[k], expected.flat[k]
            finite = np.isfinite(got) and np.isfinite(want)
            error = relative_error(got, want, rounding / tolerance) if finite else np.inf
            if error > worst.error:
                worst = Worst(name, tuple(int(i) for i in np.unravel_index(k, p.shape)), got, want, error)
    if not worst.error <= tolerance:
        raise AssertionError(f"gradient check failed at {worst} (tolerance {tolerance:.2g})")
    return worst
