"""The Sphinx extension that makes the book light, accessible, and readable from a folder with no network.

Its styles, script and templates are part of this package: Jupyter Book would load whatever stands under a source
`_static/` on every page.
"""

import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

HERE = Path(__file__).parent
"""Where the styles, the script and the templates lie."""

UNUSED = ("scripts/fontawesome.js", "**/*.map", "vendor/fontawesome/webfonts/*.ttf")
"""What the theme ships and no page loads."""

INLINE_MATH = re.compile(r'(<span class="math notranslate nohighlight">\\\([^<]*</span>)([.,;:!?)]+)')
"""A formula in the text, and the punctuation after it."""

NO_EXCERPTS = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
"""A browser may not fetch pages from a folder, so search shows titles there and no excerpts."""


def without(markup: str, *assets: str) -> str:
    """The markup without the script and link elements that load any of the named assets.

    >>> without('<script src="a.js"></script><script defer src="b.js?digest=1"></script>', "b.js")
    '<script src="a.js"></script>'
    """
    names = "|".join(re.escape(name) for name in assets)
    url = rf'(?:src|href)="(?:[^"]*/)?(?:{names})(?:\?[^"]*)?"'
    return re.sub(rf"\s*<script\b[^>]*{url}[^>]*></script>|\s*<link\b[^>]*{url}[^>]*/>", "", markup)


def description(doctree: nodes.document, longest: int = 155) -> str:
    """The page's first paragraph that says something, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 20:
            return text if len(text) <= longest else text[:longest].rsplit(" ", 1)[0] + "…"
    return ""


def complete_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add to a page its description and mend what the renderers get wrong."""
    if doctree is None:
        return
    if text := description(doctree):
        context["metatags"] = f'{context.get("metatags") or ""}<meta name="description" content="{escape(text)}" />'
    # A line may not break between a formula and the full stop after it.
    context["body"] = INLINE_MATH.sub(r'<span class="unbroken">\1\2</span>', context["body"])
    # A list of references is a list of list items to a screen reader.
    context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
    if pagename.startswith("exercises/"):
        link = f"{context['pathto']('_sources', 1)}/{context['sourcename']}"
        name = Path(context["sourcename"]).name
        note = (
            f'<p class="download">Work on this page as a notebook: <a href="{link}" download>download {name}</a>.</p>'
        )
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{note}", 1)


def add_filters(app: Sphinx) -> None:
    """Give the templates the filter `without`."""
    if app.builder.format == "html":
        app.builder.templates.environment.filters["without"] = without


def add_paths(app: Sphinx, config: Config) -> None:
    """Put this package's templates before the theme's, and its static files beside the theme's."""
    config.templates_path.insert(0, str(HERE / "templates"))
    config.html_static_path.append(str(HERE / "static"))


def drop_unused(app: Sphinx, error: Exception | None) -> None:
    """Delete from the built book what no page of it loads."""
    if not error and app.builder.format == "html":
        for pattern in UNUSED:
            for path in Path(app.outdir, "_static").glob(pattern):
                path.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("rnncourse.book.mathjax")
    app.setup_extension("rnncourse.book.tables")
    app.setup_extension("rnncourse.book.citing")
    app.connect("config-inited", add_paths)
    app.connect("builder-inited", add_filters)
    app.connect("html-page-context", complete_page)
    app.connect("build-finished", drop_unused)
    app.add_css_file("book.css", priority=900)
    app.add_js_file("selftest.js", defer="defer")
    app.add_js_file("handson.js", defer="defer")
    app.add_js_file(None, body=NO_EXCERPTS)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
