"""What is in a folder of downloads or in a zip: files with their times, opened one at a time and never unpacked.

Zips may be strangers' work. Nothing is written, no path in them is believed, and what they can swell to is bounded.
"""

import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from rnncourse.grading.submission import BYTES, Refused, content

WHOLE = 100_000, 64 * 2**30
"""At most: entries of the zip of a class, bytes of all that is read from it."""

INNER = 1_000, 2 * BYTES
"""The same for a zip within a folder or a zip: one student's. A zip in that is not opened."""

PASSING = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints", "timestamp.txt", "Thumbs.db", "desktop.ini"}
"""What systems leave behind and no student wrote."""

BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError, OverflowError)
"""What zipfile raises on zips that are damaged, encrypted, or packed in ways it does not know."""


class NoDownloads(Exception):
    """The place that was named holds no downloads; a sentence says why."""


@dataclass(frozen=True)
class File:
    """A file: the folders it lies in and its name, its time if it has one, and its bytes, or why they are refused.

    The time is the outermost's: of the file in the folder, or of the entry in the zip that was named. Times in a
    student's own zip are the student's to choose.
    """

    parts: tuple[str, ...]
    when: datetime | None
    data: bytes = b""
    refused: str = ""


def files(place: Path) -> Iterator[File]:
    """The files of a zip or of a folder; a folder that holds one zip and no notebook or folder is that zip.

    A zip in it counts as a folder of its name without ".zip". Raises `NoDownloads`.
    """
    if place.is_dir() and not place.is_symlink():
        there = [path for path in place.iterdir() if path.name not in PASSING and (path.is_dir() or wanted(path.name))]
        if len(there) != 1 or not is_zip(there[0].name):
            yield from of_folder(place)
            return
        place = there[0]
    if not place.exists():
        raise NoDownloads(f"expected a folder or a zip of downloads, found nothing at {place}")
    if place.is_symlink() or not place.is_file() or not zipfile.is_zipfile(place):
        raise NoDownloads(f"expected {place} to be a folder or a zip of downloads, got neither")
    with place.open("rb") as file:
        yield from of_zip(file, (), None)


def of_folder(place: Path) -> Iterator[File]:
    """The files below a folder; links are refused, and not followed."""
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if name not in PASSING)
        inside = Path(folder).relative_to(place).parts
        for name in sorted(names + [name for name in folders if (Path(folder) / name).is_symlink()]):
            path, parts = Path(folder) / name, (*inside, name)
            if name in PASSING:
                continue
            state = path.lstat()
            when = datetime.fromtimestamp(state.st_mtime, UTC)
            if not stat.S_ISREG(state.st_mode):
                yield File(parts, when, refused="a link, a pipe or a device")
                continue
            try:
                data = content(path) if wanted(name) else b""
            except Refused as refused:
                yield File(parts, when, refused=str(refused))
                continue
            yield from opened(File(parts, when, data))


def of_zip(file: IO[bytes], above: tuple[str, ...], when: datetime | None) -> Iterator[File]:
    """The files of a zip, which counts as the folder `above`; their time is `when`, or their own if it is None."""
    entries, most = INNER if above else WHOLE
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            if len(infos) > entries:
                yield File(above, when, refused=f"a zip of {len(infos)} entries; at most {entries} are read")
                return
            for info in infos:
                found = of_entry(archive, info, above, when, most)
                if found is None:
                    continue
                most -= len(found.data)
                if above and is_zip(found.parts[-1]):
                    yield replace(found, data=b"", refused="a zip within a zip")
                else:
                    yield from opened(found)
    except BROKEN as error:
        yield File(above, when, refused=f"not a zip that can be read ({error})")


def of_entry(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, above: tuple[str, ...], when: datetime | None, most: int
) -> File | None:
    """One entry of a zip, of at most `most` bytes; None if it is a folder, or nobody's."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    parts = (*above, *path.parts)
    if info.is_dir() or PASSING.intersection(path.parts):
        return None
    when = when or time_of(info)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or not path.name:
        return File((*above, path.name), when, refused="its path leads out of the zip")
    if stat.S_ISLNK(info.external_attr >> 16):
        return File(parts, when, refused="a link")
    if not wanted(path.name):
        return File(parts, when)
    bound = min(BYTES, most)
    if info.file_size > bound:  # more is not read than an entry says it holds
        return File(parts, when, refused=f"larger than {bound / 2**20:.0f} MiB when unpacked")
    try:
        with archive.open(info) as entry:
            return File(parts, when, entry.read(bound))
    except BROKEN as error:
        return File(parts, when, refused=f"it cannot be read ({error})")


def opened(file: File) -> Iterator[File]:
    """The file; if it is a zip, the files in it."""
    if file.refused or not is_zip(file.parts[-1]):
        yield file
    else:
        above = (*file.parts[:-1], file.parts[-1][: -len(".zip")])
        yield from of_zip(io.BytesIO(file.data), above, file.when)


def time_of(info: zipfile.ZipInfo) -> datetime | None:
    """When an entry was written: zips say it in local time. None if it does not say."""
    try:
        when = datetime(*info.date_time)
    except ValueError:
        return None
    return None if when.year <= 1980 else when.astimezone(UTC)


def wanted(name: str) -> bool:
    """Whether a file is one that is read: a notebook, or a zip."""
    return name.lower().endswith(".ipynb") or is_zip(name)


def is_zip(name: str) -> bool:
    """Whether a file is a zip by its name."""
    return name.lower().endswith(".zip")
