"""Every kind of output: what is right passes, and each wrong answer gets its sentence."""

import re

import numpy as np
import pytest

from rnncourse.grading.checks import find, sets
from rnncourse.grading.checks.compare import AXES, same_output
from rnncourse.grading.checks.kinds import (
    Arrays,
    Count,
    Flag,
    Flags,
    Gates,
    Integers,
    Items,
    Number,
    Numbers,
    NumbersBackward,
)
from rnncourse.grading.checks.wrong import Wrong, WrongForm, WrongNumbers, WrongShape

TOKENS = ["<pad>", "the", "cell"]
RIGHT = [
    (Numbers("B H"), np.ones((2, 3)), np.ones((2, 3)) + 1e-9),
    (Numbers("B H"), np.ones((2, 3)), np.ones((2, 3), np.float32)),
    (Numbers(), np.ones((2, 1, 3)), np.ones((2, 1, 3))),
    (Integers("T B"), np.arange(6).reshape(3, 2), np.arange(6, dtype=np.int16).reshape(3, 2)),
    (Flags("T"), np.array([True, False]), np.array([True, False])),
    (Numbers("T+1 B"), np.ones((3, 2)), np.ones((3, 2))),
    (Gates("B 4H"), np.ones((2, 8)), np.ones((2, 8)) + 1e-9),
    (Arrays(), {"W": np.ones((2, 3)), "b": np.ones(2)}, {"b": np.ones(2), "W": np.ones((2, 3), np.float32)}),
    (Count(), 7, np.int64(7)),
    (Count(), 7, np.array(7)),
    (Number(), 0.5, 0.5),
    (Number(), 0.5, np.float32(0.5)),
    (Number(), 2.0, 2),
    (Number(), np.inf, np.inf),
    (Number(), 0.5, np.array(0.5)),
    (Flag(), True, np.True_),
    (Items(), TOKENS, tuple(TOKENS)),
    (Items(), {"the": 1}, {"the": np.int64(1)}),
]
WRONG = [
    (Integers("T B"), np.ones((3, 2), int), np.ones((3, 2)), WrongNumbers, "x has dtype float64, expected whole"),
    (Integers("T B"), np.ones((3, 2), int), np.ones((2, 3), int), WrongShape, "the axes look swapped"),
    (Integers("T"), np.array([1, 2]), np.array([1, 5]), Wrong, r"first at x\[1\]: expected 2, got 5"),
    (Integers("T"), np.array([1, 2]), [1, 2], WrongForm, r"x should be a NumPy array, got a list \(np.array makes"),
    (Numbers("T B"), np.ones((1, 2)), [np.ones(2)], WrongForm, r"got a list \(np.stack makes one of it\)"),
    (Numbers("T"), np.array([1, 2 / 3]), np.array([1, 2 / 3], np.float16), Wrong, "666504; its dtype float16"),
    (Integers("T"), np.array([1, 2]), np.array([0, 1], np.uint8), Wrong, r"first at x\[0\]: expected 1, got 0"),
    (Integers("T"), np.zeros(2, int), np.full(2, -(2**63)), Wrong, r"expected 0, got -9223372036854775808"),
    (Flags("T"), np.array([True, False]), np.array([1, 0]), WrongNumbers, "x has dtype int64, expected True and False"),
    (Flags("T B"), np.ones((2, 2), bool), np.eye(2, dtype=bool), Wrong, "expected True, got False"),
    (Numbers("B"), np.ones(2), np.ones(2, bool), WrongNumbers, "x has dtype bool, expected real numbers"),
    (Numbers("B"), np.ones(2), np.ones(3), WrongShape, r"expected \(2,\), that is \(B,\)"),
    (
        Numbers("T"),
        np.ones(3),
        np.array([1, 2, 2.5]),
        Wrong,
        r"from time step 1 on; first at x\[1\]: expected 1, got 2",
    ),
    (Numbers(), np.ones((2, 3)), np.ones((3, 2)), WrongShape, r"expected \(2, 3\); the axes look swapped"),
    (Gates("B 4H"), np.ones((3, 20)), np.ones((12, 5)), WrongShape, "blocks look joined one below the other"),
    (Gates("B 4H"), np.ones((3, 20)), np.ones((12, 6)), WrongShape, r"that is \(B, 4H\)$"),
    (Gates("B 4H"), np.ones((3, 20)), np.ones((13, 5)), WrongShape, r"that is \(B, 4H\)$"),
    (Numbers(), np.ones((2, 2)), np.eye(2), Wrong, r"error is at entry \[0, 1\]: expected 1, got 0"),
    (NumbersBackward("T"), np.ones(3), np.array([3, 2, 1.0]), Wrong, r"up to time step 1; first at x\[1\]: .* got 2"),
    (Numbers("T+1"), np.ones(3), np.array([1, 1, 3.0]), Wrong, r"from lag 2 on; first at x\[2\]: expected 1, got 3"),
    (Gates("B 4H"), np.ones((2, 8)), np.ones((2, 6)), WrongShape, r"expected \(2, 8\), that is \(B, 4H\)"),
    (
        Gates("4H"),
        np.ones(4),
        np.array([1, 1, 2, 1.0]),
        Wrong,
        "1 of 4 places, in gate g; .* at gate g, hidden unit 0:",
    ),
    (Gates("4H"), np.ones(4), np.zeros(4), Wrong, "in 4 of 4 places; .* at gate i, hidden unit 0: expected 1, got 0"),
    (Gates("B 4H"), np.ones((1, 8)), 1 - np.eye(1, 8, 3), Wrong, "in gate f; .* at sequence 0, gate f, hidden unit 1:"),
    (
        Gates("T 4H"),
        np.ones((3, 4)),
        np.array([[1, 1, 1, 1], [1, 5, 1, 2], [1, 1, 1, 3.0]]),
        Wrong,
        r"from time step 1 on, in gates f, o; first at x\[1\], gate f, hidden unit 0: expected 1, got 5",
    ),
    (Gates("B 4H"), np.ones((1, 8)), np.full((1, 8), np.nan), WrongNumbers, "8 places, .* sequence 0, gate entry 0:"),
    (Arrays(), {"W": np.ones(2)}, [np.ones(2)], WrongForm, "x should be a dict of arrays, got a list"),
    (Arrays(), {"W": np.ones(2), "b": np.ones(1)}, {"W": np.ones(2)}, Wrong, "x has 1 key, expected 2; it lacks 'b'"),
    (Arrays(), {"W": np.ones(2)}, {"W": np.ones(2), "U": 0}, Wrong, "x has 2 keys, expected 1; 'U' should not be"),
    (Arrays(), {"W": np.ones(2)}, {"W": [1.0, 1.0]}, WrongForm, r"x\['W'\] should be a NumPy array, got a list"),
    (Arrays(), {"W": np.ones((2, 2))}, {"W": np.eye(2)}, Wrong, r"x\['W'\] .* at row 0, column 1: expected 1, got 0"),
    (Count(), 7, 7.0, WrongForm, "x is 7.0, a float; it should be a whole number"),
    (Count(), 7, None, WrongForm, "x is None, expected 7"),
    (Count(), 7, True, WrongForm, "x should be a number, got a bool"),
    (Number(), 0.5, None, WrongForm, "x is None, expected a number"),
    (Number(), 0.5, np.ones(1), WrongForm, r"x should be one number, got an array of shape \(1,\)"),
    (Number(), 0.5, False, WrongForm, "x should be one number, got a bool"),
    (Number(), 0.5, 0.6, Wrong, "x is 0.6, expected 0.5"),
    (Number(), 0.5, np.nan, WrongNumbers, "x is nan, expected 0.5: an overflow, a logarithm of 0, or a division"),
    (Number(), np.inf, 3.0, Wrong, "x is 3, expected inf"),
    (Number(), np.inf, np.nan, Wrong, "x is nan, expected inf"),
    (Flag(), True, 1, WrongForm, "x should be True or False, got an int"),
    (Flag(), True, np.False_, Wrong, "x is False, expected True"),
    (Items(), TOKENS, {"the": 1}, WrongForm, "x should be a list, got a dict"),
    (Items(), {"the": 1}, TOKENS, WrongForm, "x should be a dict, got a list"),
    (Items(), TOKENS, ["<pad>", "cell", "the"], Wrong, r"x\[1\] is 'cell', expected 'the'"),
    (Items(), TOKENS, TOKENS[:2], Wrong, "x has 2 entries, expected 3"),
    (Items(), {"the": 1, "a": 2}, {"the": 1}, Wrong, "x has 1 key, expected 2; it lacks 'a'"),
    (Items(), {"the": 1}, {"the": 1, "a": 2}, Wrong, "x has 2 keys, expected 1; 'a' should not be there"),
    (Items(), {"the": 1}, {"the": 2}, Wrong, r"x\['the'\] is 2, expected 1"),
    (Items(), {"the": 1}, {"the": 1.0}, Wrong, r"x\['the'\] is 1.0, expected 1"),
    (Items(), {"the": 0}, {"the": 0j}, Wrong, r"x\['the'\] is 0j, expected 0"),
    (Items(), {"the": 0}, {"the": np.zeros(2)}, Wrong, r"x\['the'\] is array\(\[0., 0.\]\), expected 0"),
]


