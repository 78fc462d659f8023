"""Where parameters start. What is random takes a generator: nothing here is random by itself.

A weight matrix holds its gates side by side. Draw them gate by gate where a function speaks of one matrix:
`cell.W_h[:] = np.hstack([orthogonal((H, H), rng) for _ in range(cell.n_gates)])`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from rnncourse.arrays import Array, expect, expect_dtype, expect_positive, expect_rng

if TYPE_CHECKING:
    from rnncourse.cells import Cell


def uniform(shape: tuple[int, ...], bound: float, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Array:
    """An array of the given shape, drawn from U(−bound, bound).

    Recurrent layers use bound = 1/√H, as torch does, so that a sum over H units starts at a moderate size.
    Raises TypeError if `rng` is not a `numpy.random.Generator`.

    >>> abs(uniform((3, 4), 0.5, np.random.default_rng(0))).max() <= 0.5
    np.True_
    """
    expect_rng("rng", rng)
    return rng.uniform(-bound, bound, shape).astype(expect_dtype(dtype))


def xavier(shape: tuple[int, int], rng: np.random.Generator, gain: float = 1.0, dtype: DTypeLike = np.float64) -> Array:
    """W (m, n) drawn from U(−a, a) with a = gain·√(6 / (m + n)), which has the variance gain²·2/(m + n).

    A compromise: 1/m would keep the variance of what goes forward through W, 1/n that of the gradients coming back.
    Raises ValueError unless `shape` is two positive integers, TypeError if `rng` is not a NumPy generator.
    Source: Glorot & Bengio 2010.

    >>> abs(xavier((100, 50), np.random.default_rng(0))).max() <= 0.2
    np.True_
    """
    m, n = _expect_matrix(shape)
    return uniform((m, n), gain * (6 / (m + n)) ** 0.5, rng, dtype)


def orthogonal(
    shape: tuple[int, int], rng: np.random.Generator, gain: float = 1.0, dtype: DTypeLike = np.float64
) -> Array:
    """`gain` times a random W (m, n) with orthonormal rows (m ≤ n) or columns (m ≥ n), each such matrix equally likely.

    A square one keeps every vector's length: all its singular values are 1. It is the Q of a Gaussian matrix's QR
    decomposition, whose signs are fixed so that R has a positive diagonal: without that some Q are never drawn.
    Raises ValueError unless `shape` is two positive integers, TypeError if `rng` is not a NumPy generator.
    Source: Saxe, McClelland & Ganguli 2014; the signs: Mezzadri 2007.

    >>> W = orthogonal((3, 3), np.random.default_rng(0))
    >>> np.allclose(W @ W.T, np.eye(3))
    True
    """
    m, n = _expect_matrix(shape)
    Q, R = np.linalg.qr(expect_rng("rng", rng).normal(size=(max(m, n), min(m, n))))
    Q = Q * np.where(np.diag(R) < 0, -gain, gain)
    return (Q if m >= n else Q.T).astype(expect_dtype(dtype))


def identity(H: int, scale: float = 1.0, dtype: DTypeLike = np.float64) -> Array:
    """`scale` times the identity (H, H): with it as W_h and b = 0, a ReLU network starts out by keeping its state.

    Raises ValueError unless H is a positive integer. Source: Le, Jaitly & Hinton 2015.

    >>> identity(2, 0.5)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    expect_positive(H=H)
    return (scale * np.eye(H)).astype(expect_dtype(dtype))


