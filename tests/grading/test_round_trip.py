"""A class goes through plain nbgrader: released, fetched, submitted, collected, graded, given feedback, exported."""

import csv
import html
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbgrader.api import Gradebook

from rnncourse.grading.checks import find
from rnncourse.grading.checks.judge import judge

ROOT = Path(__file__).parent.parent.parent
SEED = "a seed that only the instructor knows"

# What the instructor's own configuration holds, as nbgrader_config.py tells them.
CONFIG = """
import os
c = get_config()
c.Exchange.root = {exchange!r}
os.environ["RNNCOURSE_SEED"] = {seed!r}
"""

MODEL = {
    cell.metadata.nbgrader.grade_id: cell.source
    for cell in nbformat.read(ROOT / "solutions" / "ps2-rnn" / "rnn.ipynb", as_version=4).cells
    if cell.metadata.get("nbgrader", {}).get("solution")
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

NO_BIAS = """
def rnn_step(x, h, W_x, W_h, b):
    return np.tanh(x @ W_x + h @ W_h)
"""
FROM_ZEROS = """
def rnn_forward(X, h0, W_x, W_h, b):
    states = np.zeros((len(X), len(h0), len(b)))
    for t in range(len(X)):
        states[t] = rnn_step(X[t], states[t - 1], W_x, W_h, b)
    return states, states[-1]
"""
NO_RESET = """
def run_stateful(windows, h0, W_x, W_h, b, reset):
    states = []
    for X in windows:
        window, h0 = rnn_forward(X, h0, W_x, W_h, b)
        states.append(window)
    return states
"""

FULL = {"rnn_step": 4, "rnn_forward": 6, "count_parameters": 2, "run_stateful": 4}
ANSWERS = {
    "ada": MODEL,
    "ben": OTHERWISE,
    "cleo": MODEL | {"rnn_step": NO_BIAS},
    "dora": MODEL | {"rnn_forward": FROM_ZEROS},
    "emil": MODEL | {"run_stateful": NO_RESET},
}
MARKS = {
    "ada": FULL,
    "ben": FULL,
    "cleo": FULL | {"rnn_step": 0},
    "dora": FULL | {"rnn_forward": 2},
    "emil": FULL | {"run_stateful": 3},
    "deleted": FULL | {"rnn_step": 0},
    "copied": FULL,
}
FEEDBACK = {
    "cleo": "This is exactly what comes out when the bias b is left out.",
    "dora": "This is exactly what comes out when h0 is ignored and the state starts from zeros",
    "emil": "This is exactly what comes out when no window is ever reset.",
    "deleted": "rnn_step is not written yet",
}
UNREADABLE = ("empty", "garbage")


def cells_named(notebook, *names):
    return [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") in names]


def delete_first_function(notebook):
    gone = cells_named(notebook, "rnn_step", "check_rnn_step", "grade_rnn_step")
    notebook.cells = [c for c in notebook.cells if c not in gone]


def copy_an_answer(notebook):
    (answer,) = cells_named(notebook, "rnn_forward")
    notebook.cells.insert(notebook.cells.index(answer), nbformat.from_dict(answer | {"id": "copied"}))


class Course:
    """A course in a folder, its exchange, and the nbgrader commands typed there."""

    def __init__(self, folder):
        self.root, self.exchange, self.logs = folder / "course", folder / "exchange", {}
        settings = folder / "jupyter"
        for path in (self.root, self.exchange, settings):
            path.mkdir()
        self.exchange.chmod(0o777)
        (settings / "nbgrader_config.py").write_text(CONFIG.format(exchange=str(self.exchange), seed=SEED))
        for name in ("solutions", "exercises"):
            shutil.copytree(ROOT / name, self.root / name)
        shutil.copy(ROOT / "nbgrader_config.py", self.root)
        bin = Path(sys.executable).parent
        own = {"JUPYTER_CONFIG_DIR": settings, "JUPYTER_DATA_DIR": folder / "data", "IPYTHONDIR": folder / "ipython"}
        self.env = os.environ | {name: str(path) for name, path in own.items()}
        self.env |= {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
        self.env.pop("RNNCOURSE_SEED", None)

    def nbgrader(self, *words, cwd=None, expect=0):
        run = subprocess.run(
            ["nbgrader", *words], cwd=cwd or self.root, env=self.env, capture_output=True, text=True, timeout=300
        )
        log = run.stdout + run.stderr
        assert run.returncode == expect, f"nbgrader {' '.join(words)} ended with {run.returncode}:\n{log}"
        self.logs[words[0]] = log
        return log

    def submit(self, student, content):
        folder = self.root.parent / "students" / student / "ps2-rnn"
        folder.mkdir(parents=True)
        (folder / "rnn.ipynb").write_text(content)
        self.nbgrader("submit", "ps2-rnn", "--course=rnncourse", f"--student={student}", cwd=folder.parent)

    def feedback(self, student):
        """The text that the student reads."""
        page = (self.root / "feedback" / student / "ps2-rnn" / "rnn.html").read_text()
        page = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    course = Course(tmp_path_factory.mktemp("class"))
    course.nbgrader("generate_assignment", "ps2-rnn")
    course.nbgrader("release_assignment", "ps2-rnn")
    course.nbgrader("fetch_assignment", "ps2-rnn", "--course=rnncourse", cwd=course.root.parent)
    fetched = (course.root.parent / "ps2-rnn" / "rnn.ipynb").read_text()

    def answered(answers, change=None):
        notebook = nbformat.reads(fetched, as_version=4)
        for cell in cells_named(notebook, *answers):
            cell.source = answers[cell.metadata.nbgrader.grade_id]
        if change:
            change(notebook)
        return nbformat.writes(notebook)

    contents = {student: answered(answers) for student, answers in ANSWERS.items()}
    contents |= {"deleted": answered(MODEL, delete_first_function), "copied": answered(MODEL, copy_an_answer)}
    contents |= {"empty": "", "garbage": "This is not a notebook."}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(course.submit, contents, contents.values()))
    course.nbgrader("collect", "ps2-rnn")
    course.nbgrader("autograde", "ps2-rnn", expect=1)  # 1, because two submissions cannot be read
    course.nbgrader("generate_feedback", "ps2-rnn")
    course.nbgrader("export")
    return course


@pytest.fixture(scope="module")
def marks(course):
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "rnncourse") as gradebook:
        return {
            submission.student.id: {
                grade.cell.name.removeprefix("grade_"): grade.score for grade in submission.notebooks[0].grades
            }
            for submission in gradebook.assignment_submissions("ps2-rnn")
        }


@pytest.fixture(scope="module")
def rows(course):
    with (course.root / "grades.csv").open() as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_the_release_with_a_gradebook_is_the_one_without(course):
    released = course.root / "exercises" / "ps2-rnn" / "rnn.ipynb"
    assert released.read_bytes() == (ROOT / "exercises" / "ps2-rnn" / "rnn.ipynb").read_bytes()


@pytest.mark.parametrize("student", MARKS)
def test_marks(marks, student):
    assert marks[student] == MARKS[student]


def test_the_export_holds_every_student(rows):
    assert {name: float(row["score"]) for name, row in rows.items()} == {
        **{name: sum(marks.values()) for name, marks in MARKS.items()},
        **dict.fromkeys(UNREADABLE, 0),
    }
    assert {float(row["max_score"]) for row in rows.values()} == {16}


@pytest.mark.parametrize("student", FEEDBACK)
def test_feedback_says_what_is_wrong(course, student):
    assert FEEDBACK[student] in course.feedback(student)


@pytest.mark.parametrize("student", ["ada", "ben", "copied"])
def test_feedback_of_a_right_answer_accuses_nobody(course, student):
    text = course.feedback(student)
    for name, points in FULL.items():
        assert f"{name}: {points} of {points} points" in text
    assert "wrong" not in text.replace("Where one is wrong", "").replace("not a wrong answer", "")


def test_the_hidden_cases_come_from_the_instructors_seed_and_feedback_keeps_it(course):
    scope = {"np": np}
    exec(NO_BIAS, scope)
    rng = np.random.default_rng([len(SEED), *SEED.encode()])
    hidden = judge(find("rnn_step"), scope["rnn_step"], rng).advice[0]
    assert hidden in course.feedback("cleo")
    for page in (course.root / "feedback").rglob("*.html"):
        assert SEED not in page.read_text(), f"{page.parent.parent.name} can read the seed"


def test_what_cannot_be_read_is_listed_and_the_others_are_graded(course, marks):
    log = course.logs["autograde"]
    for student in UNREADABLE:
        assert f"There was an error processing assignment 'ps2-rnn' for student '{student}'" in log
        assert not (course.root / "autograded" / student / "ps2-rnn" / "rnn.ipynb").exists()
    assert sorted(re.findall(r"'ps2-rnn' for student '(\w+)'", log)) == sorted(UNREADABLE)
    assert set(MARKS) <= set(marks)


def test_deleted_cells_are_listed_and_put_back(course):
    log = course.logs["autograde"]
    assert "Cells missing from rnn of deleted, put back: rnn_step, check_rnn_step, grade_rnn_step" in log
    assert log.count("put back") == 1
