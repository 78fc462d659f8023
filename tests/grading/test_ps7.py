"""Problem set 7: mistakes as students write them are named, bad answers get their sentence, its numbers are right."""

from functools import partial

import numpy as np
import pytest
from problem_sets import cells, judged, names, rows

from rnncourse.analysis import leak_test
from rnncourse.grading.checks import find
from rnncourse.grading.checks.lent import ps7 as lent

notebook, ran = partial(cells, "ps7-deep"), partial(names, "ps7-deep")


# What students write, in their own way: not the bank's code.


def forgets_first_states(X, h0, W_x, W_h, b):
    T, B, _ = X.shape
    last = []
    for A, R, c in zip(W_x, W_h, b, strict=True):
        Y, h = np.zeros((T, B, len(c))), np.zeros((B, len(c)))
        for t in range(T):
            h = np.tanh(X[t] @ A + h @ R + c)
            Y[t] = h
        X = Y
        last.append(h)
    return X, np.array(last)


def carries_up(X, h0, W_x, W_h, b):
    last, h = [], h0[0]
    for k in range(len(b)):
        X, h = lent.rnn_forward(X, h, W_x[k], W_h[k], b[k])
        last.append(h)
    return X, np.array(last)


def reads_the_old_state(X, h0, W_x, W_h, b):
    h, Y = list(h0), []
    for t in range(len(X)):
        inputs = [X[t], *h[:-1]]
        h = [np.tanh(inputs[k] @ W_x[k] + h[k] @ W_h[k] + b[k]) for k in range(len(b))]
        Y.append(h[-1])
    return np.array(Y), np.array(h)


def keeps_all_layers(X, h0, W_x, W_h, b):
    L, (T, B, _) = len(b), X.shape
    Y = np.zeros((L, T, B, len(b[0])))
    for k in range(L):
        Y[k], _ = lent.rnn_forward(X if k == 0 else Y[k - 1], h0[k], W_x[k], W_h[k], b[k])
    return Y, Y[:, -1]


def top_state_only(X, h0, W_x, W_h, b):
    for k in range(len(b)):
        X, h = lent.rnn_forward(X, h0[k], W_x[k], W_h[k], b[k])
    return X, h


def flips(X, mask):
    return np.flip(X, axis=0)


def counts(X, mask):
    R = np.array(X)
    for j in range(X.shape[1]):
        n = np.count_nonzero(mask[:, j])
        for t in range(n):
            R[t, j] = X[n - 1 - t, j]
    return R


def starts_from_zeros(X, mask):
    R = np.zeros(X.shape)
    for j in range(X.shape[1]):
        R[mask[:, j], j] = np.flipud(X[mask[:, j], j])
    return R


def swaps_too_often(X, mask):
    R = X.copy()
    for j in range(X.shape[1]):
        places = [t for t in range(len(X)) if mask[t, j]]
        for first, other in zip(places, reversed(places), strict=True):
            R[first, j], R[other, j] = R[other, j].copy(), R[first, j].copy()
    return R


def mixes(X, mask):
    R = X.copy()
    R[mask] = np.flip(X[mask], axis=0)
    return R


def packs(X, mask):
    R = np.zeros_like(X)
    for j in range(X.shape[1]):
        n = mask[:, j].sum()
        R[:n, j] = X[mask[:, j], j][::-1]
        R[n:, j] = X[~mask[:, j], j]
    return R


def whole_array(X, mask, h0, left, right):
    a, h = lent.rnn_forward(X, h0[0], **left)
    c, g = lent.rnn_forward(X[::-1], h0[1], **right)
    return np.dstack([a, c[::-1]]) * mask[..., None], np.array([h, g])


def ignores_the_mask(X, mask, h0, left, right):
    a, h = lent.rnn_forward(X, h0[0], **left)
    c, g = lent.rnn_forward(np.flip(X, 0), h0[1], **right)
    return np.concatenate([a, np.flip(c, 0)], 2), np.array([h, g])


