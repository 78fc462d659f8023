"""What a stranger's code put out is shown as text and pictures, and nothing in it comes to life."""

import base64

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.grading import clean


def png(width, height):
    """The beginning of a picture."""
    head = b"\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return base64.b64encode(clean.PNG + head + b"the rest").decode()


PNG = png(640, 480)


def test_colors_and_control_characters_go():
    assert clean.plain("\x1b[31;1mred\x1b[0m\x07\x00 é 中\n\tend") == "red é 中\n\tend"


def test_what_turns_the_direction_of_text_goes():
    assert clean.plain("a\u202eb\u2066c") == "abc"


def test_a_long_text_is_cut_and_says_so():
    assert clean.plain("x" * 20_000).endswith("x\n… cut: 20000 characters")


def test_a_result_keeps_its_text_and_its_picture_only():
    data = {"text/plain": "1", "text/html": "<script>", "image/png": PNG, "image/svg+xml": "<svg onload=…>"}
    (output,) = clean.outputs([{"output_type": "execute_result", "data": data, "metadata": {"x": 1}}])
    assert output.data == {"text/plain": "1", "image/png": PNG} and output.metadata == {}
    assert output.output_type == "display_data"  # a number here is never a mark


def test_a_picture_that_is_none_goes():
    for fake in ("aGVsbG8=", '"><script>', PNG + "!", 5, "A" * 5 * 2**20, png(50_000, 50_000), png(0, 0)):
        assert clean.outputs([{"output_type": "display_data", "data": {"image/png": fake}}]) == []


def test_streams_and_errors_become_text():
    given_outputs = [
        {"output_type": "stream", "name": "evil", "text": "\x1b[1mhi"},
        {"output_type": "error", "ename": "<b>", "evalue": "v", "traceback": ["\x1b[1mline", 5]},
    ]
    stream, error = clean.outputs(given_outputs)
    assert (stream.name, stream.text) == ("stdout", "hi")
    assert (error.ename, error.evalue, error.traceback) == ("<b>", "v", ["line", ""])


def test_many_outputs_are_cut():
    assert len(clean.outputs([{"output_type": "stream", "name": "stdout", "text": "x"}] * 500)) == clean.OUTPUTS


@pytest.mark.parametrize("given_outputs", [None, "x", {"a": 1}, [None, 5, [], {}, {"output_type": 7}, {"data": 1}]])
def test_what_is_no_output_goes(given_outputs):
    assert clean.outputs(given_outputs) == []


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["output_type", "data", "text", "name", "ename", "evalue", "traceback"]),
            st.sampled_from(["stream", "error", "display_data", 5, None, ["a", 1], {"text/plain": ["x"]}]),
        )
    )
)
def test_what_is_left_is_valid(given_outputs):
    cell = nbformat.v4.new_code_cell("", outputs=clean.outputs(given_outputs))
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


@given(st.text(alphabet="~`<>a\n[](){}$\\\u202e\x07", max_size=60))
def test_markdown_stays_in_its_box(source):
    lines = clean.markdown(source).split("\n")
    fence = lines[-1]
    assert lines[0] == f"{fence}text" and set(fence) == {"~"} and len(fence) >= 3
    assert not any(line.lstrip().startswith(fence) for line in lines[1:-1])
