"""`python -m rnncourse.grading check NOTEBOOK`: the student's own look at a whole problem set."""

import shutil
from pathlib import Path

import nbformat
import pytest

from rnncourse.grading import selfcheck as selfchecking
from rnncourse.grading.__main__ import main
from rnncourse.grading.rebuild import grade_id
from rnncourse.grading.selfcheck import NotAProblemSet, failures, run, selfcheck

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "exercises/ps2-rnn/rnn.ipynb"
SOLVED = ROOT / "solutions/ps2-rnn/rnn.ipynb"
SETS = sorted((ROOT / "exercises").glob("*/*.ipynb"))


def edited(path, folder, name="rnn.ipynb", **answers):
    """A copy of a notebook in which the cells of these names have other text; None deletes the cell."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if answers.get(grade_id(cell), "") is not None]
    for cell in notebook.cells:
        cell.source = answers.get(grade_id(cell), cell.source)
    nbformat.write(notebook, folder / name)
    return folder / name


def test_a_model_answer_has_all_points_and_is_fit(tmp_path):
    result = selfcheck(edited(SOLVED, tmp_path), ROOT)
    assert {name: mark[:2] for name, mark in result.marks.items()} == {
        "rnn_step": (4, 4),
        "rnn_forward": (6, 6),
        "count_parameters": (2, 2),
        "run_stateful": (4, 4),
    }
    assert result.fit
    assert str(result).endswith("together          16 of 16\n\nFit to hand in, with 16 of 16 points.")


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.parent.name)
def test_a_set_as_it_is_released_has_no_fault_and_no_points(path, tmp_path):
    result = selfcheck(edited(path, tmp_path, path.name), ROOT)
    assert result.faults == []
    assert {got for got, *_ in result.marks.values()} == {0}
    for name in result.marks:
        assert f"{name} is not written yet" in str(result)


def test_wrong_and_missing_answers_cost_their_points_and_say_why(tmp_path):
    path = edited(
        SOLVED,
        tmp_path,
        "mine.ipynb",
        count_parameters="def count_parameters(D, H, Q):\n    return D * H, H * Q",
        rnn_step="def rnn_step(:",
        check_run_stateful=None,
    )
    result = selfcheck(path, ROOT)
    assert result.marks["count_parameters"][0] < 2
    assert result.marks["rnn_step"][:2] == (0, 4)
    assert result.marks["rnn_forward"][0] == 6, "the step is lent, so one function's mistake costs once"
    assert result.marks["run_stateful"][0] == 4, "a check that was deleted is put back"
    said = str(result)
    assert "count_parameters: " in said and "rnn_step: its check did not run" in said
    missing, name, error = result.faults
    assert missing == "the cell check_run_stateful is missing: put it back, or grading does, as it was released"
    assert name == "the file is called mine.ipynb; hand it in as rnn.ipynb, the name the grader looks for"
    assert error.startswith("the cell rnn_step raises SyntaxError: ")


def test_the_command_prints_it_and_ends_in_its_status(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["check", str(edited(RELEASED, tmp_path))]) == 0
    printed = capsys.readouterr().out
    assert "together          0 of 16" in printed
    assert printed.count("is not written yet") == 4


def test_what_is_no_problem_set_is_refused(tmp_path):
    text = tmp_path / "text.ipynb"
    text.write_text("hello")
    own = tmp_path / "own.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), own)
    for path, reason in {
        text: "is not a notebook: Notebook does not appear to be JSON",
        own: r"expected a notebook of one of the problem sets \(ps1-text, ps2-rnn.*\), got one without their cells",
        tmp_path / "none.ipynb": "No such file",
    }.items():
        with pytest.raises(NotAProblemSet, match=reason):
            selfcheck(path, ROOT)


def test_an_empty_answer_is_called_missing(tmp_path):
    result = selfcheck(edited(SOLVED, tmp_path, rnn_step="# to be written"), ROOT)
    assert result.marks["rnn_step"][0] == 0
    assert result.faults == ["rnn_step is missing: no cell defines it"]


def test_what_a_notebook_held_before_it_was_run_does_not_count(tmp_path):
    path = edited(SOLVED, tmp_path)
    notebook = nbformat.read(path, as_version=4)
    old = nbformat.v4.new_output("error", ename="NameError", evalue="name 'later' is not defined")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [old]
    notebook.cells.append(nbformat.v4.new_code_cell("later = 1"))
    nbformat.write(notebook, path)
    assert selfcheck(path, ROOT).faults == []


def endless(source):
    metadata = {"nbgrader": {"grade_id": "rnn_step"}}
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, metadata=metadata)])


def test_a_cell_that_never_ends_is_stopped_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(selfchecking, "SECONDS_PER_CELL", 3)
    notebook = endless("import time\ntime.sleep(1000)")
    run(notebook, tmp_path)
    (fault,) = failures(notebook)
    assert fault == "the cell rnn_step was still running when its time was up: does a loop never end?"


def test_a_cell_that_cannot_be_stopped_ends_the_check(tmp_path, monkeypatch):
    monkeypatch.setattr(selfchecking, "SECONDS_PER_CELL", 3)
    loop = "import time\nwhile True:\n    try:\n        time.sleep(1000)\n    except BaseException:\n        pass"
    with pytest.raises(NotAProblemSet, match=r"^the cell rnn_step runs on when interrupted: does a loop catch every"):
        run(endless(loop), tmp_path)


def test_a_kernel_that_dies_is_said(tmp_path, monkeypatch):
    path = edited(SOLVED, tmp_path, imports="import os\nos._exit(3)")
    released = tmp_path / "exercises/ps2-rnn"
    released.mkdir(parents=True)
    shutil.copy(path, released)  # only locked cells come from the release
    with pytest.raises(NotAProblemSet, match="kernel died"):
        selfcheck(path, tmp_path)
