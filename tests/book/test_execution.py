"""Executing chapters into the cache: what runs, what does not run twice, and what a failure says."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rnncourse.book import execution, files, notebooks
from rnncourse.book.__main__ import main


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course's folder with a package of one module, in which the command line runs."""
    (tmp_path / "rnncourse").mkdir()
    (tmp_path / "rnncourse/cells.py").write_text("answer = 1\n")
    (tmp_path / "_toc.yml").write_text("root: index\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_chapter(course, name, *sources):
    cells = [new_markdown_cell("# Title"), *(new_code_cell(source) for source in sources)]
    for position, cell in enumerate(cells):
        cell.id = f"{name}-{position}"
    path = course / "chapters" / f"{name}.ipynb"
    notebooks.save(path, new_notebook(cells=cells))
    return path


def counting(log):
    """A cell that leaves one line each time it is executed."""
    return f"with open({str(log)!r}, 'a') as log: print('run', file=log)"


def test_outputs_are_written_in_normal_form_and_a_second_time_changes_nothing(course):
    path = write_chapter(course, "a", "import sys\nprint('out')\nprint('progress', file=sys.stderr)", "6 * 7")
    assert main(["normalize"]) == 0
    assert [
        cell.outputs[0].get("text") or cell.outputs[0].data["text/plain"] for cell in notebooks.read(path).cells[1:]
    ] == [
        "out\n",
        "42",
    ]
    before = path.read_bytes()
    assert main(["normalize"]) == 0
    assert path.read_bytes() == before
    assert main(["check"]) == 0


def test_a_chapter_runs_in_its_own_folder(course):
    path = write_chapter(course, "a", "from pathlib import Path\nprint(Path.cwd().name)")
    main(["normalize"])
    assert notebooks.read(path).cells[1].outputs[0].text == "chapters\n"


def test_a_raising_cell_is_named_and_the_other_chapters_still_run(course, capsys):
    bad = write_chapter(course, "bad", "x = 1", "raise ValueError('expected X of shape (T, B, 2)')")
    good = write_chapter(course, "good", "print('fine')")
    before = bad.read_bytes()
    assert main(["normalize"]) == 1
    said = capsys.readouterr().out
    assert f"FAILED {bad}, cell 3 (id bad-2)" in said
    assert "ValueError: expected X of shape (T, B, 2)" in said
    assert "\x1b" not in said, "terminal colours in the report"
    assert notebooks.read(good).cells[1].outputs[0].text == "fine\n"
    assert bad.read_bytes() == before, "a failing chapter was rewritten"


def test_a_cell_that_kills_its_kernel_is_named(course, capsys):
    path = write_chapter(course, "a", "import os\nos._exit(1)")
    assert main(["execute"]) == 1
    assert f"FAILED {path}, cell 2 (id a-1)" in capsys.readouterr().out


def test_a_cell_that_takes_too_long_is_named(course, capsys, monkeypatch):
    monkeypatch.setattr(execution, "SECONDS_PER_CELL", 1)
    path = write_chapter(course, "a", "import time\ntime.sleep(60)")
    assert main(["execute"]) == 1
    assert f"FAILED {path}, cell 2 (id a-1)" in capsys.readouterr().out


def test_what_is_no_notebook_is_reported_and_the_others_still_run(course, capsys):
    write_chapter(course, "good", "print('fine')")
    (course / "chapters/broken.ipynb").write_text("not a notebook")
    assert main(["execute"]) == 1
    said = capsys.readouterr().out
    assert "broken.ipynb to be a Jupyter notebook" in said
    assert "good.ipynb" in said


def test_a_cached_chapter_does_not_run_again(course, tmp_path):
    log = tmp_path / "log"
    write_chapter(course, "a", counting(log))
    assert main(["execute"]) == main(["execute"]) == 0
    assert log.read_text() == "run\n"


@pytest.mark.parametrize("changed", ["rnncourse/cells.py", "rnncourse/new.py", "constraints.txt"])
def test_a_change_beside_the_chapter_makes_it_run_again(course, tmp_path, changed):
    log = tmp_path / "log"
    write_chapter(course, "a", counting(log))
    main(["execute"])
    (course / changed).write_text("answer = 2\n")
    main(["execute"])
    assert log.read_text() == "run\nrun\n"


def test_prose_and_the_books_look_change_without_execution(course, tmp_path):
    log = tmp_path / "log"
    path = write_chapter(course, "a", counting(log))
    main(["execute"])
    files.write(course / "rnncourse/book/static/book.css", "p {}")
    notebook = notebooks.read(path)
    notebook.cells[0].source = "# Another title"
    notebooks.save(path, notebook)
    main(["execute"])
    assert log.read_text() == "run\n"


def test_the_seconds_a_chapter_took_are_recorded(course):
    write_chapter(course, "a", "import time\ntime.sleep(0.2)")
    main(["execute"])
    (record,) = execution.open_cache(course).list_cache_records()
    assert record.data["execution_seconds"] > 0.2


def test_the_check_names_a_notebook_that_is_not_normal_and_what_mends_it(course, capsys):
    path = write_chapter(course, "a", "1")
    path.write_text(path.read_text().replace('"execution_count": 1', '"execution_count": 8'))
    assert main(["check"]) == 1
    said = capsys.readouterr().out
    assert f"{path}: not in its normal form" in said
    assert "make notebooks" in said


def test_outside_the_courses_folder_the_commands_say_where_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["check"])
    assert "expected to run in the course's folder" in capsys.readouterr().err
