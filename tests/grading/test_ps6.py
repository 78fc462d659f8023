"""Problem set 6: mistakes as students write them are named, bad answers get their sentence, its numbers are right."""

import re
from functools import partial

import numpy as np
import pytest
from problem_sets import cells, judged, names, rows

from rnncourse.grading.checks import find, sets
from rnncourse.grading.checks.lent import ps6 as lent

notebook, ran = partial(cells, "ps6-gru"), partial(names, "ps6-gru")
NAMES = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]


# What students write, in their own way: not the bank's code.


def sigmoid(a):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-a))


def one_sum_for_all(x, h, W_x, W_h, b, b_h, reset):
    H = h.shape[1]
    r, z, n = np.split(x @ W_x + h @ W_h + b, 3, axis=1)
    r, z = sigmoid(r), sigmoid(z)
    n = np.tanh(n + (r * (h @ W_h[:, 2 * H :] + b_h) if reset == "after" else (r * h) @ W_h[:, 2 * H :]))
    return z * h + (1 - z) * n, np.concatenate([r, z, n], axis=1)


def gates_then(candidate):
    """The gates of a step, then the candidate and the new state as given."""

    def step(x, h, W_x, W_h, b, b_h, reset):
        H = h.shape[1]
        a, u = x @ W_x + b, h @ W_h
        r, z = sigmoid(a[:, :H] + u[:, :H]), sigmoid(a[:, H : 2 * H] + u[:, H : 2 * H])
        n, new = candidate(a[:, 2 * H :], r, z, h, W_h[:, 2 * H :], b_h, reset)
        return new, np.hstack([r, z, n])

    return step


def overwrites_h(a, r, z, h, U, b_h, reset):
    if reset == "before":
        h = r * h
        n = np.tanh(a + h @ U)
    else:
        n = np.tanh(a + r * (h @ U + b_h))
    return n, z * h + (1 - z) * n


def never_looks(a, r, z, h, U, b_h, reset):
    n = np.tanh(a + r * (np.dot(h, U) + b_h))
    return n, n + z * (h - n)


def other_convention(a, r, z, h, U, b_h, reset):
    n = np.tanh(a + (r * (h @ U + b_h) if reset == "after" else (r * h) @ U))
    return n, h + z * (n - h)


def bias_outside(a, r, z, h, U, b_h, reset):
    n = np.tanh(a + (r * np.dot(h, U) + b_h if reset == "after" else np.dot(r * h, U)))
    return n, z * h + n - z * n


def from_another_library(x, h, W_x, W_h, b, b_h, reset):
    (Wz, Wr, Wn), (Uz, Ur, Un), (bz, br, bn) = (np.split(w, 3, axis=-1) for w in (W_x, W_h, b))
    z, r = sigmoid(x @ Wz + h @ Uz + bz), sigmoid(x @ Wr + h @ Ur + br)
    n = np.tanh(x @ Wn + bn + (r * (h @ Un + b_h) if reset == "after" else (r * h) @ Un))
    return (1 - z) * h + z * n, np.concatenate([z, r, n], axis=1)


def index_minus_one(X, h0, W_x, W_h, b, b_h, reset):
    (T, B, _), H = X.shape, h0.shape[1]
    states, gates = np.zeros((T, B, H)), np.zeros((T, B, 3 * H))
    for t in range(T):
        states[t], gates[t] = lent.gru_step(X[t], states[t - 1], W_x, W_h, b, b_h, reset)
    return states, gates


def as_in_ps2(X, h0, W_x, W_h, b, b_h, reset):
    h, states = h0, []
    for x in X:
        h, _ = lent.gru_step(x, h, W_x, W_h, b, b_h, reset)
        states.append(h)
    return np.array(states), h


def forgets_reset(X, h0, W_x, W_h, b, b_h, reset):
    rows, h = [], h0
    for t in range(len(X)):
        h, g = lent.gru_step(X[t], h, W_x, W_h, b, b_h, reset="after")
        rows.append([h, g])
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def from_h0_each_time(X, h0, *others):
    rows = [lent.gru_step(X[t], h0, *others) for t in range(X.shape[0])]
    return np.stack([h for h, _ in rows]), np.stack([g for _, g in rows])


