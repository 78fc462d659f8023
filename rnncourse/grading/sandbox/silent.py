"""What stands in the place of `rnncourse.grading` in a sandbox: there, the visible checks say nothing.

The grader judges each function itself, outside.
"""

from typing import Any


class Silent:
    """`check.rnn_step(f)` and the like: nothing happens."""

    def __getattr__(self, name: str) -> Any:
        return lambda function: None


check = grade = Silent()
"""They take any function and say nothing."""
