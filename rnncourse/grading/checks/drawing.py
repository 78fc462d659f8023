"""Inputs of cases, changed in ways that many problems ask for."""

from typing import Any

import numpy as np


def single_precision(args: dict[str, Any]) -> dict[str, Any]:
    """The arguments, by name, with every array of real numbers in float32."""
    floating = {name for name, value in args.items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"}
    return {name: value.astype(np.float32) if name in floating else value for name, value in args.items()}
