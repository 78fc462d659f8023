"""Whatever is handed in as a notebook is rebuilt around the release, or refused with a sentence. Nothing else happens.

Real submissions are spoilt: at any depth of their JSON, then as bytes. `make proof` tries 20 000, `make test` a few.
"""

import json
import re
import shutil
from copy import deepcopy

import nbformat
import pytest
from courses import NOTEBOOK, ROOT, SET, hand_in, model
from hypothesis import event, given, settings
from hypothesis import strategies as st
from nbgrader.utils import parse_utc

from rnncourse.grading import submission
from rnncourse.grading.batch import Batch
from rnncourse.grading.course import Course
from rnncourse.grading.rebuild import grade_id
from rnncourse.grading.record import TIMESTAMP, timestamp

TIMES = 5
"""Examples for each one of another property: in `make proof` 5000 for each of four seeds, most of them refused."""

STUB = json.loads((ROOT / "exercises" / SET / NOTEBOOK).read_text(encoding="utf-8"))
MODEL = json.loads(nbformat.writes(model()))
OLD = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": MODEL["cells"], "metadata": {}}]}
OTHER = json.loads((ROOT / "exercises" / "ps5-lstm" / "lstm.ipynb").read_text(encoding="utf-8"))
SOLUTIONS = [name for cell in model().cells if (name := grade_id(cell)) and cell.metadata.nbgrader.solution]

names = st.sampled_from(
    [
        *("cells", "worksheets", "cell_type", "source", "input", "metadata", "nbgrader", "grade_id", "tags", "outputs"),
        *("id", "attachments", "nbformat", "nbformat_minor", "points", "solution", "code", "raw", *SOLUTIONS),
        *("grade_rnn_step", "imports", submission.SKIPPED),
    ]
)
texts = (
    names
    | st.text()
    | st.text(st.characters(categories=["Cs"]))
    | st.text(st.characters(categories=["Cc", "Co", "Cn"]))
)
numbers = st.integers() | st.floats() | st.sampled_from([10**400, -(2**63), 2**64, 1e999, 4, 5])
leaves = st.none() | st.booleans() | numbers | texts
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)
large = st.sampled_from(
    ["x" * (submission.LETTERS + 1), ["x\n"] * submission.LETTERS, [{}] * (submission.CELLS + 1), "~" * 5000]
)


CHANGES = ("drop", "replace", "replace", "move", "double", "graft", "graft", "wrap", "print", "swell")

READ = {"cells", "worksheets", "cell_type", "source", "input", "metadata", "nbgrader", "grade_id", "tags"}
"""The keys under which the grader reads something."""


def keys(container):
    """What the parts of a piece of JSON are reached by; none if it has no parts."""
    return list(container) if isinstance(container, dict) else range(len(container) if type(container) is list else 0)


def read(container, places=None):
    """The places of a piece of JSON that the grader reads, what each lies in and its key, by key; cells by "cell"."""
    places = {} if places is None else places
    for key in keys(container):
        if key in READ or (type(key) is int and isinstance(container[key], dict)):
            places.setdefault("cell" if type(key) is int else key, []).append((container, key))
        read(container[key], places)
    return places


@st.composite
def spoilt(draw):
    """A real submission, changed in a few places of any depth."""
    document = deepcopy(draw(st.sampled_from([MODEL, STUB, OLD, OTHER])))

    def place(like=None):
        """A part of the document: what it lies in, and its key there; None if the document has no parts."""
        places = read(document)
        if like in places or (places and draw(st.booleans())):
            return draw(st.sampled_from(places[like if like in places else draw(st.sampled_from(list(places)))]))
        inside = document
        while there := keys(inside):
            key = draw(st.sampled_from(there))
            if not keys(inside[key]) or draw(st.integers(0, 3)) == 0:
                return inside, key
            inside = inside[key]
        return None

    def put(inside, value):
        """Put a value beside what is there."""
        if isinstance(inside, dict):
            inside[draw(texts)] = value
        else:
            inside.insert(draw(st.integers(0, len(inside))), value)

    for _ in range(draw(st.integers(1, 6))):
        if not (found := place()):
            return document
        inside, key = found
        value = deepcopy(inside[key])
        change = draw(st.sampled_from(CHANGES))
        if change in ("drop", "move"):
            del inside[key]
        if change in ("move", "double"):
            put(inside, value)
        if change == "replace":
            inside[key] = draw(anything)
        if change == "graft" and (other := place(key)):
            other[0][other[1]] = value
        if change == "wrap":
            inside[key] = draw(st.sampled_from([[value], {draw(names): value}]))
        if change == "print":
            inside[key] = f"{value}{draw(texts)}"
        if change == "swell":
            inside[key] = deepcopy(draw(large))
    return document


