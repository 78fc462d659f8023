"""A submission is rebuilt around the release: what nbgrader knows comes from there, what the student wrote stays."""

from copy import deepcopy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rnncourse.grading.rebuild import rebuild


def cell(name, source, **kind):
    metadata = {"grade": False, "solution": False, "locked": False, "grade_id": name, "schema_version": 3, **kind}
    return new_code_cell(source, id=name, metadata={"nbgrader": metadata})


@pytest.fixture
def released():
    cells = [
        new_markdown_cell("Write f.", id="text"),
        cell("f", "raise NotImplementedError()", solution=True),
        cell("grade_f", "# Graded", grade=True, locked=True, points=2),
        cell("g", "raise NotImplementedError()", solution=True),
        cell("grade_g", "# Graded too", grade=True, locked=True, points=3),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


@pytest.fixture
def submitted(released):
    notebook = deepcopy(released)
    notebook.cells[1].source = "f = 1"
    notebook.cells[3].source = "g = 2"
    notebook.cells.insert(2, new_code_cell("helper = 3", id="helper"))
    return notebook


def sources(notebook):
    return [c.source for c in notebook.cells]


WHOLE = ["Write f.", "f = 1", "helper = 3", "# Graded", "g = 2", "# Graded too"]


def test_an_honest_submission_stays_as_it_is(submitted, released):
    rebuilt, missing = rebuild(deepcopy(submitted), released)
    assert rebuilt == submitted
    assert missing == []


def test_deleted_cells_return_and_are_named(submitted, released):
    submitted.cells = [c for c in submitted.cells if c.id not in ("f", "grade_f", "grade_g")]
    rebuilt, missing = rebuild(submitted, released)
    assert missing == ["f", "grade_f", "grade_g"]
    assert sources(rebuilt) == [
        "Write f.",
        "helper = 3",
        "raise NotImplementedError()",
        "# Graded",
        "g = 2",
        "# Graded too",
    ]


def test_an_empty_notebook_becomes_the_release(released):
    rebuilt, missing = rebuild(new_notebook(), released)
    assert missing == ["f", "grade_f", "g", "grade_g"]
    assert sources(rebuilt) == sources(released)[1:]


def test_a_copied_cell_is_the_students_own(submitted, released):
    submitted.cells.insert(2, deepcopy(submitted.cells[1]))
    rebuilt, missing = rebuild(submitted, released)
    assert missing == []
    assert sources(rebuilt) == ["Write f.", "f = 1", "f = 1", "helper = 3", "# Graded", "g = 2", "# Graded too"]
    assert [c.metadata.get("nbgrader", {}).get("grade_id") for c in rebuilt.cells].count("f") == 1
    assert len({c.id for c in rebuilt.cells}) == len(rebuilt.cells)


def test_moved_cells_return_to_their_places(submitted, released):
    submitted.cells = submitted.cells[::-1]
    rebuilt, _ = rebuild(submitted, released)
    graded = [c.source for c in rebuilt.cells if "nbgrader" in c.metadata]
    assert graded == ["f = 1", "# Graded", "g = 2", "# Graded too"]


def change(**metadata):
    return lambda c: c.metadata.nbgrader.update(metadata)


@pytest.mark.parametrize(
    "tamper",
    [
        change(points=100),
        change(schema_version=1),
        change(schema_version=99),
        change(grade=False),
        change(solution=True),
        lambda c: c.update(source="2"),
        lambda c: c.metadata.update(tags=["skip-execution"]),
        lambda c: c.metadata.update(nbgrader="text"),
        lambda c: c.update(cell_type="markdown"),
    ],
)
def test_a_graded_cell_comes_from_the_release(submitted, released, tamper):
    k = next(k for k, c in enumerate(submitted.cells) if c.id == "grade_f")
    tamper(submitted.cells[k])
    rebuilt, _ = rebuild(submitted, released)
    graded = [c for c in rebuilt.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "grade_f"]
    assert graded == [released.cells[2]]


def test_a_cell_unknown_to_the_release_loses_its_claim(submitted, released):
    submitted.cells.append(cell("grade_h", "100", grade=True, points=100))
    rebuilt, _ = rebuild(submitted, released)
    assert rebuilt.cells[-1].source == "100"
    assert "nbgrader" not in rebuilt.cells[-1].metadata


def test_an_answer_turned_into_text_is_code_again(submitted, released):
    submitted.cells[1] = new_markdown_cell(submitted.cells[1].source, metadata=submitted.cells[1].metadata)
    rebuilt, _ = rebuild(submitted, released)
    assert sources(rebuilt) == WHOLE
    assert rebuilt.cells[1].cell_type == "code"
    nbformat.validate(rebuilt)
