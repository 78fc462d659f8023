"""Small array helpers, and the one place where shapes are checked.

Sequences are arrays of shape (T, B, K): T time steps, B sequences side by side, K numbers per step.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array: TypeAlias = NDArray[Any]
"""A NumPy array. Its dtype is the layer's, float64 or float32, unless a docstring says integers or booleans."""

Params: TypeAlias = dict[str, Array]
"""Parameters, or their gradients, by name: one flat dict, however deep the model."""

State: TypeAlias = Any
"""What a layer carries from step to step: a tuple of (B, H) arrays, h first; None; or a list of its layers' states."""


def flat(X: Array) -> Array:
    """View (T, B, K) as (T·B, K): a matrix product treats time and batch alike, as examples.

    >>> flat(np.zeros((7, 2, 3))).shape
    (14, 3)
    """
    return X.reshape(-1, X.shape[-1])


def split(a: Array, n: int) -> list[Array]:
    """The last axis in n equal parts: views, not copies. `beside` puts them together again.

    >>> split(np.array([[1.0, 2.0, 3.0, 4.0]]), 2)
    [array([[1., 2.]]), array([[3., 4.]])]
    """
    k = a.shape[-1] // n
    return [a[..., j * k : (j + 1) * k] for j in range(n)]


def beside(*arrays: Array) -> Array:
    """Arrays side by side along the last axis, as gates lie in a cell.

    >>> beside(np.array([[1.0, 2.0]]), np.array([[3.0]]))
    array([[1., 2., 3.]])
    """
    return np.concatenate(arrays, axis=-1)


def sigmoid(a: Array) -> Array:
    """σ(a) = 1 / (1 + e^(−a)), computed as ½ + ½ tanh(a/2): it never overflows, and is exact to an absolute 1e-16.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def log_softmax(a: Array) -> Array:
    """log softmax along the last axis: a − log Σ e^a, with the maximum taken out first so that nothing overflows.

    >>> np.exp(log_softmax(np.array([1000.0, 1000.0])))
    array([0.5, 0.5])
    """
    a = a - a.max(axis=-1, keepdims=True)
    log_sum: Array = np.log(np.exp(a).sum(axis=-1, keepdims=True))
    return a - log_sum


def standardize(s: Array) -> tuple[Array, Array]:
    """n = (s − mean)/deviation along the last axis, and 1/deviation (…, 1), where deviation² = variance + 1e-5.

    >>> standardize(np.array([[1.0, 3.0]]))[0].round(3)
    array([[-1.,  1.]])
    """
    centered: Array = s - s.mean(axis=-1, keepdims=True)
    scale: Array = 1 / np.sqrt((centered * centered).mean(axis=-1, keepdims=True) + 1e-5)
    return centered * scale, scale


def standardize_backward(dn: Array, n: Array, scale: Array) -> Array:
    """ds = (dn − mean(dn) − n · mean(dn ⊙ n)) / deviation: what shifts or scales all of s alike changes nothing.

    >>> n, scale = standardize(np.array([[1.0, 3.0, 8.0]]))
    >>> abs(standardize_backward(np.ones((1, 3)), n, scale)).max() < 1e-12
    np.True_
    """
    shifted: Array = dn - dn.mean(axis=-1, keepdims=True)
    along_n: Array = n * (dn * n).mean(axis=-1, keepdims=True)
    return (shifted - along_n) * scale


def one_hot(ids: Array, size: int, dtype: DTypeLike = np.float64) -> Array:
    """Integers of any shape (…) to rows of the identity, (…, size).

    Raises TypeError for ids that are not integers and ValueError for an id outside 0 … size−1.

    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    expect_ids("ids", ids, size)
    identity: Array = np.eye(size, dtype=dtype)
    return identity[ids]


