"""The sections of the book that the problem sets name are there, in the chapter that they name."""

import re

import nbformat
import pytest
from problem_sets import ROOT, cells

SETS = {
    "ps1-text": ([2, 3], 4),
    "ps2-rnn": ([4], 1),
    "ps3-bptt": ([5], 3),
    "ps4-gradients": ([6], 3),
    "ps5-lstm": ([7], 3),
    "ps6-gru": ([8], 2),
    "ps7-deep": ([9, 10], 2),
}
"""By problem set: the chapters that it is about, and how many times it names a section."""

NAMED = re.compile(r'(?:[Cc]hapter (\d+)\b[^".]*?)?\b[Ss]ection "(.+?)"')
"""A section, with the chapter that the sentence names before it, if it does."""


def sections(chapter):
    """The headings of a chapter, but its title."""
    (path,) = (ROOT / "chapters").glob(f"{chapter:02}-*.ipynb")
    prose = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    return re.findall(r"^##+ (.+)$", prose, re.MULTILINE)


def test_every_problem_set_is_here():
    assert list(SETS) == sorted(path.name for path in (ROOT / "solutions").glob("ps*"))


@pytest.mark.parametrize("folder", SETS)
def test_the_sections_that_a_problem_set_names_are_there(folder):
    chapters, count = SETS[folder]
    text = " ".join("\n".join(cell.source for cell in cells(folder).values()).split())
    named = NAMED.findall(text)
    assert len(named) == count
    for chapter, section in named:
        places = [int(chapter)] if chapter else chapters
        assert section in [heading for place in places for heading in sections(place)], f"chapter {places}: {section!r}"
