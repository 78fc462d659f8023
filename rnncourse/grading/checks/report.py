"""What a check found, as a few lines of text, and as a small table where HTML can be shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from textwrap import fill

from rnncourse.evidence import publish
from rnncourse.grading.checks.problem import Problem

REPORT_MIME = "application/vnd.rnncourse.report+json"
"""The MIME type of a report's record, from which a whole notebook's points are gathered."""

PADDED = ' style="padding: 0.2em 1em 0.2em 0; text-align: left"'
"""For pages without a style of their own for tables, such as nbgrader's feedback."""


@dataclass(frozen=True)
class Report:
    """What is wrong with a function.

    `wrong` holds a sentence for each part of the problem that is wrong, `reread` is where to read about the first of
    them, if not where the book explains the function. `hint` is the mistake it looks like, and `unexplained` are the
    parts where that alone does not give what came; `unknown` says that numbers are wrong that no known mistake gives.
    """

    problem: Problem
    wrong: Mapping[str, str]
    reread: str | None = None
    hint: str | None = None
    unexplained: tuple[str, ...] = ()
    unknown: bool = False

    @property
    def points(self) -> int:
        """The points of the parts that are right: a whole number."""
        return sum(points for part, points in self.problem.parts.items() if part not in self.wrong)

    @property
    def heading(self) -> str:
        """The function and its points, in one line."""
        return f"{self.problem.name}: {self.points} of {self.problem.points} points"

    @property
    def rows(self) -> Iterator[tuple[str, str, str]]:
        """For each part: its name, 'right' or 'wrong', and its points."""
        for part, points in self.problem.parts.items():
            wrong = part in self.wrong
            yield part, "wrong" if wrong else "right", f"{0 if wrong else points} of {points}"

    @property
    def advice(self) -> list[str]:
        """What is wrong with the first part that is, what it looks like, and where to read: a few sentences."""
        if not self.wrong:
            return []
        advice = [next(iter(self.wrong.values()))]
        if self.hint:
            advice.append(f"This is exactly what comes out when {self.hint}.")
        if self.unexplained:
            parts = ", ".join(self.unexplained)
            advice.append(f"Other parts differ in another way ({parts}), perhaps for the same reason: mend this first.")
        if self.unknown:
            advice.append("The check knows no mistake that gives this; it may be two. Try the example by hand first.")
        return [*advice, f"Read again: {self.reread or self.problem.reread}."]

    def __str__(self) -> str:
        width = max(map(len, self.problem.parts))
        table = [f"  {part:<{width}}  {verdict}  {points}" for part, verdict, points in self.rows]
        return "\n".join([self.heading, *table, *(fill(line, 110) for line in self.advice)])

    def _repr_html_(self) -> str:
        def row(part: str, *cells: str) -> str:
            data = "".join(f"<td{PADDED}>{cell}</td>" for cell in cells)
            return f'<tr><th scope="row"{PADDED}>{escape(part)}</th>{data}</tr>'

        rows = "".join(row(*cells) for cells in self.rows)
        table = f"<table><caption>{escape(self.heading)}</caption><tbody>{rows}</tbody></table>"
        return table + "".join(f"<p>{escape(line)}</p>" for line in self.advice)

    def show(self) -> None:
        """Show the report: the table in a notebook, the text elsewhere."""
        record = {"function": self.problem.name, "points": self.points}
        if not publish({"text/plain": str(self), "text/html": self._repr_html_(), REPORT_MIME: record}):
            print(self)
