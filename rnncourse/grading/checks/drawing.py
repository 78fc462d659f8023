"""Inputs of cases, changed in ways that many problems ask for."""

from typing import Any

import numpy as np


def single_precision(args: dict[str, Any]) -> dict[str, Any]:
    """The arguments, by name, with every array of real numbers in float32, also in a dict or a list."""
    return {name: _in_single(value) for name, value in args.items()}


def _in_single(value: Any) -> Any:
    if isinstance(value, dict):
        return single_precision(value)
    if isinstance(value, list):
        return [_in_single(entry) for entry in value]
    floating = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(np.float32) if floating else value