def test_every_axis_of_the_problems_outputs_has_a_word_and_every_word_an_axis():
    outputs = [kind for names in sets().values() for name in names for kind in find(name).outputs.values()]
    used = {letter for kind in outputs for letter in getattr(kind, "axes", "").split()}
    rows_and_columns = set("IJ")  # of a dict's arrays
    assert used | rows_and_columns == set(AXES)


@pytest.mark.parametrize(("kind", "want", "got"), RIGHT)
def test_what_is_right_passes(kind, want, got):
    kind.expect("x", got, want, 1e-5)


@pytest.mark.parametrize(("kind", "want", "got", "error", "sentence"), WRONG)
def test_what_is_wrong_gets_its_sentence(kind, want, got, error, sentence):
    with pytest.raises(Wrong, match=sentence) as caught:
        kind.expect("x", got, want, 1e-5)
    assert type(caught.value) is error
    assert len(re.findall(r"\n", str(caught.value))) == 0


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        (np.ones(2), [1.0, 1.0], True),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.ones(2), np.ones(3), False),
        (np.array([True]), np.array([1]), False),
        (np.array([1.0]), np.array([1]), True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, [("a", 1)], False),
        ({"a": np.ones(2)}, {"a": np.ones(2) + 1e-9}, True),
        ({"a": np.ones(2)}, {"a": np.zeros(2)}, False),
        (["a", "b"], ("a", "b"), True),
        (["a", "b"], ["a", "c"], False),
        ("a", "a", True),
        ([[1], [2, 3]], [[1], [2, 3]], True),
        ([[1], [2, 3]], [[1], [2, 4]], False),
        (np.array([None]), np.array([None]), False),
    ],
)
def test_two_answers_are_alike_or_not(a, b, alike):
    assert same_output(a, b, 1e-5) is alike


def test_a_masked_array_is_refused():
    with pytest.raises(WrongForm, match="h should be a NumPy array, got a masked one"):
        Numbers("B H").expect("h", np.ma.masked_all((2, 3)), np.ones((2, 3)), 1e-5)