def leaves_it_turned(X, mask, h0, left, right):
    a, _ = lent.rnn_forward(X, h0[0], **left)
    c, _ = lent.rnn_forward(lent.reverse_padded(X, mask), h0[1], **right)
    n, k = mask.sum(axis=0), np.arange(X.shape[1])
    states = np.concatenate((a, c), axis=2)
    states[~mask] = 0
    return states, np.array([a[n - 1, k], c[n - 1, k]])


def takes_what_came_back(X, mask, h0, left, right):
    a, h = lent.rnn_forward(X, h0[0], **left)
    c, g = lent.rnn_forward(lent.reverse_padded(X, mask), h0[1], **right)
    states = np.concatenate((a, lent.reverse_padded(c, mask)), axis=2)
    states[~mask] = 0
    return states, np.array([h, g])


def last_rows(X, mask, h0, left, right):
    H = len(left["b"])
    a, _ = lent.rnn_forward(X, h0[0], **left)
    c, _ = lent.rnn_forward(lent.reverse_padded(X, mask), h0[1], **right)
    states = np.where(mask[..., None], np.concatenate((a, lent.reverse_padded(c, mask)), axis=2), 0)
    final = np.array([states[n - 1, j] for j, n in enumerate(mask.sum(axis=0))])
    return states, np.stack((final[:, :H], final[:, H:]))


def one_set_of_weights(X, mask, h0, left, right):
    a, _ = lent.rnn_forward(X, h0[0], **left)
    c, _ = lent.rnn_forward(lent.reverse_padded(X, mask), h0[1], **left)
    n, k = mask.sum(axis=0), np.arange(X.shape[1])
    states = np.concatenate((a, lent.reverse_padded(c, mask)), axis=2)
    states[~mask] = 0
    return states, np.array([a[n - 1, k], c[n - 1, k]])


def picks_rows(X, mask, h0, left, right):
    a, _ = lent.rnn_forward(X, h0[0], **left)
    c, _ = lent.rnn_forward(lent.reverse_padded(X, mask), h0[1], **right)
    n = mask.sum(axis=0)
    last = np.array([a[n - 1], c[n - 1]])
    states = np.concatenate([a, lent.reverse_padded(c, mask)], axis=2)
    states[~mask] = 0
    return states, last


def begins_at_0(f, X, other):
    y = f(X.copy()).copy()
    for t in range(len(X) - 1):
        z = X.copy()
        z[t + 1 :] = other[t + 1 :]
        if abs(f(z)[:t] - y[:t]).max() > 1e-6:
            return True
    return False


def compares_all(f, X, other):
    Y = f(X.copy())
    for t in range(1, len(X)):
        Z = X.copy()
        Z[t:] = other[t:]
        if not np.allclose(f(Z), Y):
            return True
    return False


def returns_too_soon(f, X, other):
    Y = f(X.copy()).copy()
    for t in range(1, len(X)):
        moved = f(np.r_[X[:t], other[t:]])[:t] - Y[:t]
        return not np.allclose(moved, 0, rtol=0, atol=1e-6)
    return False


def exact(f, X, other):
    Y = f(X.copy()).copy()
    return any(not np.array_equal(f(np.r_[X[:t], other[t:]])[:t], Y[:t]) for t in range(1, len(X)))


def last_step(f, X, other):
    Z = X.copy()
    Z[-1] = other[-1]
    before, after = f(X.copy())[:-1].copy(), f(Z)[:-1]
    return bool(before.size) and bool((abs(after - before) > 1e-6).any())


def signed(f, X, other):
    Y = f(X.copy()).copy()
    for t in range(1, len(X)):
        Z = np.concatenate([X[:t], other[t:]])
        if (f(Z)[:t] - Y[:t]).max() > 1e-6:
            return True
    return False


def includes_t(f, X, other):
    Y = f(X.copy()).copy()
    for t in range(1, len(X)):
        Z = np.concatenate([X[:t], other[t:]])
        if np.abs(f(Z) - Y)[: t + 1].max() > 1e-6:
            return True
    return False


def says_causal(f, X, other):
    return not find("leaks_future").reference(f, X, other)