def back(dh, h_prev, gates, W_h, b_h):
    H = len(W_h)
    r, z, n = gates[:, :H], gates[:, H : 2 * H], gates[:, 2 * H :]
    q = np.dot(h_prev, W_h[:, 2 * H :]) + b_h
    to_n = dh * (1 - z) * (1 - n * n)
    return r, z, to_n, dh * (h_prev - n) * (z - z * z), to_n * q * (r - r * r)


def as_in_ps5(dh, x, h_prev, gates, W_x, W_h, b_h):
    *_, to_n, to_z, to_r = back(dh, h_prev, gates, W_h, b_h)
    A = np.hstack([to_r, to_z, to_n])
    return A @ W_x.T, A @ W_h.T, x.T @ A, h_prev.T @ A, A.sum(0), to_n.sum(0)


def no_direct_path(dh, x, h_prev, gates, W_x, W_h, b_h):
    r, _, to_n, to_z, to_r = back(dh, h_prev, gates, W_h, b_h)
    A, S = np.hstack([to_r, to_z, to_n]), np.hstack([to_r, to_z, to_n * r])
    return A @ W_x.T, np.dot(S, W_h.T), x.T @ A, h_prev.T @ S, A.sum(0), (r * to_n).sum(0)


def sums_too_early(dh, x, h_prev, gates, W_x, W_h, b_h):
    r, z, to_n, to_z, to_r = back(dh, h_prev, gates, W_h, b_h)
    A, S = np.hstack([to_r, to_z, to_n]), np.hstack([to_r, to_z, to_n * r])
    return A @ W_x.T, S @ W_h.T + dh * z, x.T @ A, h_prev.T @ S, A.sum(0), r * to_n.sum(0)


def q_without_bias(dh, x, h_prev, gates, W_x, W_h, b_h):
    r, z, to_n, to_z, to_r = back(dh, h_prev, gates, W_h, 0 * b_h)
    A, S = np.hstack([to_r, to_z, to_n]), np.hstack([to_r, to_z, to_n * r])
    return A @ W_x.T, S @ W_h.T + dh * z, x.T @ A, h_prev.T @ S, A.sum(0), S.sum(0)[2 * len(W_h) :]


def port(weights, H, b, b_h):
    W, U, first, second = (weights[name] for name in NAMES)
    return W.T.copy(), U.T.copy(), b(first, second, H), b_h(first, second, H)


def cut(first, second, H):
    return np.concatenate([first[: 2 * H] + second[: 2 * H], first[2 * H :]])


def last(first, second, H):
    return np.array(second[2 * H :])


def H_from_the_rows(weights):
    return port(weights, weights["weight_hh_l0"].shape[0], cut, last)


def H_from_the_inputs(weights):
    return port(weights, weights["weight_ih_l0"].shape[1], cut, last)


def as_for_an_lstm(weights):
    H = weights["weight_hh_l0"].shape[1]
    return port(weights, H, lambda first, second, H: np.add(first, second), lambda first, second, H: np.zeros(H))


def counted_twice(weights):
    return port(weights, weights["weight_hh_l0"].shape[1], lambda first, second, H: first + second, last)


def views(weights):
    W, U, first, second = weights.values()
    H = U.shape[1]
    return W.T, U.T, cut(first, second, H), second[-H:]


def writes_into_theirs(weights):
    W, U, b, second = weights.values()
    H = U.shape[1]
    b[: 2 * H] += second[: 2 * H]
    return W.T.copy(), U.T.copy(), b.copy(), second[2 * H :].copy()


def one_below_the_other(weights):
    W, U, first, second = weights.values()
    H = U.shape[1]
    W_x = np.vstack([W[k * H : (k + 1) * H].T for k in range(3)])
    W_h = np.vstack([U[k * H : (k + 1) * H].T for k in range(3)])
    return W_x, W_h, cut(first, second, H), last(first, second, H)


