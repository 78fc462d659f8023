"""The role `{claim}`: a page names a claim by its id, and gets its statement, its verdict, and a link to its cell.

So a page that rests on claims says what the chapters found when this book was built, and an id that no chapter
publishes is a warning, which fails the build.
"""

from functools import cache, partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from rnncourse.book import executed

_logger = logging.getLogger(__name__)


@cache
def published(root: Path, pages: tuple[str, ...]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Each claim's page and record by its id, of those pages that were executed; read once a build."""
    return executed.claims(executed.read_all(root, pages, partial(_logger.warning, type="rnncourse")))


class ClaimRole(SphinxRole):
    """`{claim}`id``: the claim's statement, as a link to the cell that asserts it, and its verdict."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Make the link."""
        root = Path(self.env.srcdir)
        pages = filter(executed.CHAPTER.match, self.config.external_site_map)
        page, claim = published(root, tuple(pages)).get(self.text, (None, None))
        if page is None or claim is None:
            _logger.warning(
                f"no chapter publishes the claim {self.text}", location=self.get_location(), type="rnncourse"
            )
            return [], []
        self.env.note_dependency(f"{page}.ipynb")
        address = f"{self.env.app.builder.get_relative_uri(self.env.docname, page)}#claim-{claim['id']}"
        made = nodes.inline("", "", classes=["claim-cited"])
        made += nodes.reference("", claim["statement"], refuri=address, internal=True)
        made += nodes.inline("", f" {claim['verdict']}", classes=["claim-verdict"])
        return [made], []


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_role("claim", ClaimRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
