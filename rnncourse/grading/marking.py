"""Mark one notebook: run its cells in a sandbox, judge its functions from outside, write both into it.

A notebook goes in as `rebuild` leaves it and comes out executed, with a number as the result of each graded cell,
which is where nbgrader looks for the points. No database, no shared state: any number can be marked side by side.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from nbformat import NotebookNode

from rnncourse.grading import clean, hidden
from rnncourse.grading.checks import find
from rnncourse.grading.checks.attempt import Failure, OutOfTime, Result
from rnncourse.grading.checks.judge import Sitting
from rnncourse.grading.checks.problem import Case
from rnncourse.grading.checks.report import Report
from rnncourse.grading.checks.wrong import WrongForm
from rnncourse.grading.rebuild import grade_id
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.wire import Decoder, Garbled, decode, encode, type_name
from rnncourse.grading.sandbox.worker import Dead, Ended, Worker
from rnncourse.grading.submission import BYTES, SKIPPED

STARTS = 8
"""How often a sandbox is started for one notebook. What kills one costs its own cell; what kills all costs the rest."""

ASKED, RESULT = 20_000, 1_000_000
"""The numbers in one argument of a call back, and in what it may come to."""

SENTENCE = 1000
"""The characters in a sentence of a report, which may quote what a student's function returned."""

TOO_LONG = "The outputs of this notebook are too long all together: those of this cell are left out.\n"
"""What stands in their place."""


class NoCheck(Exception):
    """A graded cell of the source without the line that names its function."""


class NoSandbox(Exception):
    """A sandbox that did not start, before any cell ran in it: no fault of the student's, and no mark."""


def functions(source: NotebookNode) -> dict[str, str]:
    """The function that each graded cell of a source notebook names, by the cell's name. Raises `NoCheck`."""
    found = {}
    for cell in source.cells:
        name, nbgrader = grade_id(cell), cell.metadata.get("nbgrader", {})
        if name is None or not nbgrader.get("grade") or nbgrader.get("solution"):
            continue
        named = re.findall(r"^grade\.(\w+)\(\1\)$", cell.source, flags=re.MULTILINE)
        if len(named) != 1:
            raise NoCheck(f"expected one line `grade.NAME(NAME)` in the graded cell {name}, got {len(named)}")
        found[name] = named[0]
    return found


@cache
def sitting(name: str, seed: str) -> Sitting:
    """The hidden cases of a function. They are the same for all students."""
    return Sitting(find(name), hidden(seed))


@dataclass
class Marking:
    """The marking of one notebook.

    `functions` names the function of each graded cell, `seed` is what the hidden cases are drawn from, and `walls` says
    whether there is a sandbox. `ran` keeps what ran to its end, to be run again in a new sandbox if this one dies.
    """

    functions: Mapping[str, str]
    seed: str
    limits: Limits = field(default_factory=Limits)
    walls: bool = True
    worker: Worker | None = None
    ran: list[str] = field(default_factory=list)
    starts: int = 0
    deadline: float = 0.0
    room: int = BYTES

    def mark(self, notebook: NotebookNode) -> NotebookNode:
        """A copy of the notebook with the outputs of its cells, and the points of its graded ones."""
        self.deadline, self.room = time.monotonic() + self.limits.submission, BYTES
        marked = deepcopy(notebook)
        try:
            for k, cell in enumerate(marked.cells, start=1):
                if cell.cell_type != "code" or SKIPPED in cell.metadata.get("tags", ()):
                    continue
                name = self.functions.get(grade_id(cell) or "")
                cell.execution_count = k
                cell.outputs = self.run(cell.source) if name is None else written(self.judge(name), k)
        finally:
            self.stop()
        return marked

    def run(self, source: str) -> list[NotebookNode]:
        """Run a cell of the student's: its outputs."""
        try:
            reply = self.ask({"run": source}, self.limits.cell)
        except Dead as dead:
            why = clean.plain(str(dead))
            return [clean.made("error", ename="Stopped", evalue=why, traceback=[f"Stopped: {why}"])]
        self.ran.append(source)
        outputs = clean.outputs(reply.get("outputs"))
        self.room -= len(json.dumps(outputs))
        return outputs if self.room >= 0 else [clean.made("stream", name="stderr", text=TOO_LONG)]

    def judge(self, name: str) -> Report:
        """Judge a function of the student's on its hidden cases."""
        cases = sitting(name, self.seed)
        ours: list[Callable[..., Any]] = list(cases.problem.lends.values())
        request = {
            "call": name,
            "names": list(cases.cases[0].args),
            "lends": [["function", lent, place] for place, lent in enumerate(cases.problem.lends)],
            "cases": [
                {"args": [encode(value, ours) for value in case.args.values()], "untouched": case.untouched}
                for case in cases.cases
            ],
            "seconds": self.limits.function,
        }
        try:
            reply = self.ask(request, self.limits.function + 5, lambda asked: answered(asked, ours))
            return self.report(cases, reply)
        except Dead as dead:
            return cases.refused(WrongForm(f"{name} could not be called to its end: {dead}"))

    def report(self, cases: Sitting, reply: dict[str, Any]) -> Report:
        """The report on what came back. Raises `Dead` if it cannot be read."""
        name = cases.problem.name
        if "missing" in reply:
            return cases.refused(WrongForm(f"no function of the name {name} is there after all cells before have run"))
        if "unfit" in reply:
            return cases.refused(WrongForm(clean.plain(reply["unfit"], 300)))
        try:
            results = read(reply, cases)
        except Garbled as error:
            self.stop()
            raise Dead(f"what it returned could not be read: {error}") from None
        if any(result.failure and result.failure.a(OutOfTime) for result in results):
            self.stop()
        try:
            report = cases.report(cases.answers(results))
            return replace(report, wrong={part: clean.plain(why, SENTENCE) for part, why in report.wrong.items()})
        except Exception as error:  # of values that no honest function returns
            return cases.refused(WrongForm(f"what {name} returned could not be compared ({type(error).__name__})"))

    def ask(self, request: dict[str, Any], seconds: float, serve: Any = None) -> dict[str, Any]:
        """Ask the sandbox, after starting it if need be. Raises `Dead`, and the sandbox is no more.

        One that ended is asked again, once, in a new one: something else may have killed it.
        """
        try:
            return self.ask_once(request, seconds, serve)
        except Ended:
            return self.ask_once(request, seconds, serve)

    def ask_once(self, request: dict[str, Any], seconds: float, serve: Any) -> dict[str, Any]:
        """Ask the sandbox. Raises `Dead`, and the sandbox is no more."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.stop()
            raise Dead(f"the {self.limits.submission:g} seconds for the whole notebook are used up")
        worker = self.worker or self.start()
        try:
            return worker.ask(request, min(left, seconds), serve)
        except Dead:
            self.stop()
            raise

    def start(self) -> Worker:
        """Start a sandbox and bring it to where the last one was. Raises `Dead`, and `NoSandbox` if none starts."""
        if self.starts == STARTS:
            raise Dead(f"it was started {STARTS} times, and stopped each time")
        self.starts += 1
        try:
            self.worker = worker = Worker(self.limits, self.walls)
        except Dead as dead:
            raise NoSandbox(f"the sandbox did not start: {dead}") from None
        for source in self.ran:
            self.ask_once({"run": source}, self.limits.cell, None)
        return worker

    def stop(self) -> None:
        """End the sandbox."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None


