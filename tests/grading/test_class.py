"""A class, a student of almost every kind, from release to feedback. benchmarks/classroom.py does it with 200."""

import pytest
from students import KINDS, student
from term import Term

LEFT_OUT = ("starts from zeros", "never resets", "right, written otherwise", "one function", "hostile: never ends")
"""So that it takes less time: other tests of the grader have them, too."""


@pytest.fixture(scope="module")
def term(tmp_path_factory, walls):
    """The class after all is done, and what was printed on the way."""
    students = [student(k, kind) for k, kind in enumerate(KINDS) if kind not in LEFT_OUT]
    term = Term(tmp_path_factory.mktemp("term"), students)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_DIR", str(term.root / ".config"))
        yield term, term.whole()


def test_each_has_the_mark_that_was_earned(term):
    assert not term[0].wrong_marks()


def test_each_reads_their_own_points_and_runs_no_script(term):
    assert not term[0].wrong_pages()


def test_files_come_by_the_exchange_and_by_zip(term):
    here, printed = term
    assert here.by_exchange and here.by_zip
    assert f"{len(here.by_zip)} taken" in printed["collect"].text


def test_status_says_who_is_refused_late_or_missing(term):
    students, said = term[0].students, term[1]["status"].text.splitlines()
    lines = {one.name: line for one in students for line in said if line.startswith(one.name)}
    for one in students:
        assert ("not handed in" in lines[one.name]) == (one.content is None)
        assert ("refused: expected a notebook" in lines[one.name]) == KINDS[one.kind].cut
        assert ("late" in lines[one.name]) == bool(one.penalty)


def test_a_second_grading_changes_nothing(term):
    here, _ = term
    handed_in = len(here.by_exchange) + len(here.by_zip)
    assert f"0 graded, {handed_in} as before" in here.run("grade", "ps2", expect=(3,)).text
    assert not here.wrong_marks()
