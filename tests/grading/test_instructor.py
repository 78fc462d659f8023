"""The commands around grading: what they say of a class, and what they say when they are called wrongly."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import nbformat
import pytest
from courses import NOTEBOOK, SET, environment, give_mark, hand_in
from nbgrader.utils import parse_utc
from sqlalchemy.exc import OperationalError

from rnncourse.grading import feedback, status
from rnncourse.grading.__main__ import main
from rnncourse.grading.batch import KEPT, TROUBLE
from rnncourse.grading.export import COLUMNS


def trouble(course, **kinds):
    folder = course.root / KEPT / TROUBLE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{SET}.json").write_text(json.dumps(kinds))


@pytest.fixture
def graded(course):
    """ann and bea have marks, bea came late; cem was refused, dan failed; eva waits; fay handed nothing in."""
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment(SET, duedate=parse_utc("2026-11-20 13:00:00 UTC"))
        gradebook.add_student("fay")
    give_mark(course, "ann", 100)
    give_mark(course, "bea", 2, "2026-11-20 14:30:00 UTC")
    give_mark(course, "cem", 0)
    for name in ("dan", "eva"):
        hand_in(course, name)
    hand_in(course, "cem", b"{")
    trouble(course, refused={"cem": "expected a notebook", "'<b>'": "no name"}, failed={"dan": "rnn: disk full"})
    (course.root / "submitted" / "<b>" / SET).mkdir(parents=True)
    return course


def said(course):
    return {row.student: (row.mark, row.says) for row in status.rows(course, SET)}


def test_status_says_who_has_what_mark_and_why_some_have_none(graded):
    assert said(graded) == {
        "ann": (16, status.GRADED),
        "bea": (8, status.GRADED),
        "cem": (0, "refused: expected a notebook"),
        "dan": (None, "failed: rnn: disk full"),
        "eva": (None, status.WAITING),
        "fay": (None, status.ABSENT),
        "'<b>'": (None, "refused: no name"),
    }
    assert {row.student: row.late for row in status.rows(graded, SET) if row.late} == {"bea": timedelta(hours=1.5)}


def test_status_shows_totals(graded, capsys):
    assert main(["status", "ps2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "bea        8 of 16  1:30:00 late; graded" in lines
    total = "7 students: 1 failed; 2 graded; 1 handed in, not graded yet; 1 not handed in; 2 refused; 1 late"
    assert lines[-2:] == [total, "3 marks: mean 8.0, median 8"]


def test_status_sees_what_was_handed_in_again(graded):
    hand_in(graded, "ann", when="2026-11-20 12:30:00 UTC")
    assert said(graded)["ann"] == (16, status.CHANGED)


def test_status_is_not_misled_by_a_time_to_come(graded):
    hand_in(graded, "ann")
    stamp = graded.root / KEPT / "recorded" / SET / "ann"
    stamp.parent.mkdir(parents=True)
    stamp.touch()
    os.utime(graded.root / "submitted" / "ann" / SET / NOTEBOOK, (time.time() + 10**7,) * 2)
    assert said(graded)["ann"] == (16, status.GRADED)


def test_status_sees_what_needs_a_manual_grade(graded):
    with graded.gradebook() as gradebook:
        gradebook.find_submission_notebook("rnn", SET, "ann").grades[0].needs_manual_grade = True
        gradebook.db.commit()
    assert said(graded)["ann"] == (16, status.MANUAL)


def test_a_late_penalty_counts_in_status_and_export(graded, capsys):
    with graded.gradebook() as gradebook:
        gradebook.find_submission_notebook("rnn", SET, "bea").late_submission_penalty = 3
        gradebook.db.commit()
    assert said(graded)["bea"][0] == 5
    assert main(["export", "-o", "marks.csv"]) == 0
    with Path("marks.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert list(rows["bea"]) == COLUMNS
    assert [rows["bea"][name] for name in COLUMNS[-4:]] == ["8.0", "3.0", "5.0", "16.0"]
    assert (rows["fay"]["score"], rows["fay"]["timestamp"]) == ("0.0", "")
    assert "marks.csv: 4 rows" in capsys.readouterr().out


def test_the_export_quotes_what_would_be_a_column_or_a_formula(course):
    with course.gradebook() as gradebook:
        gradebook.add_student("gus", last_name="Lee, Jr.", first_name="=1+1")
    assert main(["export"]) == 0
    with Path("grades.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["last_name"], row["first_name"]) == ("Lee, Jr.", "'=1+1")


def test_feedback_is_written_once_and_again_when_something_changes(graded, capsys):
    assert main(["feedback", "ps2"]) == 3
    out = capsys.readouterr().out
    assert f"{SET}: 3 written, 0 as before" in out and "not graded yet  dan" in out
    assert f"feedback/STUDENT/{SET}/*.html" in out and f"nbgrader release_feedback {SET}" in out
    page = graded.root / "feedback" / "ann" / SET / "rnn.html"
    assert "16.0" in page.read_text()
    assert page.read_text().count('<meta name="viewport"') == 1
    assert feedback.give(graded, SET).stood == ["ann", "bea", "cem"]
    with graded.gradebook() as gradebook:
        gradebook.find_comment("rnn_step", "rnn", SET, "ann").manual_comment = "Well seen."
        gradebook.db.commit()
    assert feedback.give(graded, SET).written == ["ann"]
    assert "Well seen." in page.read_text()
    assert feedback.give(graded, SET, force=True).written == ["ann", "bea", "cem"]
    assert not list(graded.root.glob(".feedback-*"))


def test_a_student_whose_feedback_fails_does_not_stop_the_others(graded, capsys):
    path = graded.root / "autograded" / "ann" / SET / NOTEBOOK
    path.chmod(0o644)
    path.write_text("{")
    assert main(["feedback", "ps2"]) == 1
    out = capsys.readouterr().out
    assert f"{SET}: 2 written" in out and "failed  ann: " in out
    assert (graded.root / "feedback" / "bea" / SET / "rnn.html").exists()
    assert not (graded.root / "feedback" / "ann" / SET).exists()


def test_a_page_that_takes_for_ever_does_not_stop_the_others(graded, monkeypatch):
    path = graded.root / "autograded" / "ann" / SET / NOTEBOOK
    path.chmod(0o644)
    page = nbformat.read(path, as_version=4)
    page.cells.append(nbformat.v4.new_code_cell("a = 1" + " \n" * 100_000 + "b = 2"))
    nbformat.write(page, path)
    monkeypatch.setattr(feedback, "SECONDS", 5.0)
    given = feedback.give(graded, SET)
    assert given.written == ["bea", "cem"] and "still running after 5 seconds" in given.failed["ann"]
    assert not (graded.root / "feedback" / "ann" / SET).exists() and not list(graded.root.glob(".feedback-*"))


def test_a_changed_date_rule_or_extension_is_recorded_anew_and_nothing_is_marked_twice(walls, course, capsys):
    hand_in(course, "ann", when="2026-11-20 12:00:00 UTC")

    def due(when):
        with course.gradebook() as gradebook:
            gradebook.update_or_create_assignment(SET, duedate=parse_utc(when))

    def grade():
        assert main(["grade", "ps2", "-j", "1"]) == 0
        (row,) = status.rows(course, SET)
        return capsys.readouterr().out.split(": ")[1].strip(), row.mark, bool(row.late)

    anew, before = "1 graded, 0 as before", "0 graded, 1 as before"
    assert grade() == (anew, 16, False)
    (kept,) = (course.root / KEPT / "marked").iterdir()
    when = kept.stat().st_mtime_ns
    due("2026-11-20 11:00:00 UTC")
    assert grade() == (anew, 16, True)
    with Path("nbgrader_config.py").open("a") as file:
        file.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    assert grade() == (anew, 0, True)
    assert grade() == (before, 0, True)
    with course.gradebook() as gradebook:
        gradebook.grant_extension(SET, "ann", hours=2)
    assert grade() == (anew, 16, False)
    assert kept.stat().st_mtime_ns == when


def test_marks_made_without_a_sandbox_are_said_to_be_untrusted(course, capsys):
    hand_in(course, "ann")
    assert main(["grade", "ps2", "-j", "1", "--sandbox", "none"]) == 0
    assert "the marks can be forged" in capsys.readouterr().err
    assert main(["status", "ps2"]) == 0
    assert capsys.readouterr().out.endswith("Marked without a sandbox: any of these marks may be forged.\n")


TROUBLES = {
    "stopped; what was done is kept, and the same command goes on from there": KeyboardInterrupt(),
    "[Errno 28] No space left on device": OSError(28, "No space left on device"),
    "(builtins.str) database is locked": OperationalError("select", {}, "database is locked"),
}


@pytest.mark.parametrize("sentence", TROUBLES)
def test_what_interrupts_a_command_is_told_in_a_sentence(course, monkeypatch, sentence):
    def interrupted(*_):
        raise TROUBLES[sentence]

    monkeypatch.setattr(status, "rows", interrupted)
    assert main(["status", "ps2"]).startswith(sentence)


def test_grading_that_is_stopped_says_only_that(walls, course):
    for name in "abcdefgh":
        hand_in(course, name)
    command = [sys.executable, "-m", "rnncourse.grading", "grade", "ps2", "-j", "2", "--sandbox", "bwrap"]
    process = subprocess.Popen(
        command, env=environment(course.root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    while process.poll() is None and not any((course.root / KEPT).glob("marked/*")):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0].splitlines()
    assert said == ["stopped; what was done is kept, and the same command goes on from there"]
    assert process.returncode == 1


WRONG = {
    "status ps9": "expected a problem set in solutions/, one of ps2-rnn; got 'ps9'",
    "grade ps2 -j 0": "expected --jobs to be at least 1, got 0",
    "similar ps2 --above 2": "expected --above to be a share, above 0 and at most 1, got 2",
    "collect ps2 nowhere": "expected a folder or a zip of downloads, found nothing at nowhere",
    "collect ps2 nbgrader_config.py": "expected nbgrader_config.py to be a folder or a zip of downloads, got neither",
    "collect ps2 solutions/ps2-rnn": "expected notebooks of ps2-rnn in solutions/ps2-rnn, found none",
    "export -o nowhere/grades.csv": "cannot write nowhere/grades.csv: there is no folder nowhere",
    "export -o solutions": "cannot write solutions: ",
}


@pytest.mark.parametrize("command", WRONG)
def test_a_wrong_call_is_answered_with_a_sentence(course, command):
    assert str(main(command.split())).startswith(WRONG[command])


@pytest.mark.parametrize("command", ["grade ps2", "status ps2", "feedback ps2", "export"])
def test_without_a_gradebook_the_commands_say_how_to_get_one_and_make_none(course, command):
    Path("gradebook.db").unlink()
    assert "nbgrader generate_assignment" in main(command.split())
    assert not Path("gradebook.db").exists()


def test_an_unknown_command_ends_with_a_usage(course, capsys):
    with pytest.raises(SystemExit):
        main(["status"])
    assert "the following arguments are required: SET" in capsys.readouterr().err
