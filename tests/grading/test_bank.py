"""The bank: every known mistake is caught and named, every correct solution passes, and the appendix says so."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from rnncourse.grading import bank
from rnncourse.grading.__main__ import BANK_PAGE, main
from rnncourse.grading.bank import SEEDS
from rnncourse.grading.checks import find, sets
from rnncourse.grading.checks.judge import Sitting

PAGE = (Path(__file__).parents[2] / BANK_PAGE).read_text(encoding="utf-8")
FOLDERS = {name: folder for folder, names in sets().items() for name in names}
NAMES = list(FOLDERS)
BANK = [(name, mistake) for name in NAMES for mistake in find(name).mistakes]
SOLUTIONS = [(name, solution) for name in NAMES for solution in find(name).alternatives]


@cache
def on_mistakes(name):
    return bank.on_mistakes(find(name))


@cache
def on_alternatives(name):
    return bank.on_alternatives(find(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_bank_is_large_enough(name):
    assert len(find(name).mistakes) >= 8
    assert len(find(name).alternatives) >= 2


@pytest.mark.parametrize(("name", "mistake"), BANK, ids=[f"{name}: {mistake}" for name, mistake in BANK])
def test_every_mistake_is_rejected_on_every_seed_and_named(name, mistake):
    reports = on_mistakes(name)[mistake]
    passed = [seed for seed, report in zip(SEEDS, reports, strict=True) if report.points == find(name).points]
    assert not passed, f"passes with the seeds {passed}"
    hints = [report.hint for report in reports]
    assert hints.count(mistake) >= 0.95 * len(SEEDS), f"named {set(hints) - {mistake}} instead"
    assert not [report.unexplained for report in reports if report.hint == mistake and report.unexplained]


@pytest.mark.parametrize("name", NAMES)
def test_a_mistake_gets_the_same_report_when_a_student_makes_it(name):
    """The bank judges what its mistakes gave once. Handed in as answers, they run again."""
    sitting = Sitting(find(name), np.random.default_rng(0))
    for mistake, function in find(name).mistakes.items():
        assert str(sitting.judge(function)) == str(sitting.report(sitting.mistaken[mistake])), mistake


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("name", "solution"), SOLUTIONS)
def test_every_differently_written_solution_passes(name, solution, precision):
    for seed, report in zip(SEEDS, on_alternatives(name)[solution, precision], strict=True):
        assert not report.wrong, f"seed {seed}: {report}"


def cells(row):
    """A row's entries: what it is about, its counts, and apart from them the percentage, which rounding may move."""
    folder, function, mistakes, caught, named, *alternatives = row.strip("| ").split(" | ")
    return (folder, function, mistakes, caught, *alternatives), float(named.removesuffix(" %"))


@pytest.mark.parametrize("name", NAMES)
def test_the_appendix_says_what_the_checks_do(name):
    measured = bank.record(FOLDERS[name], find(name), on_mistakes(name), on_alternatives(name)).row
    [published] = [line for line in PAGE.splitlines() if f"| `{name}` |" in line] or [
        "| no | row | of | its | 0 % | own |"
    ]
    mend = f"{BANK_PAGE} has {published}, measured is {measured}. To mend it: python -m rnncourse.grading bank"
    assert cells(published)[0] == cells(measured)[0], mend
    assert abs(cells(published)[1] - cells(measured)[1]) <= 1, mend


def test_the_appendix_has_a_row_for_each_function_and_their_sum():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ps")]
    assert [row.split("`")[1] for row in rows] == NAMES
    assert f"| all | {len(NAMES)} functions | {len(BANK)} | {len(BANK)} |" in PAGE


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project whose page has an empty table; the commands work in it."""
    for folder in ("solutions", "chapters/appendix"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / BANK_PAGE).write_text(f"# A page\n\n{bank.BEGIN}\n{bank.END}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ROWS = [bank.Record("ps1", "encode", 3, 3, 99.96, 2, 2), bank.Record("ps2", "rnn_step", 1, 0, 50.0, 4, 3)]
LINES = ["| ps1 | `encode` | 3 | 3 | 99.9 % | 2 | 2 |", "| ps2 | `rnn_step` | 1 | 0 | 50 % | 4 | 3 |"]


def test_the_command_prints_each_row_and_writes_the_table(root, monkeypatch, capsys):
    monkeypatch.setattr(bank, "records", lambda: iter(ROWS))
    assert main(["bank"]) == 0
    assert capsys.readouterr().out.splitlines() == LINES
    head, rule, *rows = [line for line in (root / BANK_PAGE).read_text().splitlines() if line.startswith("|")]
    assert head.count("|") == rule.count("|") == 8
    assert rows == [*LINES, "| all | 2 functions | 4 | 3 | 87.4 % | 6 | 5 |"]


def test_a_command_that_fails_has_printed_the_rows_before_and_leaves_the_page_alone(root, monkeypatch, capsys):
    def records():
        yield ROWS[0]
        raise RuntimeError

    monkeypatch.setattr(bank, "records", records)
    before = (root / BANK_PAGE).read_text()
    with pytest.raises(RuntimeError):
        main(["bank"])
    assert capsys.readouterr().out.splitlines() == LINES[:1]
    assert (root / BANK_PAGE).read_text() == before


def test_a_page_without_a_place_for_the_table_is_refused():
    with pytest.raises(ValueError, match=r"^expected a page with the lines"):
        bank.with_table("# A page", [])