@pytest.mark.parametrize(
    ("name", "function", "hint", "points"),
    [
        ("gru_step", one_sum_for_all, "h W_hn is in the candidate twice", 0),
        ("gru_step", gates_then(overwrites_h), "r h is named h, and then kept", 5),
        ("gru_step", gates_then(never_looks), "reset is not looked at (`if reset:` holds for both words)", 5),
        ("gru_step", gates_then(other_convention), "z weighs the candidate, (1 - z) h + z n", 1),
        ("gru_step", gates_then(bias_outside), "b_h is added outside the reset gate", 1),
        ("gru_step", from_another_library, "the blocks are taken for z, r, n, and z weighs the candidate", 0),
        ("gru_forward", index_minus_one, "h0 is ignored and the state starts from zeros", 4),
        ("gru_forward", as_in_ps2, "the last state is returned in place of the gates", 0),
        ("gru_forward", forgets_reset, 'reset is not handed on to gru_step: it is always "after"', 4),
        ("gru_forward", from_h0_each_time, "the state is not carried on: every step starts from h0", 0),
        ("gru_step_backward", as_in_ps5, "z dh and r are both left out", 0),
        ("gru_step_backward", no_direct_path, "the direct path is left out", 3),
        ("gru_step_backward", sums_too_early, "the sum in db_h is of A_n alone", 4),
        ("gru_step_backward", q_without_bias, "q lacks b_h", 0),
        ("gru_weights_from_torch", H_from_the_rows, "H is read as 3H", 1),
        ("gru_weights_from_torch", H_from_the_inputs, "weight_ih_l0.shape[1], which is D", 1),
        ("gru_weights_from_torch", as_for_an_lstm, "the biases are added up for all three gates", 1),
        ("gru_weights_from_torch", counted_twice, "the candidate's second bias is counted twice", 1),
        ("gru_weights_from_torch", views, "`.copy()` makes a new one", 3),
        ("gru_weights_from_torch", writes_into_theirs, "`.copy()` makes a new one", 3),
        ("gru_weights_from_torch", one_below_the_other, "the transposed blocks stand one below the other", 2),
    ],
)
def test_a_mistake_is_named_however_it_is_written(name, function, hint, points):
    for seed in range(5):
        report = judged(name, function, seed)
        assert report.hint is not None, f"no mistake recognised: {report}"
        assert hint in report.hint
        if seed == 0:
            assert report.points == points


def right(name):
    return find(name).reference


BAD = [
    ("gru_step", lambda x, h, *others: h, "it should return 2 values (h_next, gates), got an array of shape (4, 5)"),
    ("gru_step", lambda x, h, W_x, W_h, b, b_h, reset: h @ W_h + b_h, "in your line"),
    ("gru_step", lambda x, h, W_x, W_h, b: None, "gru_step should take (x, h, W_x, W_h, b, b_h, reset), yours takes"),
    (
        "gru_step",
        lambda *args: tuple(value.T for value in right("gru_step")(*args)),
        "gates has shape (15, 4), expected (4, 15), that is (B, 3H); the axes look swapped",
    ),
    (
        "gru_step",
        lambda *args: (right("gru_step")(*args)[0], right("gru_step")(*args)[1] * np.repeat([1, 2, 1], len(args[3]))),
        "gates is wrong in 20 of 60 places, in gate z; the largest error is at sequence",
    ),
    ("gru_forward", lambda *args: None, "it returned None: is a `return` missing?"),
    (
        "gru_forward",
        lambda X, h0, *others: lent.gru_step(X, h0, *others),
        "gru_step expects x of shape (B, D), here (5, 2), got an array of shape (5, 3, 2)",
    ),
    (
        "gru_forward",
        lambda X, h0, *others: lent.gru_step(X[1], lent.gru_step(X[0], h0, *others), *others),
        "gru_step expects h of shape (B, H), here (3, 4) beside x (3, 2), got a tuple",
    ),
    (
        "gru_forward",
        lambda X, h0, *others: lent.gru_step(X[0], h0, *others[:-1], "none"),
        'gru_step expects reset to be "after" or "before", got \'none\'',
    ),
    (
        "gru_step_backward",
        lambda *args: right("gru_step_backward")(*args)[:5],
        "it should return 6 values (dx, dh_prev, dW_x, dW_h, db, db_h), got 5",
    ),
    (
        "gru_step_backward",
        lambda *args: (*right("gru_step_backward")(*args)[:5], np.nan * args[-1]),
        "db_h holds nan in 5 of 5 places, the first at hidden unit 0",
    ),
    (
        "gru_weights_from_torch",
        lambda weights: weights,
        "it should return 4 values (W_x, W_h, b, b_h), got a dict",
    ),
    (
        "gru_weights_from_torch",
        lambda weights: weights["W_x"],
        "raised KeyError in your line",
    ),
]


