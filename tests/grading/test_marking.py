"""A notebook is marked from outside: right answers in full, wrong ones in part; what breaks inside costs its own."""

from copy import deepcopy
from functools import cache
from pathlib import Path

import nbformat
import pytest

from rnncourse.grading import marking
from rnncourse.grading.marking import Marking, NoCheck, NoSandbox
from rnncourse.grading.rebuild import grade_id
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.worker import Dead, Worker
from rnncourse.grading.unit import Sheet, staged

ROOT = Path(__file__).parents[2]
SETS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))


@cache
def sheet(name):
    """The one notebook of a problem set, and the model answers by cell."""
    (path,) = (ROOT / "solutions" / name).glob("*.ipynb")
    source = nbformat.read(path, as_version=4)
    released = nbformat.read(ROOT / "exercises" / name / path.name, as_version=4)
    answers = {
        grade_id(cell): "\n".join(line for line in cell.source.splitlines() if "### " not in line)
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    return Sheet(path.stem, released, marking.functions(source)), answers


@pytest.fixture
def marks(tmp_path, walls):
    """marks(set, change): the points by function of the model answers, after `change(notebook)`; and the notebook."""

    def mark(name, change=lambda notebook: None, limits=None):
        sheet_, answers = sheet(name)
        notebook = deepcopy(sheet_.released)
        for cell in notebook.cells:
            cell.source = answers.get(grade_id(cell), cell.source)
        change(notebook)
        nbformat.write(notebook, tmp_path / "x.ipynb")
        prepared, refused = staged(tmp_path / "x.ipynb", sheet_)
        assert refused is None
        marked = Marking(sheet_.functions, "a seed", limits or Limits()).mark(prepared)
        nbformat.validate(marked)
        points = {
            function: int(cell.outputs[-1].data["text/plain"])
            for cell in marked.cells
            if (function := sheet_.functions.get(grade_id(cell)))
        }
        return points, marked

    return mark


def answer(notebook, name):
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def possible(name):
    sheet_, _ = sheet(name)
    return {
        sheet_.functions[grade_id(cell)]: cell.metadata.nbgrader.points
        for cell in sheet_.released.cells
        if grade_id(cell) in sheet_.functions
    }


@pytest.mark.parametrize("name", SETS)
def test_the_model_answers_earn_every_point(marks, name):
    assert marks(name)[0] == possible(name)


@pytest.mark.parametrize("name", SETS)
def test_the_stub_earns_none(marks, name):
    def stub(notebook):
        notebook.cells = deepcopy(sheet(name)[0].released.cells)

    assert set(marks(name, stub)[0].values()) == {0}


def test_a_wrong_function_costs_its_own_points_and_says_why(marks):
    def no_bias(notebook):
        cell = answer(notebook, "rnn_step")
        cell.source = cell.source.replace(" + b", "")

    points, marked = marks("ps2-rnn", no_bias)
    assert points == possible("ps2-rnn") | {"rnn_step": 0}
    report = answer(marked, "grade_rnn_step").outputs[0].text
    assert "This is exactly what comes out when the bias b is left out" in " ".join(report.split())


def test_the_grader_says_the_same_as_the_check_in_the_notebook(marks):
    from rnncourse.grading import hidden
    from rnncourse.grading.checks import find
    from rnncourse.grading.checks.judge import judge

    source = "def rnn_step(x, h, W_x, W_h, b):\n    return x @ W_x + h.wrong\n"
    scope = {}
    exec(source, scope)
    here = str(judge(find("rnn_step"), scope["rnn_step"], hidden("a seed")))
    _, marked = marks("ps2-rnn", lambda notebook: answer(notebook, "rnn_step").update(source=source))
    there = answer(marked, "grade_rnn_step").outputs[0].text.strip()
    assert " ".join(there.replace(" in your line 2, `return x @ W_x + h.wrong`", "").split()) == " ".join(here.split())


CRASHES = {
    "leaves": "import os\nos._exit(1)",
    "hangs": "while True: pass",
    "breaks the line": "import os\nfor fd in range(3, 256):\n    try: os.close(fd)\n    except OSError: pass",
}


@pytest.mark.parametrize("source", CRASHES.values(), ids=CRASHES)
def test_a_cell_that_ends_the_process_costs_nothing_else(marks, source):
    def crash(notebook):
        notebook.cells.insert(12, nbformat.v4.new_code_cell(source))

    points, marked = marks("ps2-rnn", crash, Limits(cell=3.0))
    assert points == possible("ps2-rnn")
    assert any(
        cell.source == source and cell.outputs[0].ename == "Stopped" for cell in marked.cells if "outputs" in cell
    )


def test_a_function_that_ends_the_process_costs_its_own_points(marks):
    def crash(notebook):
        answer(notebook, "rnn_forward").source = "def rnn_forward(X, h0, W_x, W_h, b):\n    import os\n    os._exit(0)"

    points, marked = marks("ps2-rnn", crash)
    assert points == possible("ps2-rnn") | {"rnn_forward": 0}
    assert "could not be called to its end: the process ended" in answer(marked, "grade_rnn_forward").outputs[0].text


def test_a_sandbox_that_something_else_killed_costs_nothing(marks, monkeypatch):
    ask, kills = Worker.ask, []

    def killed_at_the_first_call(self, request, *rest, **named):
        if "call" in request and not kills:
            kills.append(self.process.pid)
            self.process.kill()
        return ask(self, request, *rest, **named)

    monkeypatch.setattr(Worker, "ask", killed_at_the_first_call)
    points, _ = marks("ps2-rnn")
    assert kills and points == possible("ps2-rnn")


def test_a_sandbox_that_does_not_start_gives_no_mark(marks, monkeypatch):
    def refuse(limits, walls):
        raise Dead("it took too long")

    monkeypatch.setattr(marking, "Worker", refuse)
    with pytest.raises(NoSandbox, match="the sandbox did not start: it took too long"):
        marks("ps2-rnn")


def test_a_function_that_never_returns_costs_its_own_points(marks):
    def loop(notebook):
        answer(notebook, "rnn_step").source = "def rnn_step(x, h, W_x, W_h, b):\n    while True:\n        x = x"

    points, marked = marks("ps2-rnn", loop, Limits(cell=2.0, function=1.0))
    assert points == possible("ps2-rnn") | {"rnn_step": 0}
    assert "does a loop never end?" in " ".join(answer(marked, "grade_rnn_step").outputs[0].text.split())


def test_the_time_of_a_notebook_is_bounded(marks):
    def sleep(notebook):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.source = "import time\ntime.sleep(1.2)\n" + cell.source

    points, marked = marks("ps2-rnn", sleep, Limits(submission=4.0))
    assert points["run_stateful"] == 0
    assert "seconds for the whole notebook are used up" in answer(marked, "grade_run_stateful").outputs[0].text


def test_cells_that_are_not_for_grading_are_not_run(marks):
    def closing(notebook):
        notebook.cells.append(nbformat.v4.new_code_cell("1 / 0", metadata={"tags": ["skip-execution"]}))

    _, marked = marks("ps2-rnn", closing)
    assert marked.cells[-1].outputs == []


def test_a_tag_does_not_skip_a_graded_cell(marks):
    def tagged(notebook):
        for cell in notebook.cells:
            cell.metadata["tags"] = ["skip-execution"]

    assert set(marks("ps2-rnn", tagged)[0].values()) != {0}


def test_the_same_notebook_is_marked_the_same_bit_for_bit(marks):
    assert nbformat.writes(marks("ps2-rnn")[1]) == nbformat.writes(marks("ps2-rnn")[1])


def test_a_source_cell_that_names_no_function_is_an_error():
    nbgrader = {"grade": True, "solution": False, "grade_id": "x", "points": 1}
    cell = nbformat.v4.new_code_cell("grade.f(g)", metadata={"nbgrader": nbgrader})
    with pytest.raises(NoCheck, match=r"one line `grade.NAME\(NAME\)` in the graded cell x, got 0"):
        marking.functions(nbformat.v4.new_notebook(cells=[cell]))


@pytest.mark.parametrize("name", SETS)
def test_no_set_lends_a_function_before_it_was_graded(name):
    from rnncourse.grading.checks import find

    order = list(sheet(name)[0].functions.values())
    for k, function in enumerate(order):
        assert not set(find(function).lends) & set(order[k:]), f"{function} lends what is graded later"
