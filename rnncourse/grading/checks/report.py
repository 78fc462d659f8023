"""What a check found, as a few lines of text, and as a small table where HTML can be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from textwrap import fill
from typing import Any

from rnncourse.evidence import publish

PADDED = ' style="padding: 0.2em 1em 0.2em 0; text-align: left"'
"""For pages without a style of their own for tables, such as nbgrader's feedback."""


@dataclass(frozen=True)
class Report:
    """`wrong` maps each part of the problem to what is wrong, or None; `hint` is the mistake it looks like."""

    problem: Any
    wrong: Mapping[str, str | None]
    hint: str | None = None

    @property
    def points(self):
        """The points of the parts that are right: a whole number."""
        return sum(points for part, points in self.problem.parts.items() if not self.wrong[part])

    @property
    def heading(self):
        """The function and its points, in one line."""
        return f"{self.problem.name}: {self.points} of {self.problem.points} points"

    @property
    def rows(self):
        """For each part: its name, 'right' or 'wrong', and its points."""
        for part, points in self.problem.parts.items():
            wrong = self.wrong[part]
            yield part, "wrong" if wrong else "right", f"{0 if wrong else points} of {points}"

    @property
    def advice(self):
        """What is wrong with the first part that is, what it looks like, and where to read: at most three sentences."""
        sentences = [sentence for sentence in self.wrong.values() if sentence]
        if not sentences:
            return []
        hint = [f"This is exactly what comes out when {self.hint}."] if self.hint else []
        return [sentences[0], *hint, f"Read again: {self.problem.reread}."]

    def __str__(self):
        width = max(map(len, self.problem.parts))
        table = [f"  {part:<{width}}  {verdict}  {points}" for part, verdict, points in self.rows]
        return "\n".join([self.heading, *table, *(fill(line, 110) for line in self.advice)])

    def _repr_html_(self):
        def row(part, *cells):
            data = "".join(f"<td{PADDED}>{cell}</td>" for cell in cells)
            return f'<tr><th scope="row"{PADDED}>{escape(part)}</th>{data}</tr>'

        rows = "".join(row(*cells) for cells in self.rows)
        table = f"<table><caption>{escape(self.heading)}</caption><tbody>{rows}</tbody></table>"
        return table + "".join(f"<p>{escape(line)}</p>" for line in self.advice)

    def show(self):
        """Show the report: the table in a notebook, the text elsewhere."""
        if not publish({"text/plain": str(self), "text/html": self._repr_html_()}):
            print(self)
