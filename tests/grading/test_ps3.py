"""Problem set 3: mistakes as students write them are named, bad answers get their sentence, its numbers are right."""

import re
from functools import partial

import numpy as np
import pytest
from problem_sets import cells, judged, names, rows

from rnncourse.grading.checks import find
from rnncourse.grading.checks.lent import ps3 as lent

notebook, ran = partial(cells, "ps3-bptt"), partial(names, "ps3-bptt")


# What students write, in their own way: not the bank's code.


def slope_of_the_state_before(dh, x, h_prev, h, W_x, W_h):
    da = np.zeros_like(dh)
    for n in range(len(dh)):
        da[n] = dh[n] - dh[n] * h_prev[n] * h_prev[n]
    return np.dot(da, W_x.T), np.dot(da, W_h.T), np.dot(x.T, da), np.dot(h_prev.T, da), da.sum(0)


def forgets_the_transpose(dh, x, h_prev, h, W_x, W_h):
    da = (1 - h * h) * dh
    return np.einsum("bh,dh->bd", da, W_x), np.einsum("bh,hk->bk", da, W_h), x.T @ da, h_prev.T @ da, da.sum(0)


def averages(dh, x, h_prev, h, W_x, W_h):
    B = dh.shape[0]
    da = (1 - h * h) * dh
    return da @ W_x.T, da @ W_h.T, x.T @ da / B, h_prev.T @ da / B, np.mean(da, axis=0)


def sums_nothing(dh, x, h_prev, h, W_x, W_h):
    db = (1 - h * h) * dh
    return db @ W_x.T, db @ W_h.T, x.T @ db, h_prev.T @ db, db


def steps_only(dH, X, states, h0, W_x, W_h):
    dX, dW_x, dW_h, db = np.zeros_like(X), 0, 0, 0
    H_prev = np.concatenate([[h0], states[:-1]])
    for t in range(len(X)):
        dX[t], dh, a, b, c = lent.rnn_step_backward(dH[t], X[t], H_prev[t], states[t], W_x, W_h)
        dW_x, dW_h, db = dW_x + a, dW_h + b, db + c
        if t == 0:
            dh0 = dh
    return dX, dh0, dW_x, dW_h, db


def wraps_around(dH, X, states, h0, W_x, W_h):
    T, dh, dX = len(X), np.zeros_like(h0), np.zeros_like(X)
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(len(W_h))
    for i in range(T):
        t = T - 1 - i
        dX[t], dh, a, b, c = lent.rnn_step_backward(dH[t] + dh, X[t], states[t - 1], states[t], W_x, W_h)
        dW_x += a
        dW_h += b
        db += c
    return dX, dh, dW_x, dW_h, db


def assigns(dH, X, states, h0, W_x, W_h):
    dh, dX = 0, np.zeros_like(X)
    for t in range(len(X) - 1, -1, -1):
        h_prev = h0 if t == 0 else states[t - 1]
        dX[t], dh, dW_x, dW_h, db = lent.rnn_step_backward(dH[t] + dh, X[t], h_prev, states[t], W_x, W_h)
    return dX, dh, dW_x, dW_h, db


def appends(dH, X, states, h0, W_x, W_h):
    dh, dX, dW_x, dW_h, db = 0, [], 0, 0, 0
    for t in range(len(X) - 1, -1, -1):
        h_prev = h0 if t == 0 else states[t - 1]
        dx, dh, a, b, c = lent.rnn_step_backward(dH[t] + dh, X[t], h_prev, states[t], W_x, W_h)
        dX.append(dx)
        dW_x, dW_h, db = dW_x + a, dW_h + b, db + c
    return np.array(dX), dh, dW_x, dW_h, db


def one_sided(loss, theta, eps):
    base, g = loss(theta), np.zeros(theta.size)
    for k in range(theta.size):
        t = np.array(theta)
        t.reshape(-1)[k] += eps
        g[k] = (loss(t) - base) / eps
    return g.reshape(theta.shape)


