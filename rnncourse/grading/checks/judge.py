"""Judge a student's function on the cases of a problem: what is wrong with it, and which known mistake explains it."""

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncourse.grading.checks.attempt import (
    Failure,
    Function,
    OutOfTime,
    Result,
    attempt,
    expect_function,
    limited,
    muted,
)
from rnncourse.grading.checks.compare import same
from rnncourse.grading.checks.drawing import copied
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.raised import described
from rnncourse.grading.checks.report import Report
from rnncourse.grading.checks.wrong import Wrong, WrongForm, WrongNumbers, WrongShape

SECONDS = 20.0
"""How long a function may take for all cases together. Model answers take milliseconds."""


def judge(problem: Problem, function: Function, rng: np.random.Generator) -> Report:
    """The `Report` on a student's `function`: what is wrong in the cases that `rng` draws, and why."""
    return Sitting(problem, rng).judge(function)


class Answer(NamedTuple):
    """What a function gave in one case: a failure, or the outputs that count, by name; what is `Wrong` with that."""

    failure: Failure | None
    outputs: dict[str, Any]
    wrong: Wrong | None


class Sitting:
    """The cases that `rng` draws for a problem, on which any number of functions are judged.

    What the known mistakes give on these cases is computed once, for the first function that is wrong.
    """

    def __init__(self, problem: Problem, rng: np.random.Generator):
        self.problem, self.cases = problem, list(problem.cases(rng))

    @cached_property
    def wanted(self) -> list[dict[str, Any]]:
        """The right outputs of each case, by name."""
        problem = self.problem
        right = (problem.reference(*copied(list(case.args.values()))) for case in self.cases)
        return [problem.unpack(problem.outputs, value) for value in right]

    @cached_property
    def mistaken(self) -> dict[str, list[Answer]]:
        """By mistake: its answer to each case. All are known to return: the time of none is limited."""
        with muted():
            return {
                hint: self.answers(self.attempt(mistake, case) for case in self.cases)
                for hint, mistake in self.problem.mistakes.items()
            }

    def results(self, function: Function) -> list[Result]:
        """What a student's function gives in each case. All together get `SECONDS`."""
        results: list[Result] = []
        try:
            with limited(SECONDS), muted():
                for case in self.cases:
                    results.append(self.attempt(function, case))
        except OutOfTime as late:
            results += [Result(None, Failure.of(late), {})] * (len(self.cases) - len(results))
        return results

    def attempt(self, function: Function, case: Case) -> Result:
        """Call a function in one case."""
        return attempt(function, case.args, self.problem.lends, untouched=case.untouched)

    def answers(self, results: Iterable[Result]) -> list[Answer]:
        """The results of the cases with what is `Wrong` with them."""
        cases = zip(self.cases, self.wanted, results, strict=True)
        return [
            Answer(result.failure, outputs(self.problem, case, result.value), verdict(self.problem, case, want, result))
            for case, want, result in cases
        ]

    def judge(self, function: Function) -> Report:
        """The `Report` on a student's `function`."""
        try:
            expect_function(self.problem.name, self.cases[0].args, function)
        except WrongForm as unfit:
            return self.refused(unfit)
        return self.report(self.answers(self.results(function)))

    def refused(self, wrong: Wrong) -> Report:
        """The `Report` on what cannot be called, or was lost: all is wrong with it, for one reason."""
        return Report(self.problem, dict.fromkeys(self.problem.parts, ended(wrong)), reread=wrong.reread)

    def report(self, answers: list[Answer]) -> Report:
        """The `Report` on a function's answers to the cases."""
        problem = self.problem
        if answers[0].failure and answers[0].failure.types[0] == NotImplementedError.__name__:
            unwritten = f"{problem.name} is not written yet: put your code in place of `raise NotImplementedError()`."
            return Report(problem, dict.fromkeys(problem.parts, unwritten))

        faults = [(k, answer.wrong) for k, answer in enumerate(answers) if answer.wrong]
        if not faults:
            return Report(problem, {})
        sentences: dict[str, str] = {}
        for k, wrong in faults:
            sentences.setdefault(self.cases[k].part, f"{self.cases[k].note}: {ended(wrong)}")
        first, wrong = faults[0]
        reread = problem.shapes if isinstance(wrong, WrongShape) else wrong.reread
        hint = self.diagnosis(answers, first)
        if hint is None:
            return Report(problem, sentences, reread, unknown=type(wrong) is Wrong and answers[first].failure is None)
        known = self.mistaken[hint]
        left = [self.cases[k].part for k, _ in faults if not alike(self.cases[k], answers[k], known[k])]
        return Report(problem, sentences, reread, hint, unexplained=tuple(dict.fromkeys(left)))

    def diagnosis(self, answers: list[Answer], first: int) -> str | None:
        """The known mistake that explains what is wrong, or None.

        It gives what the student's function gave in the case that is wrong `first`, and in more cases than other
        mistakes do. It is wrong there, in the same manner (a list of the right numbers is not a wrong dtype), and in no
        case where the student is right. Errors with the same message are alike, and so is NaN everywhere, but these
        alone are no evidence: a value must agree in some case.
        """
        agreement: dict[str, int] = {}
        for hint, known in self.mistaken.items():
            in_the_same_manner = type(known[first].wrong) is type(answers[first].wrong)
            if not in_the_same_manner or not alike(self.cases[first], answers[first], known[first]):
                continue
            pairs = list(zip(self.cases, answers, known, strict=True))
            if any(theirs.wrong and not ours.wrong for _, ours, theirs in pairs):
                continue
            agreed = [ours for case, ours, theirs in pairs if alike(case, ours, theirs)]
            if any(ours.failure is None and tells(ours.outputs) for ours in agreed):
                agreement[hint] = len(agreed)
        return max(agreement, key=lambda hint: agreement[hint], default=None)


