"""Text that other packages bring along: prose, names, source code. It is read where it is installed, never copied.

What you get is therefore that of the versions you have: pin NumPy and Faker exactly to get the same again.
"""

import ast
import inspect
import io
import keyword
import re
import sys
import tokenize
from importlib import import_module
from importlib.resources import files
from itertools import accumulate, groupby
from types import ModuleType

import numpy as np

from rnncourse.arrays import Array, expect_positive

TOKEN_CLASSES = ("space", "comment", "string", "number", "keyword", "name", "operator")
"""What a character of Python source can belong to, in the order of the labels 0 … 6 of `classify_tokens`."""

_HEADING = re.compile(r"^.*\n-{3,}$", re.MULTILINE)
_PROSE = re.compile(r"[a-z][a-z0-9 ,.:;'()-]{20,}\.")
_CLASS_OF_TOKEN = {"COMMENT": "comment", "STRING": "string", "NUMBER": "number", "NAME": "name", "OP": "operator"}
_LOCALES = {
    "Dutch": "nl_NL",
    "English": "en_GB",
    "Finnish": "fi_FI",
    "French": "fr_FR",
    "German": "de_DE",
    "Italian": "it_IT",
    "Spanish": "es_ES",
}


def numpy_prose() -> str:
    """English sentences from the docstrings of NumPy's own functions: one string, a paragraph a line, lower case.

    The paragraphs of `docstring_prose(numpy)`. Source: NumPy. Licence: BSD 3-Clause.

    >>> numpy_prose().splitlines()[0]
    'calculate the absolute value element-wise.'
    """
    return "\n".join(docstring_prose(np))


def docstring_prose(module: ModuleType) -> list[str]:
    """English paragraphs from the docstrings of a module's public callables, lower case, each once.

    Takes every block of lines with one indent that reads as prose (it starts with a letter, ends with a full stop, and
    holds only letters, digits, spaces and common punctuation), in the order of the callables' names; backquotes are
    dropped. What the module has from Python's standard library is left out.
    Source: the module; its licence is that of the text. Raises TypeError unless `module` is a module.

    >>> docstring_prose(np.fft)[0]
    'compute the one-dimensional discrete fourier transform.'
    """
    if not isinstance(module, ModuleType):
        raise TypeError(f"expected module to be a module, got {type(module).__name__}")
    blocks: dict[str, None] = {}
    for name in sorted(dir(module)):
        value = getattr(module, name)
        home = (getattr(value, "__module__", None) or "").partition(".")[0]
        if not name.startswith("_") and callable(value) and home not in sys.stdlib_module_names:
            text = _HEADING.sub("\n", inspect.getdoc(value) or "").replace("`", "")
            for _, lines in groupby(text.splitlines(), key=_indent):
                blocks[" ".join(" ".join(lines).split()).lower()] = None
    return [block for block in blocks if _PROSE.fullmatch(block)]


def surnames() -> tuple[list[str], Array, tuple[str, ...]]:
    """Family names in seven languages of Latin script, to tell the language from the name.

    Returns (names, labels, languages): N strings of 2 to 13 letters, int (N,), and the languages' English names, so
    that `languages[labels[n]]` is the language of `names[n]`. Sorted by language, then by name: shuffle before you
    split. Upper case and accents are kept. Names of several words are left out, because a space or an apostrophe gives
    the language away.
    The languages differ in size: always to guess the largest is the baseline. A name that several languages share is
    listed once under each, so no classifier can be right every time.
    Source: Faker's locales (English: Great Britain). Licence: MIT.
    Raises ModuleNotFoundError, saying what to install, if Faker is missing.

    >>> names, labels, languages = surnames()
    >>> [(name, languages[label]) for name, label in zip(names, labels) if name in ("Virtanen", "Lambert")]
    [('Lambert', 'English'), ('Virtanen', 'Finnish'), ('Lambert', 'French')]
    """
    names: list[str] = []
    labels: list[int] = []
    for label, locale in enumerate(_LOCALES.values()):
        try:
            provider = import_module(f"faker.providers.person.{locale}").Provider
        except ModuleNotFoundError as error:
            error.add_note("surnames() reads the names that Faker brings along: pip install 'rnncourse[book]'")
            raise
        one_word = sorted({name for name in provider.last_names if name.isalpha()})
        names += one_word
        labels += [label] * len(one_word)
    return names, np.array(labels), tuple(_LOCALES)