def precedence(loss, theta, eps):
    g = np.zeros_like(theta)
    for index, old in np.ndenumerate(theta.copy()):
        t = theta.copy()
        t[index] = old + eps
        up = loss(t)
        t[index] = old - eps
        g[index] = (up - loss(t)) / 2 * eps
    return g


def shares(loss, theta, eps):
    g = np.empty(theta.shape)
    for index in np.ndindex(theta.shape):
        up = theta
        down = theta
        up[index] = up[index] + eps
        down[index] = down[index] - eps
        g[index] = (loss(up) - loss(down)) / (2 * eps)
    return g


def one_loop(loss, theta, eps):
    g = np.zeros_like(theta)
    for i in range(len(theta)):
        up, down = theta.copy(), theta.copy()
        up[i] += eps
        down[i] -= eps
        g[i] = (loss(up) - loss(down)) / (2 * eps)
    return g


def one_number_a_row(loss, theta, eps):
    g = []
    for i in range(len(theta)):
        t = theta.copy()
        t[i] += eps
        up = loss(t)
        t[i] = theta[i] - eps
        g.append((up - loss(t)) / (2 * eps))
    return np.array(g)


def sum_of(windows):
    return [np.sum(terms, axis=0) for terms in zip(*windows, strict=True)]


def whole_windows_only(dH, X, states, h0, W_x, W_h, k1, k2):
    windows, h = [], h0
    for a in range(0, len(X), k1):
        part = slice(a, a + k1)
        windows.append(lent.rnn_backward(dH[part], X[part], states[part], h, W_x, W_h)[2:])
        h = states[part][-1]
    return sum_of(windows)


def onward(dH, X, states, h0, W_x, W_h, k1, k2):
    windows, h = [], h0
    for a in range(0, len(X), k1):
        part = slice(a, a + k2)
        windows.append(lent.rnn_backward(dH[part], X[part], states[part], h, W_x, W_h)[2:])
        h = states[a : a + k1][-1]
    return sum_of(windows)


def counts_overlaps(dH, X, states, h0, W_x, W_h, k1, k2):
    windows, before = [], np.concatenate([[h0], states])
    for end in [*range(k1, len(X), k1), len(X)]:
        a = max(end - k2, 0)
        windows.append(lent.rnn_backward(dH[a:end], X[a:end], states[a:end], before[a], W_x, W_h)[2:])
    return sum_of(windows)


def starts_from_zeros(dH, X, states, h0, W_x, W_h, k1, k2):
    windows, T = [], len(X)
    for start in range(0, T, k1):
        end = min(T, start + k1)
        a = max(end - k2, 0)
        alone = np.where(np.arange(a, end)[:, None, None] < start, 0, dH[a:end])
        h = np.zeros(h0.shape) if a else h0
        windows.append(lent.rnn_backward(alone, X[a:end], states[a:end], h, W_x, W_h)[2:])
    return sum_of(windows)


