"""Take what a function returned apart into its outputs, by name; or raise `WrongForm`, which says what came instead."""

from collections.abc import Collection
from typing import Any

from rnncourse.grading.checks.wrong import WrongForm, kind


def single(outputs: Collection[str], value: Any) -> dict[str, Any]:
    """A function that returns one array."""
    (name,) = outputs
    return {name: value}


def several(outputs: Collection[str], value: Any) -> dict[str, Any]:
    """A function that returns several values, in a tuple or a list. Raises `WrongForm` for any other value."""
    listed = isinstance(value, (tuple, list))
    if not listed or len(value) != len(outputs):
        got = len(value) if listed else kind(value)
        raise WrongForm(f"it should return {len(outputs)} values ({', '.join(outputs)}), got {got}")
    return dict(zip(outputs, value, strict=True))


def named(outputs: Collection[str], value: Any) -> dict[str, Any]:
    """A function that returns a dict. Raises `WrongForm` for another value, or other keys."""
    if not isinstance(value, dict):
        raise WrongForm(f"it should return a dict with the keys {', '.join(outputs)}, got {kind(value)}")
    missing, unknown = [k for k in outputs if k not in value], [f'"{k}"' for k in value if k not in outputs]
    complaints = [f"lacks {', '.join(missing)}"] * bool(missing)
    complaints += [f"has the unknown key{'s' * (len(unknown) > 1)} {', '.join(unknown)}"] * bool(unknown)
    if complaints:
        raise WrongForm(f"the dict it returns {' and '.join(complaints)}")
    return value
