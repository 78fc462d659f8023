"""Make what a stranger's code put out fit to be shown in a browser: plain text, and pictures that are pictures."""

import base64
import binascii
import re
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

LETTERS, PICTURE, DOTS, OUTPUTS = 10_000, 4 * 2**20, 2**24, 20
"""At most: characters of an output's text, characters of a picture, its dots, outputs of a cell."""

NO_TEXT = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")
"""Control characters, which could steer a terminal, but tabs and line ends; halves of surrogate pairs."""

PNG = b"\x89PNG\r\n\x1a\n"
"""How a picture of this format begins."""


def plain(value: Any, letters: int = LETTERS) -> str:
    """A text without colors and control characters, cut where it is too long.

    >>> plain("\x1b[31mred\x1b[0m\\n")
    'red\\n'
    """
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    if not isinstance(value, str):
        return ""
    cut = f"\n… cut: {len(value)} characters" if len(value) > letters else ""
    bare = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", value[:letters])
    bare = NO_TEXT.sub("", bare)
    return re.sub(r"[\u202a-\u202e\u2066-\u2069]", "", bare) + cut


def outputs(given: Any) -> list[NotebookNode]:
    """The outputs of a cell as they may be stored; what is no output is left out."""
    if not isinstance(given, list):
        return []
    cleaned = [output(one) for one in given[:OUTPUTS] if isinstance(one, dict)]
    return [one for one in cleaned if one is not None]


def output(given: dict[str, Any]) -> NotebookNode | None:
    """One output: a stream, an error, or a result as text and as PNG. None if nothing of it can be shown."""
    kind = given.get("output_type")
    if kind == "stream":
        name = "stderr" if given.get("name") == "stderr" else "stdout"
        return made("stream", name=name, text=plain(given.get("text")))
    if kind == "error":
        lines = given.get("traceback")
        trace = [plain(line) for line in lines[:50]] if isinstance(lines, list) else []
        return made(
            "error", ename=plain(given.get("ename"), 80), evalue=plain(given.get("evalue"), 1000), traceback=trace
        )
    data = given.get("data")
    if kind not in ("display_data", "execute_result") or not isinstance(data, dict):
        return None
    shown = {}
    if isinstance(data.get("text/plain"), (str, list)):
        shown["text/plain"] = plain(data["text/plain"])
    if picture(data.get("image/png")):
        shown["image/png"] = "".join(data["image/png"].split())
    return made("display_data", data=shown) if shown else None


def made(kind: str, **fields: Any) -> NotebookNode:
    """An output as nbformat has it."""
    new: NotebookNode = new_output(kind, **fields)
    return new


def picture(value: Any) -> bool:
    """Whether a value is a PNG picture in base64, of moderate size: in characters, and once it is unpacked."""
    if not isinstance(value, str) or len(value) > PICTURE:
        return False
    try:
        data = base64.b64decode("".join(value.split()), validate=True)
    except (ValueError, binascii.Error):
        return False
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return data.startswith(PNG) and data[12:16] == b"IHDR" and 0 < width * height <= DOTS


def markdown(source: str) -> str:
    """A stranger's Markdown as text in a box: no link, picture, formula or tag of theirs comes to life.

    >>> print(markdown("<b>x</b>"))
    ~~~text
    <b>x</b>
    ~~~
    """
    shown = plain(source, 100_000)
    fence = "~" * max(3, 1 + max((len(run) for run in re.findall(r"~+", shown)), default=0))
    return f"{fence}text\n{shown}\n{fence}"
