"""Every kind of bad input gets a sentence of its own, whatever a function should return."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from problem_sets import judged

from rnncourse.grading.checks import find
from rnncourse.grading.checks import judge as judging
from rnncourse.grading.checks.judge import judge

# One function for each kind of return.
ARRAY, TUPLE, DICT, ARRAYS, NUMBER, FLAG = KINDS = (
    "rnn_step",
    "rnn_forward",
    "count_parameters",
    "clip_by_value",
    "perplexity",
    "leaks_future",
)


def never_returns(*args):
    while True:
        pass


# What stands in the function's place; and what is done to the right value, to the whole of it or to its first part.
IN_PLACE_OF = {"missing": None, "not callable": 3, "wrong arguments": lambda only: only, "never returns": never_returns}
RETURNED = {"None": lambda value: None, "wrong number of values": lambda value: (value, value, value)}
FIRST_PART = {
    "a list": lambda part: np.asarray(part)[None].tolist() if np.ndim(part) == 0 else part.tolist(),
    "a torch tensor": lambda part: torch.as_tensor(part),
    "an object array": lambda part: np.asarray(part).astype(object),
    "NaN": lambda part: part * np.nan,
    "complex": lambda part: part + 0j,
}

SENTENCES = {
    "missing": {name: f"{name} should be a function, got None" for name in KINDS},
    "not callable": {name: rf"{name} should be a function, got an int\b" for name in KINDS},
    "wrong arguments": {
        ARRAY: r"rnn_step should take \(x, h, W_x, W_h, b\), yours takes \(only\)",
        TUPLE: r"rnn_forward should take \(X, h0, W_x, W_h, b\), yours takes \(only\)",
        DICT: r"count_parameters should take \(D, H, Q\), yours takes \(only\)",
        ARRAYS: r"clip_by_value should take \(grads, limit\), yours takes \(only\)",
        NUMBER: r"perplexity should take \(losses, masks\), yours takes \(only\)",
        FLAG: r"leaks_future should take \(f, X, other\), yours takes \(only\)",
    },
    "never returns": {
        name: rf"{name} was still running after 0.1 seconds in your line \d+, .*: does a loop never end\?"
        for name in KINDS
    },
    "None": dict.fromkeys(KINDS, "it returned None: is a `return` missing?"),
    "wrong number of values": {
        ARRAY: "h_next should be a NumPy array, got a tuple",
        TUPLE: r"it should return 2 values \(states, last\), got 3",
        DICT: "it should return a dict with the keys W_xh, W_hh, b_h, W_hq, b_q, total, got a tuple",
        ARRAYS: "clipped should be a dict of arrays, got a tuple",
        NUMBER: "ppl should be one number, got a tuple",
        FLAG: "leaks should be True or False, got a tuple",
    },
    "a list": {
        ARRAY: r"h_next should be a NumPy array, got a list \(np.array makes one of it\)",
        TUPLE: r"states should be a NumPy array, got a list \(np.array makes one of it\)",
        DICT: "W_xh should be a number, got a list",
        ARRAYS: r"clipped\['W_x'\] should be a NumPy array, got a list \(np.array makes one of it\)",
        NUMBER: "ppl should be one number, got a list",
        FLAG: "leaks should be True or False, got a list",
    },
    "a torch tensor": {
        ARRAY: "h_next should be a NumPy array, got a Tensor",
        TUPLE: "states should be a NumPy array, got a Tensor",
        DICT: "W_xh should be a number, got a Tensor",
        ARRAYS: r"clipped\['W_x'\] should be a NumPy array, got a Tensor",
        NUMBER: "ppl should be one number, got a Tensor",
        FLAG: "leaks should be True or False, got a Tensor",
    },
    "an object array": {  # one without axes is the number in it
        ARRAY: "h_next has dtype object, expected real numbers",
        TUPLE: "states has dtype object, expected real numbers",
        ARRAYS: r"clipped\['W_x'\] has dtype object, expected real numbers",
    },
    "NaN": {
        ARRAY: r"h_next holds nan in (\d+) of \1 places, the first at sequence 0, hidden unit 0",
        TUPLE: r"states holds nan in (\d+) of \1 places, the first at time step 0, sequence 0, hidden unit 0",
        DICT: "W_xh is nan, a float; it should be a whole number, an int: expected ",
        ARRAYS: r"clipped\['W_x'\] holds nan in 6 of 6 places, the first at row 0, column 0",
        NUMBER: r"ppl is nan, expected [\d.]+: an overflow, a logarithm of 0, or a division by 0\?",
        FLAG: "leaks should be True or False, got a float",
    },
    "complex": {
        ARRAY: "h_next has dtype complex128, expected real numbers",
        TUPLE: "states has dtype complex128, expected real numbers",
        DICT: "W_xh should be a number, got a complex",
        ARRAYS: r"clipped\['W_x'\] has dtype complex128, expected real numbers",
        NUMBER: "ppl should be one number, got a complex",
        FLAG: "leaks should be True or False, got a complex",
    },
}
ROWS = [(kind, name) for kind, sentences in SENTENCES.items() for name in sentences]


def change_first(value, change):
    """The value with its first part changed, of a tuple or a dict; or else itself."""
    if isinstance(value, tuple):
        return change(value[0]), *value[1:]
    if isinstance(value, dict):
        key = next(iter(value))
        return value | {key: change(value[key])}
    return change(value)


def bad(kind, name):
    """A function, or what stands in its place, that does one thing wrong in place of the function `name`."""
    if kind in IN_PLACE_OF:
        return IN_PLACE_OF[kind]
    right = find(name).reference
    if kind in RETURNED:
        return lambda *args: RETURNED[kind](right(*args))
    return lambda *args: change_first(right(*args), FIRST_PART[kind])


def said(kind, name):
    report = judged(name, bad(kind, name))
    assert report.points < find(name).points
    return report.advice[0]


@pytest.mark.parametrize(("kind", "name"), ROWS)
def test_a_bad_input_gets_its_own_sentence(kind, name, monkeypatch):
    if kind == "never returns":
        monkeypatch.setattr(judging, "SECONDS", 0.1)
    sentence = said(kind, name)
    told = [other for other in SENTENCES if name in SENTENCES[other] and re.search(SENTENCES[other][name], sentence)]
    assert told == [kind], sentence


def within(grads, limit):
    """`clip_by_value` that hands on what is within the limit."""
    return {name: g if (abs(g) <= limit).all() else np.clip(g, -limit, limit) for name, g in grads.items()}


def transposed(weights):
    """`gru_weights_from_torch` whose first array is the input's, turned over."""
    return weights["weight_ih_l0"].T, *find("gru_weights_from_torch").reference(weights)[1:]


