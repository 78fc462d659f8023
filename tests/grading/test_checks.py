"""The checks: a mistake is named however it is written, and every bad answer gets its sentence."""

import re
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
from problem_sets import judged

from rnncourse.cells import RNN
from rnncourse.grading import check, grade
from rnncourse.grading.checks import find, sets
from rnncourse.grading.checks import judge as judging
from rnncourse.grading.checks.judge import judge

NAMES = [name for names in sets().values() for name in names]


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_passes_and_the_stub_scores_nothing(name):
    def stub(*args):
        raise NotImplementedError()

    assert judged(name, find(name).reference).points == find(name).points
    report = judged(name, stub)
    assert report.points == 0
    assert f"{name} is not written yet" in str(report)


def test_the_reference_step_is_the_formula():
    rng = np.random.default_rng(1)
    x, h, W_x, W_h, b = (rng.normal(size=shape) for shape in ((3, 4), (3, 5), (4, 5), (5, 5), 5))
    expected = np.tanh(x @ W_x + h @ W_h + b)
    np.testing.assert_allclose(find("rnn_step").reference(x, h, W_x, W_h, b), expected, rtol=0, atol=1e-15)


def test_the_reference_count_is_that_of_the_package():
    cell, counts = RNN(3, 5, np.random.default_rng(0)), find("count_parameters").reference(3, 5, 2)
    assert [counts["W_xh"], counts["W_hh"], counts["b_h"]] == [p.size for p in cell.params.values()]


# What students write, in their own way: not the bank's code.


def forgets_bias(x, h, W_x, W_h, b):
    z = np.zeros((len(x), len(b)))
    for i in range(len(x)):
        z[i] = x[i] @ W_x + h[i] @ W_h
    return np.tanh(z)


def transposes(x, h, W_x, W_h, b):
    return np.tanh(np.dot(x, W_x) + np.dot(W_h, h.T).T + b)


def swaps_parameters(h, x, W_x, W_h, b):
    return np.tanh(x @ W_x + h @ W_h + b)


def reads_the_end(X, h0, W_x, W_h, b):
    states = np.zeros((X.shape[0], X.shape[1], len(b)))
    for t in range(len(X)):
        states[t] = np.tanh(X[t] @ W_x + states[t - 1] @ W_h + b)
    return states, states[-1]


def forgets_to_carry(X, h0, W_x, W_h, b):
    states = np.tanh(X @ W_x + h0 @ W_h + b)
    return states, states[-1]


def one_array(X, h0, W_x, W_h, b):
    h, states = np.array(h0), []
    for x in X:
        h[:] = np.tanh(x @ W_x + h @ W_h + b)
        states.append(h)
    return np.array(states), h


def names_axes_batch_first(X, h0, W_x, W_h, b):
    B, T, _ = X.shape
    h, states = h0, np.zeros((T, B, len(b)))
    for t in range(T):
        h = correct(X[t], h, W_x, W_h, b)
        states[t] = h
    return states, h


def squeezes(X, h0, W_x, W_h, b):
    states, last = rnn_forward(X, h0, W_x, W_h, b)
    return states.squeeze(), last.squeeze()


def never_resets(windows, h0, W_x, W_h, b, reset):
    N, T, B, D = windows.shape
    h, states = h0, []
    for x in windows.reshape(N * T, B, D):
        h = np.tanh(x @ W_x + h @ W_h + b)
        states.append(h)
    return np.reshape(states, (N, T, B, len(b)))


def squeezes_windows(*args):
    return np.squeeze(run_stateful(*args))


def zeroes_in_place(windows, h0, W_x, W_h, b, reset):
    h, states = h0.copy(), []
    for X, fresh in zip(windows, reset, strict=True):
        if fresh:
            h[:] = 0
        window, h = rnn_forward(X, h, W_x, W_h, b)
        states.append(window)
    return states


def counted(**counts):
    return {**counts, "total": sum(counts.values())}


