"""Small, real data sets that need no network, and generated tasks. Nothing is downloaded or cached.

`series` holds measurements over time, `text` what other packages have written, `tasks` what a random generator makes
up. Import all of them from here. README.md beside this file names each source and licence.
"""

from rnncourse.data.series import co2, seattle_weather, sunspots
from rnncourse.data.tasks import adding, delayed_recall, flip_flop, parity, recall
from rnncourse.data.text import (
    TOKEN_CLASSES,
    classify_tokens,
    docstring_prose,
    numpy_prose,
    python_tokens,
    surnames,
)

__all__ = [
    "TOKEN_CLASSES",
    "adding",
    "classify_tokens",
    "co2",
    "delayed_recall",
    "docstring_prose",
    "flip_flop",
    "numpy_prose",
    "parity",
    "python_tokens",
    "recall",
    "seattle_weather",
    "sunspots",
    "surnames",
]