SAME = replace(find("rnn_step"), reference=lambda x, h, W_x, W_h, b: h.copy())  # a view can be right in such a problem


@pytest.mark.parametrize(
    ("problem", "function", "sentence"),
    [
        (SAME, lambda x, h, W_x, W_h, b: h[:], "h_next shares its memory with the input h; return a new array."),
        (find("gru_weights_from_torch"), transposed, "W_x shares its memory with the input weights; return a new"),
        (find("clip_by_value"), within, "clipped shares its memory with the input grads; return a new array."),
    ],
    ids=["array", "tuple", "dict of arrays"],
)
def test_a_view_of_an_input_gets_its_own_sentence(problem, function, sentence):
    report = judge(problem, function, np.random.default_rng(0))
    assert report.points == problem.points - 1
    assert sentence in report.advice[0]


LATE = {
    "exits": ("raise SystemExit", "raised SystemExit"),
    "sleeps": ("__import__('time').sleep(60)", "was still running after 0.5 seconds"),
}


@pytest.mark.parametrize(("line", "sentence"), LATE.values(), ids=LATE)
def test_what_does_not_come_back_has_its_sentence(monkeypatch, line, sentence):
    monkeypatch.setattr("rnncourse.grading.checks.judge.SECONDS", 0.5)
    scope = {}
    exec(f"def rnn_step(x, h, W_x, W_h, b):\n    {line}", scope)
    assert sentence in str(judge(find("rnn_step"), scope["rnn_step"], np.random.default_rng(0)))
