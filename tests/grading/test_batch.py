"""A class is graded side by side, goes on past what cannot be graded, and takes up where it was interrupted."""

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress

import nbformat
import psutil
import pytest
from courses import NOTEBOOK, ROOT, SET, environment, hand_in, model

from rnncourse.grading.batch import Batch, Scheduler
from rnncourse.grading.course import Course, CourseError
from rnncourse.grading.record import timestamp


@pytest.fixture
def course(empty, tmp_path):
    """course(students): a copy of it in which these have handed in: a notebook, or bytes, by name."""

    def build(students):
        root = tmp_path / "course"
        shutil.copytree(empty, root)
        here = Course(root)
        for name, content in students.items():
            hand_in(here, name, content)
        return here

    return build


def graded(course, walls=True, **how):
    with Scheduler(2) as scheduler:
        return Batch(course, SET, seed="secret", walls=walls, **how).run(scheduler)


def scores(course):
    with course.gradebook() as gradebook:
        return {one.student_id: one.score for one in gradebook.assignment_submissions(SET)}


def test_each_gets_their_mark_and_what_cannot_be_read_gets_0(walls, course):
    wrong = model()
    (cell,) = (cell for cell in wrong.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "rnn_step")
    cell.source = cell.source.replace(" + b)", ")")
    here = course({"ann": model(), "bea": wrong, "Zoë Müller": model(), "cem": b"{", "<b>": model()})
    (here.root / "submitted" / "dan").symlink_to(here.root / "submitted" / "ann")
    outcome = graded(here)
    assert scores(here) == {"ann": 16, "bea": 12, "Zoë Müller": 16, "cem": 0}
    assert not outcome.failed
    assert outcome.refused == {
        "cem": "expected a notebook, got a file that is not JSON: was it saved to its end?",
        "'<b>'": "the folder's name is no name of a student",
        "dan": "expected a folder, got a link or a file",
    }
    executed = nbformat.read(here.root / "autograded" / "cem" / SET / NOTEBOOK, as_version=4)
    assert "could not be graded" in executed.cells[0].source


def test_a_second_run_does_nothing_and_what_changed_is_marked_anew(walls, course):
    here = course({"ann": model(), "bea": model()})
    assert sorted(graded(here).recorded) == ["ann", "bea"]
    assert sorted(graded(here).stood) == ["ann", "bea"]
    (here.root / "submitted" / "bea" / SET / NOTEBOOK).write_bytes((ROOT / "exercises" / SET / NOTEBOOK).read_bytes())
    outcome = graded(here)
    assert (outcome.stood, outcome.recorded) == (["ann"], ["bea"])
    assert scores(here) == {"ann": 16, "bea": 0}


def test_marks_lost_from_the_gradebook_are_recorded_again_without_marking(walls, course):
    here = course({"ann": model()})
    graded(here)
    with here.gradebook() as gradebook:
        gradebook.remove_submission(SET, "ann")
    assert scores(here) == {}
    marked = sorted((here.root / ".grading" / "marked").iterdir())
    before = [path.stat().st_mtime_ns for path in marked]
    assert graded(here).recorded == ["ann"] and scores(here) == {"ann": 16}
    assert [path.stat().st_mtime_ns for path in marked] == before


def test_force_marks_all_again(walls, course):
    here = course({"ann": model()})
    graded(here)
    (kept,) = (here.root / ".grading" / "marked").iterdir()
    before = kept.read_bytes()
    kept.write_text("{}")
    assert graded(here, force=True).recorded == ["ann"]
    assert kept.read_bytes() == before


def test_another_seed_marks_all_again(walls, course):
    here = course({"ann": model()})
    graded(here)
    with Scheduler(1) as scheduler:
        assert Batch(here, SET, seed="another", walls=True).run(scheduler).recorded == ["ann"]


def test_an_instructors_grade_stays(walls, course):
    here = course({"ann": model()})
    graded(here)
    with here.gradebook() as gradebook:
        grade = gradebook.find_grade("grade_rnn_step", "rnn", SET, "ann")
        grade.manual_score = 1
        gradebook.db.commit()
    graded(here, force=True)
    with here.gradebook() as gradebook:
        assert gradebook.find_grade("grade_rnn_step", "rnn", SET, "ann").manual_score == 1
    assert scores(here) == {"ann": 13}


def test_one_that_cannot_be_recorded_does_not_stop_the_others(walls, course):
    here = course({"ann": model(), "bea": model()})
    (here.root / "autograded").mkdir()
    (here.root / "autograded" / "ann").write_text("a file in the way")
    outcome = graded(here)
    assert list(outcome.failed) == ["ann"] and outcome.recorded == ["bea"]
    (here.root / "autograded" / "ann").unlink()
    assert graded(here).recorded == ["ann"]


