"""The instructors' page, from an empty machine to returned feedback: its commands run as they are written there."""

import csv
import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from courses import ROOT, environment

from rnncourse.grading.__main__ import main
from rnncourse.grading.rebuild import grade_id

PAGE = ROOT / "chapters/appendix/instructors.md"
SET, NOTEBOOK = "ps5-lstm", "lstm.ipynb"
BLOCKS = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)

ODD = """
def lstm_forward(X, h0, c0, W_x, W_h, b):
    moments = []
    carried = (h0, c0)
    for moment in range(X.shape[0]):
        hidden, cell = carried[0], carried[1]
        carried = lstm_step(X[moment], hidden, cell, W_x, W_h, b)[:2]
        moments = moments + [carried[0].copy() * 1.0 + 0.0 * carried[1].copy()]
    everything = np.concatenate([entry.reshape(1, *entry.shape) for entry in moments], axis=0)
    return everything, carried[0] * 1.0, carried[1] * 1.0
"""


def notebook(change=lambda cell: cell.source):
    """The model answers, each cell as `change` makes it."""
    made = nbformat.read(ROOT / "solutions" / SET / NOTEBOOK, as_version=4)
    for cell in made.cells:
        cell.source = "\n".join(line for line in cell.source.splitlines() if "### " not in line)
        cell.source = change(cell)
    return nbformat.writes(made)


def downloads(path):
    """What Moodle gives: ada is right; ben and cleo share an odd function; dan hands in something else; eva a stub."""
    odd = notebook(lambda cell: ODD if grade_id(cell) == "lstm_forward" else cell.source)
    stub = (ROOT / "exercises" / SET / NOTEBOOK).read_text(encoding="utf-8")
    contents = {"ada": notebook(), "ben": odd, "cleo": odd.replace("moment", "t"), "dan": "my notebook", "eva": stub}
    with zipfile.ZipFile(path, "w") as archive:
        for number, (student, content) in enumerate(contents.items()):
            entry = zipfile.ZipInfo(f"{student}_{number}_assignsubmission_file_/{NOTEBOOK}", (2026, 11, 20, 12, 0, 0))
            archive.writestr(entry, content)


@pytest.fixture(scope="module")
def class_(tmp_path_factory, walls):
    """The course's folder after all commands of the page, and what each of its blocks printed."""
    root = tmp_path_factory.mktemp("page")
    for folder in ("solutions", "exercises", "rnncourse"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / ".venv").symlink_to(sys.prefix)
    (root / "Downloads").mkdir()
    downloads(root / "Downloads" / "ps5.zip")
    own = environment(root)
    own.pop("RNNCOURSE_SEED")
    (own := own | {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin"}).pop("PYTHONPATH")
    script = "trap 's=$?; [ $s = 3 ] || exit $s' ERR\n"  # 3 says that somebody was refused, and somebody is
    script += "".join(f"{block}echo '=====' $?\n" for block in BLOCKS)
    run = subprocess.run(
        ["bash", "-c", script], cwd=root, env=own, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900
    )
    assert run.returncode == 0, f"the page's commands ended with {run.returncode}:\n{run.stdout}\n{run.stderr}"
    return root, re.split(r"===== \d+\n", run.stdout)


def printed(class_, command):
    """What the block with this command printed."""
    (k,) = (k for k, block in enumerate(BLOCKS) if command in block)
    return class_[1][k]


def test_the_doctor_lets_grading_go_on(class_):
    assert "Grading can go on." in printed(class_, "doctor")


def test_all_are_collected_with_their_times(class_):
    assert printed(class_, "collect") == f"{SET}: 5 taken, 0 as before\n"
    assert (class_[0] / "submitted" / "ada" / SET / "timestamp.txt").read_text().startswith("2026-11-")


def test_status_shows_the_marks_and_why_one_has_0(class_):
    lines = printed(class_, "status").splitlines()
    marks = {line.split()[0]: float(line.split()[1]) for line in lines if " of " in line}
    assert marks["ada"] >= marks["ben"] == marks["cleo"] > marks["eva"] == marks["dan"] == 0
    assert any(
        line.startswith("dan") and "refused: expected a notebook, got a file that is not JSON" in line for line in lines
    )
    assert "5 students: 4 graded; 1 refused; 0 late" in lines


def test_the_two_that_are_alike_are_reported_and_no_other(class_):
    assert re.findall(r"(\w+) and (\w+): (\w+)", printed(class_, "similar")) == [("ben", "cleo", "lstm_forward")]


def test_everyone_has_feedback(class_):
    pages = {path.parts[-3]: path.read_text() for path in (class_[0] / "feedback").glob(f"*/{SET}/lstm.html")}
    assert sorted(pages) == ["ada", "ben", "cleo", "dan", "eva"]
    assert "This notebook could not be graded" in pages["dan"]


def test_the_export_has_a_row_for_each(class_):
    rows = list(csv.DictReader(io.StringIO((class_[0] / "grades.csv").read_text())))
    assert [row["student_id"] for row in rows] == ["ada", "ben", "cleo", "dan", "eva"]
    assert {row["duedate"] for row in rows} == {"2026-12-01 22:59:00"}


def test_the_page_names_every_command_there_is(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.search(r"\{([\w,-]+)\}", capsys.readouterr().out).group(1).split(",")
    page = PAGE.read_text(encoding="utf-8")
    for name in set(commands) - {"bank", "in-step", "check"}:
        assert f"rnncourse.grading {name}" in page, f"the page does not say what {name} does"


def test_the_page_says_what_the_sandbox_bounds():
    from rnncourse.grading.sandbox.bubblewrap import Limits

    page = Path(PAGE).read_text(encoding="utf-8")
    assert f"{Limits().files >> 20} MiB" in page
    assert Limits().submission == 180 and "up to three minutes" in page
