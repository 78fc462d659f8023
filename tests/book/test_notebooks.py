"""The normal form of a notebook, rule by rule."""

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from rnncourse.book import notebooks


def notebook(*outputs, **cell):
    """A notebook of one code cell."""
    return new_notebook(cells=[new_code_cell("1", outputs=list(outputs), **cell)])


def kept(*outputs, **cell):
    """What the normal form keeps of a cell's outputs."""
    return notebooks.normal_form(notebook(*outputs, **cell)).cells[0].outputs


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def display(**data):
    return new_output("display_data", data={mime.replace("_", "/"): value for mime, value in data.items()})


MIMES = ("text/plain", "text/html", "image/png", "image/svg+xml", "application/papermill.record/text/plain")
outputs = st.one_of(
    st.builds(stream, st.text(max_size=8), st.sampled_from(["stdout", "stderr"])),
    st.builds(
        lambda mimes: new_output("display_data", data=dict.fromkeys(mimes, "x")),
        st.sets(st.sampled_from(MIMES), min_size=1),
    ),
    st.builds(lambda n: new_output("execute_result", data={"text/plain": "x"}, execution_count=n), st.integers(0, 9)),
)
tags = st.lists(st.sampled_from(["hide-input", "nbval-ignore-output"]), unique=True)
cells = st.one_of(
    st.builds(
        lambda source, outs, tags, count: new_code_cell(
            source, outputs=outs, metadata={"tags": tags, "collapsed": True}, execution_count=count
        ),
        st.text(max_size=12),
        st.lists(outputs, max_size=4),
        tags,
        st.none() | st.integers(0, 99),
    ),
    st.builds(new_markdown_cell, st.text(max_size=12)),
)
any_notebook = st.builds(lambda cells: new_notebook(cells=cells), st.lists(cells, max_size=5))


@given(any_notebook)
def test_the_normal_form_of_a_normal_form_is_itself(given_notebook):
    once = notebooks.normal_form(given_notebook)
    assert notebooks.dumps(notebooks.normal_form(once)) == notebooks.dumps(once)


@given(any_notebook)
def test_normalizing_changes_neither_its_argument_nor_any_source(given_notebook):
    before = notebooks.dumps(given_notebook)
    normal = notebooks.normal_form(given_notebook)
    assert notebooks.dumps(given_notebook) == before
    assert [cell.source for cell in normal.cells] == [cell.source for cell in given_notebook.cells]


