"""The appendix's tables that the build fills: every claim of the chapters, and what running them took.

Two directives, `{claims}` and `{run-times}`. Their tables are made of what the executed chapters published, so there is
nothing in them to keep up to date. They are read without script; the choice of verdicts is made by the style sheet.
"""

import os
import platform
from collections import Counter
from collections.abc import Iterable
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from rnncourse.book import executed
from rnncourse.book.executed import Executed
from rnncourse.evidence import VERDICTS, bound

_logger = logging.getLogger(__name__)


def header(*names: str) -> str:
    """The row of names at the top of a table."""
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>"


def claims_table(chapter: Executed, address: str) -> str:
    """The claims of a chapter whose page is at `address`; each statement links to the cell that asserts it."""
    rows = "".join(
        f'<tr class="verdict-{claim["verdict"]}"><th scope="row">'
        f'<a href="{escape(address)}#claim-{escape(claim["id"])}">{escape(claim["statement"])}</a></th>'
        f'<td class="verdict">{claim["verdict"]}</td>'
        f"<td>{escape(claim['evidence'])}: <strong>{claim['value']:.3g}</strong>, asserted {bound(claim)}</td>"
        f'<td class="margin">{claim["margin"]:.2g}</td></tr>\n'
        for claim in chapter.claims
    )
    heads = header("claim", "verdict", "what was measured", "margin")
    return f'<table class="table claims">{heads}\n<tbody>\n{rows}</tbody></table>'


def verdict_choice(chapters: Iterable[Executed]) -> str:
    """Buttons that choose which verdicts to show, with how many there are of each."""
    count = Counter(claim["verdict"] for chapter in chapters for claim in chapter.claims)
    choices = [("all", count.total()), *((verdict, count[verdict]) for verdict in VERDICTS)]
    buttons = "".join(
        f'<label><input type="radio" name="verdict" id="verdict-{name}"{" checked" if name == "all" else ""}> '
        f"{name} ({number})</label>\n"
        for name, number in choices
    )
    return f'<fieldset class="verdict-choice"><legend>Show the claims whose verdict is</legend>\n{buttons}</fieldset>'


def run_times_table(notebooks: Iterable[tuple[Executed, str]]) -> str:
    """The seconds that each notebook took, and their sum. Each comes with the address of its page."""
    rows, total, cells = "", 0.0, 0
    for notebook, address in notebooks:
        total, cells = total + notebook.seconds, cells + notebook.code_cells
        rows += (
            f'<tr><th scope="row"><a href="{escape(address)}">{escape(notebook.title)}</a></th>'
            f"<td>{notebook.seconds:.0f}</td><td>{notebook.own_seconds or '–'}</td>"
            f"<td>{notebook.code_cells}</td></tr>\n"
        )
    heads = header("notebook", "seconds in the build", "by its own clock", "code cells")
    sums = f'<th scope="row">together</th><td>{total:.0f}</td><td></td><td>{cells}</td>'
    return f'<table class="table run-times">{heads}\n<tbody>\n{rows}</tbody>\n<tfoot><tr>{sums}</tr></tfoot></table>'


def machine() -> str:
    """What the book was built on: system, processor family, how many processors, Python."""
    return (
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    )


class Table(SphinxDirective):
    """A table made of executed notebooks. One that cannot be made is a warning, and a warning fails the build."""

    def executed(self, chapters_only: bool) -> list[Executed]:
        """The executed notebooks among the pages that the contents list, in their order."""
        root, pages = Path(self.env.srcdir), []
        for page in self.config.external_site_map:
            listed = executed.CHAPTER.match(page) if chapters_only else page.startswith("chapters/")
            if listed and (root / f"{page}.ipynb").exists():
                self.env.note_dependency(f"{page}.ipynb")
                pages.append(page)
        return executed.read_all(root, pages, self.warn)

    def address(self, page: str) -> str:
        """Where `page` is, seen from the page that holds the table."""
        return self.env.app.builder.get_relative_uri(self.env.docname, page)

    def warn(self, message: str) -> None:
        """Fail a build whose warnings are errors."""
        _logger.warning(message, location=self.get_location(), type="rnncourse")


class Claims(Table):
    """`{claims}`: one section a chapter, with a table of its claims."""

    def run(self) -> list[nodes.Node]:
        """Make the sections."""
        chapters = self.executed(chapters_only=True)
        for fault in executed.faults(chapters):
            self.warn(fault)
        made: list[nodes.Node] = [nodes.raw("", verdict_choice(chapters), format="html")]
        for chapter in chapters:
            section = nodes.section(
                "", nodes.title("", chapter.title), names=[nodes.fully_normalize_name(chapter.title)]
            )
            self.state.document.note_implicit_target(section)
            section += nodes.raw("", claims_table(chapter, self.address(chapter.page)), format="html")
            made.append(section)
        return made


class RunTimes(Table):
    """`{run-times}`: a table of what each notebook took, and the machine that it ran on."""

    def run(self) -> list[nodes.Node]:
        """Make the table."""
        listed = [(notebook, self.address(notebook.page)) for notebook in self.executed(chapters_only=False)]
        where = f"Measured on {machine()}."
        return [nodes.raw("", run_times_table(listed), format="html"), nodes.paragraph(where, where)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("claims", Claims)
    app.add_directive("run-times", RunTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
