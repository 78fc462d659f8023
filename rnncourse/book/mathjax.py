"""Typeset math with the MathJax that is installed beside the book, never from the network.

To change how the book typesets math, replace this extension.
"""

import shutil
from importlib.metadata import distribution
from pathlib import Path

from sphinx.application import Sphinx

SHIPPED = (
    "tex-chtml.js",
    "output/chtml/fonts",
    "input/tex/extensions",
    "a11y",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
)
"""What of MathJax goes into the built book."""


def source() -> Path:
    """The folder of the installed MathJax. Raises FileNotFoundError where it is missing."""
    folder = Path(str(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline/static/mathjax")))
    if not (folder / "tex-chtml.js").is_file():
        raise FileNotFoundError(f"expected MathJax in sphinx-mathjax-offline, got no {folder / 'tex-chtml.js'}")
    return folder


def ship(app: Sphinx, error: Exception | None) -> None:
    """Copy into the built book what its pages load: the renderer, its fonts, its speech rules."""
    if error or app.builder.format != "html":
        return
    for part in SHIPPED:
        origin, target = source() / part, Path(app.outdir, "_static", "mathjax", part)
        target.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(origin, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", ship)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
