"""Problem set 5: mistakes as students write them are named, bad answers get their sentence, its numbers are right."""

import re
from functools import partial

import nbformat
import numpy as np
import pytest
from problem_sets import ROOT, cells, judged, names, rows

from rnncourse.arrays import sigmoid
from rnncourse.grading.checks import find
from rnncourse.grading.checks.lent import ps5 as lent

notebook, ran = partial(cells, "ps5-lstm"), partial(names, "ps5-lstm")


# What students write, in their own way: not the bank's code.


def forget_gate_first(x, h, c, W_x, W_h, b):
    H = h.shape[1]
    z = np.dot(x, W_x) + np.dot(h, W_h) + b
    f, i, o = sigmoid(z[:, :H]), sigmoid(z[:, H : 2 * H]), sigmoid(z[:, 3 * H :])
    g = np.tanh(z[:, 2 * H : 3 * H])
    c_new = f * c + i * g
    return np.tanh(c_new) * o, c_new, np.hstack((f, i, g, o))


def all_sigmoid(x, h, c, W_x, W_h, b):
    gates = 1 / (1 + np.exp(-(x @ W_x + h @ W_h + b)))
    i, f, g, o = np.split(gates, 4, axis=-1)
    c = i * g + f * c
    return o * np.tanh(c), c, gates


def split_along_rows(x, h, c, W_x, W_h, b):
    z = np.split(x @ W_x + h @ W_h + b, 4)
    i, f, g, o = sigmoid(z[0]), sigmoid(z[1]), np.tanh(z[2]), sigmoid(z[3])
    c_new = i * g + f * c
    return o * np.tanh(c_new), c_new, np.concatenate([i, f, g, o], axis=1)


def overwrites_c(x, h, c, W_x, W_h, b):
    h_next, c_next, gates = lent.lstm_step(x, h, c, W_x, W_h, b)
    c[...] = c_next
    return h_next, c.copy(), gates


def naive_sigmoid(x, h, c, W_x, W_h, b):
    z = x @ W_x + h @ W_h + b
    H = h.shape[1]
    gates = np.e**z / (1 + np.e**z)
    gates[:, 2 * H : 3 * H] = np.tanh(z[:, 2 * H : 3 * H])
    c = gates[:, H : 2 * H] * c + gates[:, :H] * gates[:, 2 * H : 3 * H]
    return gates[:, 3 * H :] * np.tanh(c), c, gates


def shows_c(x, h, c, W_x, W_h, b):
    _, c_next, gates = lent.lstm_step(x, h, c, W_x, W_h, b)
    return gates[:, -h.shape[1] :] * c_next, c_next, gates


def index_minus_one(X, h0, c0, W_x, W_h, b):
    T, B, H = len(X), len(h0), W_h.shape[0]
    hs, cs, gates = np.zeros((T, B, H)), np.zeros((T, B, H)), np.zeros((T, B, 4 * H))
    for t in range(T):
        hs[t], cs[t], gates[t] = lent.lstm_step(X[t], hs[t - 1], cs[t - 1], W_x, W_h, b)
    return hs, cs, gates


def forgets_to_carry_c(X, h0, c0, W_x, W_h, b):
    hs, cs, gates, h = [], [], [], h0
    for x in X:
        h, c, gate = lent.lstm_step(x, h, c0, W_x, W_h, b)
        hs.append(h)
        cs.append(c)
        gates.append(gate)
    return np.array(hs), np.array(cs), np.array(gates)


def batch_first(X, h0, c0, W_x, W_h, b):
    T = X.shape[1]
    h, c, hs, cs, gates = h0, c0, [], [], []
    for t in range(T):
        h, c, gate = lent.lstm_step(X[:, t], h, c, W_x, W_h, b)
        hs += [h]
        cs += [c]
        gates += [gate]
    return np.stack(hs, 1), np.stack(cs, 1), np.stack(gates, 1)


