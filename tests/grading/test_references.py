"""The mutants of right answers: the harness finds a gap in a check, and the appendix says what came of the last run."""

import importlib
import re
import sys
from dataclasses import replace

import pytest
from problem_sets import ROOT

from rnncourse.grading.__main__ import BANK_PAGE
from rnncourse.grading.checks import find, sets

sys.path.append(str(ROOT / "benchmarks"))
references = importlib.import_module("references")
REPORT = (ROOT / "benchmarks/references.txt").read_text(encoding="utf-8")


def without_bias(problem):
    """The problem as it is checked on biases of 0 alone."""

    def cases(rng):
        return [replace(case, args={**case.args, "b": 0 * case.args["b"]}) for case in problem.cases(rng)]

    return replace(problem, cases=cases)


def survivors(problem):
    return references.tried(references.sittings(problem), next(references.programs("ps2", "rnn_step"))).survivors


def test_a_check_that_lets_a_mutant_through_is_found_out():
    line = "return np.tanh(x @ W_x + h @ W_h + b)"
    assert survivors(find("rnn_step")) == []
    assert survivors(without_bias(find("rnn_step"))) == [f"- {line}\n+ {line.replace('+ b', '- b')}"]


def test_a_mutant_that_never_ends_is_rejected(monkeypatch):
    monkeypatch.setattr(references.judge, "SECONDS", 0.2)
    endless = "def rnn_step(x, h, W_x, W_h, b):\n    while True:\n        pass\n"
    assert not references.survives(references.sittings(find("rnn_step")), endless, "rnn_step")


def test_an_answer_that_is_not_right_is_refused():
    wrong = references.Program("a wrong answer", "def rnn_step(x, h, W_x, W_h, b): return x", "rnn_step")
    with pytest.raises(ValueError, match="expected full points for a wrong answer of rnn_step, got less"):
        references.tried(references.sittings(find("rnn_step")), wrong)


@pytest.mark.parametrize(("folder", "name"), [(folder, name) for folder, names in sets().items() for name in names])
def test_every_right_answer_is_found_and_stands_alone(folder, name):
    programs = list(references.programs(folder, name))
    assert [p.name for p in programs] == ["the model answer", "the reference", *find(name).alternatives]
    drawn = references.sittings(find(name))
    for program in programs:
        assert all(references.passes(drawn, program.source, program.expression)), program.source


def test_the_appendix_gives_the_numbers_of_the_report():
    rejected, mutants, answers = re.search(r"(\d+) of (\d+) mutants of (\d+) right answers rejected", REPORT).groups()
    page = (ROOT / BANK_PAGE).read_text(encoding="utf-8")
    for words in (
        f"{mutants} programs from {answers} right answers",
        f"{rejected} of them",
        f"The other {int(mutants) - int(rejected)} ",
    ):
        assert words in page, f"{BANK_PAGE} does not say {words!r}, as benchmarks/references.txt does"


def test_the_report_explains_every_survivor_and_counts_every_function():
    assert "NOT EXPLAINED" not in REPORT
    for names in sets().values():
        for name in names:
            assert f"\n  {name}: " in REPORT, f"benchmarks/references.txt lacks {name}: run benchmarks/references.py"


def test_the_report_counts_the_answers_that_there_are():
    [answers] = re.findall(r"seeds .* of (\d+) right answers", REPORT)
    assert int(answers) == sum(2 + len(find(name).alternatives) for names in sets().values() for name in names)