@given(given_notebook=any_notebook)
def test_a_saved_notebook_is_normal_and_saving_again_changes_nothing(given_notebook, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "chapter.ipynb"
    assert notebooks.save(path, given_notebook)
    assert notebooks.is_normal(path)
    assert not notebooks.save(path, notebooks.read(path))
    assert [entry.name for entry in path.parent.iterdir()] == ["chapter.ipynb"]


def test_execution_counts_run_from_one_over_the_code_cells():
    given_notebook = new_notebook(
        cells=[new_code_cell("a", execution_count=7), new_markdown_cell("b"), new_code_cell("c", execution_count=None)]
    )
    normal = notebooks.normal_form(given_notebook)
    assert [cell.get("execution_count") for cell in normal.cells] == [1, None, 2]


def test_an_execute_result_carries_its_cells_count():
    result = new_output("execute_result", data={"text/plain": "x"}, execution_count=41)
    assert kept(result)[0].execution_count == 1


def test_cell_ids_are_kept_and_only_missing_or_repeated_ones_replaced():
    given_notebook = new_notebook(cells=[new_markdown_cell(text) for text in "abcd"])
    for cell, identity in zip(given_notebook.cells, ("intro", "intro", "cell-4", None), strict=True):
        cell.id = identity
    del given_notebook.cells[3]["id"]
    normal = notebooks.normal_form(given_notebook)
    assert [cell.id for cell in normal.cells] == ["intro", "cell-2", "cell-4", "cell-4-2"]


def test_metadata_without_meaning_is_dropped():
    metadata = {"tags": ["hide-input"], "mystnb": {"image": {"alt": "x"}}, "collapsed": True, "execution": {"a": "b"}}
    normal = notebooks.normal_form(notebook(metadata=metadata))
    assert normal.cells[0].metadata == {"tags": ["hide-input"], "mystnb": {"image": {"alt": "x"}}}


def test_empty_tags_are_no_metadata():
    assert notebooks.normal_form(notebook(metadata={"tags": []})).cells[0].metadata == {}


def test_nbgrader_metadata_is_kept():
    assert notebooks.normal_form(notebook(metadata={"nbgrader": {"grade": True}})).cells[0].metadata.nbgrader.grade


def test_the_kernel_is_the_environments_python():
    given_notebook = notebook()
    given_notebook.metadata = nbformat.from_dict({"kernelspec": {"name": "my-env"}, "toc": {"base": 1}})
    assert notebooks.normal_form(given_notebook).metadata == notebooks.NOTEBOOK_METADATA


@pytest.mark.parametrize("mime", ["image_png", "image_svg+xml", "text_html", "application_vnd.rnncourse.claim+json"])
def test_only_text_is_kept_of_a_rich_output(mime):
    assert [dict(output.data) for output in kept(display(text_plain="text", **{mime: "x"}))] == [{"text/plain": "text"}]


def test_an_output_with_no_text_is_dropped():
    assert kept(display(image_png="x")) == []


def test_a_glued_value_is_kept_with_its_name():
    glued = new_output(
        "display_data",
        data={"application/papermill.record/text/plain": "0.93"},
        metadata={"scrapbook": {"name": "accuracy"}, "needs_background": "light"},
    )
    (output,) = kept(glued)
    assert dict(output.data) == {"application/papermill.record/text/plain": "0.93"}
    assert output.metadata == {"scrapbook": {"name": "accuracy"}}


def test_standard_error_is_dropped_and_the_chunks_around_it_joined():
    assert [dict(o) for o in kept(stream("a"), stream("progress", "stderr"), stream("b"))] == [
        {"output_type": "stream", "name": "stdout", "text": "ab"}
    ]


def test_streams_on_both_sides_of_a_display_stay_apart():
    assert [output.output_type for output in kept(stream("a"), display(text_plain="x"), stream("b"))] == [
        "stream",
        "display_data",
        "stream",
    ]


def test_an_uncompared_cell_keeps_no_output():
    assert kept(stream("3.1 s"), metadata={"tags": ["nbval-ignore-output"]}) == []


def test_an_errors_traceback_which_holds_paths_is_dropped():
    error = new_output("error", ename="ValueError", evalue="no", traceback=["File /home/me/x.py"])
    assert [(output.ename, output.traceback) for output in kept(error)] == [("ValueError", [])]


def test_an_older_notebook_becomes_one_with_cell_ids(tmp_path):
    path = tmp_path / "old.ipynb"
    path.write_text(
        '{"nbformat": 4, "nbformat_minor": 2, "metadata": {},'
        ' "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["a\\n", "b"]}]}'
    )
    normal = notebooks.normal_form(notebooks.read(path))
    assert (normal.nbformat_minor, normal.cells[0].id, normal.cells[0].source) == (5, "cell-1", "a\nb")


def test_a_notebook_that_is_not_normal_is_seen(tmp_path):
    path = tmp_path / "chapter.ipynb"
    nbformat.write(notebook(execution_count=9), path)
    assert not notebooks.is_normal(path)


@pytest.mark.parametrize("text", ["", "not JSON", "[]", "{}", '{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}'])
def test_what_is_no_notebook_is_refused_by_name(tmp_path, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"expected .*broken\.ipynb to be a"):
        notebooks.read(path)


def test_an_invalid_cell_is_refused():
    given_notebook = notebook()
    given_notebook.cells[0].outputs = [nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": 3})]
    with pytest.raises(ValueError, match="expected a valid notebook"):
        notebooks.normal_form(given_notebook)