@pytest.mark.parametrize(
    ("name", "function", "hint", "points"),
    [
        ("rnn_step", forgets_bias, "the bias b is left out", 0),
        ("rnn_step", transposes, "W_h is transposed", 0),
        ("rnn_step", swaps_parameters, "x and h (or W_x and W_h) are swapped", 0),
        ("rnn_forward", reads_the_end, "h0 is ignored", 2),
        ("rnn_forward", forgets_to_carry, "every step starts from h0", 0),
        ("rnn_forward", one_array, "one array, stored each time", 0),
        ("rnn_forward", names_axes_batch_first, "`B, T, D = X.shape`", 0),
        ("rnn_forward", squeezes, "axes of size 1 are squeezed away", 5),
        ("run_stateful", never_resets, "no window is ever reset", 3),
        ("run_stateful", squeezes_windows, "axes of size 1 are squeezed away", 3),
        ("run_stateful", zeroes_in_place, "a reset writes zeros into h itself", 3),
        (
            "count_parameters",
            lambda D, H, Q: counted(W_xh=D * H, W_hh=H * H, b_h=H + H, W_hq=H * Q, b_q=Q),
            "as torch does",
            0,
        ),
    ],
)
def test_a_mistake_is_named_however_it_is_written(name, function, hint, points):
    report = judged(name, function)
    assert report.hint is not None, f"no mistake recognised: {report}"
    assert hint in report.hint
    assert report.points == points


def correct(x, h, W_x, W_h, b):
    return np.tanh(x @ W_x + h @ W_h + b)


def overwrites(x, h, W_x, W_h, b):
    h[:] = correct(x, h, W_x, W_h, b)
    return h.copy()


def returns_view(x, h, W_x, W_h, b):
    return h[:]


def fails_inside(x, h, W_x, W_h, b):
    z = x @ W_x
    return np.tanh(z + W_h @ h + b)


def rnn_forward(X, h0, W_x, W_h, b):
    states, h = [], h0
    for x in X:
        h = correct(x, h, W_x, W_h, b)
        states.append(h)
    return np.stack(states), h


def run_stateful(windows, h0, W_x, W_h, b, reset):
    states = []
    for n in range(len(windows)):
        window, h0 = rnn_forward(windows[n], h0 * (not reset[n]), W_x, W_h, b)
        states.append(window)
    return np.stack(states)


def takes_the_pair(windows, h0, W_x, W_h, b, reset):
    h, states = h0, []
    for X in windows:
        h = rnn_forward(X, h, W_x, W_h, b)
        states.append(h)
    return states


def stores_the_pair(windows, h0, W_x, W_h, b, reset):
    return [rnn_forward(X, h0, W_x, W_h, b) for X in windows]


def starts_from(h):
    """A `run_stateful` that makes `h(B, H)` of its zeros."""

    def run(windows, h0, W_x, W_h, b, reset):
        start = h(*h0.shape)
        return [rnn_forward(X, start, W_x, W_h, b)[0] for X in windows]

    return run


class Tensor:
    """Stands for an array of another library."""


def with_count(**wrong):
    """The right counts, some replaced."""
    return lambda D, H, Q: counted(W_xh=D * H, W_hh=H * H, b_h=H, W_hq=H * Q, b_q=Q) | wrong