def verdict(problem: Problem, case: Case, want: dict[str, Any], result: Result) -> Wrong | None:
    """What is `Wrong` with one result, where the outputs should be `want`; None if it is right."""
    try:
        expect_result(problem, case, want, result)
    except Wrong as wrong:
        return wrong.with_traceback(None)  # which holds all that was at hand where it was raised
    return None


def expect_result(problem: Problem, case: Case, want: dict[str, Any], result: Result) -> None:
    """Raise `Wrong` unless a call gave no error, returned the right outputs, and left its inputs alone if it must."""
    value, failure = result.value, result.failure
    if failure is not None:
        what = described(failure)
        sentence = f"{problem.name} {what}{'' if what.endswith('?') else '.'} The inputs were {case.inputs}"
        raise subject(failure)(sentence)
    if value is None:
        raise WrongForm("it returned None: is a `return` missing?")
    got = problem.unpack(problem.outputs, value)
    for name in case.outputs or problem.outputs:
        problem.outputs[name].expect(name, got[name], want[name], case.tolerance)
    if case.untouched:
        expect_untouched(case, problem.outputs, result)


def subject(failure: Failure) -> type[Wrong]:
    """What an error is about: shapes, numbers (a division by zero), a key that the text speaks of, or anything else.

    >>> [subject(Failure.of(error)).__name__ for error in (IndexError(), ZeroDivisionError(), KeyError(), TypeError())]
    ['WrongShape', 'WrongNumbers', 'Wrong', 'WrongForm']
    """
    if failure.a(KeyError):
        return Wrong
    if failure.a(ValueError) or failure.a(IndexError):
        return WrongShape
    return WrongNumbers if failure.a(ArithmeticError) else WrongForm


def expect_untouched(case: Case, names: Collection[str], result: Result) -> None:
    """Raise `Wrong` if the function changed an input or returned a view of one; `names` are those of its outputs."""
    for name, before in case.args.items():
        if not unchanged(result.args[name], before):
            raise WrongNumbers(f"the input {name} was changed; work on a copy, or write the result to a new one")
    for key, name in result.shared:
        output = key if key in names else list(names)[key if len(names) > 1 else 0]
        raise WrongNumbers(f"{output} shares its memory with the input {name}; return a new array")


def unchanged(value: Any, before: Any) -> bool:
    """Whether an input is what it was: an array, a number, or a list or a dict of these."""
    if isinstance(before, list):
        return len(value) == len(before) and all(map(unchanged, value, before))
    if isinstance(before, dict):
        return value.keys() == before.keys() and all(unchanged(value[key], before[key]) for key in before)
    return np.array_equal(value, before)


def alike(case: Case, one: Answer, other: Answer) -> bool:
    """Whether two answers to a case are the same: equal outputs that count, or errors of one type with one message."""
    if one.failure is not None or other.failure is not None:
        return told(one.failure) == told(other.failure)
    return same(one.outputs, other.outputs, case.tolerance)


def tells(value: Any) -> bool:
    """Whether there is anything but NaN in an answer's outputs.

    >>> tells({"loss": np.nan, "dX": np.array([np.nan, 1.0])}), tells({"loss": np.nan}), tells({"word": "cell"})
    (True, False, True)
    """
    if isinstance(value, dict):
        return any(map(tells, value.values()))
    try:
        array = np.asarray(value)
    except ValueError:  # lists of several lengths
        return True
    return array.dtype.kind not in "fc" or not array.size or not np.isnan(array).all()


def told(failure: Failure | None) -> tuple[str, ...]:
    """What an error tells, wherever it is raised: its type and its message."""
    return (failure.types[0], failure.message) if failure else ()


def outputs(problem: Problem, case: Case, value: Any) -> dict[str, Any]:
    """The value's outputs that count, by name; the value itself, nameless, if it has another structure."""
    try:
        got = problem.unpack(problem.outputs, value)
    except Wrong:
        return {"": value}
    return {name: got[name] for name in case.outputs or got}


def ended(wrong: Wrong) -> str:
    """The sentence with its full stop, unless it is a question."""
    sentence = str(wrong)
    return sentence if sentence.endswith("?") else f"{sentence}."
