"""exercises/ from solutions/: what the student gets is generated, never edited."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from filecmp import dircmp
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

SOURCE, RELEASE = "solutions", "exercises"
"""nbgrader's source folder and release folder."""


class ReleaseError(Exception):
    """A problem set that nbgrader could not generate."""


def generate(root: Path, assignment: str, folder: Path) -> None:
    """Write the release of `assignment` into `folder`/`assignment`, as `nbgrader generate_assignment --no-db` does.

    Raises `ReleaseError` with what nbgrader says if it refuses the source.
    """
    course = CourseDirectory(root=str(root), source_directory=SOURCE, release_directory=str(folder))
    course.assignment_id = assignment
    config = Config()
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    converter = GenerateAssignment(coursedir=course, config=config)
    with errors_of(converter.log) as errors:
        try:
            converter.start()
        except Exception as error:  # nbgrader raises many kinds, and tells the reason in its log alone
            raise ReleaseError(f"{assignment}: {errors[0] if errors else error}") from error


def assignments(root: Path) -> list[str]:
    """The problem sets under solutions/, by name."""
    return sorted(path.name for path in (root / SOURCE).iterdir() if any(path.glob("*.ipynb")))


def release(root: Path) -> list[str]:
    """Regenerate every set of exercises/ that differs from its source, and remove those without one.

    Returns the names of the sets that changed. A set whose source nbgrader refuses stays as it was, and the others go
    on. Raises `ReleaseError` at the end if there was one.
    """
    root = root.resolve()
    changed: list[str] = []
    refused: list[str] = []
    (root / RELEASE).mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{RELEASE}-", dir=root) as folder:
        new = Path(folder) / "new"
        for name in assignments(root):
            try:
                generate(root, name, new)
            except ReleaseError as error:
                refused.append(str(error))
                continue
            if differences(new / name, root / RELEASE / name):
                replace(root / RELEASE / name, new / name, Path(folder))
                changed.append(name)
        for path in (root / RELEASE).iterdir():
            if path.is_dir() and not (root / SOURCE / path.name).is_dir():
                shutil.rmtree(path)
                changed.append(path.name)
    if refused:
        raise ReleaseError("\n".join(refused))
    return changed


def out_of_step(root: Path) -> list[str]:
    """What in exercises/ is not what solutions/ gives: one line each; an empty list if all is in step."""
    root = root.resolve()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / RELEASE).mkdir()
        for name in assignments(root):
            generate(root, name, Path(folder) / RELEASE)
        return differences(Path(folder) / RELEASE, root / RELEASE)


def differences(expected: Path, actual: Path, inside: Path = Path()) -> list[str]:
    """The files in which folder `actual` differs from `expected`, as lines of text."""
    if not actual.is_dir():
        return [f"{actual.name}/ is missing"]
    compared = dircmp(expected, actual, ignore=[".ipynb_checkpoints"])
    same = [(expected / name).read_bytes() == (actual / name).read_bytes() for name in compared.common_files]
    lines = [f"{inside / name} is missing" for name in compared.left_only]
    lines += [f"{inside / name} has no source" for name in compared.right_only]
    lines += [f"{inside / name} differs" for name, equal in zip(compared.common_files, same, strict=True) if not equal]
    for name in compared.common_dirs:
        lines += differences(expected / name, actual / name, inside / name)
    return lines


def replace(old: Path, new: Path, aside: Path) -> None:
    """Put folder `new` in the place of `old`: two renames, `old` set aside in between."""
    if old.exists():
        old.rename(aside / f"old-{old.name}")
    new.rename(old)


@contextmanager
def errors_of(log: logging.Logger) -> Iterator[list[str]]:
    """The errors whose tracebacks are written to `log` while inside, a line each; nothing is printed."""
    lines: list[str] = []

    class Tracebacks(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("Traceback"):
                lines.append(record.getMessage().strip().splitlines()[-1])

    handlers, propagate = log.handlers[:], log.propagate
    log.handlers[:], log.propagate = [Tracebacks()], False
    try:
        yield lines
    finally:
        log.handlers[:], log.propagate = handlers, propagate
