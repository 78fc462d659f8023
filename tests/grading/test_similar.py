"""Submissions that resemble each other are reported; what everybody may write alike is not."""

import shutil

import nbformat
import pytest
from courses import ROOT, SET, hand_in, model

from rnncourse.grading import similar
from rnncourse.grading.course import Course
from rnncourse.grading.similar import REST, functions, pairs

ODD = """
def rnn_forward(X, h0, W_x, W_h, b):
    collected = [h0]
    for moment in range(len(X)):
        previous = collected[len(collected) - 1]
        drive = np.einsum("bd,dh->bh", X[moment], W_x) + np.einsum("bh,hk->bk", previous, W_h)
        collected = collected + [np.tanh(drive + b.reshape(1, -1))]
    everything = np.stack(collected[1:], axis=0)
    return everything, everything[everything.shape[0] - 1]
"""
DISGUISED = '''
def rnn_forward(X: np.ndarray, h0, W_x, W_h, b) -> tuple:
    """All my own work."""
    # honestly
    s = [h0]
    for t in range(len(X)):
        h = s[len(s) - 1]
        a: np.ndarray = np.einsum('bd,dh->bh', X[t], W_x) \\
            + np.einsum('bh,hk->bk', h, W_h)
        s = s + [np.tanh(a + b.reshape(1, -1))]
    S = np.stack(s[1:], axis=0)
    return (S, S[S.shape[0] - 1])
'''
OTHER = """
def rnn_forward(X, h0, W_x, W_h, b):
    T, B, D = X.shape
    H = W_h.shape[0]
    out = np.empty((T, B, H), dtype=h0.dtype)
    projected = (X.reshape(T * B, D) @ W_x).reshape(T, B, H) + b
    state = h0.copy()
    for t, row in enumerate(projected):
        state = np.tanh(row + state @ W_h)
        out[t] = state
    return out, state.copy()
"""
ASKED = ["rnn_forward"]


def alike(one, other, known="", threshold=0.6):
    students = {"one": functions([one], ASKED), "other": functions([other], ASKED)}
    return pairs(students, functions([known], ASKED).get("rnn_forward", frozenset()), threshold)


def test_renaming_commenting_and_annotating_do_not_disguise_a_copy():
    assert functions([ODD], ASKED) == functions([DISGUISED], ASKED)
    (pair,) = alike(ODD, DISGUISED)
    assert (pair.one, pair.other, pair.functions) == ("one", "other", {"rnn_forward": 1.0})


def test_a_copy_with_a_line_changed_is_still_alike():
    (pair,) = alike(ODD, DISGUISED.replace("np.stack(s[1:], axis=0)", "np.array(s[1:])"))
    assert 0.6 < pair.functions["rnn_forward"] < 1


def test_different_answers_are_not_alike():
    assert alike(ODD, OTHER, threshold=0.3) == []


def test_what_everybody_may_have_read_does_not_count():
    assert alike(ODD, DISGUISED, known=ODD) == []


def test_one_liners_do_not_count():
    line = "def rnn_forward(X, h0):\n    return np.tanh(X + h0)"
    assert alike(line, line) == []


def test_own_helpers_count_as_the_rest():
    helper = ODD.replace("rnn_forward", "my_helper")
    (pair,) = alike(helper, helper)
    assert list(pair.functions) == [REST]


@pytest.mark.parametrize(
    "cell",
    ["def f(:", "%matplotlib inline\n!ls", "\0", "(" * 5000, "x = " + "-" * 100_000 + "1", "x = 0x" + "f" * 5000],
    ids=["no Python", "IPython's", "a zero", "brackets", "signs", "a number of many digits"],
)
def test_a_cell_that_is_no_python_is_passed_over(cell):
    assert "rnn_forward" in functions([cell, ODD], ASKED)


def test_a_class_is_compared(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    for folder in ("solutions", "exercises"):
        shutil.copytree(ROOT / folder / SET, tmp_path / folder / SET)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    course = Course(tmp_path)
    for student, source in {"ada": None, "ben": None, "cleo": ODD, "dora": DISGUISED, "emil": OTHER}.items():
        notebook = model()
        for cell in notebook.cells:
            if source and cell.metadata.get("nbgrader", {}).get("grade_id") == "rnn_forward":
                cell.source = source
        hand_in(course, student, notebook)
    hand_in(course, "fay", b"{")
    huge = model()
    huge.cells += [nbformat.v4.new_code_cell("x = 1\n" * 30_000)] * 2
    hand_in(course, "hal", huge)
    hand_in(course, "gus", nbformat.read(ROOT / "exercises" / SET / "rnn.ipynb", as_version=4))
    found, unread = similar.similar(course, SET)
    assert [(pair.one, pair.other, list(pair.functions)) for pair in found] == [("cleo", "dora", ["rnn_forward"])]
    assert list(unread) == ["fay", "hal"]