def scaled_to_radius(W: Array, radius: float) -> Array:
    """W (H, H) times the factor that gives it the spectral radius `radius`: its largest eigenvalue's modulus.

    Raises TypeError or ValueError unless W is square and finite and `radius` at least 0; ValueError if every computed
    eigenvalue of W is 0 (no factor helps). Those of a nilpotent matrix are 0, but may be computed as a little more:
    look at the result.

    >>> W = scaled_to_radius(np.array([[0.0, 1.0], [-4.0, 0.0]]), 0.5)
    >>> abs(np.linalg.eigvals(W)).max().round(12)
    np.float64(0.5)
    """
    expect("W", W, ("H", "H"))
    expect("W", W, (len(W), len(W)))
    if not 0 <= radius < np.inf:
        raise ValueError(f"expected radius to be a finite number from 0, got {radius}")
    now: float = abs(np.linalg.eigvals(W)).max()
    if now == 0:
        raise ValueError("expected W with a non-zero eigenvalue, got spectral radius 0")
    return W * float(radius / now)


def set_forget_bias(cell: Cell, value: float | Array) -> None:
    """Set, in place, the bias of the gate that keeps the old state: f of an LSTM, z of a GRU.

    At the bias β a gate that hears nothing else is f = σ(β): it keeps what it holds for about 1/(1 − f) = 1 + e^β
    steps, two at β = 0. `value` is one number, or one a unit (H,).
    Raises TypeError for a cell without such a gate, ValueError for a value of another shape or not finite.
    Source: Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015.

    >>> from rnncourse.cells import LSTM
    >>> cell = LSTM(D=3, H=2, rng=np.random.default_rng(0))
    >>> set_forget_bias(cell, 1.0)
    >>> cell.b[2:4]  # gates i, f, g, o
    array([1., 1.])
    """
    names = getattr(cell, "gate_names", ())
    keeps = next((name for name in ("f", "z") if name in names), None)
    if keeps is None:
        raise TypeError(f"expected a cell with a gate f or z, got {type(cell).__name__} with {list(names)}")
    bias = _gate_bias(cell, keeps)
    if np.shape(value) not in ((), bias.shape):
        raise ValueError(f"expected value to be a number or of shape {bias.shape}, got {np.shape(value)}")
    if not np.isfinite(value).all():
        raise ValueError(f"expected value to be finite, got {value}")
    bias[:] = value


def set_chrono_biases(cell: Cell, T_max: float, rng: np.random.Generator) -> None:
    """Spread the units' time scales evenly over 2 … T_max steps, in place: chrono initialization.

        b_f = log u, u ~ U(1, T_max − 1) for each unit      b_i = −b_f

    so that at first 1/(1 − f) = 1 + u, and a unit that forgets slowly also writes little, i = 1 − f. A GRU's z does
    both. T_max is how many steps the longest dependence is expected to span. Other biases stay as they are.
    Raises TypeError for a cell without a gate f or z, or if `rng` is no NumPy generator; ValueError unless T_max ≥ 2.
    Source: Tallec & Ollivier 2018.

    >>> from rnncourse.cells import LSTM
    >>> cell = LSTM(D=3, H=2, rng=np.random.default_rng(0))
    >>> set_chrono_biases(cell, 100, np.random.default_rng(0))
    >>> (1 + np.exp(cell.b[2:4])).round(1), (cell.b[0:2] == -cell.b[2:4]).all()
    (array([64.4, 28.4]), np.True_)
    """
    if not 2 <= T_max < np.inf:
        raise ValueError(f"expected T_max of at least 2, got {T_max}")
    log_u: Array = np.log(expect_rng("rng", rng).uniform(1, T_max - 1, len(cell.W_h)))
    set_forget_bias(cell, log_u)
    if "i" in cell.gate_names:
        _gate_bias(cell, "i")[:] = -log_u


def _gate_bias(cell: Cell, name: str) -> Array:
    """The gate's own entries (H,) of b: a view."""
    H = len(cell.W_h)
    k = cell.gate_names.index(name)
    return cell.b[k * H : (k + 1) * H]


def _expect_matrix(shape: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(shape, (tuple, list)) or len(shape) != 2:
        raise ValueError(f"expected shape to be two sizes (m, n), got {shape!r}")
    expect_positive(m=shape[0], n=shape[1])
    return shape