def drops_the_rest(dH, X, states, h0, W_x, W_h, k1, k2):
    windows, before = [], np.concatenate([[h0], states])
    for n in range(1, len(X) // k1 + 1):
        end = n * k1
        a = max(end - k2, 0)
        losses = np.array(dH[a:end])
        losses[: len(losses) - k1] = 0
        windows.append(lent.rnn_backward(losses, X[a:end], states[a:end], before[a], W_x, W_h)[2:])
    return sum_of(windows)


def zeros_in_dH(dH, X, states, h0, W_x, W_h, k1, k2):
    windows, before = [], np.concatenate([[h0], states])
    for start in range(0, len(X), k1):
        end = min(len(X), start + k1)
        a = max(end - k2, 0)
        dH[a:start] = 0
        windows.append(lent.rnn_backward(dH[a:end], X[a:end], states[a:end], before[a], W_x, W_h)[2:])
    return sum_of(windows)


@pytest.mark.parametrize(
    ("name", "function", "hint", "points"),
    [
        ("rnn_step_backward", slope_of_the_state_before, "the slope of tanh is computed at h_prev", 0),
        ("rnn_step_backward", forgets_the_transpose, "W_h is not transposed in dh_prev", 2),
        ("rnn_step_backward", averages, "means over the sequences; they are sums", 2),
        ("rnn_step_backward", sums_nothing, "db is not summed over the sequences", 2),
        ("rnn_backward", steps_only, "nothing is handed back", 0),
        ("rnn_backward", wraps_around, "states[t - 1] at t = 0 is states[-1], the last state", 2),
        ("rnn_backward", assigns, "only those of step 0 are left, = in place of +=", 2),
        ("rnn_backward", appends, "dX is in the order of the way back", 2),
        ("numerical_gradient", one_sided, "the difference is taken forward", 0),
        ("numerical_gradient", precedence, "`/ 2 * eps` stands for `/ (2 * eps)`", 0),
        ("numerical_gradient", shares, "plus and minus are two names for one array", 0),
        ("numerical_gradient", one_loop, "whole rows are moved, `theta[i]`", 2),
        ("truncated_bptt", whole_windows_only, "k2 is not used: every window is k1 steps long", 2),
        ("truncated_bptt", counts_overlaps, "losses in an overlap of windows count in each of them", 2),
        ("numerical_gradient", one_number_a_row, "whole rows are moved, `theta[i]`, and give one number each", 2),
        ("truncated_bptt", onward, "the windows begin with their block and go on for k2 steps", 2),
        ("truncated_bptt", starts_from_zeros, "each window starts from zeros", 0),
        ("truncated_bptt", drops_the_rest, "the steps left over at the end, fewer than k1, are dropped", 5),
        ("truncated_bptt", zeros_in_dH, "zeros are written into dH itself", 5),
    ],
)
def test_a_mistake_is_named_however_it_is_written(name, function, hint, points):
    for seed in range(5):
        report = judged(name, function, seed)
        assert report.hint is not None, f"no mistake recognised: {report}"
        assert hint in report.hint
        if seed == 0:
            assert report.points == points


def two_at_once(dh, x, h_prev, h, W_x, W_h):
    """The tanh of a tanh, and a transpose that is missing: both reach what is handed back."""
    A = dh * (1 - np.tanh(h) ** 2)
    return A @ W_x.T, A @ W_h, x.T @ A, h_prev.T @ A, A.sum(axis=0)


def two_apart(dH, X, states, h0, W_x, W_h):
    """The wrong thing handed back, and h0 forgotten."""
    dX, sums, handed_back = np.zeros_like(X), [0, 0, 0], 0
    for t in range(len(X) - 1, -1, -1):
        handed_back = dH[t] + handed_back
        dX[t], dh0, *terms = lent.rnn_step_backward(handed_back, X[t], states[t - 1], states[t], W_x, W_h)
        sums = [a + b for a, b in zip(sums, terms, strict=True)]
    return dX, dh0, *sums


@pytest.mark.parametrize(
    ("name", "function", "hint"),
    [
        ("rnn_step_backward", two_at_once, "tanh is applied to h once more"),
        ("rnn_backward", two_apart, "the total gradient dH[t] + dh is handed back as it is"),
    ],
)
def test_of_two_mistakes_the_first_is_named(name, function, hint):
    for seed in range(5):
        assert hint in judged(name, function, seed).hint


def right(name):
    return find(name).reference


BAD = [
    (
        "rnn_step_backward",
        lambda *args: right("rnn_step_backward")(*args)[:2],
        "it should return 5 values (dx, dh_prev, dW_x, dW_h, db), got 2",
    ),
    (
        "rnn_step_backward",
        lambda dh, *args: dh,
        "it should return 5 values (dx, dh_prev, dW_x, dW_h, db), got an array",
    ),
    (
        "rnn_step_backward",
        lambda dh, x, h_prev, h, W_x, W_h: x @ dh,
        "in your line",
    ),
    ("rnn_step_backward", lambda dh, x, h: None, "rnn_step_backward should take (dh, x, h_prev, h, W_x, W_h), yours"),
    ("rnn_backward", lambda *args: None, "it returned None: is a `return` missing?"),
    (
        "rnn_backward",
        lambda *args: (list((grads := right("rnn_backward")(*args))[0]), *grads[1:]),
        "dX should be a NumPy array, got a list (np.stack makes one of it)",
    ),
    (
        "rnn_backward",
        lambda *args: (*right("rnn_backward")(*args)[:2], 0.0, 0.0, 0.0),
        "dW_x should be a NumPy array, got a float",
    ),
    ("rnn_backward", lambda dH, X, states, h0, W_x, W_h: states[len(X)], "is out of bounds for axis 0 with size 5"),
    ("numerical_gradient", lambda loss, theta, eps: loss(), "loss() missing 1 required positional argument: 'theta'"),
    ("numerical_gradient", lambda loss, theta, eps: loss(theta), "gradient should be a NumPy array, got a float"),
    (
        "numerical_gradient",
        lambda loss, theta, eps: loss(theta[1:]),
        "The inputs were loss = cubic, theta (5,)",
    ),
    (
        "numerical_gradient",
        lambda loss, theta, eps: right("numerical_gradient")(loss, theta, eps).T,
        "gradient has shape (4, 3), expected (3, 4); the axes look",
    ),
    ("numerical_gradient", lambda loss, theta, eps: theta * np.nan, "the first at entry [0]"),
    (
        "truncated_bptt",
        lambda *args: right("rnn_backward")(*args[:6]),
        "it should return 3 values (dW_x, dW_h, db), got 5",
    ),
    (
        "truncated_bptt",
        lambda dH, X, states, h0, *args: lent.rnn_backward(dH[9:], X[9:], states[9:], h0, *args[:2])[2:],
        "rnn_backward expects X of shape (T, B, D) with at least one step, got an array of shape (0, 3, 4)",
    ),
]


@pytest.mark.parametrize(("name", "function", "sentence"), BAD)
def test_every_bad_answer_gets_its_sentence(name, function, sentence):
    report = judged(name, function)
    assert report.points < find(name).points
    assert sentence in " ".join(str(report).split())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"dH": np.ones((2, 3))},
            r"rnn_backward expects dH of shape \(T, B, H\), here \(4, 3, 2\) beside X \(4, 3, 5\), got",
        ),
        (
            {"h0": np.ones((4, 3, 2))},
            r"rnn_backward expects h0 of shape \(B, H\), here \(3, 2\) beside X \(4, 3, 5\), got an array of shape",
        ),
        ({"X": np.ones((3, 5))}, r"rnn_backward expects X of shape \(T, B, D\) with at least one step"),
        ({"states": np.ones((5, 3, 2))}, r"rnn_backward expects states of shape \(T, B, H\), here \(4, 3, 2\)"),
    ],
)
def test_the_functions_that_are_lent_name_a_wrong_shape(change, sentence):
    shapes = {"dH": (4, 3, 2), "X": (4, 3, 5), "states": (4, 3, 2), "h0": (3, 2), "W_x": (5, 2), "W_h": (2, 2)}
    with pytest.raises(ValueError, match=sentence):
        lent.rnn_backward(**{name: np.ones(shape) for name, shape in shapes.items()} | change)


