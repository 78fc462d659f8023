"""What the book's notebooks published when they were executed, read from the cache they were executed into."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache

from rnncourse.book import notebooks
from rnncourse.evidence import CLAIM_MIME

CHAPTER = re.compile(r"chapters/\d")
"""How the names of those pages begin that make claims: the numbered chapters."""

RUN_TIME = "run_time_"
"""How the names of those numbers begin with which a chapter says how many seconds it took."""


@dataclass(frozen=True)
class Executed:
    """An executed notebook: its page's name and title, its claims' records, its numbers, and what running it took.

    `seconds` is the build's own measurement, from before the kernel starts until the last cell ends. `measured` holds
    the texts that `evidence.measured` published.
    """

    page: str
    title: str
    claims: list[dict[str, Any]]
    measured: dict[str, str]
    seconds: float
    code_cells: int

    @property
    def own_seconds(self) -> str | None:
        """The seconds that the notebook measured itself, as it published them; None if it did not."""
        return next((text for name, text in self.measured.items() if name.startswith(RUN_TIME)), None)


def read(root: Path, page: str) -> Executed:
    """Read the page's notebook with its outputs. Raises ValueError if these cells were not executed."""
    path, cache = root / f"{page}.ipynb", get_cache(root / "_build/.jupyter_cache")
    notebook = notebooks.read(path)
    try:
        record = cache.match_cache_notebook(notebook)
    except KeyError as error:
        raise ValueError(f"expected {path.name} to have been executed, got no outputs: run make book") from error
    title = re.search(r"^# (.+)$", "\n".join(cell.source for cell in notebook.cells), re.M)
    code = [cell for cell in cache.merge_match_into_notebook(notebook)[1].cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs if "data" in output]
    return Executed(
        page=page,
        title=title.group(1).replace("`", "").strip() if title else path.stem,
        claims=[output.data[CLAIM_MIME] for output in outputs if CLAIM_MIME in output.data],
        measured={
            output.metadata.scrapbook.name: output.data[f"{notebooks.GLUED}text/plain"]
            for output in outputs
            if f"{notebooks.GLUED}text/plain" in output.data
        },
        seconds=record.data["execution_seconds"],
        code_cells=len(code),
    )


def read_all(root: Path, pages: Iterable[str], warn: Callable[[str], None]) -> list[Executed]:
    """Read those of the pages that were executed, in this order; `warn` gets a sentence for each that was not."""
    found = []
    for page in pages:
        try:
            found.append(read(root, page))
        except ValueError as error:
            warn(str(error))
    return found


def claims(chapters: Iterable[Executed]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Each claim's page and record, by its id.

    >>> claims([Executed("chapters/01", "Chapter 1", [{"id": "bounded"}], {}, 1.0, 1)])
    {'bounded': ('chapters/01', {'id': 'bounded'})}
    """
    return {claim["id"]: (chapter.page, claim) for chapter in chapters for claim in chapter.claims}


def faults(chapters: Iterable[Executed]) -> list[str]:
    """What keeps the claims of these chapters from being one table: a chapter without any, an id that is not one's own.

    >>> claim = {"id": "bounded", "statement": "A tanh state is bounded."}
    >>> one, two = (Executed(page, page, [claim], {}, 1.0, 1) for page in ("chapters/01", "chapters/02"))
    >>> faults([one, two])
    ['two claims have the id bounded: in chapters/01, chapters/02']
    """
    found, places = [], defaultdict(list)
    for chapter in chapters:
        if not chapter.claims:
            found.append(f"{chapter.page} publishes no claim")
        for claim in chapter.claims:
            places[claim["id"]].append(chapter.page)
    return found + [
        f"two claims have the id {name}: in {', '.join(pages)}" for name, pages in places.items() if len(pages) > 1
    ]