chunks = st.binary(max_size=8) | st.sampled_from(
    [
        *(b"NaN", b"-Infinity", b"null", b"{", b"}", b"]", b'"', b",", b"\\", b"\\ud800", b"\x00", b"\xff", b"\r"),
        *(b"\xef\xbb\xbf", b"9" * 5000, b"1e99999", b'"cells":[],', b'"cells":5,'),
    ]
)


@st.composite
def files(draw):
    """The bytes of a file: of a spoilt notebook, which may be spoilt as text once more, or of anything else."""
    kind = draw(st.sampled_from(["notebook"] * 4 + ["spoilt file"] * 3 + ["any JSON", "any bytes"]))
    if kind == "any bytes":
        return draw(st.binary(max_size=200))
    document = draw(anything if kind == "any JSON" else spoilt())
    data = json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if kind != "spoilt file":
        return data
    here, there = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    return draw(
        st.sampled_from(
            [
                data[:here],
                data[here:],
                data[:here] + data[there:],
                data[:there] + data[here:],
                data[:here] + draw(chunks) + data[here:],
                data[:here] + draw(st.sampled_from([b"[", b'{"a":'])) * 50_000 + data[here:],
                b"\xef\xbb\xbf" + data,
                data.decode("utf-8", "replace").encode("utf-16"),
                data + data,
            ]
        )
    )


@pytest.fixture(scope="module")
def grader(empty, tmp_path_factory):
    """The grader of a class of one, ada, and the sheets of its problem set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
        root = tmp_path_factory.mktemp("malformed") / "course"
        shutil.copytree(empty, root)
        course = Course(root)
        yield Batch(course, SET, seed="secret", walls=True), course.sheets(SET)


def first(data, name):
    """The text of the first cell of this name, in a file that is JSON; None if there is none."""
    document = json.loads(data.decode("utf-8-sig"))
    sheets = [document] if document.get("cells") is not None else document["worksheets"]
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    for cell in [cell for cells in lists if isinstance(cells, list) for cell in cells]:
        try:
            if cell["metadata"]["nbgrader"]["grade_id"] == name:
                return submission.text(cell.get("source", cell.get("input")))
        except (TypeError, KeyError):
            pass
    return None


def expect_rebuilt(notebook, released, data):
    """Every cell that nbgrader knows is the release's, with the student's text where an answer belongs."""
    ours = {grade_id(cell): cell for cell in released.cells if grade_id(cell)}
    cells = [cell for cell in notebook.cells if grade_id(cell)]
    assert [grade_id(cell) for cell in cells] == list(ours)
    for name, cell in zip(ours, cells, strict=True):
        said = first(data, name) if name in SOLUTIONS else None
        assert cell == {**ours[name], "source": ours[name].source if said is None else said}
    text = {cell.source for cell in released.cells}
    for cell in notebook.cells:
        assert len(cell.source) <= submission.LETTERS
        if not grade_id(cell):
            assert cell.metadata in ({}, {"tags": [submission.SKIPPED]})
            assert cell.cell_type == "code" or cell.source in text or cell.source.startswith("~~~")


@settings(max_examples=TIMES * settings().max_examples)
@given(files())
def test_whatever_is_handed_in_is_rebuilt_or_refused(grader, data):
    batch, (sheet,) = grader
    hand_in(batch.course, "ada", data)
    batch.outcome.refused.clear()
    (unit,) = batch.student("ada", [sheet]).units.values()
    assert len(unit.notebook) < 2 * submission.BYTES
    notebook = nbformat.reads(unit.notebook, as_version=4)
    nbformat.validate(notebook)
    if sentence := batch.outcome.refused.get("ada"):
        event("refused with a sentence")
        assert re.fullmatch(r"expected [ -~]{5,80}, (got|found) [ -~]{4,80}", sentence)
        notice, *rest = notebook.cells
        assert sentence in notice.source and rest == sheet.released.cells
    else:
        event("rebuilt")
        expect_rebuilt(notebook, sheet.released, data)


dates = st.datetimes().map(str) | st.sampled_from(["2026-11-20 12:00:00 UTC", "2026-11-20T12:00:00+01:00", "12:00"])


@given(st.tuples(dates, texts, st.binary(max_size=8), st.integers(0, 20)))
def test_any_timestamp_is_a_time_or_none(tmp_path_factory, parts):
    date, text, data, here = parts
    folder = tmp_path_factory.getbasetemp()
    content = date[:here].encode() + text.encode("utf-8", "surrogatepass") + data + date[here:].encode()
    (folder / TIMESTAMP).write_bytes(content)
    when = timestamp(folder)
    assert when is None or parse_utc(when)