LIST = "h_next should be a NumPy array, got a list (np.array makes one of it)"
BAD = [
    ("not a function", "rnn_step", 3, "rnn_step should be a function, got an int"),
    ("wrong arguments", "rnn_step", lambda x, h: x, "rnn_step should take (x, h, W_x, W_h, b), yours takes (x, h)"),
    ("None", "rnn_step", lambda *args: None, "it returned None: is a `return` missing?"),
    ("a list", "rnn_step", lambda *args: correct(*args).tolist(), LIST),
    ("a number", "rnn_step", lambda *args: 0.5, "h_next should be a NumPy array, got a float"),
    ("another library's array", "rnn_step", lambda *args: Tensor(), "h_next should be a NumPy array, got a Tensor"),
    ("a tuple", "rnn_step", lambda *args: (correct(*args), 1), "h_next should be a NumPy array, got a tuple"),
    (
        "an object array",
        "rnn_step",
        lambda *args: correct(*args).astype(object),
        "h_next has dtype object, expected real numbers",
    ),
    ("complex", "rnn_step", lambda *args: correct(*args) + 0j, "h_next has dtype complex128, expected real numbers"),
    ("bool", "rnn_step", lambda *args: correct(*args) > 0, "h_next has dtype bool, expected real numbers"),
    ("integers", "rnn_step", lambda *args: correct(*args).astype(int), "h_next has the integer dtype int64"),
    (
        "NaN",
        "rnn_step",
        lambda *args: correct(*args) * np.nan,
        "h_next holds nan in 15 of 15 places, the first at sequence 0, hidden unit 0",
    ),
    (
        "transposed",
        "rnn_step",
        lambda *args: correct(*args).T,
        "h_next has shape (5, 3), expected (3, 5), that is (B, H); the axes look swapped",
    ),
    ("an axis too many", "rnn_step", lambda *args: correct(*args)[None], "there is one axis too many"),
    ("an axis missing", "rnn_step", lambda *args: correct(*args)[0], "an axis is missing"),
    ("changed input", "rnn_step", overwrites, "the input h was changed"),
    (
        "an error",
        "rnn_step",
        fails_inside,
        "`return np.tanh(z + W_h @ h + b)`: matmul: Input operand 1 has a mismatch in its core dimension 0, "
        "with gufunc signature (n?,k),(k,m?)->(n?,m?) (size 3 is different from 5). "
        "The inner sizes of a product must agree: here 5 and 3. "
        "The inputs were x (3, 4), h (3, 5), W_x (4, 5), W_h (5, 5), b (5,)",
    ),
    (
        "one value of two",
        "rnn_forward",
        lambda *args: rnn_forward(*args)[0],
        "it should return 2 values (states, last), got an array of shape (6, 3, 5)",
    ),
    (
        "three values",
        "rnn_forward",
        lambda *args: (*rnn_forward(*args), 1),
        "it should return 2 values (states, last), got 3",
    ),
    (
        "a list of states",
        "rnn_forward",
        lambda *args: (list(rnn_forward(*args)[0]), 0),
        "states should be a NumPy array, got a list (np.stack makes one of it)",
    ),
    (
        "second is None",
        "rnn_forward",
        lambda *args: (rnn_forward(*args)[0], None),
        "last is None, expected an array of shape (3, 5), that is (B, H).",
    ),
    (
        "late steps wrong",
        "rnn_forward",
        lambda X, *args: (rnn_forward(X, *args)[0] * (np.arange(len(X)) < 2)[:, None, None], args[0]),
        "from time step 2 on",
    ),
    (
        "not a dict",
        "count_parameters",
        lambda D, H, Q: D * H,
        "it should return a dict with the keys W_xh, W_hh, b_h, W_hq, b_q, total, got an int",
    ),
    (
        "keys missing",
        "count_parameters",
        lambda D, H, Q: {"W_xh": D * H, "bias": H},
        'the dict it returns lacks W_hh, b_h, W_hq, b_q, total and has the unknown key "bias".',
    ),
    (
        "a string in it",
        "count_parameters",
        lambda D, H, Q: dict.fromkeys(("W_xh", "W_hh", "b_h", "W_hq", "b_q", "total"), "12"),
        "W_xh should be a number, got a str",
    ),
    (
        "unknown keys",
        "count_parameters",
        lambda D, H, Q: with_count()(D, H, Q) | {"sum": 1, "n": 2},
        'the dict it returns has the unknown keys "sum", "n".',
    ),
    ("a count of None", "count_parameters", with_count(total=None), "total is None, expected "),
    ("a bool", "count_parameters", with_count(b_h=True), "b_h should be a number, got a bool"),
    ("an array", "count_parameters", with_count(b_h=np.ones(1)), "b_h should be a number, got an array of shape (1,)"),
    (
        "floats",
        "count_parameters",
        lambda D, H, Q: {name: count / 1 for name, count in with_count()(D, H, Q).items()},
        ".0, a float; it should be a whole number, an int: expected ",
    ),
    ("no windows", "run_stateful", lambda *args: [], "states should hold arrays of one shape, got an empty list"),
    (
        "ragged windows",
        "run_stateful",
        lambda *args: [np.zeros(2), np.zeros(3)],
        "states should hold arrays of one shape, got (2,), (3,)",
    ),
    (
        "windows of lists",
        "run_stateful",
        lambda *args: [[0.0], [0.0]],
        "states[0] should be a NumPy array, got a list (np.array makes one of it)",
    ),
    (
        "two values of one",
        "run_stateful",
        lambda *args: (run_stateful(*args), args[1]),
        "it should return the states alone, got 2 values",
    ),
    (
        "a list and the last state",
        "run_stateful",
        lambda *args: (list(run_stateful(*args)), args[1]),
        "it should return the states alone, got 2 values",
    ),
    (
        "stored pairs",
        "run_stateful",
        stores_the_pair,
        "states[0] should be a NumPy array, got a tuple: rnn_forward returns two values; store the first",
    ),
    (
        "a pair handed on",
        "run_stateful",
        takes_the_pair,
        "`h = rnn_forward(X, h, W_x, W_h, b)`: rnn_forward was given a tuple as h0. It returns two values: "
        "`states, h = rnn_forward(…)`. The inputs were",
    ),
    (
        "a state of 0",
        "run_stateful",
        starts_from(lambda B, H: 0),
        "rnn_forward expects h0 of shape (B, H), here (2, 5), got an int.",
    ),
    (
        "a state of one sequence",
        "run_stateful",
        starts_from(lambda B, H: np.zeros(H)),
        "rnn_forward expects h0 of shape (B, H), here (2, 5), got an array of shape (5,).",
    ),
    (
        "all windows at once",
        "run_stateful",
        lambda windows, h0, W_x, W_h, b, reset: rnn_forward(windows, h0, W_x, W_h, b),
        "rnn_forward expects X of shape (T, B, D), got an array of shape (4, 3, 2, 4).",
    ),
]