def test_the_step_that_is_lent_names_a_wrong_shape():
    arrays = [np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), np.ones((5, 2)), np.ones((2, 2))]
    with pytest.raises(ValueError, match=r"step_backward expects x of shape \(B, D\), here \(3, 5\) beside h \(3, 2\)"):
        lent.rnn_step_backward(*arrays)


def test_a_mistake_in_one_function_costs_nothing_in_the_next():
    scope = {"np": np, "rnn_step_backward": lambda *args: 0, "rnn_backward": lambda *args: 0}
    for cell in ("rnn-backward", "truncated-bptt"):
        own = dict(scope)
        exec(notebook()[cell].source, own)
        name = cell.replace("-", "_")
        assert judged(name, own[name]).points == find(name).points


def test_the_references_agree_with_central_differences():
    """Of the loss that is the states' sum, weighted by dH."""
    rng = np.random.default_rng(3)
    for case in find("rnn_backward").cases(rng):
        W = {name: case.args[name].astype(float) for name in ("W_x", "W_h")}
        X, h0, dH = (case.args[name].astype(float) for name in ("X", "h0", "dH"))
        first = np.arctanh(case.args["states"][0]) - X[0] @ W["W_x"] - h0 @ W["W_h"]  # the bias, in every row

        def loss(W_x, W_h, X=X, h0=h0, dH=dH, b=first):
            h, total = h0, 0.0
            for t in range(len(X)):
                h = np.tanh(X[t] @ W_x + h @ W_h + b)
                total += (h * dH[t]).sum()
            return total

        dW_h = right("numerical_gradient")(lambda W_h, W=W: loss(W["W_x"], W_h), W["W_h"], 1e-5)
        dW_x = right("numerical_gradient")(lambda W_x, W=W: loss(W_x, W["W_h"]), W["W_x"], 1e-5)
        got = right("rnn_backward")(*case.args.values())
        np.testing.assert_allclose(got[2], dW_x, rtol=1e-3, atol=1e-4, err_msg=case.note)
        np.testing.assert_allclose(got[3], dW_h, rtol=1e-3, atol=1e-4, err_msg=case.note)


