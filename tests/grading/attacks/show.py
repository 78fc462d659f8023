# ruff: noqa: E501 (a cell reads as it is handed in)
"""What comes alive in the feedback, and what is handed in that is no notebook.

`SHOWN` are cells of one notebook. Each brings its own `token`, which may stand in the page as text and nowhere else.
`STRANGE` are folders of students, as they may lie in submitted/.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from grading.attacks.harness import armed

SCRIPT = "<script>alert('TOKEN')</script><img src=x onerror=alert('TOKEN')><a href='javascript:TOKEN'>x</a>"
LATEX = r"$\href{javascript:TOKEN}{x} \unicode{<script>TOKEN</script>} \style{background:url(//TOKEN.example)}{x}$"


def code(source: str) -> dict[str, Any]:
    return dict(nbformat.v4.new_code_cell(armed(source)))


def shown(mime: str, data: Any, **metadata: Any) -> dict[str, Any]:
    """A cell that displays data of a MIME type."""
    return code(
        f"from IPython.display import display\ndisplay({ {mime: data, 'text/plain': 'x'}!r}, raw=True, metadata={metadata!r})"
    )


def markdown(source: str, **fields: Any) -> dict[str, Any]:
    return dict(nbformat.v4.new_markdown_cell(source)) | fields


SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(\'TOKEN\')"><a href="javascript:TOKEN">{SCRIPT}</a></svg>'
WIDGET = {"model_id": "TOKEN", "version_major": 2, "version_minor": 0}

SHOWN: dict[str, dict[str, Any]] = {
    "HTML": shown("text/html", SCRIPT),
    "SVG": shown("image/svg+xml", SVG),
    "JavaScript": shown("application/javascript", "alert('TOKEN')"),
    "LaTeX": shown("text/latex", LATEX),
    "Markdown as an output": shown("text/markdown", SCRIPT),
    "JSON": shown("application/json", {"TOKEN": SCRIPT}),
    "a widget": shown("application/vnd.jupyter.widget-view+json", WIDGET),
    "a chart of another library": shown("application/vnd.plotly.v1+json", {"data": [{"type": "TOKEN"}], "layout": {}}),
    "a PDF": shown("application/pdf", "TOKEN"),
    "a JPEG that is none": shown("image/jpeg", f'"/>{SCRIPT}'),
    "a GIF that is none": shown("image/gif", f'"/>{SCRIPT}'),
    "a PNG that is none": shown("image/png", f'"/>{SCRIPT}'),
    "a PNG with a page behind it": code(
        "import base64\nfrom IPython.display import display\n"
        "data = b'\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\rIHDR\\0\\0\\0\\1\\0\\0\\0\\1' + b\"\\\"><script>alert('TOKEN')</script>\"\n"
        "display({'image/png': base64.b64encode(data).decode() + '\"onload=\"TOKEN'}, raw=True)"
    ),
    "the size of a picture": shown("image/png", "iVBORw0KGgo=", **{"image/png": {"width": f'1"/>{SCRIPT}'}}),
    "plain text": shown("text/plain", f"</pre>{SCRIPT}{LATEX}"),
    "what is printed": code(f"print({'</pre></div>' + SCRIPT + LATEX!r})"),
    "what is printed in color": code(
        f"print({chr(27) + '[31m' + SCRIPT + chr(27) + ']8;;javascript:TOKEN' + chr(27) + chr(92) + 'x'!r})"
    ),
    "a color that is a tag": code("print('\\x1b[38;2;1;1;\"><script>alert(1)//TOKEN</script>m')"),
    "what goes to stderr": code(f"import sys\nprint({SCRIPT!r}, file=sys.stderr)"),
    "an error": code(f"class Bad(Exception): pass\nBad.__name__ = {SCRIPT!r}\nraise Bad({'</pre>' + SCRIPT!r})"),
    "an object that shows itself": code(
        f"class Own:\n    def _repr_html_(self): return {SCRIPT!r}\n    def _repr_latex_(self): return {LATEX!r}\n"
        f"    def _repr_svg_(self): return {SVG!r}\n    def __repr__(self): return {SCRIPT!r}\nOwn()"
    ),
    "a frame": code(
        "from IPython.display import IFrame, display\ndisplay(IFrame('javascript:TOKEN', 1, 1), IFrame('//TOKEN.example', 1, 1))"
    ),
    "a picture from elsewhere": code(
        "from IPython.display import Image, display\ndisplay(Image(url='//TOKEN.example/x.png'))"
    ),
    "a link to a file": code(
        "from IPython.display import FileLink, display\nopen('/tmp/TOKEN', 'w').close()\ndisplay(FileLink('/tmp/TOKEN'))"
    ),
    "the code itself": code(f"'''</pre></div>{SCRIPT}{LATEX}'''\nNone"),
    "tags": markdown(SCRIPT),
    "a link": markdown("[x](javascript:TOKEN) <javascript:TOKEN> [y]\n\n[y]: javascript:TOKEN"),
    "a picture": markdown("![x](//TOKEN.example/x.png) ![x](data:image/svg+xml,TOKEN)"),
    "a formula": markdown(LATEX + "\n\n$$\\require{html}\\cssId{TOKEN}{x}\\class{TOKEN}{y}$$"),
    "an attachment": markdown(
        "![x](attachment:TOKEN.svg)", attachments={"TOKEN.svg": {"image/svg+xml": "PHN2Zz4=", "text/html": SCRIPT}}
    ),
    "the end of a box": markdown(f"~~~\n{SCRIPT}\n~~~~~~~~~~\n{SCRIPT}\n```\n{SCRIPT}"),
    "the end of a box, with a sign that is left out": markdown(
        f"a\n~~\u202e~~\n{SCRIPT}\n\n~\u2066~\x00~\x07~\n{SCRIPT}"
    ),
    "the end of a box, in other line ends": markdown(
        f"a\u2424~~~~\u2424{SCRIPT}\u2028~~~~\u2028{SCRIPT}\x85~~~~\x85{SCRIPT}\r~~~~\r{SCRIPT}"
    ),
    "the end of a box, beyond where it is cut": markdown("~" * 99_990 + f"\n{SCRIPT}" * 50),
    "raw HTML": {
        "cell_type": "raw",
        "source": SCRIPT,
        "metadata": {"format": "text/html", "raw_mimetype": "text/html"},
    },
    "a heading of an older format": {"cell_type": "heading", "level": 1, "source": SCRIPT, "metadata": {}},
    "a kind of cell that is none": {"cell_type": SCRIPT, "source": SCRIPT, "metadata": {}},
    "the name of a cell": markdown("x", id='"><script>TOKEN</script>'),
    "the tags of a cell": markdown(
        "x", metadata={"tags": [f'"{SCRIPT}'], "jupyter": {"TOKEN": SCRIPT}, "nbgrader": {"grade_id": SCRIPT}}
    ),
    "signs that turn the text around": code("print('\\u202e\\u2066TOKEN')"),
}


def token(name: str) -> str:
    """The word that a cell of this name brings along."""
    return f"evil{list(SHOWN).index(name)}z"


def page(released: dict[str, Any]) -> dict[str, Any]:
    """A notebook with all of `SHOWN`, and evil in its own metadata."""
    document: dict[str, Any] = json.loads(json.dumps(released))
    for name, cell in SHOWN.items():
        document["cells"].append(json.loads(json.dumps({"metadata": {}, **cell}).replace("TOKEN", token(name))))
    document["metadata"] = {
        "title": f"</title>{SCRIPT}",
        "authors": [{"name": SCRIPT}],
        "kernelspec": {"name": SCRIPT, "display_name": SCRIPT, "language": SCRIPT},
        "language_info": {"name": f'"{SCRIPT}', "pygments_lexer": SCRIPT, "codemirror_mode": SCRIPT},
        "widgets": {
            "application/vnd.jupyter.widget-state+json": {"state": {SCRIPT: {}}, "version_major": 2, "version_minor": 0}
        },
    }
    return document


Folder = Callable[[Path, Path], None]
"""Makes what a student handed in: of its folder in submitted/, and of a notebook that is a stub."""


def notebook(make: Callable[[Path, Path], Any]) -> Folder:
    """A folder with something under the name of the notebook."""

    def hand_in(folder: Path, stub: Path) -> None:
        inside = folder / "ps2-rnn"
        inside.mkdir(parents=True)
        make(inside / "rnn.ipynb", stub)

    return hand_in


def when(make: Callable[[Path], Any]) -> Folder:
    """A stub, and something under the name of the time it was handed in."""

    def hand_in(folder: Path, stub: Path) -> None:
        notebook(lambda path, stub: path.write_bytes(stub.read_bytes()))(folder, stub)
        make(folder / "ps2-rnn" / "timestamp.txt")

    return hand_in


def stub(folder: Path, stub: Path) -> None:
    """An honest folder under a strange name."""
    when(lambda path: path.write_text("2026-11-20 12:00:00 UTC"))(folder, stub)


def large(path: Path, _: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**33)


def extra(folder: Path, stub: Path) -> None:
    """Files that Python, nbgrader or a browser would read."""
    notebook(lambda path, stub: path.write_bytes(stub.read_bytes()))(folder, stub)
    for name in ("nbgrader_config.py", "sitecustomize.py", "rnncourse.py", "conftest.py"):
        (folder / "ps2-rnn" / name).write_text("raise SystemExit('evil ran')")
    for name in ("rnn.html", "index.html"):
        (folder / "ps2-rnn" / name).write_text(SCRIPT)


NUMBERED = [
    ("links the gradebook", notebook(lambda path, _: path.symlink_to("../../../gradebook.db")), "got a link"),
    ("links the passwords", notebook(lambda path, _: path.symlink_to("/etc/passwd")), "got a link"),
    (
        "links another's notebook",
        notebook(lambda path, _: path.symlink_to("../../ada/ps2-rnn/rnn.ipynb")),
        "got a link",
    ),
    ("links nothing", notebook(lambda path, _: path.symlink_to("nowhere")), "got a link"),
    ("links itself", notebook(lambda path, _: path.symlink_to(path)), "got a link"),
    ("is a link to another", lambda folder, _: folder.symlink_to(folder.parent / "ada"), "got a link or a file"),
    (
        "links another's folder",
        lambda folder, _: (folder.mkdir(), (folder / "ps2-rnn").symlink_to("../ada/ps2-rnn")),
        "got a link or a file",
    ),
    (
        "links the machine",
        lambda folder, _: (folder.mkdir(), (folder / "ps2-rnn").symlink_to("/etc")),
        "got a link or a file",
    ),
    (
        "hands in a file for a folder",
        lambda folder, _: (folder.mkdir(), (folder / "ps2-rnn").write_text("x")),
        "got a link or a file",
    ),
    ("hands in a pipe", notebook(lambda path, _: os.mkfifo(path)), "a pipe"),
    ("hands in a folder", notebook(lambda path, _: path.mkdir()), "folder"),
    ("hands in nothing", notebook(lambda path, _: None), "found none"),
    ("hands in eight gigabytes", notebook(large), "at most 32 MiB"),
    ("hands in brackets", notebook(lambda path, _: path.write_bytes(b"[" * 2**20)), "not JSON"),
    (
        "hands in lists without end",
        notebook(lambda path, _: path.write_bytes(b'{"cells":[' + b"[]," * 2**20 + b"0]}")),
        "at most 2000000 brackets and commas",
    ),
    (
        "hands in a number without end",
        notebook(lambda path, _: path.write_bytes(b'{"cells":[' + b"9" * 2**20 + b"]}")),
        "not JSON",
    ),
    ("hands in half a notebook", notebook(lambda path, stub: path.write_bytes(stub.read_bytes()[:-99])), "not JSON"),
    (
        "hands in a pickle",
        notebook(lambda path, _: path.write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")),
        "not text",
    ),
    ("brings files along", extra, None),
    ("handed in at no time", when(lambda path: path.write_text("garbage")), None),
    ("handed in as a tag", when(lambda path: path.write_text(SCRIPT[:190])), None),
    ("handed in after all time", when(lambda path: path.write_text("9" * 150)), None),
    ("handed in before all time", when(lambda path: path.write_text("0001-01-01 00:00:00 +1400")), None),
    (
        "handed in for ten megabytes",
        when(lambda path: path.write_bytes(b"2026-11-20 12:00:00 UTC" + b" " * 10**7)),
        None,
    ),
    ("handed in at the passwords", when(lambda path: path.symlink_to("/etc/passwd")), None),
    ("handed in at a pipe", when(lambda path: os.mkfifo(path)), None),
    ("handed in at a folder", when(lambda path: path.mkdir()), None),
    ("handed in where a file is", when(lambda path: path.write_text("2026-11-20 12:00:00 /etc/localtime")), None),
    ("handed in at bytes", when(lambda path: path.write_bytes(b"\xff\0\xfe")), None),
]
"""What, how, and the sentence it is refused with; None if it is graded, and worth 0."""

STRANGE: dict[str, tuple[str, Folder, str | None]] = {
    what: (f"student{k}", make, sentence) for k, (what, make, sentence) in enumerate(NUMBERED)
}
"""The same, each with the name of a student."""

NAMES = {
    "a tag": "<img src=x onerror=alert(1)>",
    "a script": "<script>alert(1)<",
    "a quote": "x' OR '1'='1",
    "an option": "--force",
    "a pattern": "*",
    "a format": "{student_id}",
    "a line end": "ada\n",
    "a color": "\x1b[31mada",
    "the other direction": "\u202eada",
    "bytes that are no text": os.fsdecode(b"\xff\xfe"),
    "too long": "x" * 100,
    "a space at its end": "ada ",
    "a dollar": "$(touch evil)",
}
"""Names of students that are none."""
