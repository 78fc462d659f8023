"""Inputs of cases, changed in ways that many problems ask for."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnncourse.arrays import Array


def with_arrays(value: Any, change: Callable[[Array], Array]) -> Any:
    """An input with `change(array)` in place of each array in it: itself, or those in its dicts and lists.

    >>> with_arrays({"W": np.ones(2), "axis": 0}, lambda array: 3 * array)
    {'W': array([3., 3.]), 'axis': 0}
    """
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, dict):
        return {name: with_arrays(entry, change) for name, entry in value.items()}
    if isinstance(value, list):
        return [with_arrays(entry, change) for entry in value]
    return value


def copied(value: Any) -> Any:
    """An input that may be written into: its arrays, dicts and lists are new ones."""
    return with_arrays(value, lambda array: array.copy(order="K"))


def in_precision(args: dict[str, Any], dtype: str) -> dict[str, Any]:
    """The arguments, by name, with every array of real numbers in this floating-point dtype."""
    cast: dict[str, Any] = with_arrays(args, lambda array: array.astype(dtype) if array.dtype.kind == "f" else array)
    return cast


def single_precision(args: dict[str, Any]) -> dict[str, Any]:
    """The arguments in float32."""
    return in_precision(args, "float32")
