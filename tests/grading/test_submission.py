"""What was handed in is read as text, or refused with a sentence."""

import json
import os

import nbformat
import pytest

from rnncourse.grading import submission
from rnncourse.grading.submission import Refused, read


def notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def code(source, **metadata):
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [{"evil": 1}], "id": "x"}


@pytest.fixture
def written(tmp_path):
    """written(content): the path of a notebook with it."""

    def write(content):
        path = tmp_path / "rnn.ipynb"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return write


def test_text_and_name_are_taken_and_nothing_else(written):
    cell = code("x = 1", nbgrader={"grade_id": "rnn_step", "points": 99, "solution": True}, tags=["raises-exception"])
    (read_cell,) = read(written(notebook(cell))).cells
    assert read_cell.source == "x = 1" and read_cell.outputs == []
    assert read_cell.metadata == {"nbgrader": {"grade_id": "rnn_step"}}


def test_no_text_steers_a_terminal(written):
    (cell,) = read(written(notebook(code("x = '\x1b]0;owned\x07\x00\x9b'\n\ty = 1")))).cells
    assert cell.source == "x = ']0;owned'\n\ty = 1"


def test_what_is_read_is_a_notebook(written):
    nbformat.validate(read(written(notebook(code("x"), {"cell_type": "raw", "source": "<b>"}))))


def test_the_same_file_reads_the_same(written):
    path = written(notebook(code("x"), code("y")))
    assert nbformat.writes(read(path)) == nbformat.writes(read(path))


@pytest.mark.parametrize("source", [["a\r\n", "b"], "a\nb", "a\r\nb", "a\rb", ["a\n", 5, "b"]])
def test_lines_are_joined_and_end_as_on_linux(written, source):
    assert read(written(notebook(code(source)))).cells[0].source == "a\nb"


def test_the_format_before_reads_too(written):
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["a\n", "b"]}]}]}
    assert read(written(old)).cells[0].source == "a\nb"


def test_a_byte_order_mark_is_no_fault(written):
    assert not read(written(b"\xef\xbb\xbf" + json.dumps(notebook()).encode())).cells


def test_half_a_character_becomes_a_question_mark(written):
    assert read(written(b'{"cells": [{"cell_type": "code", "source": "\\ud800"}]}')).cells[0].source == "?"


REFUSED = {
    "not JSON": (b"{", "not JSON: was it saved to its end?"),
    "not text": (b"\xff\xfe", "not text in UTF-8"),
    "too deep": (b"[" * 100_000, "not JSON"),
    "no notebook": (b"[]", "without a list of cells"),
    "cells that are none": (b'{"cells": 5}', "without a list of cells"),
    "too many values": (
        b"[" + b"[]," * 1_000_000 + b"0]",
        "at most 2000000 brackets and commas in a notebook, got 2000001",
    ),
    "too many cells": (notebook(*[{}] * 1001), "at most 1000 cells, got 1001"),
    "too long a cell": (notebook(code("x" * 200_001)), "at most 200000 characters, got one of 200001"),
}


@pytest.mark.parametrize(("content", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_notebook_is_refused(written, content, sentence):
    with pytest.raises(Refused, match=sentence.replace("?", r"\?")):
        read(written(content))


def test_a_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "rnn.ipynb"
    with path.open("wb") as file:
        file.truncate(submission.BYTES + 1)
    with pytest.raises(Refused, match="at most 32 MiB"):
        read(path)


def test_links_pipes_folders_and_nothing_are_refused(tmp_path, written):
    link, pipe = tmp_path / "link.ipynb", tmp_path / "pipe.ipynb"
    link.symlink_to(written(notebook()))
    os.mkfifo(pipe)
    for path, sentence in (
        (link, "got a link"),
        (pipe, "a pipe"),
        (tmp_path, "folder"),
        (tmp_path / "none", "found none"),
    ):
        with pytest.raises(Refused, match=sentence):
            read(path)