def numbers(text):
    """The numbers in a text, in order."""
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def flat(arrays):
    return [float(value) for array in arrays for value in np.ravel(array)]


def test_the_step_by_hand():
    names = ("dh", "x", "h_prev", "h", "W_x", "W_h")
    scope = {"np": np, "rnn_step_backward": lambda *args: given.extend(args)}
    given = []
    exec(notebook()["step-example"].source, scope)
    text = notebook()["step"].source
    args = dict(zip(names, given, strict=True))
    for name, printed in (("x", "1 & 2"), ("h_prev", "0.5 & -0.5"), ("W_x", r"0.5 & -1 \\ 0.25 & 0.5")):
        assert numbers(printed) == flat([args[name]])
        assert printed in text
    assert r"1 & 0 \\ 2 & 1" in text
    assert "$h = (0.5, 0)$, and its total gradient is $(4, 2)$" in text
    assert flat([args["h"], args["dh"]]) == [0.5, 0, 4, 2]
    header, values = rows(notebook()["step"])[-2:]
    assert header == ["dx", "dh_prev", "dW_x", "dW_h", "db"]
    for printed, gradient in zip(values, ran()["rnn_step_backward"](*given), strict=True):
        assert numbers(printed) == pytest.approx(flat([gradient]))


def example_of_a_sequence():
    scope = {"np": np, "rnn_backward": lambda *args: [np.array(arg) for arg in args]}
    exec(notebook()["sequence-example"].source, scope)
    return [scope[name] for name in ("dH", "X", "states", "h0", "W_x", "W_h")]


def test_the_way_back_by_hand():
    dX, dh0, *weights = ran()["rnn_backward"](*example_of_a_sequence())
    text = notebook()["sequence"].source
    first, second = flat([dX])
    assert f"`dX` is {first:g} and {second:g}, and `dh0` is {dh0.item():g}." in text
    *_, header, sums = rows(notebook()["sequence"])
    assert header == ["dW_x", "dW_h", "db"]
    assert [numbers(entry)[-1] for entry in sums] == flat(weights)
    for entry in [*sums, *(row[-1] for row in rows(notebook()["sequence"])[1:3])]:
        formula, _, result = entry.replace("·", "*").replace("0²", "0**2").replace("0.5²", "0.5**2").partition(" = ")
        assert eval(formula) == float(result)


