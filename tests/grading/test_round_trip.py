"""A class goes through plain nbgrader: released, fetched, submitted, collected, graded, given feedback, exported.

Three students work on every problem set: one knows all, one writes nothing, one makes a mistake and does not finish. In
problem set 2 they meet others, who do what students do.
"""

import csv
import html
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from courses import ROOT, nbgrader
from nbgrader.api import Gradebook
from students import FROM_ZEROS, NO_BIAS, NO_RESET

from rnncourse.grading.checks import find
from rnncourse.grading.checks.judge import judge

SEED = "a seed that only the instructor knows"

# What the instructor's own configuration holds, as nbgrader_config.py tells them.
CONFIG = """
import os
c = get_config()
c.Exchange.root = {exchange!r}
os.environ["RNNCOURSE_SEED"] = {seed!r}
"""

SOURCES = {path.parent.name: path for path in sorted((ROOT / "solutions").glob("*/*.ipynb"))}
MODEL = {
    folder: {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    for folder, path in SOURCES.items()
}
FULL = {folder: {name: find(name).points for name in answers} for folder, answers in MODEL.items()}
TOTALS = {
    "ps1-text": 22,
    "ps2-rnn": 16,
    "ps3-bptt": 22,
    "ps4-gradients": 18,
    "ps5-lstm": 24,
    "ps6-gru": 22,
    "ps7-deep": 23,
}

OTHERWISE = {
    "rnn_step": """
import warnings

def rnn_step(x, h, W_x, W_h, b):
    print("step")
    warnings.warn("a warning is not a wrong answer")
    return np.tanh(np.einsum("bi,ij->bj", np.hstack([x, h]), np.vstack([W_x, W_h])) + b)
""",
    "rnn_forward": """
import sys
print("so is what goes to stderr", file=sys.stderr)

def rnn_forward(X, h0, W_x, W_h, b):
    states = [h0]
    for t in range(X.shape[0]):
        states.append(rnn_step(X[t], states[-1], W_x, W_h, b))
    return [np.array(states[1:]), states[-1]]
""",
    "count_parameters": """
def count_parameters(D, H, Q):
    shapes = dict(W_xh=(D, H), W_hh=(H, H), b_h=(H,), W_hq=(H, Q), b_q=(Q,))
    counts = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    return dict(counts, total=sum(counts.values()))
""",
    "run_stateful": """
def run_stateful(windows, h0, W_x, W_h, b, reset):
    out, state = [], np.array(h0)
    for i in range(len(reset)):
        state = state * (not reset[i])
        window, state = rnn_forward(windows[i], state, W_x, W_h, b)
        out.append(window)
    return out
""",
}

# One slip in the model answer of each problem set: of which function, what stands there, what stands there instead; the
# points that the function still earns, and what its check says.
SLIPS = {
    "ps1-text": (
        ("pad_and_mask", "np.full((T, B), pad)", "np.zeros((T, B), int)"),
        (2, "This is exactly what comes out when pads are 0"),
    ),
    "ps2-rnn": (
        ("rnn_forward", "    h = h0\n", "    h = np.zeros_like(h0)\n"),
        (2, "This is exactly what comes out when h0 is ignored"),
    ),
    "ps3-bptt": (
        ("rnn_backward", "states[t - 1] if t > 0 else h0", "states[t - 1]"),
        (2, "This is exactly what comes out when h0 is ignored: states[t - 1] at t = 0 is states[-1]"),
    ),
    "ps4-gradients": (
        ("clip_by_global_norm", "max_norm / norm if norm > max_norm else 1.0", "max_norm / norm"),
        (4, "This is exactly what comes out when the gradients are always scaled to max_norm, short ones too"),
    ),
    "ps5-lstm": (
        ("lstm_forward", "h, c = h0, c0", "h, c = h0, np.zeros_like(c0)"),
        (1, "This is exactly what comes out when c0 is ignored and c starts from zeros."),
    ),
    "ps6-gru": (
        ("gru_step", 'if reset == "after"', "if reset"),
        (5, "This is exactly what comes out when reset is not looked at"),
    ),
    "ps7-deep": (
        ("reverse_padded", "real = mask[:, b]", "real = slice(mask[:, b].sum())"),
        (4, "This is exactly what comes out when only pads behind are thought of"),
    ),
}


def unfinished(folder):
    """The answers of the student who makes a slip and does not come to the last function."""
    (name, right, wrong), _ = SLIPS[folder]
    assert MODEL[folder][name].count(right) == 1, f"{name} has changed: {right} is not there to be mistaken"
    *first, _ = MODEL[folder]
    return {done: MODEL[folder][done] for done in first} | {name: MODEL[folder][name].replace(right, wrong)}


def unfinished_marks(folder):
    (name, *_), (points, _) = SLIPS[folder]
    *_, last = FULL[folder]
    return FULL[folder] | {name: points, last: 0}


PS2 = "ps2-rnn"
ANSWERS = {
    **{(folder, "ada"): MODEL[folder] for folder in SOURCES},
    **{(folder, "nora"): {} for folder in SOURCES},
    **{(folder, "pia"): unfinished(folder) for folder in SOURCES},
    (PS2, "ben"): OTHERWISE,
    (PS2, "cleo"): MODEL[PS2] | {"rnn_step": NO_BIAS},
    (PS2, "dora"): MODEL[PS2] | {"rnn_forward": FROM_ZEROS},
    (PS2, "emil"): MODEL[PS2] | {"run_stateful": NO_RESET},
}
MARKS = {
    **{(folder, "ada"): FULL[folder] for folder in SOURCES},
    **{(folder, "nora"): dict.fromkeys(FULL[folder], 0) for folder in SOURCES},
    **{(folder, "pia"): unfinished_marks(folder) for folder in SOURCES},
    (PS2, "ben"): FULL[PS2],
    (PS2, "cleo"): FULL[PS2] | {"rnn_step": 0},
    (PS2, "dora"): FULL[PS2] | {"rnn_forward": 2},
    (PS2, "emil"): FULL[PS2] | {"run_stateful": 3},
    (PS2, "deleted"): FULL[PS2] | {"rnn_step": 0},
    (PS2, "copied"): FULL[PS2],
    (PS2, "late"): FULL[PS2] | {"rnn_step": 0},
}
FEEDBACK = {
    **{(folder, "pia"): sentence for folder, (_, (_, sentence)) in SLIPS.items()},
    (PS2, "cleo"): "This is exactly what comes out when the bias b is left out.",
    (PS2, "dora"): "This is exactly what comes out when h0 is ignored and the state starts from zeros",
    (PS2, "emil"): "This is exactly what comes out when no window is ever reset.",
    (PS2, "deleted"): "rnn_step is not written yet",
    (PS2, "late"): "name 'squashed' is not defined",
}
RIGHT = [key for key, marks in MARKS.items() if marks == FULL[key[0]]]
UNREADABLE = ("empty", "garbage")


def cells_named(notebook, *names):
    return [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") in names]


def delete_first_function(notebook):
    gone = cells_named(notebook, "rnn_step", "check_rnn_step", "grade_rnn_step")
    notebook.cells = [c for c in notebook.cells if c not in gone]


def copy_an_answer(notebook):
    (answer,) = cells_named(notebook, "rnn_forward")
    notebook.cells.insert(notebook.cells.index(answer), nbformat.from_dict(answer | {"id": "copied"}))


def define_too_late(notebook):
    (answer,) = cells_named(notebook, "rnn_step")
    answer.source = answer.source.replace("np.tanh", "squashed")
    notebook.cells.append(nbformat.v4.new_code_cell("squashed = np.tanh"))


class Course:
    """A course in a folder, its exchange, and the nbgrader commands typed there, in a home without anything else."""

    def __init__(self, folder):
        self.root, self.students, self.logs = folder / "course", folder / "students", {}
        exchange, home, self.log = folder / "exchange", folder / "home", folder / "log"
        for path in (self.root, self.students, exchange, home, home / ".jupyter"):
            path.mkdir()
        exchange.chmod(0o777)
        config = CONFIG.format(exchange=str(exchange), seed=SEED)
        (home / ".jupyter" / "nbgrader_config.py").write_text(config)
        for name in ("solutions", "exercises"):
            shutil.copytree(ROOT / name, self.root / name)
        shutil.copy(ROOT / "nbgrader_config.py", self.root)
        bin = Path(sys.executable).parent
        theirs = re.compile("JUPYTER|IPYTHON|XDG|RNNCOURSE")  # what points elsewhere than home
        self.env = {name: value for name, value in os.environ.items() if not theirs.match(name)}
        self.env |= {"HOME": str(home), "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}

    def __enter__(self):
        self.commands = nbgrader(self.env, self.log)
        self.type = self.commands.__enter__()
        return self

    def __exit__(self, *error):
        self.commands.__exit__(*error)

    def nbgrader(self, *words, cwd=None, expect=0):
        self.logs[words[0]] = self.type(cwd or self.root, *words, expect=expect)

    def submit(self, folder, student, content):
        path = self.students / student / folder / SOURCES[folder].name
        path.parent.mkdir(parents=True)
        path.write_text(content)
        self.nbgrader("submit", folder, "--course=rnncourse", f"--student={student}", cwd=path.parent.parent)

    def feedback(self, folder, student):
        """The text that the student reads."""
        page = (self.root / "feedback" / student / folder / SOURCES[folder].name).with_suffix(".html").read_text()
        page = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    with Course(tmp_path_factory.mktemp("class")) as course:
        course.nbgrader("generate_assignment", "ps*")
        for folder in SOURCES:
            course.nbgrader("release_assignment", folder)
        course.nbgrader("fetch_assignment", *SOURCES, "--course=rnncourse", cwd=course.students)
        fetched = {folder: (course.students / folder / path.name).read_text() for folder, path in SOURCES.items()}

        def answered(folder, answers, change=None):
            notebook = nbformat.reads(fetched[folder], as_version=4)
            for cell in cells_named(notebook, *answers):
                cell.source = answers[cell.metadata.nbgrader.grade_id]
            if change:
                change(notebook)
            return nbformat.writes(notebook)

        for (folder, student), answers in ANSWERS.items():
            course.submit(folder, student, answered(folder, answers))
        course.submit(PS2, "deleted", answered(PS2, MODEL[PS2], delete_first_function))
        course.submit(PS2, "copied", answered(PS2, MODEL[PS2], copy_an_answer))
        course.submit(PS2, "late", answered(PS2, MODEL[PS2], define_too_late))
        course.submit(PS2, "empty", "")
        course.submit(PS2, "garbage", "This is not a notebook.")
        for folder in SOURCES:
            course.nbgrader("collect", folder)
        course.nbgrader("autograde", "ps*", expect=1)  # 1, because two submissions cannot be read
        course.nbgrader("generate_feedback", "ps*")
        course.nbgrader("export")
        yield course


@pytest.fixture(scope="module")
def marks(course):
    """What the gradebook holds for each cell, by problem set and student."""
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "rnncourse") as gradebook:
        return {
            (folder, submission.student.id): {
                grade.cell.name.removeprefix("grade_"): grade.score for grade in submission.notebooks[0].grades
            }
            for folder in SOURCES
            for submission in gradebook.assignment_submissions(folder)
        }


@pytest.fixture(scope="module")
def rows(course):
    """The rows of the export, by problem set and student."""
    with (course.root / "grades.csv").open() as file:
        return {(row["assignment"], row["student_id"]): row for row in csv.DictReader(file)}


@pytest.mark.parametrize("folder", SOURCES)
def test_the_release_with_a_gradebook_is_the_one_without(course, folder):
    released = Path("exercises") / folder / SOURCES[folder].name
    assert (course.root / released).read_bytes() == (ROOT / released).read_bytes()


@pytest.mark.parametrize(("folder", "student"), MARKS)
def test_marks(marks, folder, student):
    assert marks[folder, student] == MARKS[folder, student]


@pytest.mark.parametrize("folder", SOURCES)
def test_the_export_holds_every_student(rows, folder):
    class_ = {student for _, student in MARKS} | set(UNREADABLE)
    expected = {student: sum(MARKS.get((folder, student), {}).values()) for student in class_}
    assert {student: float(row["score"]) for (of, student), row in rows.items() if of == folder} == expected
    assert {float(row["max_score"]) for (of, _), row in rows.items() if of == folder} == {TOTALS[folder]}
    assert (expected["ada"], expected["nora"]) == (TOTALS[folder], 0)


@pytest.mark.parametrize(("folder", "student"), FEEDBACK)
def test_feedback_says_what_is_wrong(course, folder, student):
    assert FEEDBACK[folder, student] in course.feedback(folder, student)


@pytest.mark.parametrize(("folder", "student"), MARKS)
def test_feedback_names_the_points_of_every_function(course, folder, student):
    text = course.feedback(folder, student)
    for name, points in MARKS[folder, student].items():
        assert f"{name}: {points} of {FULL[folder][name]} points" in text


@pytest.mark.parametrize("folder", SOURCES)
def test_feedback_of_a_released_stub_says_what_to_do(course, folder):
    text = course.feedback(folder, "nora")
    for name in FULL[folder]:
        assert f"{name} is not written yet: put your code in place of `raise NotImplementedError()`." in text


@pytest.mark.parametrize(("folder", "student"), RIGHT)
def test_feedback_of_a_right_answer_accuses_nobody(course, folder, student):
    text = course.feedback(folder, student)
    for words in ("Read again:", "This is exactly what comes out", "not written yet", "Traceback"):
        assert words not in text


@pytest.mark.parametrize("folder", SOURCES)
def test_all_is_run_but_the_closing_part(course, folder):
    graded = nbformat.read(course.root / "autograded" / "ada" / folder / SOURCES[folder].name, as_version=4)
    code = [cell for cell in graded.cells if cell.cell_type == "code"]
    closing = [cell.id for cell in code if "skip-execution" in cell.metadata.get("tags", [])]
    assert closing == [cell.id for cell in code if cell.execution_count is None]
    assert closing == [cell.id for cell in code[-len(closing) :]]


def test_the_hidden_cases_come_from_the_instructors_seed_and_feedback_keeps_it(course):
    scope = {"np": np}
    exec(NO_BIAS, scope)
    rng = np.random.default_rng([len(SEED), *SEED.encode()])
    hidden = judge(find("rnn_step"), scope["rnn_step"], rng).advice[0]
    assert hidden in course.feedback(PS2, "cleo")
    for page in (course.root / "feedback").rglob("*.html"):
        assert SEED not in page.read_text(), f"{page.parent.parent.name} can read the seed"


def test_what_cannot_be_read_is_listed_and_the_others_are_graded(course, marks):
    log = course.logs["autograde"]
    for student in UNREADABLE:
        assert f"There was an error processing assignment '{PS2}' for student '{student}'" in log
        assert not (course.root / "autograded" / student / PS2 / "rnn.ipynb").exists()
    assert sorted(re.findall(r"'ps\d-\w+' for student '(\w+)'", log)) == sorted(UNREADABLE)
    assert {student for folder, student in MARKS if folder == PS2} <= {
        student for folder, student in marks if folder == PS2
    }


def test_deleted_cells_are_listed_and_put_back(course):
    log = course.logs["autograde"]
    assert "Cells missing from rnn of deleted, put back: rnn_step, check_rnn_step, grade_rnn_step" in log
    assert log.count("put back") == 1
