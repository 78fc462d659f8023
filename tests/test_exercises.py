"""exercises/ is what solutions/ gives, the model answers earn full points, and the released stubs none."""

import ast
import math
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from problem_sets import names

from rnncourse.grading import grade
from rnncourse.grading.__main__ import main
from rnncourse.grading.checks import find, sets
from rnncourse.grading.checks.wrong import WrongNumbers
from rnncourse.grading.release import ReleaseError, assignments, out_of_step, release

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "solutions").glob("*/*.ipynb"))


def nbgrader(cell):
    return cell.metadata.get("nbgrader", {})


def closing(cell):
    """Whether a cell is skipped when a set is graded."""
    return "skip-execution" in cell.metadata.get("tags", [])


def read(path):
    return nbformat.read(path, as_version=4)


def headings(path):
    return re.findall(r"^##+ (.*)$", "\n".join(c.source for c in read(path).cells), re.MULTILINE)


def run(cells):
    """Run code cells as a notebook would: the names they define, and what each graded cell ends in, by its name."""
    scope, marks = {}, {}
    for cell in cells:
        tree = ast.parse(cell.source)
        last = tree.body.pop() if nbgrader(cell).get("grade") else None
        exec(compile(tree, cell.id, "exec"), scope)
        if last:
            marks[nbgrader(cell).grade_id] = eval(compile(ast.Expression(last.value), cell.id, "eval"), scope)
    return scope, marks