def python_tokens(size: int = 200_000) -> tuple[str, Array]:
    """Python source, each character labelled with the kind of token it belongs to.

    The text is the first `size` characters of the modules of `numpy.lib`, one after the other in the order of their
    names: code, comments and long docstrings. The labels are those of `classify_tokens`, which see both sides: only the
    rest of a word tells whether `is` is a keyword or the beginning of `isinstance`, and a docstring may have opened
    hundreds of characters ago.
    Returns (text, labels): a string and int (size,), positions in `TOKEN_CLASSES`. The classes differ in size: more
    than half of the characters are in strings.
    Source: NumPy. Licence: BSD 3-Clause.
    Raises ValueError unless `size` is a positive integer, and at most the number of characters there are.

    >>> text, labels = python_tokens(1000)
    >>> start = text.index("from numpy")
    >>> print(text[start : start + 31], "".join("_#'1kno"[label] for label in labels[start : start + 31]), sep="\\n")
    from numpy._core._multiarray_um
    kkkk_nnnnnonnnnnonnnnnnnnnnnnnn
    """
    expect_positive(size=size)
    text, labels = "", [np.zeros(0, int)]
    for module in sorted(files("numpy.lib").iterdir(), key=lambda file: file.name):
        if module.name.endswith(".py") and len(text) < size:
            source = module.read_text(encoding="utf-8")
            text += source
            labels.append(classify_tokens(source))
    if len(text) < size:
        raise ValueError(f"expected size of at most {len(text)}, the characters of numpy.lib, got {size}")
    return text[:size], np.concatenate(labels)[:size]


def classify_tokens(source: str) -> Array:
    """The kind of token each character of Python source belongs to, by Python's own `tokenize`.

    Returns int (len(source),), positions in `TOKEN_CLASSES`. Line breaks, indents and the backslash that continues a
    line are space; `True`, `None` and the like are keywords, soft keywords (`match`, `case`, `type`) are names; an
    f-string is a string from its prefix to its last quote, with the expressions inside it.
    Raises TypeError unless `source` is a string, SyntaxError if it is not Python.

    >>> source = "if x < 10: y = f'{x} s'  # few"
    >>> print(source, "".join("_#'1kno"[label] for label in classify_tokens(source)), sep="\\n")
    if x < 10: y = f'{x} s'  # few
    kk_n_o_11o_n_o_''''''''__#####
    """
    if not isinstance(source, str):
        raise TypeError(f"expected source to be a string, got {type(source).__name__}")
    ast.parse(source)
    line_starts = [0, *accumulate(len(line) for line in io.StringIO(source))]
    labels: Array = np.full(len(source), TOKEN_CLASSES.index("space"))
    open_f_strings = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        start, stop = (line_starts[row - 1] + column for row, column in (token.start, token.end))
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":  # from Python 3.12 on; until then, an f-string is one STRING
            open_f_strings.append(start)
        elif kind == "FSTRING_END":
            labels[open_f_strings.pop() : stop] = TOKEN_CLASSES.index("string")
        elif kind in _CLASS_OF_TOKEN:
            name = "keyword" if keyword.iskeyword(token.string) else _CLASS_OF_TOKEN[kind]
            labels[start:stop] = TOKEN_CLASSES.index(name)
    return labels


def _indent(line: str) -> int | None:
    return len(line) - len(line.lstrip()) if line.strip() else None
