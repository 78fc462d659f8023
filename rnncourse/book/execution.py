"""Execute the chapters in parallel into Jupyter Book's own cache.

The cache knows a notebook by its code cells alone, so it is emptied when anything else that shapes the outputs
changes: the package, the pins, the Python version.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.main import JupyterCacheBase
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from rnncourse.book import files, notebooks

SECONDS_PER_CELL = 300
"""A cell that takes longer has failed."""


@dataclass(frozen=True)
class Failure:
    """A notebook that did not run to its end, and the cell that stopped it."""

    path: Path
    position: int
    cell_id: str
    reason: str

    def __str__(self) -> str:
        return f"FAILED {self.path}, cell {self.position} (id {self.cell_id}):\n{indent(self.reason, '    ')}"


def open_cache(root: Path) -> JupyterCacheBase:
    """Jupyter Book's cache below `root`, empty if what the chapters' outputs depend on has changed."""
    folder = root / "_build" / ".jupyter_cache"
    stamp = folder / "made-from.sha256"
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    made_from = f"{python} {files.digest(files.package_sources(root), root)}"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != made_from:
        if folder.exists():
            get_cache(folder).clear_cache()
        files.write(stamp, made_from)
    return get_cache(folder)


def is_cached(cache: JupyterCacheBase, notebook: NotebookNode) -> bool:
    """Whether the cache holds the outputs of these cells."""
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def execute(
    cache: JupyterCacheBase,
    wanted: Iterable[tuple[Path, NotebookNode]],
    jobs: int | None = None,
    say: Callable[[str], None] = print,
) -> list[Failure]:
    """Execute, `jobs` at a time, the notebooks that are not in the cache, each in its own folder.

    A failing notebook does not stop the others. Returns the failures, in the order of `wanted`.
    """
    missing = [(path, notebook) for path, notebook in wanted if not is_cached(cache, notebook)]
    failures: list[Failure] = []
    pool = ThreadPoolExecutor(jobs or os.cpu_count())
    try:
        runs = {pool.submit(_run, path, notebook): (path, notebook) for path, notebook in missing}
        for run in as_completed(runs):
            path, notebook = runs[run]
            outcome = run.result()
            if isinstance(outcome, Failure):
                failures.append(outcome)
                say(str(outcome))
                continue
            bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": outcome})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            say(f"{outcome:7.1f} s  {path.name}")
    finally:
        pool.shutdown(cancel_futures=True)
    order = [path for path, _ in missing]
    return sorted(failures, key=lambda failure: order.index(failure.path))


def _run(path: Path, notebook: NotebookNode) -> float | Failure:
    """Execute `notebook` in place. Returns the seconds it took, or what stopped it."""
    position = 0

    def on_cell_start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal position
        position = cell_index

    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        record_timing=False,  # a time stamp in a cell's metadata would change the key it is cached under
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=on_cell_start,
        coalesce_streams=True,  # where a stream was flushed is chance, and the page would break the line there
    )
    start = time.perf_counter()
    try:
        client.execute()
    except (CellControlSignal, RuntimeError) as error:  # the cell raised, ran out of time, or killed its kernel
        return Failure(path, position + 1, notebook.cells[position].get("id", "none"), strip_ansi(str(error)).strip())
    return time.perf_counter() - start


def execute_chapters(root: Path, jobs: int | None = None, say: Callable[[str], None] = print) -> int:
    """Execute the chapters that are not in the cache. Returns how many could not be read or executed."""
    paths = files.chapters(root)
    readable = _readable(paths, notebooks.read, say)
    return len(paths) - len(readable) + len(execute(open_cache(root), readable, jobs, say))


def normalize(root: Path, jobs: int | None = None, say: Callable[[str], None] = print) -> int:
    """Execute the chapters that are not in the cache, and rewrite each in its normal form.

    Returns how many could not be read or executed; those files stay as they were.
    """
    paths, cache = files.chapters(root), open_cache(root)
    readable = _readable(paths, lambda path: notebooks.normal_form(notebooks.read(path)), say)
    failures = execute(cache, readable, jobs, say)
    failed = {failure.path for failure in failures}
    for path, notebook in readable:
        if path not in failed:
            _, executed = cache.merge_match_into_notebook(notebook)
            if notebooks.save(path, executed):
                say(f"rewritten  {path.name}")
    return len(paths) - len(readable) + len(failures)


def _readable(
    paths: list[Path], read: Callable[[Path], NotebookNode], say: Callable[[str], None]
) -> list[tuple[Path, NotebookNode]]:
    found = []
    for path in paths:
        try:
            found.append((path, read(path)))
        except ValueError as error:
            say(f"FAILED {path}: {error}")
    return found