@pytest.fixture
def course(tmp_path):
    for name in ("solutions", "exercises"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def notebook(course):
    return course / "exercises" / "ps2-rnn" / "rnn.ipynb"


def test_exercises_are_in_step_with_solutions():
    lines = out_of_step(ROOT)
    assert not lines, "exercises/ is not what solutions/ gives; `make exercises` mends it:\n" + "\n".join(lines)


def test_an_edited_exercise_is_found_and_mended(course, notebook, monkeypatch, capsys):
    monkeypatch.chdir(course)
    good = notebook.read_bytes()
    notebook.write_text(notebook.read_text().replace("One step", "A step"))
    (course / "exercises" / "ps2-rnn" / "notes.txt").write_text("left over")
    (course / "exercises" / "ps9-none").mkdir()
    complaint = main(["in-step"])
    assert "`make exercises` mends it" in complaint
    for line in ("ps2-rnn/rnn.ipynb differs", "ps2-rnn/notes.txt has no source", "ps9-none has no source"):
        assert line in complaint
    assert main(["release"]) == 0
    assert capsys.readouterr().out.splitlines() == ["exercises/ps2-rnn changed", "exercises/ps9-none changed"]
    assert notebook.read_bytes() == good
    assert main(["in-step"]) == 0


def test_a_missing_exercise_is_found(course, notebook):
    notebook.unlink()
    assert out_of_step(course) == ["ps2-rnn/rnn.ipynb is missing"]
    shutil.rmtree(course / "exercises")
    assert out_of_step(course) == ["exercises/ is missing"]


def test_a_release_in_step_is_left_alone(course, notebook):
    before = notebook.stat().st_mtime_ns, notebook.stat().st_ino
    assert release(course) == []
    assert (notebook.stat().st_mtime_ns, notebook.stat().st_ino) == before


def test_a_source_that_nbgrader_refuses_is_named_and_the_others_are_released(course, notebook):
    broken = course / "solutions" / "ps1-broken" / "broken.ipynb"
    broken.parent.mkdir()
    broken.write_text((course / "solutions" / "ps2-rnn" / "rnn.ipynb").read_text().replace("### END SOLUTION", ""))
    good = notebook.read_bytes()
    notebook.write_text("edited")
    with pytest.raises(ReleaseError, match="ps1-broken: RuntimeError: no end solution statement found"):
        release(course)
    assert notebook.read_bytes() == good
    assert sorted(p.name for p in course.iterdir()) == ["exercises", "solutions"], "something is left behind"


def test_elsewhere_than_in_the_project_the_command_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "run this from the project's root" in main(["release"])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_release_holds_every_cell_but_no_answer(path):
    source, released = read(path), read(ROOT / "exercises" / path.relative_to(ROOT / "solutions"))
    assert [c.id for c in released.cells] == [c.id for c in source.cells]
    assert len({c.id for c in source.cells}) == len(source.cells)
    assert [nbgrader(c).get("grade_id") for c in released.cells] == [nbgrader(c).get("grade_id") for c in source.cells]
    text = "\n".join(c.source for c in released.cells)
    assert not re.search("HIDDEN|SOLUTION|grade\\.", text)
    for cell in source.cells:
        for answer in re.findall(r"### BEGIN SOLUTION\n(.*?)\n *### END SOLUTION", cell.source, re.DOTALL):
            assert answer not in text
    for cell in (*source.cells, *released.cells):
        assert not cell.get("outputs"), f"the cell {cell.id} has outputs"
        assert cell.get("execution_count") is None, f"the cell {cell.id} has a count"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_stated_points_are_those_of_the_checks(path):
    cells = read(path).cells
    text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    stated = {name: (int(total), parts) for name, total, parts in re.findall(r"\| `(\w+)` \| (\d+) \| (.*) \|", text)}
    graded = {nbgrader(c).grade_id.removeprefix("grade_"): c for c in cells if nbgrader(c).get("grade")}
    checked = set(sets()[path.parent.name.partition("-")[0]])
    assert checked == set(stated), "the table of points has other functions than there are checks"
    assert checked == set(graded), "the graded cells have other functions than there are checks"
    for name, (total, parts) in stated.items():
        assert total == find(name).points == nbgrader(graded[name]).points
        assert parts == ", ".join(f"{part} ({points})" for part, points in find(name).parts.items())
        assert f"# Graded: {total} points." in graded[name].source
    assert f"**{sum(total for total, _ in stated.values())} points**" in text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_model_answers_earn_full_points(path):
    cells = [c for c in read(path).cells if c.cell_type == "code" and not closing(c)]
    _, marks = run(cells)
    assert marks == {nbgrader(c).grade_id: nbgrader(c).points for c in cells if nbgrader(c).get("grade")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_closing_part_runs(path):
    number = path.parent.name.partition("-")[0]
    elsewhere = ROOT / "tests" / "grading" / f"test_{number}.py"
    if elsewhere.exists():
        assert f'partial(names, "{path.parent.name}")' in elsewhere.read_text(), f"{elsewhere.name} does not run it"
    else:
        assert names(path.parent.name)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_released_stubs_earn_nothing(path):
    released = read(ROOT / "exercises" / path.relative_to(ROOT / "solutions"))
    scope, _ = run([c for c in released.cells if nbgrader(c).get("solution")])
    for name in sets()[path.parent.name.partition("-")[0]]:
        assert getattr(grade, name)(scope[name]) == 0


def test_the_numbers_worked_by_hand_are_right(capsys):
    source = read(ROOT / "solutions" / "ps2-rnn" / "rnn.ipynb")
    scope, _ = run([c for c in source.cells if c.cell_type == "code" and not closing(c)])
    text = "\n".join(c.source for c in source.cells)
    step = scope["rnn_step"](scope["x"], scope["h"], [[0.5, -1], [0.25, 0.5]], [[1, 0], [2, 1]], [0.1, 0.3])
    assert "$({:.3f}, {:.3f})$".format(*step[0]) in text
    assert "the states are {:.3f}, {:.3f} and {:.3f}.".format(*scope["states"][:, 0, 0]) in text
    np.testing.assert_array_equal(scope["states"][:, 1], -scope["states"][:, 0])
    carried, restarted = (scope[name].ravel() for name in ("carried", "restarted"))
    assert "| False, False | {:.3f}, {:.3f} | {:.3f}, {:.3f} |".format(*carried) in text
    assert "| False, True | {:.3f}, {:.3f} | {:.0f}, {:.0f} |".format(*restarted) in text
    counts = scope["count_parameters"](3, 4, 2)
    assert "{W_xh}, {W_hh}, {b_h}, {W_hq} and {b_q} numbers, {total} in all".format(**counts) in text


def test_a_formula_worked_by_hand_gives_its_result_when_typed_in():
    text = "\n".join(c.source for c in read(ROOT / "solutions" / "ps2-rnn" / "rnn.ipynb").cells)
    formulas = re.findall(r"\\tanh\(([\d.]+)(?: \\cdot ([\d.]+))?\) = (\d\.(\d+))", text)
    assert len(formulas) == 3
    for left, right, result, digits in formulas:
        argument = float(left) * float(right or 1)
        assert f"{math.tanh(argument):.{len(digits)}f}" == result, f"tanh({argument}) is not {result}"


def test_the_example_gives_reset_as_the_check_does():
    cells = {c.id: c.source for c in read(ROOT / "exercises" / "ps2-rnn" / "rnn.ipynb").cells}
    given = []
    scope = {"np": np, "run_stateful": lambda *args, reset: given.append(reset) or [np.zeros(4)]}
    exec(cells["stateful-example"], scope | dict.fromkeys(["h0", "W_x", "W_h", "b"]))
    checked = next(iter(find("run_stateful").cases(np.random.default_rng(0)))).args["reset"]
    assert len(given) == 2
    assert {(type(reset), reset.dtype) for reset in given} == {(type(checked), checked.dtype)}


def test_the_closing_part_shows_what_its_text_says():
    cells = read(ROOT / "solutions" / "ps2-rnn" / "rnn.ipynb").cells
    scope, _ = run([c for c in cells if nbgrader(c).get("solution") or c.id in ("imports", "latch-run")])
    targets = scope["targets"][..., None]
    carried, restarted = (((scope["runs"][name] > 0) == targets).mean(axis=(0, 1)) for name in ("carried", "reset"))
    assert carried[0] == 1
    assert carried[1] < 0.65, "unit 2 is to show the noise"
    guessing = np.mean([1 - 0.5 * 0.95**k for k in range(1, 11)])  # chapter 4's exercise
    assert abs(restarted[0] - (0.95 * guessing + 0.05)) < 0.05
    quiet = scope["X"].reshape(scope["windows"].shape)
    states = scope["run_stateful"](
        quiet, np.zeros((16, 2)), *(scope[k] for k in ("W_x", "W_h", "b")), np.zeros(20, bool)
    )
    assert ((states.reshape(200, 16, 2) > 0) == targets).all(), "without noise both units keep the sign"


def test_the_chapter_has_the_exercise_that_the_closing_part_points_to():
    (title,) = re.findall(
        r'exercise\s+"(.*?)"', "\n".join(c.source for c in read(ROOT / "solutions" / "ps2-rnn" / "rnn.ipynb").cells)
    )
    (chapter,) = (ROOT / "chapters").glob("04-*.ipynb")
    assert f"```{{exercise}} {title}\n" in "\n".join(c.source for c in read(chapter).cells)


PLACE = re.compile(r'chapter (\d+), section "([^"]*)"|part (\d) of the problem set|"([^"]*)" in the problem set')
"""Where something is to be read again: a section of a chapter, a numbered part of the problem set, or another."""


@pytest.mark.parametrize(("folder", "name"), [(folder, name) for folder, names in sets().items() for name in names])
def test_the_sections_to_read_again_are_there(folder, name):
    (problem_set,) = (path for path in SOURCES if path.parent.name.startswith(f"{folder}-"))
    for text in (find(name).reread, find(name).shapes):
        assert not PLACE.sub("", text).replace(", and ", ""), text
        for number, section, part, other in PLACE.findall(text):
            if number:
                (chapter,) = (ROOT / "chapters").glob(f"{int(number):02}-*.ipynb")
                assert section in headings(chapter)
            elif part:
                (cell,) = (c for c in read(problem_set).cells if c.source.startswith(f"## {part}. "))
                stub = next(c for c in read(problem_set).cells if f"def {name}(" in c.source)
                assert read(problem_set).cells.index(stub) == read(problem_set).cells.index(cell) + 1
            else:
                assert other in headings(problem_set)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_part_of_the_problem_set_to_read_again_is_there(path):
    (section,) = re.fullmatch(r'"(.*)" in the problem set', WrongNumbers.reread).groups()
    assert section in headings(path)


def test_there_is_something_to_test():
    assert "ps2-rnn" in assignments(ROOT)
    assert [path.parent.name.partition("-")[0] for path in SOURCES] == list(sets()), "a set's notebook is missing"
