"""Values between the grader and a sandbox, as JSON: arrays in base64, anything unknown as the name of its type.

Never pickle, which runs code. What comes out of a sandbox was written by a stranger: `decode` takes plain values and
arrays of plain numbers, up to a size, and raises `Garbled` for everything else.

    ["none"]  ["bool", true]  ["int", "12"]  ["float", "0x1.8p+0"]  ["str", "a"]  ["list", […]]  ["tuple", […]]
    ["dict", [[key, value], …]]  ["array", "<f8", [2, 3], base64]  ["scalar", "<f8", base64]  ["strings", [2], […]]
    ["objects", [2, 3]]  ["function", "loss", 0]  ["other", "Tensor"]
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

MESSAGE = 16 * 2**20
"""The longest message, in bytes."""

PARTS = 500_000
"""The lists and dicts in one, at most: each costs some hundred bytes of memory when it is read."""

DTYPES = frozenset({"|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"})
"""Of arrays that are read."""

ENTRIES, VALUES, DEPTH, LETTERS, DIGITS, AXES = 1_000_000, 100_000, 12, 20_000, 400, 8
"""At most: numbers in all arrays together, values of any kind, levels, characters, digits of an integer, axes."""

TYPE = 1000
"""The values that one of an unknown type counts for: each becomes a class of its own."""

ROOM = 10_000_000
"""At most: the values times the characters of the longest text among them. An array of texts gives each that room, and
NumPy makes one of any list that it is asked about."""

KEYS = (type(None), bool, int, str, float)
"""What may be the key of a dict. Of these, nobody can find many with the same hash, if the integers stay below 2⁶⁰."""


class Garbled(ValueError):
    """A message that is none, or holds more than a message may."""


def encode(value: Any, functions: list[Callable[..., Any]] | None = None, depth: int = 0) -> list[Any]:
    """The message for a value. Functions are appended to `functions` and sent as their place there; without a list, as
    the name of their type.

    >>> encode([1, np.float64(0.5)])
    ['list', [['int', '1'], ['scalar', '<f8', 'AAAAAAAA4D8=']]]
    """
    if depth > DEPTH:
        return ["other", type(value).__name__]
    if value is None:
        return ["none"]
    if isinstance(value, (np.ndarray, np.generic)):
        return encode_array(value)
    if isinstance(value, (bool, str)):
        return [type(value).__name__, value] if type(value) in (bool, str) else [str.__name__, str(value)]
    if isinstance(value, int):
        return ["int", str(int(value))] if abs(value) < 10**DIGITS else ["other", "int"]
    if isinstance(value, float):
        return ["float", float(value).hex()]
    if isinstance(value, (list, tuple)):
        name = "tuple" if isinstance(value, tuple) else "list"
        return [name, [encode(entry, functions, depth + 1) for entry in value]]
    if isinstance(value, dict):
        pairs = value.items()
        return ["dict", [[encode(part, functions, depth + 1) for part in pair] for pair in pairs]]
    if functions is not None and callable(value):
        functions.append(value)
        return ["function", getattr(value, "__name__", "function"), len(functions) - 1]
    return ["other", type(value).__name__]


def encode_array(value: Any) -> list[Any]:
    """The message for an array, or for one of NumPy's numbers."""
    array = np.asarray(value)
    if array.dtype == np.longdouble:
        array = array.astype(np.float64)
    if array.dtype.kind == "U":
        return ["strings", list(array.shape), [str(entry) for entry in array.ravel()]]
    plain = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    if plain.dtype.str not in DTYPES:
        return ["objects", list(array.shape)]
    data = base64.b64encode(plain.tobytes()).decode()
    if isinstance(value, np.generic):
        return ["scalar", plain.dtype.str, data]
    return ["array", plain.dtype.str, list(array.shape), data]


def decode(message: Any, function: Callable[[str, int], Any] | None = None, entries: int = ENTRIES) -> Any:
    """The value of a message. `function(name, place)` stands for a function, if there may be one.

    Raises `Garbled` if the message is not one that `encode` writes, or holds more than `entries` numbers.

    >>> decode(encode({"h": np.zeros((1, 2))}))
    {'h': array([[0., 0.]])}
    """
    return Decoder(function, entries).read(message)