@pytest.mark.parametrize(("name", "function", "sentence"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_every_bad_answer_gets_its_sentence(name, function, sentence):
    report = judged(name, function)
    assert report.points < find(name).points
    assert sentence in " ".join(str(report).split())
    assert len(report.advice) <= 4


def waits(x, h, W_x, W_h, b):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        pass


def test_a_function_that_never_returns_is_stopped(monkeypatch):
    monkeypatch.setattr(judging, "SECONDS", 0.2)
    report = judged("rnn_step", waits)
    assert report.points == 0
    assert "was still running after 0.2 seconds in your line" in " ".join(str(report).split())
    assert "does a loop never end? The inputs were x (3, 4)" in " ".join(str(report).split())


def test_a_function_that_never_returns_is_stopped_in_a_job_in_the_background_too(monkeypatch):
    monkeypatch.setattr(judging, "SECONDS", 0.2)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert "was still running after 0.2 seconds" in judged("rnn_step", waits).advice[0]
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_name_that_is_not_defined_points_at_the_cells():
    report = judged("rnn_step", lambda *args: not_yet_defined(*args))  # noqa: F821
    assert "name 'not_yet_defined' is not defined (has the cell that defines it been run?)" in " ".join(
        str(report).split()
    )


def test_ctrl_c_stays_ctrl_c():
    def interrupted(x, h, W_x, W_h, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judged("rnn_step", interrupted)


def test_a_view_of_an_input_is_refused():
    returned_as_is = replace(find("rnn_step"), reference=lambda x, h, W_x, W_h, b: h.copy())
    report = judge(returned_as_is, returns_view, np.random.default_rng(0))
    assert "h_next shares its memory with the input h; return a new array" in " ".join(str(report).split())
    assert report.points == 3


def test_an_error_names_the_line_of_the_student():
    line = fails_inside.__code__.co_firstlineno + 2
    assert f"raised ValueError in your line {line}, `return" in " ".join(str(judged("rnn_step", fails_inside)).split())


@pytest.mark.parametrize("name", NAMES)
def test_every_part_has_cases(name):
    problem = find(name)
    assert {case.part for case in problem.cases(np.random.default_rng(0))} == set(problem.parts)


def test_an_input_that_a_reset_overwrites_costs_the_resets():
    def h0_zeroed(windows, h0, W_x, W_h, b, reset):
        h, states = h0, []
        for n, X in enumerate(windows):
            if reset[n]:
                h[:] = 0
            window, h = rnn_forward(X, h, W_x, W_h, b)
            h = h.copy()
            states.append(window)
        return states

    def reset_cleared(windows, h0, W_x, W_h, b, reset):
        states = run_stateful(windows, h0, W_x, W_h, b, reset)
        reset[:] = False
        return states

    for function, name in (h0_zeroed, "h0"), (reset_cleared, "reset"):
        report = judged("run_stateful", function)
        assert report.wrong == {
            "resets": f"Your inputs afterwards: the input {name} was changed; "
            "work on a copy, or write the result to a new one."
        }
        assert report.points == 3


def test_a_function_that_is_lent_accepts_what_numpy_does():
    def integers(windows, h0, W_x, W_h, b, reset):
        h, states = h0, []
        for n, X in enumerate(windows):
            window, h = rnn_forward(X, np.zeros(h0.shape, int) if reset[n] else h, W_x, W_h, b)
            states.append(window)
        return states

    assert judged("run_stateful", integers).points == 4


def test_every_lent_function_is_right():
    for name in NAMES:
        for lends, function in find(name).lends.items():
            assert judged(lends, function).points == find(lends).points


def test_no_hint_names_a_mistake_that_is_wrong_where_the_student_is_right():
    def drops_a_single_step(X, *args):
        states, last = rnn_forward(X, *args)
        return (states[0] if len(X) == 1 else states), last

    report = judged("rnn_forward", drops_a_single_step)
    assert list(report.wrong) == ["sizes of 1"]
    assert report.hint is None


def test_errors_with_different_messages_are_not_one_mistake():
    def right_where_T_is_B(X, h0, *args):
        states, last = rnn_forward(X, h0, *args)
        square = np.zeros((len(h0), len(h0), h0.shape[1]))
        square[:] = states
        return square, last

    report = judged("rnn_forward", right_where_T_is_B)
    assert "could not broadcast input array from shape (6,3,5) into shape (3,3,5)" in report.advice[0]
    assert report.hint is None


def test_a_hint_explains_the_sentence_beside_it():
    def two_mistakes(windows, h0, W_x, W_h, b, reset):
        states = run_stateful(windows, h0, W_x, W_h, b, reset)
        h0[:] = h0 * (not reset[0])
        return states.squeeze()

    report = judged("run_stateful", two_mistakes)
    assert list(report.wrong) == ["resets", "sizes of 1 and inputs"]
    assert "the input h0 was changed" in report.advice[0]
    assert report.hint is None


def off_from(first):
    """A `rnn_forward` that adds 0.25 to the states from this step on, and 0.5 to a later one."""

    def run(X, *args):
        states, last = rnn_forward(X, *args)
        states[first:, 2, 3] += 0.25
        states[first + 1 :, 1, 1] += 0.5
        return states, last

    return run


def test_of_a_sequence_the_first_wrong_step_is_named():
    problem = find("rnn_forward")
    case = next(iter(problem.cases(np.random.default_rng(0))))
    right = problem.reference(*case.args.values())[0][1, 2, 3]
    assert judged("rnn_forward", off_from(1)).advice[0] == (
        f"{case.note}: states is wrong in 9 of 90 places, from time step 1 on; "
        f"first at states[1], sequence 2, hidden unit 3: expected {right:.6g}, got {right + 0.25:.6g}."
    )


def test_of_windows_the_first_wrong_step_of_the_first_wrong_window_is_named():
    def wrong_at(windows, *args):
        states = run_stateful(windows, *args)
        states[1, 2, 1, 3] += 0.25
        states[2:, 0] += 0.5
        return states

    sentence = judged("run_stateful", wrong_at).advice[0]
    assert ", from window 1 on; first at states[1][2], sequence 1, hidden unit 3: expected" in sentence


def test_without_time_the_largest_error_is_named():
    def wrong_at(*args):
        new = correct(*args)
        new[0, 0] += 0.25
        new[-1, -1] += 0.5
        return new

    assert "; the largest error is at sequence 2, hidden unit 4: expected" in judged("rnn_step", wrong_at).advice[0]


@pytest.mark.parametrize("off", [1, 7])
def test_counts_are_compared_exactly(off):
    def nearly(D, H, Q):
        return counted(W_xh=D * H, W_hh=H * H + off * (H > 1000), b_h=H, W_hq=H * Q, b_q=Q)

    report = judged("count_parameters", nearly)
    assert report.points == 0
    assert re.search(r"^A large layer: W_hh is (\d+), expected (\d+)\.$", report.advice[0])


@pytest.mark.parametrize(
    ("name", "function", "section"),
    [
        ("rnn_step", forgets_bias, 'chapter 4, section "The cell"'),
        ("run_stateful", never_resets, 'chapter 4, section "Carrying the state"'),
        ("rnn_step", lambda *args: correct(*args).T, 'chapter 4, section "Shapes and parameters"'),
        ("rnn_step", fails_inside, 'chapter 4, section "Shapes and parameters"'),
        ("rnn_forward", squeezes, 'chapter 4, section "Shapes and parameters"'),
        ("rnn_step", overwrites, '"How to work" in the problem set'),
        ("rnn_step", lambda *args: correct(*args) * np.nan, '"How to work" in the problem set'),
        ("rnn_step", lambda *args: correct(*args).astype(int), '"How to work" in the problem set'),
        ("rnn_step", lambda x, h: x, "the function's docstring"),
        ("rnn_step", lambda *args: correct(*args).tolist(), "the function's docstring"),
        ("rnn_forward", lambda *args: rnn_forward(*args)[0], "the function's docstring"),
        ("count_parameters", with_count(total=None), "the function's docstring"),
    ],
)
def test_what_to_read_again_suits_the_mistake(name, function, section):
    assert judged(name, function).advice[-1] == f"Read again: {section}."


def test_an_argument_that_is_misspelt_is_told():
    scope = {"np": np, "W_x": np.ones((2, 2))}
    exec("def rnn_step(x, h, Wx, W_h, b):\n    return np.tanh(x @ W_x + h @ W_h + b)", scope)
    report = judged("rnn_step", scope["rnn_step"])
    assert report.points == 0
    assert "rnn_step uses W_x, but takes (x, h, Wx, W_h, b): this W_x comes from another cell" in report.advice[0]


def test_what_the_named_mistake_does_not_explain_is_told():
    def transposed_and_overflowing(x, h, W_x, W_h, b):
        a = x @ W_x + h @ W_h.T + b
        return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))

    report = judged("rnn_step", transposed_and_overflowing)
    assert report.hint == "W_h is transposed"
    assert report.advice[2].startswith("Other parts differ in another way (numbers and inputs), perhaps")


def test_numbers_that_no_known_mistake_gives_are_told():
    def transposed_and_with_one_bias(x, h, W_x, W_h, b):
        return np.tanh(x @ W_x + h @ W_h.T + b[0])

    report = judged("rnn_step", transposed_and_with_one_bias)
    assert report.hint is None
    assert report.advice[1].startswith("The check knows no mistake that gives this")


def test_an_error_is_not_told_to_be_an_unknown_mistake():
    report = judged("rnn_step", lambda x, h, W_x, W_h, b: {}["h"])
    assert report.advice[0].startswith("All sizes different: rnn_step raised KeyError")
    assert len(report.advice) == 2


def test_a_mistake_in_one_function_costs_nothing_in_the_next():
    scope = {"rnn_step": forgets_bias, "np": np}
    exec(
        "def rnn_forward(X, h0, W_x, W_h, b):\n"
        "    states = []\n"
        "    for x in X:\n"
        "        h0 = rnn_step(x, h0, W_x, W_h, b)\n"
        "        states.append(h0)\n"
        "    return np.stack(states), h0\n",
        scope,
    )
    assert judged("rnn_forward", scope["rnn_forward"]).points == 6
    assert scope["rnn_step"] is forgets_bias, "the student's own function was not given back"


def test_what_an_earlier_call_left_in_memory_earns_nothing():
    def norms_with_lag_0_in(row):
        def jacobian_norms(states, W_h):
            T, B, H = states.shape
            norms = np.empty((T + 1, B))
            for b in range(B):
                J = np.eye(H)
                norms[row, b] = 1
                for k in range(1, T + 1):
                    J = J @ np.diag(1 - states[T - k, b] ** 2) @ W_h.T
                    norms[k, b] = np.linalg.norm(J, 2)
            return norms

        return jacobian_norms

    assert judged("jacobian_norms", norms_with_lag_0_in(row=0)).points == 5
    report = judged("jacobian_norms", norms_with_lag_0_in(row=1))
    assert report.points == 0
    assert "norms holds nan" in report.advice[0]


def test_warnings_and_prints_of_the_function_stay_quiet(capfd, recwarn):
    def noisy(x, h, W_x, W_h, b):
        print("debugging")
        np.log(np.zeros(1))
        return correct(x, h, W_x, W_h, b)

    assert judged("rnn_step", noisy).points == 4
    assert not capfd.readouterr().out
    assert not recwarn.list


def test_check_prints_and_returns_nothing(capsys):
    assert check.rnn_step(correct) is None
    assert "rnn_step: 4 of 4 points" in capsys.readouterr().out


@pytest.mark.parametrize(("function", "points"), [(correct, 4), (forgets_bias, 0), (overwrites, 3), (None, 0)])
def test_a_mark_is_a_plain_whole_number(function, points):
    mark = grade.rnn_step(function)
    assert type(mark) is int, f"nbgrader reads the mark from its repr, and {mark!r} would be worth full points"
    assert mark == points


def test_the_cases_of_a_mark_depend_on_the_instructors_seed_alone(monkeypatch, capsys):
    def printed(seed):
        monkeypatch.setenv("RNNCOURSE_SEED", seed) if seed else monkeypatch.delenv("RNNCOURSE_SEED", raising=False)
        grade.rnn_step(forgets_bias)
        return capsys.readouterr().out

    check.rnn_step(forgets_bias)
    outputs = [capsys.readouterr().out, printed(None), printed("one"), printed("two"), printed("ab"), printed("ba")]
    assert len(set(outputs)) == len(outputs), "two seeds draw the same cases"
    assert printed("one") == outputs[2]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match=r"count_parameters, rnn_forward, rnn_step, run_stateful.*got 'rnn_stop'"):
        check.rnn_stop(correct)
    assert set(NAMES) <= set(dir(check))


def test_the_report_reads_without_colour_and_fits_a_screen():
    report = judged("rnn_forward", reads_the_end)
    lines = str(report).splitlines()
    assert lines[:3] == [
        "rnn_forward: 2 of 6 points",
        "  from zeros          right  2 of 2",
        "  from any state      wrong  0 of 2",
    ]
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 110
    html = report._repr_html_()
    assert "color" not in html
    assert len(re.findall("<th[ >]", html)) == html.count("scope=")
    assert re.findall(r"<td[^>]*>(right|wrong)</td>", html) == ["right", "wrong", "wrong", "wrong"]
