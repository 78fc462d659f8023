"""A notebook that works only in another order than from top to bottom is told what is where."""

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from problem_sets import ROOT

from rnncourse.grading.checks.report import REPORT_MIME
from rnncourse.grading.order import defined_again, names, out_of_order
from rnncourse.grading.rebuild import grade_id
from rnncourse.grading.selfcheck import selfcheck


def cell(source, name=None, raises=None, missed=None):
    """A cell that was run: it ended in an error, (type, text), or holds the report on a function that missed a name."""
    outputs = []
    if raises:
        outputs.append(new_output("error", ename=raises[0], evalue=raises[1]))
    if missed:
        function, missing = missed
        text = f"{function}: 0 of 4 points\nraised NameError in your line 2: name '{missing}' is not\ndefined (has the"
        data = {"text/plain": text, REPORT_MIME: {"function": function, "points": 0}}
        outputs.append(new_output("display_data", data))
    metadata = {"nbgrader": {"grade_id": name}} if name else {}
    return NotebookNode(cell_type="code", source=source, outputs=outputs, metadata=metadata)


def not_defined(name):
    return "NameError", f"name '{name}' is not defined"


F, CHECK = cell("def f(x):\n    return helper(x)", "f"), "check.f(f)"
MISSED = cell(CHECK, "check_f", missed=("f", "helper"))
TOP_TO_BOTTOM = "move that above, for grading runs the notebook once, from top to bottom"


@pytest.mark.parametrize(
    ("cells", "sentences"),
    [
        (
            [F, MISSED, cell("# mine\n\ndef helper(x):\n    return 2 * x")],
            [
                "f uses helper, which is not defined until the cell that begins with `def helper(x):`, further down: "
                + TOP_TO_BOTTOM
            ],
        ),
        (
            [F, MISSED, cell("import helper", "g")],
            [f"f uses helper, which is not defined until the cell g, further down: {TOP_TO_BOTTOM}"],
        ),
        (
            [cell(CHECK, "check_f", raises=not_defined("f")), cell("def f(x):\n    return x")],
            [
                "the cell check_f uses f, which is not defined until the cell that begins with `def f(x):`, "
                f"further down: {TOP_TO_BOTTOM}"
            ],
        ),
        (
            [cell("y = 2 * scale", raises=not_defined("scale")), cell("scale, shift = 3, 4")],
            [
                "the cell that begins with `y = 2 * scale` uses scale, which is not defined until the cell that begins "
                f"with `scale, shift = 3, 4`, further down: {TOP_TO_BOTTOM}"
            ],
        ),
        ([F, MISSED], ["f uses helper, which no cell defines: is it misspelt, or was its cell deleted?"]),
        (
            [cell("helper = {}[3]", raises=("KeyError", "3")), F, MISSED],
            [
                "f uses helper, which the cell that begins with `helper = {}[3]` should define; "
                "that cell raises KeyError: 3"
            ],
        ),
        (
            [cell("helper = " + "1 + " * 20 + "1", raises=("MemoryError", "")), F, MISSED],
            [
                "f uses helper, which the cell that begins with `helper = 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + …` "
                "should define; that cell raises MemoryError"
            ],
        ),
        ([cell("helper = abs"), F, MISSED], []),
        (
            [F, cell("f(1)", raises=not_defined("helper")), MISSED, MISSED, cell("helper = abs", "g")],
            [f"f uses helper, which is not defined until the cell g, further down: {TOP_TO_BOTTOM}"],
        ),
        (
            [cell("x = f(1)", raises=("NotImplementedError", "")), cell("print(x)", raises=not_defined("x"))],
            [],
        ),
        ([cell("print(x)", raises=not_defined("x"))], []),
        ([cell("print(x)", raises=("ValueError", "name 'x' is not defined")), cell("x = 1")], []),
        ([F, cell(CHECK, "check_f"), cell("def helper(x): return x")], []),
        (
            [cell("f(3)", raises=not_defined("f")), cell(CHECK, "check_f", raises=not_defined("f"))],
            ["f is missing: no cell defines it"],
        ),
        (
            [cell("def f(:", "f", raises=("SyntaxError", "")), cell(CHECK, "check_f", raises=not_defined("f"))],
            [],
        ),
        (
            [F, MISSED, new_markdown_cell("helper = 1")],
            ["f uses helper, which no cell defines: is it misspelt, or was its cell deleted?"],
        ),
        (
            [cell("helper = slow()", "g", raises=("KeyboardInterrupt", "")), F, MISSED],
            [
                "f uses helper, which the cell g should define; that cell was still running when its time was up: "
                "does a loop never end?"
            ],
        ),
    ],
)
def test_each_name_that_is_missing_gets_its_sentence(cells, sentences):
    assert out_of_order(NotebookNode(cells=cells)) == sentences


def test_a_function_that_is_written_twice_is_told_which_counts():
    again, other = cell("def f(x):\n    return 3 * x"), cell("def g(x):\n    return f(x)", "g")
    notebook = NotebookNode(cells=[cell("f = None"), F, MISSED, again, other])
    assert defined_again(notebook, "f") == [
        "the cell that begins with `def f(x):` defines f again, too late; what counts is the cell f"
    ]
    assert defined_again(notebook, "g") == []


@pytest.mark.parametrize(
    ("source", "defined"),
    [
        ("a = 1\nb[0] = 2\nc.d = 3", {"a"}),
        ("for k in range(3):\n    if k:\n        last = k", {"k", "last"}),
        ("import numpy as np, os.path\nfrom math import exp as e", {"np", "os", "e"}),
        ("class A:\n    x = 1\n\n\ndef f(y):\n    z = y", {"A", "f"}),
        ("print(seen := 3, unseen)", {"seen"}),
        ("%matplotlib inline\n!ls\nfiles = !ls\nf?", {"files"}),
        ("def f(:\n    def g(): x = 1\nclass A", {"f", "A"}),
        ("", set()),
    ],
)
def test_the_names_that_a_cell_defines(source, defined):
    assert names(source) == defined


def test_a_notebook_that_works_in_another_order_only_is_not_fit_and_is_told_why(tmp_path):
    notebook = nbformat.read(ROOT / "solutions/ps2-rnn/rnn.ipynb", as_version=4)
    at = {grade_id(cell): k for k, cell in enumerate(notebook.cells)}
    stub = "def count_parameters(D, H, Q):\n    raise NotImplementedError()"
    count, notebook.cells[at["count_parameters"]].source = notebook.cells[at["count_parameters"]].source, stub
    step = notebook.cells[at["rnn_step"]]
    step.source = step.source.replace("np.tanh", "squashed")
    notebook.cells += [new_code_cell("def squashed(z):\n    return np.tanh(z)"), new_code_cell(count)]
    nbformat.write(notebook, tmp_path / "rnn.ipynb")

    result = selfcheck(tmp_path / "rnn.ipynb", ROOT)
    assert {name: got for name, (got, *_) in result.marks.items()} == {
        "rnn_step": 0,
        "rnn_forward": 6,
        "count_parameters": 0,
        "run_stateful": 4,
    }
    later = "not defined until the cell that begins with `def squashed(z):`"
    assert result.faults == [
        f"rnn_step uses squashed, which is {later}, further down: {TOP_TO_BOTTOM}",
        "the cell that begins with `def count_parameters(D, H, Q):` defines count_parameters again, too late; "
        "what counts is the cell count_parameters",
    ]
    assert "Not fit to hand in:\n- rnn_step uses squashed" in str(result)