def test_the_central_difference_by_hand():
    def loss(theta):
        return theta[0] ** 3 + theta[0] * theta[1]

    text = notebook()["numerical"].source
    first, second = ran()["numerical_gradient"](loss, np.array([2.0, 5.0]), 0.1)
    assert f"by 0.2 is {first:.4g}." in text
    assert f"which give\n{second:.4g}, with no error" in text
    assert f"losses are {loss([2, 5.1]):.4g} and {loss([2, 4.9]):.4g}" in text
    assert f"${2.1**3:.4g} + {2.1 * 5:.4g}$ and ${1.9**3:.4g} + {1.9 * 5:.4g}$" in text


def test_the_windows_by_hand():
    """Which losses and steps count, seen from what reaches rnn_backward."""
    seen, T = [], 5
    steps = np.arange(1.0, T + 1).reshape(T, 1, 1)
    scope = dict(ran())
    zero = [np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1)]
    scope["rnn_backward"] = lambda dH, X, states, h, *W: seen.append((dH, X, h)) or (0, 0, *zero)
    exec(notebook()["truncated-bptt"].source, scope)
    scope["truncated_bptt"](steps, steps, steps, 0 * steps[0], np.ones((1, 1)), np.ones((1, 1)), 2, 3)
    table = rows(notebook()["truncated"])[1:4]
    assert len(seen) == len(table)
    for (dH, X, h), (losses, window, before) in zip(seen, table, strict=True):
        assert [step - 1 for step in flat([dH]) if step] == numbers(losses)
        assert [step - 1 for step in flat([X])] == numbers(window)
        assert before == (f"states[{h.item() - 1:.0f}]" if h.item() else "h0")


def test_the_cut_gradient_by_hand():
    arrays = example_of_a_sequence()
    cut, full = (ran()["truncated_bptt"](*arrays, 1, k2) for k2 in (1, 2))
    entries = rows(notebook()["truncated"])[-1]
    assert [numbers(entry)[-1] for entry in entries] == flat(cut)
    for entry in entries:
        formula, _, result = entry.replace("·", "*").partition(" = ")
        assert eval(formula) == float(result)
    assert flat(full) == flat(ran()["rnn_backward"](*arrays)[2:])
    assert all(a * b < 0 for a, b in zip(flat(cut)[:2], flat(full)[:2], strict=True)), "both weights the other way"


def test_the_two_gradients_agree_as_the_closing_part_says():
    steps, errors = ran()["steps"], ran()["errors"]
    best = {name: error.argmin() for name, error in errors.items()}
    assert errors["float64"][best["float64"]] < 1e-8
    assert steps[best["float32"]] > 10 * steps[best["float64"]]
    assert errors["float32"].min() > 1000 * errors["float64"].min()
    fall = errors["float64"][steps > 1e-4]
    assert np.allclose(fall[1:-2] / fall[:-3], 10, rtol=0.3), "the error falls as the square of the step"
    slow = errors["float64"][steps < 1e-6]
    assert 1e3 < slow[0] / slow[-1] < 1e5, "rounding grows as 1 over the step, over four powers of ten"


def test_the_windows_teach_what_the_closing_part_says():
    reached = ran()["reached"]
    assert max(reached[6, 6] + reached[1, 6]) < 0.65, "windows of 6 are to stay near a coin"
    assert max(reached[7, 7]) < 0.9
    assert np.mean(reached[7, 7]) > max(reached[6, 6])
    assert np.mean(reached[7, 7]) < np.mean(reached[8, 8]) < np.mean(reached[16, 16])
    assert min(reached[1, 7] + reached[16, 16]) > 0.93
