"""What is read of an executed notebook, and which claims cannot be one table."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rnncourse.book import executed, execution, notebooks
from rnncourse.book.executed import Executed

HOLDS = 'claim("{id}", "It holds.", "holds", "worst of 3 seeds", 0.75, at_least=0.5)'


def write_chapter(course, *sources):
    cells = [new_markdown_cell("# Chapter 1: a `title`\n\nText."), *map(new_code_cell, sources)]
    notebooks.save(course / "chapters/01-a.ipynb", new_notebook(cells=cells))


def test_claims_numbers_and_seconds_are_read_from_what_the_cells_published(tmp_path):
    write_chapter(
        tmp_path,
        "from rnncourse.evidence import claim, measured",
        f"print('said'); {HOLDS.format(id='one')}",
        f"measured('share', '0.4'); {HOLDS.format(id='two')}",
        "measured('run_time_01', '7')",
    )
    assert execution.execute_chapters(tmp_path) == 0
    chapter = executed.read(tmp_path, "chapters/01-a")
    assert (chapter.page, chapter.title, chapter.code_cells) == ("chapters/01-a", "Chapter 1: a title", 4)
    assert [claim["id"] for claim in chapter.claims] == ["one", "two"]
    assert chapter.claims[0] == {
        "id": "one",
        "statement": "It holds.",
        "verdict": "holds",
        "evidence": "worst of 3 seeds",
        "value": 0.75,
        "at_least": 0.5,
        "margin": 0.25,
    }
    assert chapter.measured == {"share": "0.4", "run_time_01": "7"}
    assert chapter.own_seconds == "7"
    assert chapter.seconds > 0


def test_a_notebook_whose_cells_changed_since_has_no_outputs(tmp_path):
    write_chapter(tmp_path, "1")
    assert execution.execute_chapters(tmp_path) == 0
    write_chapter(tmp_path, "2")
    with pytest.raises(ValueError, match=r"expected 01-a\.ipynb to have been executed"):
        executed.read(tmp_path, "chapters/01-a")


def chapter(page, *ids):
    return Executed(page, page, [{"id": name} for name in ids], {}, 1.0, 1)


def test_chapters_with_claims_of_their_own_have_no_fault():
    assert executed.faults([chapter("chapters/01-a", "one", "two"), chapter("chapters/02-b", "three")]) == []


def test_every_fault_is_named_not_only_the_first():
    assert executed.faults(
        [chapter("chapters/01-a", "one", "one"), chapter("chapters/02-b"), chapter("chapters/03-c", "one", "two")]
    ) == [
        "chapters/02-b publishes no claim",
        "two claims have the id one: in chapters/01-a, chapters/01-a, chapters/03-c",
    ]