def unpacks_in_the_wrong_order(X, h, c, *weights):
    rows = []
    for x in X:
        c, h, gates = lent.lstm_step(x, h, c, *weights)
        rows.append([h, c, gates])
    return [np.stack(arrays) for arrays in zip(*rows, strict=True)]


def back(total, A_i, A_f, A_g, A_o, x, h_prev, f, W_x, W_h):
    A = np.hstack([A_i, A_f, A_g, A_o])
    return A @ W_x.T, A @ W_h.T, f * total, x.T @ A, h_prev.T @ A, A.sum(0)


def only_by_way_of_h(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    i, f, g, o = np.split(gates, 4, 1)
    dc = dh * o * (1 - np.tanh(c) ** 2)
    A = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g * g), dh * np.tanh(c) * o * (1 - o)
    return back(dc, *A, x, h_prev, f, W_x, W_h)


def c_is_not_squashed(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    i, f, g, o = np.split(gates, 4, 1)
    dc = dc + dh * o * (1 - c * c)
    A = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g * g), dh * np.tanh(c) * o * (1 - o)
    return back(dc, *A, x, h_prev, f, W_x, W_h)


def forget_gate_sees_c(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    i, f, g, o = np.split(gates, 4, 1)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    A = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * np.tanh(c) * o * (1 - o)
    return back(dc, *A, x, h_prev, f, W_x, W_h)


def one_slope_for_all(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    i, f, g, o = np.split(gates, 4, 1)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    upstream = np.hstack([dc * g, dc * c_prev, dc * i, dh * np.tanh(c)])
    A = upstream * (gates - gates**2)
    return A @ W_x.T, A @ W_h.T, dc * f, x.T @ A, h_prev.T @ A, A.sum(0)


def adds_in_place(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    i, f, g, o = np.split(gates, 4, 1)
    dc += dh * o * (1 - np.tanh(c) ** 2)
    A = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g * g), dh * np.tanh(c) * o * (1 - o)
    return back(dc, *A, x, h_prev, f, W_x, W_h)


def through_time(
    dH, dc, X, hs, cs, gates, h0, c0, W_x, W_h, *, add=True, keep_dc=True, first=lambda states, initial: initial
):
    """A correct way back in a student's words, with three places to go wrong in."""
    T = X.shape[0]
    dX = np.zeros(X.shape)
    dh, grads = 0, [np.zeros(W_x.shape), np.zeros(W_h.shape), np.zeros(W_h.shape[1])]
    for t in range(T)[::-1]:
        h_prev = hs[t - 1] if t else first(hs, h0)
        c_prev = cs[t - 1] if t else first(cs, c0)
        dX[t], dh, dc_new, *g = lent.lstm_step_backward(dH[t] + dh, dc, X[t], h_prev, c_prev, cs[t], gates[t], W_x, W_h)
        dc = dc_new if keep_dc else dc
        for k in range(3):
            grads[k] = grads[k] + g[k] if add else g[k]
    return dX, dh, dc, *grads


def overwrites_the_sums(*args):
    return through_time(*args, add=False)


def keeps_dc_last(*args):
    return through_time(*args, keep_dc=False)


def wraps_around(*args):
    return through_time(*args, first=lambda states, initial: states[-1])


def starts_from_zero_dc(dH, dc_last, *others):
    dc = np.zeros_like(dc_last)
    return through_time(dH, dc, *others)


@pytest.mark.parametrize(
    ("name", "function", "hint", "points"),
    [
        ("lstm_step", forget_gate_first, "the blocks are read and returned as f, i, g, o", 2),
        ("lstm_step", all_sigmoid, "a sigmoid stands where the candidate's tanh should", 0),
        ("lstm_step", split_along_rows, "np.split is called without axis=1", 0),
        ("lstm_step", overwrites_c, "a result is written into an input", 5),
        ("lstm_step", naive_sigmoid, "exp(a) / (1 + exp(a)), which overflows", 5),
        ("lstm_step", shows_c, "without the tanh; it is o tanh(c_next)", 2),
        ("lstm_forward", index_minus_one, "h0 and c0 are ignored", 1),
        ("lstm_forward", forgets_to_carry_c, "c is not carried on: every step starts from c0", 0),
        ("lstm_forward", batch_first, "taken for batch first", 0),
        ("lstm_forward", unpacks_in_the_wrong_order, "taken for each other when lstm_step returns them", 0),
        ("lstm_step_backward", only_by_way_of_h, "dc is left out", 0),
        ("lstm_step_backward", c_is_not_squashed, "the slope of tanh(c) is taken for 1 - c**2", 0),
        ("lstm_step_backward", forget_gate_sees_c, "the forget gate's part of A has c for c_prev", 2),
        ("lstm_step_backward", one_slope_for_all, "the slope of the candidate is that of a sigmoid", 2),
        ("lstm_step_backward", adds_in_place, "a result is written into an input", 7),
        ("lstm_backward", overwrites_the_sums, "the gradients of the weights are not summed", 2),
        ("lstm_backward", keeps_dc_last, "each step gets dc_last as its dc", 0),
        ("lstm_backward", wraps_around, "h0 and c0 are ignored: hs[t - 1] and cs[t - 1] at t = 0 are the last", 0),
        ("lstm_backward", starts_from_zero_dc, "dc_last is left out", 0),
    ],
)
def test_a_mistake_is_named_however_it_is_written(name, function, hint, points):
    for seed in range(3):
        report = judged(name, function, seed)
        assert report.hint is not None, f"no mistake recognised: {report}"
        assert hint in report.hint
        if seed == 0:
            assert report.points == points


def test_of_two_mistakes_at_once_one_is_named():
    """The first to show: at a single step, and along c, there is less that can be wrong."""

    def two_at_once(dH, *others):
        return through_time(dH * 0.5, *others, first=lambda states, initial: states[-1])

    def wraps_and_hands_nothing_back(dH, dc, X, hs, cs, gates, h0, c0, W_x, W_h):
        dX, weights = np.zeros(X.shape), 0
        for t in range(len(X) - 1, -1, -1):
            args = dH[t], dc, X[t], hs[t - 1], cs[t - 1], cs[t], gates[t], W_x, W_h
            dX[t], dh, dc, *own = lent.lstm_step_backward(*args)
            weights = [a + b for a, b in zip(weights or [0, 0, 0], own, strict=True)]
        return dX, dh, dc, *weights

    def no_tanh_and_one_slope(dh, dc, *others):
        others = list(others)
        gates = others[4]
        H = gates.shape[1] // 4
        total = dc + dh * gates[:, 3 * H :]
        _, _, _, *of_weights = one_slope_for_all(dh, dc, *others)
        return np.zeros_like(others[0]), np.zeros_like(dh), total * gates[:, H : 2 * H], *of_weights

    assert judged("lstm_backward", two_at_once).hint is None
    assert "h0 and c0 are ignored" in judged("lstm_backward", wraps_and_hands_nothing_back).hint
    assert "the slope of tanh(c) is left out" in judged("lstm_step_backward", no_tanh_and_one_slope).hint


def test_the_way_back_in_a_students_words_is_right():
    assert judged("lstm_backward", through_time).points == 6


def right(name):
    return find(name).reference


BAD = [
    ("lstm_step", lambda *args: right("lstm_step")(*args)[:2], "3 values (h_next, c_next, gates), got 2"),
    ("lstm_step", lambda x, h, W_x, W_h, b: x, "should take (x, h, c, W_x, W_h, b), yours takes (x, h, W_x, W_h, b)"),
    (
        "lstm_step",
        lambda *args: (*right("lstm_step")(*args)[:2], right("lstm_step")(*args)[2][:, :5]),
        "gates has shape (3, 5), expected (3, 20), that is (B, 4H)",
    ),
    (
        "lstm_step",
        lambda *args: (*right("lstm_step")(*args)[:2], np.split(right("lstm_step")(*args)[2], 4, axis=1)),
        "gates should be one NumPy array, got a list of 4 (np.concatenate with axis=-1 puts them side by side)",
    ),
    ("lstm_step", lambda x, h, c, *W: (h, c, np.tile(h * np.nan, 4)), "gates holds nan in 60 of 60 places"),
    ("lstm_forward", lambda X, *others: lent.lstm_step(X[0], others[:2], *others[2:]), "missing 1 required positional"),
    (
        "lstm_forward",
        lambda X, h0, c0, *W: lent.lstm_step(X, h0, c0, *W),
        "lstm_step expects x of shape (B, D), here (5, 2), got an array of shape (5, 3, 2)",
    ),
    (
        "lstm_forward",
        lambda X, h0, c0, *W: lent.lstm_step(X[0], (h0, c0), c0, *W),
        "lstm_step expects h of shape (B, H), here (3, 4) beside x (3, 2), got a tuple",
    ),
    (
        "lstm_forward",
        lambda *args: (*right("lstm_forward")(*args)[:1], right("lstm_forward")(*args)[1][-1], None),
        "cs has shape (3, 4), expected (5, 3, 4), that is (T, B, H); an axis is missing",
    ),
    ("lstm_step_backward", lambda *args: None, "it returned None: is a `return` missing?"),
    (
        "lstm_step_backward",
        lambda dh, dc, *others: right("lstm_step_backward")(dh, dc, *others)[:3],
        "6 values (dx, dh_prev, dc_prev, dW_x, dW_h, db), got 3",
    ),
    (
        "lstm_backward",
        lambda dH, *others: lent.lstm_step_backward(dH[-1], *others[:7]),
        "missing 1 required positional argument: 'W_h'. The inputs were dH (1, 3, 4), dc_last (3, 4)",
    ),
    (
        "lstm_backward",
        lambda dH, dc, X, hs, cs, gates, h0, c0, *W: lent.lstm_step_backward(dH, dc, X, h0, c0, cs, gates, *W),
        "lstm_step_backward expects x of shape (B, D), here",
    ),
]


@pytest.mark.parametrize(("name", "function", "sentence"), BAD)
def test_every_bad_answer_gets_its_sentence(name, function, sentence):
    report = judged(name, function)
    assert report.points < find(name).points
    assert sentence in " ".join(str(report).split())


def test_a_mistake_in_a_step_costs_nothing_in_the_sequence():
    wrong = {"lstm_step": lambda x, h, c, *W: (h, c, np.tile(h, 4)), "lstm_step_backward": lambda *args: args, "np": np}
    scope = wrong.copy()
    for cell in ("lstm-forward", "lstm-backward"):
        exec(notebook()[cell].source, scope)
    assert judged("lstm_forward", scope["lstm_forward"]).points == 4
    assert judged("lstm_backward", scope["lstm_backward"]).points == 6
    assert {name: scope[name] for name in wrong} == wrong


def chapter_cell():
    """The weights of the table of part 1: W_x, W_h, b."""
    from_h, from_x, bias = (np.array([float(row[k]) for row in rows(notebook()["step"])[1:]]) for k in (1, 2, 3))
    return from_x[None], from_h[None], bias


def test_the_step_by_hand():
    W_x, W_h, b = chapter_cell()
    one = np.ones((1, 1))
    h, c, gates = ran()["lstm_step"](one, one, 2 * one, W_x, W_h, b)
    assert [row[4] for row in rows(notebook()["step"])[1:]] == [f"{value:.2f}" for value in (W_x + W_h + b).ravel()]
    assert [row[5] for row in rows(notebook()["step"])[1:]] == [f"{value:.3f}" for value in gates.ravel()]
    assert f"= {c.item():.3f}, and the new h is {gates[0, 3]:.3f} · tanh({c.item():.3f}) = {h.item():.3f}" in (
        notebook()["step"].source
    )


def test_the_weights_by_hand_are_those_of_the_example_and_of_the_chapter():
    for name, value in zip(("W_x", "W_h", "b"), chapter_cell(), strict=True):
        np.testing.assert_array_equal(ran()[name], value)
    (chapter,) = (ROOT / "chapters").glob("07-*.ipynb")
    text = "\n".join(cell.source for cell in nbformat.read(chapter, as_version=4).cells).replace("−", "-")
    for row in rows(notebook()["step"])[1:]:
        assert re.search(rf"gate {row[0]} \| {row[1]} \||candidate g \| {row[1]} \|", text)
        assert f"| {row[2]} | {row[3]} |" in text


def test_the_companies_by_hand():
    zeros, table = np.zeros((1, 1)), rows(notebook()["forward"])[1:]
    for column in (1, 4):
        X = np.array([float(row[column]) for row in table]).reshape(4, 1, 1)
        hs, cs, _ = ran()["lstm_forward"](X, zeros, zeros, *chapter_cell())
        assert [row[column + 1] for row in table] == [f"{value:.3f}" for value in cs.ravel()]
        assert [row[column + 2] for row in table] == [f"{value:.3f}" for value in hs.ravel()]


def test_the_step_back_by_hand():
    W_x, W_h, _ = chapter_cell()
    table = {name: (how, result) for name, how, result in rows(notebook()["back"])[1:]}
    given = ran()
    dx, dh_prev, dc_prev, _, _, A = given["lstm_step_backward"](
        *(given[name] for name in ("dh", "dc")),
        *(np.array([[value]]) for value in (0.5, 0.28, 0.5, 0.91)),
        given["step_gates"],
        W_x,
        W_h,
    )
    computed = {"dx": dx, "dh_prev": dh_prev, "dc_prev": dc_prev}
    computed |= {f"$A_{gate}$": a for gate, a in zip("ifgo", A, strict=True)}
    for name, value in computed.items():
        assert table[name][1] == f"{np.ravel(value)[0]:.3f}"
    for how, result in table.values():
        formula = how.replace("·", "*").replace("²", "**2").replace("−", "-")
        assert eval(formula, {"tanh": np.tanh}) == pytest.approx(float(result), abs=0.002), how
    assert "x = 0.5, $H_{t-1}$ = 0.28, $C_{t-1}$ = 0.5,\n$C_t$ = 0.91" in notebook()["back"].source


def test_the_gradients_of_the_prices_by_hand():
    zeros, weights = np.zeros((1, 1)), chapter_cell()
    prices = rows(notebook()["forward"])[1:]
    for row, column in zip(rows(notebook()["through"])[1:], (1, 4), strict=True):
        X = np.array([float(day[column]) for day in prices]).reshape(4, 1, 1)
        hs, cs, gates = ran()["lstm_forward"](X, zeros, zeros, *weights)
        dH = np.eye(1, 4, 3).reshape(4, 1, 1)
        dX = ran()["lstm_backward"](dH, zeros, X, hs, cs, gates, zeros, zeros, *weights[:2])[0]
        assert row[1:] == [f"{value:.3f}" for value in dX.ravel()]


def test_the_closing_part_shows_what_its_text_says():
    shown = ran()
    assert shown["gap"] < 1e-12, "the layer made of the functions is not the package's LSTM"
    right = {
        bias: (model.forward(shown["X"])[0][-1].argmax(axis=-1) == shown["targets"]).mean()
        for bias, (model, _) in shown["runs"].items()
    }
    assert right[0.0] < 0.5
    assert right[3.0] > 0.95
    for name in ("nothing", "h"):
        own, other = shown["named"][name]
        assert own > 0.95
        assert other < 0.05
    own, other = shown["named"]["c"]
    assert own < 0.05
    assert other > 0.95
    last = {name: norms[100] for name, norms in shown["norms"].items()}
    assert last["yours, bias 0"].max() < -10
    assert last["tanh RNN"].max() < last["yours, bias 0"].min()
    assert abs(last["yours, bias 3"]).max() < 1.5
    assert last["yours, bias 100"].min() > 1
