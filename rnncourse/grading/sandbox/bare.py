"""Without walls: the same process in a folder of its own. It stops no one who means harm."""

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from rnncourse.grading.sandbox import visible

if sys.platform != "win32":  # where there is no such process, but this can be imported
    import fcntl

PREFIX = "rnncourse-bare-"
"""How the names of these folders begin, by which a killed one's is found."""


class Folder:
    """A temporary folder with what a submission may import. `remove` it.

    It is locked as long as its owner lives. A killed owner leaves it behind; whoever makes the next one removes it.
    """

    def __init__(self) -> None:
        sweep()
        self.lock = -1
        while self.lock < 0:  # another's sweep may come between a folder and its lock
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            with suppress(FileNotFoundError):
                self.lock = locked(self.path)
        for name, source in visible.everything().items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).symlink_to(source)

    def remove(self) -> None:
        """Remove it, with all that was written into it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def locked(path: Path, more: int = 0) -> int:
    """A folder, open and locked. Raises FileNotFoundError if it is no more, OSError if it cannot be had."""
    folder = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | more)
        path.stat()
    except OSError:
        os.close(folder)
        raise
    return folder


def sweep() -> None:
    """Remove the folders whose owners are gone."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # it is in use, or someone else's, or gone
            lock = locked(path, fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