@pytest.mark.parametrize(("name", "function", "sentence"), BAD)
def test_every_bad_answer_gets_its_sentence(name, function, sentence):
    report = judged(name, function)
    assert report.points < find(name).points
    assert sentence in " ".join(str(report).split())


def test_the_step_that_is_lent_is_right():
    report = judged("gru_step", lent.gru_step)
    assert report.points == 6, report


def test_a_mistake_in_the_step_costs_nothing_in_the_sequence():
    scope = {"np": np, "gru_step": lambda x, h, *others: (h, np.tile(h, 3))}
    exec(notebook()["gru-forward"].source, scope)
    assert judged("gru_forward", scope["gru_forward"]).points == 5


def test_the_references_agree_with_central_differences():
    """Of the loss that is the new state's sum, weighted by dh."""
    rng = np.random.default_rng(3)
    x, h = rng.normal(size=(3, 2)), rng.normal(size=(3, 4))
    W_x, W_h, b, b_h = (rng.normal(size=shape) / 2 for shape in ((2, 12), (4, 12), (12,), (4,)))
    arrays, dh = [x, h, W_x, W_h, b, b_h], rng.normal(size=(3, 4))
    _, gates = right("gru_step")(*arrays, "after")
    got = right("gru_step_backward")(dh, x, h, gates, W_x, W_h, b_h)
    for k, gradient in enumerate(got):

        def loss(value, k=k):
            return (right("gru_step")(*arrays[:k], value, *arrays[k + 1 :], "after")[0] * dh).sum()

        wanted = right("numerical_gradient")(loss, arrays[k], 1e-5)
        np.testing.assert_allclose(gradient, wanted, rtol=1e-6, atol=1e-8)


def test_the_port_gives_what_torch_computes():
    torch = pytest.importorskip("torch")
    module = torch.nn.GRU(3, 4, dtype=torch.float64)
    X = np.random.default_rng(0).normal(size=(6, 2, 3))
    weights = right("gru_weights_from_torch")({name: p.detach().numpy() for name, p in module.named_parameters()})
    states, _ = right("gru_forward")(X, np.zeros((2, 4)), *weights, "after")
    np.testing.assert_allclose(states, module(torch.from_numpy(X))[0].detach().numpy(), atol=1e-12)


def numbers(text):
    """The numbers in a text, in order; ½ and ¼ are numbers, too."""
    text = text.replace("½", "0.5").replace("¼", "0.25").replace("−", "-")
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def flat(arrays):
    return [float(value) for array in arrays for value in np.ravel(array)]


def example(cell, function):
    """The arguments of every call of `function` in an example, with what the model answer gives."""
    calls, scope = [], dict(ran())

    def called(*args):
        calls.append((args, ran()[function](*args)))
        return calls[-1][1]

    exec(notebook()[cell].source, scope | {function: called})
    return calls


def test_the_step_by_hand():
    text = notebook()["step"].source
    (after_args, after), (before_args, before) = example("step-example", "gru_step")
    x, h, W_x, W_h, b, b_h, _ = after_args
    assert [after_args[-1], before_args[-1]] == ["after", "before"]
    assert "x = 1, two hidden units with h = (0.4, 0.8)" in text
    assert flat([x, h]) == [1, 0.4, 0.8]
    assert not b.any()
    assert not W_h[:, :4].any()
    printed = text[text.index("W_{xr} &=") : text.index("As σ(1.1)")]
    assert numbers(printed) == flat([W_x, W_h[:, 4:], b_h])
    assert "r = (0.5, 0.75) and z = (0.25, 0.5)" in text
    np.testing.assert_allclose(after[1][0, :4], [0.5, 0.75, 0.25, 0.5], atol=5e-4)
    _, candidate, new = rows(notebook()["step"])[-3:]
    for column, (h_next, gates) in ((1, after), (2, before)):
        assert numbers(candidate[column])[2:] == flat([gates[0, 4:].round(3)])
        np.testing.assert_allclose(np.tanh(numbers(candidate[column])[:2]), gates[0, 4:], atol=5e-4)
        assert numbers(new[column]) == flat([h_next.round(3)])


