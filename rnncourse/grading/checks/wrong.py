"""What can be wrong with an answer: a sentence, and where to read about it."""

from typing import Any

import numpy as np


class Wrong(Exception):
    """A sentence that says what is wrong with an answer.

    `reread` is where to read about such mistakes; None means where the book explains the function.
    """

    reread: str | None = None


class WrongForm(Wrong):
    """The function takes or returns another kind of thing than it should."""

    reread = "the function's docstring"


class WrongShape(Wrong):
    """An array has another shape. Where to read about that, the problem says."""


class WrongNumbers(Wrong):
    """The function changes its inputs, or computes in numbers that cannot hold the result."""

    reread = '"How to work" in the problem set'


def kind(value: Any) -> str:
    """What a value is, with its article: 'None', 'a list', 'an array of shape (3, 4)'."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    word = type(value).__name__
    return f"{'an' if word[0] in 'aeiouAEIOU' else 'a'} {word}"