def test_a_marking_process_that_is_killed_is_replaced(walls, course):
    names = [f"s{k}" for k in range(6)]
    here = course(dict.fromkeys(names, model()))
    killed = []

    def kill(done, failed, of):
        if not killed:
            for pid in scheduler.pool._processes:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    with Scheduler(2) as scheduler:
        outcome = Batch(here, SET, seed="secret", walls=True, tell=kill).run(scheduler)
    assert killed and sorted(outcome.recorded) == names and not outcome.failed


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_batch_that_is_killed_goes_on_where_it_stopped(walls, course, how):
    names = [f"s{k}" for k in range(4)]
    here = course(dict.fromkeys(names, model()))
    for k, name in enumerate(names):  # each another notebook, so that each must be marked
        path = here.root / "submitted" / name / SET / NOTEBOOK
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(f"{k}", id=f"n{k}"))
        nbformat.write(notebook, path)
    command = [sys.executable, "-m", "rnncourse.grading", "grade", "ps2", "-j", "2"]
    batch = subprocess.Popen(command, cwd=here.root, env=environment(here.root), stderr=subprocess.PIPE)
    marked = here.root / ".grading" / "marked"
    until(lambda: marked.is_dir() and any(marked.iterdir()))
    batch.send_signal(how)
    batch.wait(20)
    assert batch.returncode != 0
    kept = {path.name: path.read_bytes() for path in marked.glob("*.ipynb")}
    again = subprocess.run(command, cwd=here.root, env=environment(here.root), capture_output=True, text=True)
    assert again.returncode == 0, again.stdout + again.stderr
    assert scores(here) == dict.fromkeys(names, 16)
    assert all((marked / name).read_bytes() == content for name, content in kept.items())
    assert len(list(marked.glob("*.ipynb"))) == len(names)


def test_a_marking_process_that_is_killed_while_it_hands_over_does_not_stop_the_batch(walls, course):
    long = model()
    long.cells.append(nbformat.v4.new_markdown_cell("long " * 30_000))  # more than a pipe holds
    here = course({"ann": long})
    line = [sys.executable, "-m", "rnncourse.grading", "grade", "ps2", "-j", "1"]
    grading = subprocess.Popen(line, cwd=here.root, env=environment(here.root), stdout=subprocess.PIPE, text=True)
    markers = []
    until(lambda: markers or markers.extend(marking(grading.pid)))
    grading.send_signal(signal.SIGSTOP)
    until(lambda: not marking(grading.pid))
    time.sleep(0.5)  # it hands over, and nobody takes
    markers[0].kill()
    grading.send_signal(signal.SIGCONT)
    try:
        grading.communicate(timeout=30)
    finally:
        grading.kill()
    assert grading.returncode == 0
    assert scores(here) == {"ann": 16}


def marking(pid):
    """The marking processes of a command that have a sandbox just now."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            above = process.parent()
            if process.name() == "bwrap" != above.name() and above.pid != pid:
                found.append(above)
    return found


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_gradebook_without_the_set_is_told(course):
    here = course({})
    (here.root / "gradebook.db").unlink()
    with pytest.raises(CourseError, match=r"ps2-rnn in the gradebook.*nbgrader generate_assignment ps2-rnn"):
        here.expect_known(SET)


@pytest.mark.parametrize(("name", "full"), [("ps2", SET), (SET, SET)])
def test_a_set_goes_by_its_number(course, name, full):
    assert course({}).assignment(name) == full


def test_an_unknown_set_is_told(course):
    with pytest.raises(CourseError, match="one of ps2-rnn; got 'ps9'"):
        course({}).assignment("ps9")


@pytest.mark.parametrize("content", [None, "x" * 201])
def test_a_timestamp_that_says_nothing_is_none(tmp_path, content):
    if content:
        (tmp_path / "timestamp.txt").write_text(content)
    assert timestamp(tmp_path) is None


def test_a_kept_notebook_is_json(walls, course):
    here = course({"ann": model()})
    graded(here)
    (kept,) = (here.root / ".grading" / "marked").iterdir()
    assert json.loads(kept.read_text())["nbformat"] == 4


def command(root, **how):
    """The grading command, run to its end."""
    line = [sys.executable, "-m", "rnncourse.grading", "grade", "ps2", "-j", "2"]
    return subprocess.run(line, cwd=root, env=environment(root), capture_output=True, text=True, **how)


def test_a_locked_gradebook_loses_nothing(walls, course):
    here = course({"ann": model()})
    with sqlite3.connect(here.root / "gradebook.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        first = command(here.root)
    other.close()
    assert first.returncode == 1 and "locked" in first.stdout + first.stderr
    assert command(here.root).returncode == 0 and scores(here) == {"ann": 16}


def test_a_full_disk_loses_nothing(walls, course):
    here = course({"ann": model()})

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))

    first = command(here.root, preexec_fn=fill)
    assert first.returncode == 1 and "failed" in first.stdout
    assert not list(here.root.glob(".grading/marked/[!.]*"))
    assert command(here.root).returncode == 0 and scores(here) == {"ann": 16}