def test_the_sequence_by_hand():
    (((X, h0, *_), (states, gates)),) = example("sequence-example", "gru_forward")
    table = rows(notebook()["sequence"])[1:]
    assert "`h0` = 0.2 and the inputs 1, 1, −1" in notebook()["sequence"].source
    assert flat([h0[0], X[:, 0]]) == [0.2, 1, 1, -1]
    assert [float(row[1]) for row in table] == pytest.approx(flat([gates[:, 0, 2]]))
    assert [numbers(row[2])[-1] for row in table] == pytest.approx(flat([states[:, 0]]))
    np.testing.assert_array_equal(states[:, 1], -states[:, 0])
    for row in table:
        formula, _, result = row[2].replace("½", "0.5").replace("·", "*").partition(" = ")
        assert eval(formula) == pytest.approx(float(result))


def test_the_step_back_by_hand():
    ((_, gradients),) = example("back-example", "gru_step_backward")
    text = " ".join(notebook()["back"].source.split())
    *_, sums, _, results = rows(notebook()["back"])
    assert [numbers(entry)[-1] for entry in results[:2]] == flat(gradients[:2])
    assert [numbers(entry) for entry in results[2:]] == [flat([gradient]) for gradient in gradients[2:]]
    for entry in sums[:3]:
        formula, _, result = entry.replace("½", "0.5").replace("¼", "0.25").replace("·", "*").partition(" = ")
        assert eval(formula) == float(result)
    assert numbers(sums[3]) == flat([gradients[4]])
    assert "x = 2 and `h_prev` = 0.5; after it `dh` = 8. The gates were r = z = ½ and n = 0." in text
    assert "`W_x` = (1, 2, 0.5), `W_h` = (−1, 1, 2) and `b_h` = 3. So Q = 0.5 · 2 + 3 = 4" in text


def test_the_port_by_hand():
    (((weights,), arrays),) = example("port-example", "gru_weights_from_torch")
    text = " ".join(notebook()["port"].source.split())
    printed = re.findall(r"`(\w+)` = (\([^)]*\)|\d+)", text)
    named = {name: numbers(values) for name, values in printed}
    assert named == {name: flat([value]) for name, value in weights.items()} | {
        "b": flat([arrays[2]]),
        "b_h": flat([arrays[3]]),
    }
    assert [array.shape for array in arrays[:2]] == [(1, 3), (1, 3)]


def test_the_shapes_of_torch_in_the_table_are_those_of_the_cases():
    shapes = dict(rows(notebook()["port"])[1:])
    D, H = 4, 5
    (case, *_) = find("gru_weights_from_torch").cases(np.random.default_rng(0))
    for name, array in case.args["weights"].items():
        assert eval(shapes[name].replace("3H", "3 * H"), {"D": D, "H": H}) == array.shape


def test_the_closing_part_shows_what_its_text_says():
    shown = ran()
    for others in (shown["torchs"], shown["package"]):
        assert abs(shown["states"] - others).max() < 1e-12
    apart = {off: abs(np.subtract(*pair)).max() for off, pair in shown["paths"].items()}
    assert apart[0] < 1e-12
    assert 0.05 < apart[0.2] < apart[1]
    assert apart[1] > 0.5
    last = {name: [curve[-1] for _, curve in each] for name, each in shown["runs"].items()}
    assert max(last["yours"]) < 0.1
    assert min(last["tanh cell"]) > 0.9
    sizes = {name: sum(p.size for p in each[0][0].params.values()) for name, each in shown["runs"].items()}
    assert abs(sizes["yours"] - sizes["tanh cell"]) < 50
    for own, *others in shown["moved"]:
        assert 3 * own < min(others) < max(others) < 1


def test_the_layer_of_the_closing_part_gives_the_packages_gradients():
    from rnncourse.cells import GRU

    shown = ran()
    yours, theirs = shown["YourGRU"](3, 5, np.random.default_rng(0)), GRU(3, 5, np.random.default_rng(0))
    theirs.b[5:10] = 3
    X = np.random.default_rng(1).normal(size=(6, 2, 3))
    results = []
    for layer in (yours, theirs):
        Y, state, tape = layer.forward(X)
        dX, dstate, grads = layer.backward(Y, tape, state)
        results.append([Y, dX, *dstate, *grads.values()])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_every_function_of_the_set_has_a_bank():
    assert len(sets()["ps6"]) == 4
    for name in sets()["ps6"]:
        assert len(find(name).mistakes) >= 30
        assert len(find(name).alternatives) >= 5
