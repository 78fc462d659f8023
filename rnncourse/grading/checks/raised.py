"""What a student's function raised, in one line: where in their code, in the error's own words, and in plain ones."""

import re
from itertools import islice

from rnncourse.grading.checks.attempt import Failure, OutOfTime


def described(failure: Failure) -> str:
    """What happened: the type of error, the student's line, the first line of the message, and what it comes to."""
    line = f" in your line {failure.line}, `{failure.code}`" if failure.code else ""
    message = failure.message
    if failure.a(OutOfTime):
        return f"{message}{line}: does a loop never end?"
    if failure.a(NameError):
        message += " (has the cell that defines it been run?)"
    if plain := in_plain_words(message):
        message += f". {plain}"
    return f"raised {failure.types[0]}{line}" + (f": {message}" if message else "")


def in_plain_words(message: str) -> str:
    """What a message about sizes comes to, a sentence without its full stop; nothing for any other message.

    >>> in_plain_words("shapes (2,5) and (3,4) not aligned: 5 (dim 1) != 3 (dim 0)")
    'The inner sizes of a product must agree: here 5 and 3'
    """
    for pattern, words in PLAIN:
        if found := re.search(pattern, message):
            return words(*found.groups())
    return ""


def product(left: str, right: str) -> str:
    """Of two factors that do not fit."""
    return f"The inner sizes of a product must agree: here {left} and {right}"


def indices(size: str) -> str:
    """Of an index that an axis does not have."""
    if size == "0":
        return "This axis has size 0: there is nothing in it"
    return f"The indices of an axis of size {size} end at {int(size) - 1}, and from its end at -{size}"


def together(shapes: str) -> str:
    """Of arrays that do not fit together entry by entry, with the last axis in which they do not."""
    sizes = [list(map(int, re.findall(r"\d+", shape))) for shape in shapes.split()]
    for k in range(1, max(map(len, sizes)) + 1):
        here = list(dict.fromkeys(shape[-k] for shape in sizes if len(shape) >= k and shape[-k] != 1))
        if len(here) > 1:
            place = f"axis {-k}{', the last' if k == 1 else ''}"
            return f"Sizes must be equal, or 1, axis by axis from the last: here {here[0]} and {here[1]} in {place}"
    return ""


def stored(array: str, place: str) -> str:
    """Of an array that does not fit where it is to be written."""
    given, there = (re.findall(r"\d+", shape) for shape in (array, place))
    rule = "An array must have the shape of the place it is written to"
    if len(given) != len(there):
        return f"{rule}: here it has {axes(given)}, and the place has {axes(there)}"
    differ = (k for k, (one, other) in enumerate(zip(given, there, strict=True)) if one not in (other, "1"))
    return "".join(f"{rule}: here axis {k} has size {given[k]}, and in the place {there[k]}" for k in islice(differ, 1))


def axes(sizes: list[str]) -> str:
    """How many axes there are, in words."""
    return f"{len(sizes)} ax{'i' if len(sizes) == 1 else 'e'}s"


PLAIN = (
    (r"^matmul: .*\(size (\d+) is different from (\d+)\)", lambda right, left: product(left, right)),
    (r"^shapes .* not aligned: (\d+) \(dim \d+\) != (\d+)", product),
    (
        r"^array split does not result in an equal division",
        lambda: "np.split cuts along axis 0 unless told another axis",
    ),
    (r"inhomogeneous shape", lambda: "The entries of an array have one shape: those of this list have several"),
    (r"^setting an array element with a sequence", lambda: "One entry of an array holds one number: here are several"),
    (r"^index -?\d+ is out of bounds for axis \d+ with size (\d+)", indices),
    (r"^(?:list|tuple) index out of range", lambda: "The last index is one less than the length"),
    (r"could not be broadcast together with shapes ((?:\([\d,]*\) ?)+)", together),
    (r"^could not broadcast input array from shape \(([\d,]*)\) into shape \(([\d,]*)\)", stored),
    (r"^non-broadcastable output operand", lambda: "An operation in place, as +=, cannot change the shape on its left"),
)
"""How NumPy's messages about sizes begin or read, and what is said for each, with the sizes found."""
