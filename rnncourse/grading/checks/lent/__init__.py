"""What a check lends a function in place of the student's own: correct versions of the functions that it calls.

One module for each problem set. They are written as a student would, views included, and depend on NumPy alone. A wrong
argument is named in the words of the problem set.
"""

from typing import Any

import numpy as np

from rnncourse.grading.checks.wrong import kind


def expect_shapes(function: str, **arrays: tuple[Any, str, tuple[int, ...]]) -> None:
    """Raise ValueError unless each array, given with its shape in letters and in numbers, has that shape.

    The first array is the one whose sizes the others must fit.
    """
    first = next(iter(arrays))
    for name, (array, letters, shape) in arrays.items():
        if isinstance(array, tuple) or np.shape(array) != shape:
            beside = "" if name == first else f" beside {first} {arrays[first][2]}"
            raise ValueError(f"{function} expects {name} of shape ({letters}), here {shape}{beside}, got {kind(array)}")