def answered(asked: dict[str, Any], functions: list[Callable[..., Any]]) -> dict[str, Any]:
    """Call a function of the grader's for the sandbox: its value, or its error. Raises `Garbled`."""
    place, args, named = asked["function"], asked.get("args"), asked.get("named")
    if type(place) is not int or not 0 <= place < len(functions):
        raise Garbled("it asked for a function that is not there")
    if not isinstance(args, list) or not isinstance(named, dict) or len(args) + len(named) > 20:
        raise Garbled("it called a function with something else than arguments")
    given = [decode(arg, entries=ASKED) for arg in args]
    by_name = {type_name(key): decode(arg, entries=ASKED) for key, arg in named.items()}
    if entries([*given, *by_name.values()]) > RESULT:
        raise Garbled("it called a function with arguments whose result would be too large")
    try:
        with np.errstate(all="ignore"):
            return {"value": encode(functions[place](*given, **by_name))}
    except Exception as error:  # raised again in the sandbox, in the student's function
        return {"types": [kind.__name__ for kind in type(error).__mro__[:-2]], "message": str(error)[:500]}


def entries(args: list[Any]) -> int:
    """More numbers than any product or sum of these arguments holds: its axes are among the longest of theirs.

    >>> entries([np.zeros((3, 4)), np.zeros((4, 5))]), entries([np.zeros((20_000, 1)), np.zeros((1, 20_000))])
    (20, 400000000)
    """
    numbers = [
        abs(int(arg)) for arg in args if isinstance(arg, (int, np.integer))
    ]  # such as the width of a one-hot row
    shapes = [shape_of(arg) for arg in args]
    axes = max(map(len, shapes), default=0) + len(numbers)
    longest = sorted([*(n for shape in shapes for n in shape), *numbers, *numbers])[-axes:] if axes else []
    return math.prod(max(1, n) for n in longest)


def shape_of(arg: Any) -> tuple[int, ...]:
    """The shape of an array, or the one that a list of lists may become."""
    if isinstance(arg, (list, tuple)):
        inner = [shape_of(entry) for entry in arg]
        return (len(arg), *max(inner, key=lambda shape: (len(shape), shape), default=()))
    return np.shape(arg) if isinstance(arg, (np.ndarray, np.generic)) else ()


def read(reply: dict[str, Any], cases: Sitting) -> list[Result]:
    """The results in a reply. Raises `Garbled` if they are not one for each case."""
    rows = reply.get("results")
    if not isinstance(rows, list) or len(rows) != len(cases.cases):
        raise Garbled("expected a result for each case")
    try:
        decoder = Decoder()
        return [result(row, case, decoder) for row, case in zip(rows, cases.cases, strict=True)]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise error if isinstance(error, Garbled) else Garbled("expected results, got something else") from None


def result(row: dict[str, Any], case: Case, decoder: Decoder) -> Result:
    """One result, from a row of a reply."""
    failure = None
    if row["failure"] is not None:
        types, message, line, code = row["failure"]
        names = tuple(map(type_name, types[:20])) or ("Exception",)
        line = line if type(line) is int else None
        failure = Failure(names, clean.plain(message, 200), line, clean.plain(code, 200))
    back = zip(case.args.items(), row["args"], strict=False)
    args = {name: given if callable(given) else decoder.read(value) for (name, given), value in back}
    shared = [(key if type(key) is int else clean.plain(key, 40), name) for key, name in row["shared"][:50]]
    return Result(decoder.read(row["value"]), failure, args, tuple(pair for pair in shared if pair[1] in case.args))


def written(report: Report, count: int) -> list[NotebookNode]:
    """The outputs of a graded cell: the report, and its points as a bare number."""
    points = clean.made("execute_result", data={"text/plain": str(report.points)}, execution_count=count)
    return [clean.made("stream", name="stdout", text=f"{report}\n"), points]
