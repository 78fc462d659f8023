"""Judge a student's function on the cases of a problem: what is wrong with it, and which known mistake explains it."""

import inspect
from copy import deepcopy

import numpy as np

from rnncourse.grading.checks.attempt import attempt, described
from rnncourse.grading.checks.compare import Wrong, difference, same
from rnncourse.grading.checks.report import Report


def judge(problem, function, rng):
    """The `Report` on a student's `function`: what is wrong in the cases that `rng` draws, and why."""
    cases = list(problem.cases(rng))
    try:
        expect_function(problem, function, cases[0])
    except Wrong as unfit:
        return Report(problem, dict.fromkeys(problem.parts, ended(str(unfit))))
    results = [attempt(problem, function, case) for case in cases]
    if isinstance(results[0][1], NotImplementedError):
        unwritten = f"{problem.name} is not written yet: put your code in place of `raise NotImplementedError()`."
        return Report(problem, dict.fromkeys(problem.parts, unwritten))

    wrong, hint = dict.fromkeys(problem.parts), None
    sentences = [verdict(problem, case, *result) for case, result in zip(cases, results, strict=True)]
    for case, sentence in zip(cases, sentences, strict=True):
        if sentence:
            wrong[case.part] = wrong[case.part] or f"{case.note}: {ended(sentence)}"
    if any(sentences):
        first = next(k for k, sentence in enumerate(sentences) if sentence)
        hint = diagnosis(problem, cases, results, first)
    return Report(problem, wrong, hint)


def expect_function(problem, function, case):
    """Raise `Wrong` unless `function` can be called with the problem's arguments."""
    if not callable(function):
        raise Wrong(f"{problem.name} should be a function, got {type(function).__name__}")
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C have none
        return
    try:
        signature.bind(*case.args.values())
    except TypeError:
        raise Wrong(f"{problem.name} should take ({', '.join(case.args)}), yours takes {signature}") from None


def verdict(problem, case, value, error, args):
    """What is wrong with one result, in a sentence without its full stop; None if it is right."""
    if error is not None:
        return f"{problem.name} raised {described(error)}. The inputs were {case.inputs}"
    want = problem.unpack(problem.outputs, problem.reference(*deepcopy(list(case.args.values()))))
    try:
        if value is None:
            raise Wrong("it returned None: is a `return` missing?")
        got = problem.unpack(problem.outputs, value)
    except Wrong as wrong:
        return str(wrong)
    for name in case.outputs or problem.outputs:
        sentence = difference(name, problem.outputs[name], got[name], want[name], case.tolerance)
        if sentence:
            return sentence
    return touched(case, got, args) if case.untouched else None


def touched(case, outputs, args):
    """A sentence if the function changed an input or returned a view of one; None if not."""
    for name, before in case.args.items():
        if not np.array_equal(args[name], before):
            return f"the input {name} was changed; work on a copy, or write the result to a new array"
        for output in outputs:
            if isinstance(before, np.ndarray) and np.may_share_memory(outputs[output], args[name]):
                return f"{output} shares its memory with the input {name}; return a new array"
    return None


def diagnosis(problem, cases, results, first):
    """The known mistake that gives what the student's function gave in case `first` and in most others, or None.

    It must be wrong in case `first`: a mistake that shows elsewhere explains nothing there. Errors of one type are
    alike, but errors alone are no evidence: a value must agree in some case.
    """
    candidates = {}
    for hint, mistake in problem.mistakes.items():
        if not reproduces(problem, mistake, cases[first], results[first]):
            continue
        if verdict(problem, cases[first], *attempt(problem, mistake, cases[first])):
            agreed = [k for k in range(len(cases)) if reproduces(problem, mistake, cases[k], results[k])]
            if any(results[k][1] is None for k in agreed):
                candidates[hint] = len(agreed)
    return max(candidates, key=lambda hint: candidates[hint], default=None)


def reproduces(problem, mistake, case, result):
    """Whether the `mistake` gives this result in this case."""
    value, error, _ = result
    other, other_error, _ = attempt(problem, mistake, case)
    if error is not None or other_error is not None:
        return type(error) is type(other_error)
    return same(outputs(problem, value), outputs(problem, other), case.tolerance)


def outputs(problem, value):
    """The value's outputs by name; the value itself, nameless, if it has another structure."""
    try:
        return problem.unpack(problem.outputs, value)
    except Wrong:
        return {"": value}


def ended(sentence):
    """The sentence with its full stop, unless it is a question."""
    return sentence if sentence.endswith("?") else f"{sentence}."
