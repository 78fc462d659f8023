"""Building a book of two pages: what is built again, and that a warning is an error every time."""

import shutil
import zipfile
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import rnncourse
from rnncourse.book import build, notebooks

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def course(tmp_path):
    """A book of one page and one chapter, with the course's own configuration."""
    for name in ("_config.yml", "references.bib", "favicon.svg"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n- file: chapters/01-a\n")
    (tmp_path / "index.md").write_text("# The book\n\nA book of two pages, with no warning.\n")
    write_chapter(tmp_path, "A formula, $x_t$.", "print('said by a cell')")
    return tmp_path


def write_chapter(course, text, source):
    cells = [new_markdown_cell(f"# A chapter\n\n{text}"), new_code_cell(source)]
    notebooks.save(course / "chapters/01-a.ipynb", new_notebook(cells=cells))


def test_a_current_book_is_not_built_again_and_a_changed_page_is(course):
    said = []
    assert build.build(course, say=said.append)
    page = course / "_build/html/chapters/01-a.html"
    assert "said by a cell" in page.read_text()

    page.unlink()
    assert build.build(course, say=said.append)
    assert said[-1] == "The book is up to date: _build/html/index.html"
    assert not page.exists(), "a current book was built again"

    (course / "index.md").write_text("# The book\n\nAnother text.\n")
    assert build.build(course, say=said.append)
    assert page.exists()


def test_a_warning_fails_the_build_and_fails_it_again(course, capfd):
    write_chapter(course, "See {numref}`nowhere`.", "1")
    assert not build.build(course)
    assert not build.build(course)
    assert "nowhere" in capfd.readouterr().err
    assert not build.is_current(course)


def test_a_failing_cell_fails_the_build_before_any_page_is_written(course, capsys):
    write_chapter(course, "Text.", "1 / 0")
    assert not build.build(course)
    said = capsys.readouterr().out
    assert "01-a.ipynb, cell 2" in said
    assert "ZeroDivisionError" in said
    assert not (course / "_build/html").exists()


def test_the_archive_holds_the_whole_book_in_one_folder(course):
    html = course / "_build/html"
    (html / "chapters").mkdir(parents=True)
    (html / "index.html").write_text("index")
    (html / "chapters/a.html").write_text("chapter")
    archive = build.pack(course)
    folder = f"rnncourse-book-{rnncourse.__version__}"
    assert archive.name == f"{folder}.zip"
    assert sorted(zipfile.ZipFile(archive).namelist()) == [f"{folder}/chapters/a.html", f"{folder}/index.html"]
