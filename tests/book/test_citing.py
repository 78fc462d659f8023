"""Citing a claim: what is read, and what is said of a chapter that was not executed. A book with citations is built in
test_tables.py, as one build takes seconds."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rnncourse.book import citing, execution, notebooks


def write_chapter(course, name, source):
    cells = [new_markdown_cell(f"# Chapter {name}"), new_code_cell("from rnncourse.evidence import claim")]
    notebooks.save(course / f"chapters/{name}.ipynb", new_notebook(cells=[*cells, new_code_cell(source)]))


def test_claims_are_found_by_id_and_a_chapter_that_was_not_executed_is_a_warning(tmp_path, caplog):
    write_chapter(tmp_path, "01-a", 'claim("one", "It holds.", "holds", "share", 0.75, at_least=0.5)')
    assert execution.execute_chapters(tmp_path) == 0
    write_chapter(tmp_path, "02-b", "1")
    found = citing.published(tmp_path, ("chapters/01-a", "chapters/02-b"))
    assert {name: (page, claim["verdict"]) for name, (page, claim) in found.items()} == {
        "one": ("chapters/01-a", "holds")
    }
    assert "expected 02-b.ipynb to have been executed" in caplog.text