class Decoder:
    """Reads messages, and counts what is in all of them: they hold no more together than one may."""

    def __init__(self, function: Callable[[str, int], Any] | None = None, entries: int = ENTRIES) -> None:
        self.function, self.entries, self.values = function, entries, VALUES
        self.longest = 0

    def read(self, message: Any) -> Any:
        """The value of a message: see `decode`. Raises `Garbled`."""
        before, self.longest = self.values, 0
        try:
            value = self.value(message, 0)
        except Garbled:
            raise
        except (ValueError, TypeError, IndexError, KeyError, OverflowError, RecursionError, binascii.Error) as error:
            raise Garbled(
                f"expected a value as `encode` writes it, got another message ({type(error).__name__})"
            ) from None
        if self.longest * (before - self.values) > ROOM:
            raise Garbled("expected few values, or short texts, got many values and a long text")
        return value

    def value(self, message: Any, depth: int) -> Any:
        """The value of a message at a depth. Raises `Garbled`."""
        self.values -= 1
        if self.values < 0 or depth > DEPTH + 1:
            raise Garbled("expected a message of moderate size, got more values, or more levels")
        name, *rest = message
        if name == "none":
            return None
        if name in ("bool", "str"):
            return self.plain(rest[0], bool if name == "bool" else str)
        if name == "int":
            return int(self.plain(rest[0], str, DIGITS + 1))
        if name == "float":
            return float.fromhex(self.plain(rest[0], str, 40))
        if name in ("list", "tuple"):
            values = [self.value(entry, depth + 1) for entry in self.plain(rest[0], list)]
            return values if name == "list" else tuple(values)
        if name == "dict":
            pairs = self.plain(rest[0], list)
            return {self.key(key, depth + 1): self.value(entry, depth + 1) for key, entry in pairs}
        if name == "array":
            return self.array(*rest)
        if name == "scalar":
            return self.array(rest[0], [], rest[1])[()]
        if name == "strings":
            return self.strings(*rest)
        if name == "objects":
            return np.broadcast_to(np.array(None), self.shape(rest[0]))
        if name == "function" and self.function:
            return self.function(type_name(rest[0]), self.plain(rest[1], int))
        if name == "other":
            self.values -= TYPE
            unknown = type_name(rest[0])
            return type(unknown, (), {"__repr__": lambda self: f"<{unknown}>"})()
        raise Garbled("expected a kind of value that there is, got another")

    def key(self, message: Any, depth: int) -> Any:
        """A key of a dict. Raises `Garbled`."""
        key = self.value(message, depth)
        if type(key) not in KEYS or (type(key) is int and abs(key) >= 2**60):
            raise Garbled("expected a word or a number as a key, got another")
        return key

    def strings(self, lengths: Any, texts: Any) -> Any:
        """An array of texts: each takes the room of the longest. Raises `Garbled`."""
        shape = self.shape(lengths)
        texts = [self.plain(text, str) for text in self.plain(texts, list)]
        self.entries -= len(texts) * max(map(len, texts), default=0)
        if self.entries < 0:
            raise Garbled("expected texts of moderate length, got more")
        return np.array(texts, dtype=str).reshape(shape)

    def plain(self, value: Any, kind: type, letters: int = LETTERS) -> Any:
        """A part of a message that must be of this very type, a string of at most so many letters. Raises `Garbled`."""
        if type(value) is not kind or (isinstance(value, str) and len(value) > letters):
            raise Garbled(f"expected a part of type {kind.__name__}, of moderate length, got another")
        if isinstance(value, str):
            self.longest = max(self.longest, len(value))
        return value

    def shape(self, lengths: Any) -> tuple[int, ...]:
        """The shape of an array. Raises `Garbled` if it is none, or holds too much."""
        lengths = self.plain(lengths, list)
        if len(lengths) > AXES or any(type(n) is not int or not 0 <= n <= ENTRIES for n in lengths):
            raise Garbled("expected the shape of an array, got something else")
        size = 1
        for n in lengths:
            size *= max(1, n)
        self.entries -= size
        if self.entries < 0:
            raise Garbled("expected arrays of moderate size, got more numbers")
        return tuple(lengths)

    def array(self, dtype: Any, lengths: Sequence[int], data: str) -> Any:
        """An array of its own, that can be written to. Raises `Garbled`."""
        if self.plain(dtype, str) not in DTYPES:
            raise Garbled("expected an array of plain numbers, got another dtype")
        shape = self.shape(lengths)
        if len(data) > 22 * (ENTRIES + 1):
            raise Garbled("expected an array of moderate size, got more bytes")
        raw = np.frombuffer(base64.b64decode(data, validate=True), dtype="|u1" if dtype == "|b1" else dtype)
        return (raw != 0).reshape(shape) if dtype == "|b1" else raw.reshape(shape).copy()


def type_name(text: Any) -> str:
    """A stranger's name for a type, as letters and digits.

    >>> type_name("<b>Tensor</b>")
    'bTensorb'
    """
    letters = re.sub(r"\W", "", text, flags=re.ASCII) if isinstance(text, str) else ""
    return letters[:40] or "object"
