"""How good are the checks? Each function's known mistakes and differently written solutions, judged on many seeds.

`python -m rnncourse.grading bank` writes what comes of it into the appendix; the tests compute it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from rnncourse.grading.checks import drawing, find, sets
from rnncourse.grading.checks.judge import Sitting
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.report import Report

SEEDS = range(30)
"""Each draws other cases."""

BEGIN, END = "<!-- written by python -m rnncourse.grading bank -->", "<!-- as far as here -->"
"""What stands around the table on the appendix's page."""


@dataclass(frozen=True)
class Record:
    """What the checks of one function did: a row of the table.

    `caught` counts the mistakes that were rejected on every seed, `named` how often, in percent of all mistakes on all
    seeds, the report named that very mistake, and `accepted` the solutions that passed on every seed in float32 and in
    float64.
    """

    folder: str
    function: str
    mistakes: int
    caught: int
    named: float
    alternatives: int
    accepted: int

    @property
    def counts(self) -> tuple[object, ...]:
        """What was counted, for a row of a table. The percentage is cut, not rounded: 100 means always."""
        named = f"{int(self.named * 10) / 10:g} %"
        return self.mistakes, self.caught, named, self.alternatives, self.accepted

    @property
    def row(self) -> str:
        """The record as a row of a Markdown table."""
        return markdown_row(self.folder, f"`{self.function}`", *self.counts)


def markdown_row(*cells: object) -> str:
    """A row of a Markdown table.

    >>> markdown_row("ps2", 7)
    '| ps2 | 7 |'
    """
    return f"| {' | '.join(map(str, cells))} |"


def on_mistakes(problem: Problem) -> dict[str, list[Report]]:
    """By known mistake: the report on it for each seed."""
    reports: dict[str, list[Report]] = {name: [] for name in problem.mistakes}
    for seed in SEEDS:
        sitting = Sitting(problem, np.random.default_rng(seed))
        for name, answers in sitting.mistaken.items():
            reports[name].append(sitting.report(answers))
    return reports


def on_alternatives(problem: Problem) -> dict[tuple[str, str], list[Report]]:
    """By differently written solution and precision, float32 or float64: the report on it for each seed."""
    precisions = "float32", "float64"
    reports: dict[tuple[str, str], list[Report]] = {pair: [] for pair in product(problem.alternatives, precisions)}
    for precision in precisions:
        cast = in_precision(problem, precision)
        for seed in SEEDS:
            sitting = Sitting(cast, np.random.default_rng(seed))
            for name, solution in problem.alternatives.items():
                reports[name, precision].append(sitting.judge(solution))
    return reports


def record(
    folder: str,
    problem: Problem,
    mistakes: dict[str, list[Report]],
    alternatives: dict[tuple[str, str], list[Report]],
) -> Record:
    """The row of a function, from the reports on its mistakes and its alternatives."""
    hits = [report.hint == name for name, reports in mistakes.items() for report in reports]
    failed = {name for (name, _), reports in alternatives.items() if any(report.wrong for report in reports)}
    return Record(
        folder,
        problem.name,
        len(mistakes),
        sum(all(report.points < problem.points for report in reports) for reports in mistakes.values()),
        100 * sum(hits) / len(hits),
        len(problem.alternatives),
        len(problem.alternatives) - len(failed),
    )


def records() -> Iterator[Record]:
    """The rows of all functions of all problem sets, one after the other: two minutes."""
    for folder, names in sets().items():
        for problem in map(find, names):
            yield record(folder, problem, on_mistakes(problem), on_alternatives(problem))


def table(rows: list[Record]) -> str:
    """A Markdown table of the records, with their sums in the last row."""
    head = markdown_row("set", "function", "mistakes", "caught", "named", "other solutions", "accepted")
    named = sum(row.named * row.mistakes for row in rows) / sum(row.mistakes for row in rows)
    sums = [sum(getattr(row, name) for row in rows) for name in ("mistakes", "caught", "alternatives", "accepted")]
    total = Record("all", f"{len(rows)} functions", sums[0], sums[1], named, sums[2], sums[3])
    last = markdown_row(total.folder, total.function, *total.counts)
    return "\n".join([head, "|---|---|--:|--:|--:|--:|--:|", *(row.row for row in rows), last])


def with_table(page: str, rows: list[Record]) -> str:
    """The text of the appendix's page with its table written anew. Raises ValueError if it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected a page with the lines {BEGIN!r} and {END!r}, got one without them")
    return f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{after}"


def in_precision(problem: Problem, precision: str) -> Problem:
    """The problem with every floating-point input in one precision."""

    def cast(case: Case) -> Case:
        return replace(case, args=drawing.in_precision(dict(case.args), precision))

    return replace(problem, cases=lambda rng: map(cast, problem.cases(rng)))
