"""Claims hold at their bound and not beyond; what is published reaches a real kernel."""

import math

import nbformat
import numpy as np
import pytest
from myst_nb.core.variables import format_plain_text
from nbclient import NotebookClient

from rnncourse import evidence
from rnncourse.evidence import CLAIM_MIME, VERDICTS, claim, in_notebook, measured, publish


def say(value, verdict="holds", **bound):
    claim("short-name", "People say so.", verdict, "largest value", value, **bound)


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (1.0, {"at_most": 1}),
        (1.0, {"at_least": 1}),
        (-3, {"at_most": 0}),
        (np.float32(2.5), {"at_least": 0}),
        (np.array(0.5), {"at_most": 0.5}),
        (0, {"at_least": 0}),
    ],
)
def test_a_value_at_or_inside_its_bound_passes(value, bound, capsys):
    say(value, **bound)
    side, number = next(iter(bound.items()))
    said = f'Claim "People say so." Verdict: holds. Checked: largest value is {side.replace("_", " ")} {number:g}.\n'
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(
    ("value", "bound", "side"),
    [
        (np.nextafter(1.0, 2), {"at_most": 1}, "at most 1"),
        (np.nextafter(1.0, 0), {"at_least": 1}, "at least 1"),
        (math.nan, {"at_most": 1}, "at most 1"),
        (math.nan, {"at_least": 1}, "at least 1"),
        (math.inf, {"at_least": 1}, "at least 1"),
        (-math.inf, {"at_most": 1}, "at most 1"),
        (0.5, {"at_most": math.nan}, "at most nan"),
    ],
)
def test_a_value_beyond_its_bound_fails_and_nothing_is_said(value, bound, side, capsys):
    with pytest.raises(AssertionError, match=rf"claim short-name: largest value is \S+, expected {side}"):
        say(value, **bound)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_is_printed(verdict, capsys):
    say(0, verdict, at_most=1)
    assert f"Verdict: {verdict}." in capsys.readouterr().out


def test_measured_prints_name_and_text(capsys):
    measured("parameters", "66")
    assert capsys.readouterr().out == "parameters = 66\n"


@pytest.mark.parametrize("text", ["66", "1.30", "40,689", "1.0e-05", "'a'", "≈ 2.7", "−3", "é\\n"])
def test_the_book_shows_a_measured_text_as_it_is(text, monkeypatch):
    published = []
    monkeypatch.setattr(evidence, "publish", lambda data, metadata=None: published.append(data))
    measured("n", text)
    assert format_plain_text(published[0]["application/papermill.record/text/plain"], "") == text


def test_outside_a_notebook_nothing_is_published():
    assert not in_notebook()
    assert publish({"text/plain": "x"}) is False


def test_a_kernel_gets_the_claim_and_the_glue():
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("from rnncourse.evidence import claim, measured\nmeasured('size', '66')"),
            nbformat.v4.new_code_cell("claim('small', 'It <is> small.', 'depends', 'size', 66, at_most=70)"),
        ]
    )
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    printed, glued = notebook.cells[0].outputs
    assert (printed.output_type, printed.text) == ("stream", "size = 66\n")
    assert dict(glued.data) == {"application/papermill.record/text/plain": "66"}
    assert glued.metadata == {"scrapbook": {"name": "size", "mime_prefix": "application/papermill.record/"}}
    [shown] = notebook.cells[1].outputs
    assert shown.output_type == "display_data"
    assert shown.data["text/plain"] == 'Claim "It <is> small." Verdict: depends. Checked: size is at most 70.'
    assert shown.data[CLAIM_MIME] == {
        "id": "small",
        "statement": "It <is> small.",
        "verdict": "depends",
        "evidence": "size",
        "value": 66.0,
        "at_most": 70,
        "margin": 4.0,
    }
    html = shown.data["text/html"]
    assert 'id="claim-small"' in html
    assert "claim-depends" in html
    assert "It &lt;is&gt; small." in html
    assert "measured 66, asserted at most 70" in html