@pytest.mark.parametrize(
    ("name", "function", "hint", "points"),
    [
        ("stacked_forward", forgets_first_states, "h0 is ignored: every layer starts from zeros", 2),
        ("stacked_forward", carries_up, "a layer starts from the last state of the layer below", 0),
        ("stacked_forward", reads_the_old_state, "a layer reads the state that the layer below had one step before", 0),
        ("stacked_forward", keeps_all_layers, "states holds all layers; it is that of the top layer alone", 0),
        ("stacked_forward", top_state_only, "last is that of the top layer alone", 0),
        ("reverse_padded", flips, "the whole array is turned round, pads included", 0),
        ("reverse_padded", counts, "only pads behind are thought of", 4),
        ("reverse_padded", starts_from_zeros, "the pads are set to 0; they stay as they were", 3),
        ("reverse_padded", swaps_too_often, "X comes out as it went in", 0),
        ("reverse_padded", packs, "the real steps come first and the pads behind them", 4),
        ("reverse_padded", mixes, "which mixes the sequences", 0),
        ("bidirectional_forward", whole_array, "so that the second pass reads the pads first", 4),
        ("bidirectional_forward", ignores_the_mask, "the mask is not used", 4),
        ("bidirectional_forward", leaves_it_turned, "the states of the second pass are not turned back", 0),
        ("bidirectional_forward", takes_what_came_back, "last is what rnn_forward returned, which has read pads", 4),
        ("bidirectional_forward", last_rows, "the pass from the right ends at step 0", 0),
        ("bidirectional_forward", one_set_of_weights, "both passes have the weights left", 0),
        ("bidirectional_forward", picks_rows, "states[n - 1] picks the states of all sequences for each of them", 0),
        ("leaks_future", begins_at_0, "at t = 0 none are left, of which max has no value", 0),
        ("leaks_future", compares_all, "all outputs are compared", 0),
        ("leaks_future", returns_too_soon, "only t = 1 is tried", 4),
        ("leaks_future", exact, "rounding counts as a leak", 5),
        ("leaks_future", last_step, "the last step, or only the answer for the last t", 4),
        ("leaks_future", signed, "the largest of new - old is looked at, not of its size", 2),
        ("leaks_future", includes_t, "the output at the changed step is compared too", 2),
        ("leaks_future", says_causal, "True and False are swapped", 0),
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
    (
        "stacked_forward",
        lambda *args: right("stacked_forward")(*args)[0],
        "should return 2 values (states, last), got an",
    ),
    (
        "stacked_forward",
        lambda X, h0, W_x, W_h, b: lent.rnn_forward(X, h0, W_x[0], W_h[0], b[0]),
        "rnn_forward expects h0 of shape (B, H), here (3, 5), got an array of shape (2, 3, 5)",
    ),
    (
        "stacked_forward",
        lambda X, h0, W_x, W_h, b: X @ W_x,
        "The inputs were X (4, 3, 6), h0 (2, 3, 5), W_x of shapes (6, 5)",
    ),
    (
        "stacked_forward",
        lambda X, h0, W_x, W_h, b: lent.rnn_forward(
            lent.rnn_forward(X, h0[0], W_x[0], W_h[0], b[0]), h0[1], W_x[1], W_h[1], b[1]
        ),
        "rnn_forward was given a tuple as X. It returns two values",
    ),
    ("stacked_forward", lambda X, weights: None, "stacked_forward should take (X, h0, W_x, W_h, b), yours takes"),
    ("reverse_padded", lambda X, mask: None, "it returned None: is a `return` missing?"),
    (
        "reverse_padded",
        lambda X, mask: list(X),
        "reverse should be a NumPy array, got a list (np.stack makes one of it)",
    ),
    ("reverse_padded", lambda X, mask: X.transpose(1, 0, 2), "reverse has shape (4, 6, 3), expected (6, 4, 3)"),
    ("reverse_padded", lambda X, mask: mask, "reverse has dtype bool, expected real numbers"),
    (
        "bidirectional_forward",
        lambda X, mask, h0, left, right: lent.reverse_padded(lent.rnn_forward(X, h0[0], **left), mask),
        "reverse_padded was given a tuple as X. rnn_forward returns two values",
    ),
    (
        "bidirectional_forward",
        lambda X, mask, h0, left, right: lent.reverse_padded(X, mask.sum(axis=0)),
        "reverse_padded expects mask of shape (T, B), here (5, 3), got an array of shape (3,)",
    ),
    (
        "bidirectional_forward",
        lambda X, mask, h0, left, right: lent.rnn_forward(X, h0[0], left),
        "rnn_forward() missing 2 required positional arguments",
    ),
    (
        "bidirectional_forward",
        lambda X, mask, h0, left, right: lent.rnn_forward(X, h0[0], **left),
        "states has shape (5, 3, 6), expected (5, 3, 12), that is (T, B, 2H)",
    ),
    (
        "leaks_future",
        lambda f, X, other: abs(f(other) - f(X)),
        "leaks should be True or False, got an array of shape (",
    ),
    ("leaks_future", lambda f, X, other: None, "it returned None: is a `return` missing?"),
    ("leaks_future", lambda f, X, other: f(X, other), "The inputs were f = f, X (5, 3, 4), other (5, 3, 4)"),
    ("leaks_future", lambda f, X, other: 1, "leaks should be True or False, got an int"),
]


@pytest.mark.parametrize(("name", "function", "sentence"), BAD)
def test_every_bad_answer_gets_its_sentence(name, function, sentence):
    report = judged(name, function)
    assert report.points < find(name).points
    assert sentence in " ".join(str(report).split())


def test_the_function_that_is_lent_names_an_array_without_sequences():
    with pytest.raises(
        ValueError, match=r"reverse_padded expects X of shape \(T, B, …\), got an array of shape \(3,\)"
    ):
        lent.reverse_padded(np.ones(3), np.ones(3, bool))


def test_a_mistake_in_one_function_costs_nothing_in_the_next():
    scope = {"np": np, "rnn_forward": lambda *args: 0, "reverse_padded": lambda *args: 0}
    for cell in ("stacked-forward", "bidirectional-forward"):
        own = dict(scope)
        exec(notebook()[cell].source, own)
        name = cell.replace("-", "_")
        assert judged(name, own[name]).points == find(name).points


def test_the_functions_of_the_cases_are_what_their_notes_say():
    """Causal or a leak: as a test that changes one input at a time finds it."""
    cases = list(find("leaks_future").cases(np.random.default_rng(5)))
    for case in cases:
        f, X, other = case.args.values()
        Y, reached = np.array(f(X.copy())), 0.0
        for s in range(len(X)):
            changed = X.copy()
            changed[s] = other[s]
            Z = f(changed)
            reached = max([reached, *(abs(Z[t] - Y[t]).max() for t in range(s))])
        assert ("leak" in case.note) == (reached > 1e-6), f"{case.note}: {reached}"
        assert reached < 5e-7 or reached > 1e-5, f"{case.note} is near the limit"
    parts = {part: {"leak" in case.note for case in cases if case.part == part} for part in find("leaks_future").parts}
    assert all(kinds == {True, False} for kinds in parts.values()), "an answer that is always the same earns points"


def test_the_test_for_leaks_agrees_with_that_of_the_package():
    rng = np.random.default_rng(7)
    X, other = rng.normal(size=(2, 6, 3, ran()["V"]))
    for form in ("deep", "both_ends"):
        layer, scores = ran()[form](np.random.default_rng(0))
        assert ran()["leaks_future"](scores, X, other) == (leak_test(layer, X, rng).future > 1e-6)


def expect_sum(entry):
    """An entry such as "tanh(2 · 1 − 0.5) = 0.905" is right to three digits. The number."""
    formula, _, result = entry.partition(" = ")
    computed = eval(formula.replace("·", "*"), {"tanh": np.tanh})
    assert computed == pytest.approx(float(result or formula), abs=1e-3), entry
    return float(result or formula)


def printed(number):
    return f"{number:g}".replace("-", "−")


def test_the_stack_by_hand():
    scope = {"np": np, "stacked_forward": lambda *args: (given.extend(args), (np.zeros(1), np.zeros(1)))[1]}
    given = []
    exec(notebook()["stack-example"].source, scope)
    X, h0, *weights = given
    table = rows(notebook()["stack"])
    for k, row in enumerate(table[1:3]):
        assert [float(entry) for entry in row] == [k, *(w[k].item() for w in weights), h0[k].item()]
    by_hand = np.array([[expect_sum(entry) for entry in row[1:]] for row in table[4:6]])
    states, last = ran()["stacked_forward"](*given)
    assert states.ravel().round(3).tolist() == by_hand[:, 1].tolist()
    assert last.ravel().round(3).tolist() == by_hand[1].tolist()
    text = notebook()["stack"].source
    assert f"`states` holds {' and '.join(map(printed, by_hand[:, 1]))}" in text
    assert f"`last` holds {' and '.join(map(printed, by_hand[1]))}" in text
    assert X.ravel().tolist() == [1, -1]


def test_the_reversal_by_hand():
    scope = {**ran(), "reverse_padded": lambda X, mask: given.append((X, mask)) or X}
    given = []
    exec(notebook()["reverse-example"].source, scope)
    ((X, mask),) = given
    reverse = ran()["reverse_padded"](X, mask)

    def shown(array, b):
        return " ".join(f"{x:g}{'.' * (not real)}" for x, real in zip(array[:, b, 0], mask[:, b], strict=True))

    for b, (_, before, after) in enumerate(rows(notebook()["reverse"])[1:]):
        assert before == shown(X, b)
        assert after == shown(reverse, b)


def test_both_ends_by_hand():
    scope = {**ran(), "bidirectional_forward": lambda *args: (given.extend(args), (np.zeros((1, 1)), np.zeros(1)))[1]}
    for name in ("W_x", "W_h", "b"):
        scope[name] = ran()[name] if isinstance(ran()[name], list) else None
    given = []
    exec(notebook()["stack-example"].source, scope)
    exec(notebook()["both-example"].source, scope)
    states, last = ran()["bidirectional_forward"](*given)
    by_hand = np.array([[expect_sum(entry) for entry in row[1:]] for row in rows(notebook()["both"])[1:]])
    assert states[:, 0].round(3).tolist() == by_hand.tolist()
    text = notebook()["both"].source
    first, second = (printed(round(state.item(), 3)) for state in last)
    assert f"left is {first}, the one from the right {second}." in text


def test_the_leak_by_hand():
    scope = dict(ran())
    exec(notebook()["leaks-example"].source, scope)
    X, other = scope["X"], scope["other"]
    header, *functions = rows(notebook()["leaks"])
    for t in (1, 2):
        changed = np.concatenate([X[:t], other[t:]])
        assert header[1 + t].endswith(": " + ", ".join(f"{x:g}" for x in changed.ravel()))
        for f, row in zip((scope["sum_so_far"], scope["with_the_next"]), functions, strict=True):
            assert row[1] == ", ".join(f"{y:g}" for y in f(X).ravel())
            assert row[1 + t] == ", ".join(f"{y:g}" for y in f(changed).ravel())


def test_the_perfect_model_is_what_the_closing_part_says():
    assert ran()["found"] == {"deep": False, "both_ends": True}
    left, both = (np.array(ran()["by_step"][form]) for form in ("deep", "both_ends"))
    assert both[:, :-1].max() < 1.3, "nearly certain of every character but the last"
    assert both[:, -1].min() > 1.2 * left[:, -1].max(), "worse than the other at the last step"
    assert left.min() > 4


def test_the_pads_do_what_the_closing_part_says():
    shares = {masked: np.array(rows) for masked, rows in ran()["shares"].items()}
    assert shares[True].min() > 0.97
    assert np.ptp(shares[True], axis=1).max() == 0, "with the true mask pads change nothing"
    assert shares[False][:, 0].min() > 0.97
    assert shares[False][:, 1].max() < 0.3, "one pad ruins nearly everything"
    assert shares[False][:, 3:7:3].max() == 0, "no number is right with three pads, nor with six"