def expect(name: str, array: Array, shape: tuple[int | str, ...], dtype: DTypeLike | None = None) -> Array:
    """Raise unless `array` is a finite floating-point array of the given shape; return it.

    `shape` holds a number where the size is known and a letter where any size from 1 will do, and
    `dtype` is the type the layer computes in (any floating type if None).
    Raises TypeError (not an array, wrong dtype) or ValueError (shape, NaN, infinity), naming the argument.

    >>> expect("X", np.zeros((32, 35, 48)), ("T", "B", 64))
    Traceback (most recent call last):
    ValueError: expected X of shape (T, B, 64), got (32, 35, 48)
    """
    expect_array(name, array, shape)
    if array.dtype.kind != "f":
        raise TypeError(f"expected {name} of a floating-point dtype, got {array.dtype}")
    if dtype is not None and array.dtype != dtype:
        raise TypeError(f"expected {name} of dtype {np.dtype(dtype)} (the parameters'), got {array.dtype}")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"expected {name} to be finite, got {array[where]} at index {where}")
    return array


def expect_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Raise TypeError unless `dtype` is float64 or float32, which parameters can have; return it.

    >>> expect_dtype(int)
    Traceback (most recent call last):
    TypeError: expected dtype to be float64 or float32, got int64
    """
    if np.dtype(dtype) not in (np.float64, np.float32):
        raise TypeError(f"expected dtype to be float64 or float32, got {np.dtype(dtype)}")
    return np.dtype(dtype)


def expect_ids(name: str, array: Any, size: int, shape: tuple[int | str, ...] | None = None) -> Any:
    """Raise unless `array` holds integers 0 … size−1 (and has the given shape, as for `expect`); return it.

    A single integer counts too. Raises TypeError (not integers) or ValueError (shape, range), naming the argument.

    >>> expect_ids("targets", np.array([3, 0, 7]), 5)
    Traceback (most recent call last):
    ValueError: expected targets between 0 and 4, got 7
    """
    if isinstance(array, (tuple, list)):
        raise TypeError(f"expected {name} to be a NumPy array of integers, got {type(array).__name__}")
    if not isinstance(array, (np.ndarray, np.integer, int)) or np.asarray(array).dtype.kind not in "iu":
        got = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"expected {name} to be integers, got {got}")
    if shape is not None:
        expect_array(name, np.asarray(array), shape)
    low, high = np.min(array, initial=0), np.max(array, initial=0)
    if low < 0 or high >= size:
        raise ValueError(f"expected {name} between 0 and {size - 1}, got {low if low < 0 else high}")
    return array


def expect_mask(name: str, mask: Array | None, shape: tuple[int, ...]) -> Array | None:
    """Raise unless `mask` is None or a boolean array of the given shape; return it.

    Raises TypeError (not an array, not boolean) or ValueError (shape), naming the argument.

    >>> expect_mask("mask", np.ones((7, 3)), (7, 3))
    Traceback (most recent call last):
    TypeError: expected mask of dtype bool, got float64
    """
    if mask is None:
        return None
    if expect_array(name, mask, shape).dtype != bool:
        raise TypeError(f"expected {name} of dtype bool, got {mask.dtype}")
    return mask


def expect_positive(**sizes: int) -> None:
    """Raise ValueError, naming the first argument that is not a positive integer.

    >>> expect_positive(D=3, H=0)
    Traceback (most recent call last):
    ValueError: expected H to be a positive integer, got 0
    """
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
            raise ValueError(f"expected {name} to be a positive integer, got {size!r}")


def expect_rng(name: str, rng: np.random.Generator) -> np.random.Generator:
    """Raise TypeError unless `rng` is a `numpy.random.Generator`; return it.

    >>> expect_rng("rng", 0)
    Traceback (most recent call last):
    TypeError: expected rng to be a numpy.random.Generator, got int
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"expected {name} to be a numpy.random.Generator, got {type(rng).__name__}")
    return rng


def expect_array(name: str, array: Array, shape: tuple[int | str, ...]) -> Array:
    """Raise unless `array` is a NumPy array of the given shape, as for `expect` but of any dtype; return it.

    Raises TypeError (not an array) or ValueError (shape), naming the argument.

    >>> expect_array("lengths", np.zeros((3, 1), int), ("B",))
    Traceback (most recent call last):
    ValueError: expected lengths of shape (B,), got (3, 1)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected {name} to be a NumPy array, got {type(array).__name__}")
    fits = array.ndim == len(shape) and all(
        size > 0 if isinstance(want, str) else size == want for size, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        empty = " (no size may be 0)" if array.ndim == len(shape) and 0 in array.shape else ""
        raise ValueError(f"expected {name} of shape ({wanted}), got {array.shape}{empty}")
    return array
