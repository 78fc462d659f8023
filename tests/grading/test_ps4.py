"""Problem set 4: mistakes as students write them are named, bad answers get their sentence, its numbers are right."""

import math
import re
from functools import partial

import numpy as np
import pytest
from problem_sets import cells, judged, names

from rnncourse import init
from rnncourse.analysis import singular_values, state_jacobians
from rnncourse.cells import RNN
from rnncourse.grading.checks import find

notebook, ran = partial(cells, "ps4-gradients"), partial(names, "ps4-gradients")


def right(name):
    return find(name).reference


# The references, against the package.


def test_the_norms_are_those_of_the_packages_own_jacobians():
    rng = np.random.default_rng(0)
    cell = RNN(3, 5, rng)
    cell.W_h *= 3
    X, h0 = rng.normal(size=(6, 2, 3)), rng.uniform(-1, 1, (2, 5))
    norms = singular_values(state_jacobians(cell, X, (h0,)))[:, :, 0]
    np.testing.assert_allclose(right("jacobian_norms")(cell.forward(X, (h0,))[0], cell.W_h), norms, rtol=1e-12)


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 4)])
def test_the_orthogonal_matrix_is_the_packages_own(shape):
    drawn = np.random.default_rng(1).normal(size=(max(shape), min(shape)))
    A = drawn if shape[0] >= shape[1] else drawn.T
    W = init.orthogonal(shape, np.random.default_rng(1), gain=1.5)
    np.testing.assert_allclose(right("orthogonal")(A, 1.5), W, rtol=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_the_orthogonal_matrices_of_all_cases_are_orthogonal(seed):
    for case in find("orthogonal").cases(np.random.default_rng(seed)):
        W = right("orthogonal")(*case.args.values()) / case.args["gain"]
        narrow = W if W.shape[0] >= W.shape[1] else W.T
        np.testing.assert_allclose(narrow.T @ narrow, np.eye(narrow.shape[1]), atol=1e-5, err_msg=case.note)


# What students write, in their own way: not the bank's code.


def walked(step, norm=lambda J: np.linalg.norm(J, 2), order=reversed):
    """A loop over sequences and steps, J = step(J, slopes, W_h)."""

    def function(states, W_h):
        T, B, H = states.shape
        norms = np.ones((T + 1, B))
        for b in range(B):
            J = np.eye(H)
            for k, t in enumerate(order(range(T)), start=1):
                J = step(J, np.diag(1 - states[t, b] ** 2), W_h)
                norms[k, b] = norm(J)
        return norms

    return function


def usual(J, D, W_h):
    return J @ D @ W_h.T


def by_time(states, W_h):
    T, B, H = states.shape
    norms, J = np.ones((T + 1, B)), np.stack([np.eye(H)] * B)
    for t in reversed(range(T)):
        for b in range(B):
            J[b] = J[b] @ np.diag(1 - states[t, b] ** 2) @ W_h.T
            norms[t, b] = np.linalg.norm(J[b], 2)
    return norms


def ends_early(states, W_h):
    T, B, H = states.shape
    norms, J = np.ones((T + 1, B)), np.stack([np.eye(H)] * B)
    for k in range(1, T):
        J = J @ ((1 - states[T - k] ** 2)[:, :, None] * W_h.T)
        norms[k] = np.linalg.svd(J)[1][:, 0]
    return norms


def slopes_of_columns(states, W_h):
    J, norms = np.eye(len(W_h)), [np.ones(states.shape[1])]
    for h in states[::-1]:
        J = J @ ((1 - h**2)[:, None] * W_h.T)
        norms.append(np.linalg.svd(J)[1].max(axis=1))
    return np.array(norms)


def one_sequence_only(states, W_h):
    J, norms = np.eye(W_h.shape[0]), [1]
    for t in range(len(states) - 1, -1, -1):
        J = J @ np.diag(1 - states[t] ** 2) @ W_h.T
        norms.append(np.linalg.norm(J))
    return norms


def adds_norms(grads, max_norm):
    norm = 0
    for g in grads.values():
        norm += np.linalg.norm(g)
    if norm > max_norm:
        for name in grads:
            grads[name] = grads[name] * max_norm / norm
    return grads, norm


def replaces_entries(grads, max_norm):
    norm = sum((g.astype(float) ** 2).sum() for g in grads.values()) ** 0.5
    if norm > max_norm:
        for name in grads:
            grads[name] = grads[name] * (max_norm / norm)
    return grads, norm


def plain_floats(grads, max_norm):
    norm = math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
    factor = min(1, max_norm / norm)
    return {name: g * factor for name, g in grads.items()}, norm


def one_vector(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads.values()]))
    return {name: g * min(1, max_norm / norm) for name, g in grads.items()}, norm


def multiplies_in_a_copied_dict(grads, max_norm):
    clipped = grads.copy()
    norm = np.sqrt(sum(np.sum(g.astype(float) ** 2) for g in grads.values()))
    if norm > max_norm:
        for name in clipped:
            clipped[name] *= max_norm / norm
    return clipped, norm


def same_arrays_where_short(grads, max_norm):
    clipped = dict(grads)
    norm = np.sqrt(sum(np.sum(g.astype(float) ** 2) for g in grads.values()))
    if norm > max_norm:
        clipped = {name: g / norm * max_norm for name, g in grads.items()}
    return clipped, norm


def one_by_one(grads, max_norm):
    clipped = {}
    for name, g in grads.items():
        norm = np.linalg.norm(g)
        clipped[name] = g * max_norm / norm if norm > max_norm else g.copy()
    return clipped, norm


def measures_afterwards(grads, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    clipped = {name: g * min(1, max_norm / norm) for name, g in grads.items()}
    return clipped, np.sqrt(sum((g**2).sum() for g in clipped.values()))


def largest_first(grads, max_norm):
    largest = max(np.abs(g).max() for g in grads.values())
    norm = largest * np.sqrt(sum(((g / largest) ** 2).sum() for g in grads.values()))
    return {name: g * min(1, max_norm / norm) for name, g in grads.items()}, norm


def asks_the_array(grads, limit):
    clipped = {}
    for name in grads:
        g = grads[name]
        if g > limit:
            g = limit
        if g < -limit:
            g = -limit
        clipped[name] = g
    return clipped


def one_mask(grads, limit):
    clipped = {}
    for name, g in grads.items():
        new = g.copy()
        new[np.abs(new) > limit] = limit
        clipped[name] = new
    return clipped


def masks_on_the_arrays_given(grads, limit):
    clipped = {}
    for name, g in grads.items():
        clipped[name] = g
        clipped[name][g > limit] = limit
        clipped[name][g < -limit] = -limit
    return clipped


def by_the_longest(grads, limit):
    longest = max(np.max(np.abs(g)) for g in grads.values())
    return {name: g * limit / longest if longest > limit else g + 0 for name, g in grads.items()}


def never_turned(A, gain):
    Q, R = np.linalg.qr(A)
    return gain * Q * np.sign(np.diag(R))


def never_turned_back(A, gain):
    if A.shape[0] < A.shape[1]:
        A = A.T
    Q, R = np.linalg.qr(A)
    return gain * Q * np.sign(np.diag(R))


def signs_on_the_left(A, gain):
    wide = A.shape[0] < A.shape[1]
    Q, R = np.linalg.qr(A.T if wide else A)
    W = gain * np.diag(np.sign(np.diag(R))) @ Q
    return W.T if wide else W


def along_rows(A, gain):
    rows = []
    for a in A:
        v = a - sum((q @ a) * q for q in rows)
        rows.append(v / np.linalg.norm(v))
    return gain * np.array(rows)


def in_place(A, gain):
    if A.shape[0] < A.shape[1]:
        return in_place(A.T, gain).T
    for j in range(A.shape[1]):
        v = A[:, j]
        for i in range(j):
            v -= (A[:, i] @ v) * A[:, i]
        v /= np.linalg.norm(v)
    return gain * A


@pytest.mark.parametrize(
    ("name", "function", "hint", "points"),
    [
        ("jacobian_norms", walked(lambda J, D, W: W.T @ D @ J), "W_h is not transposed", 0),
        ("jacobian_norms", walked(lambda J, D, W: D @ W.T @ J), "the factors stand in the other order", 1),
        (
            "jacobian_norms",
            walked(lambda J, D, W: D @ W.T @ J, order=list),
            "the product begins with the first step",
            0,
        ),
        ("jacobian_norms", walked(usual, np.linalg.norm), "the Frobenius norm is taken from lag 1 on", 0),
        ("jacobian_norms", walked(lambda J, D, W: J * (D @ W.T)), "multiplied entry by entry", 0),
        ("jacobian_norms", walked(usual, lambda J: np.linalg.svd(J)[1][-1]), "the smallest singular value", 0),
        ("jacobian_norms", by_time, "stored by time step", 0),
        ("jacobian_norms", ends_early, "norms[T], the largest lag, stays at 1", 0),
        ("jacobian_norms", slopes_of_columns, "the slopes multiply the columns of W_h.T", 0),
        ("jacobian_norms", one_sequence_only, "states[t] is taken for one sequence", 0),
        ("clip_by_global_norm", adds_norms, "the norms of the arrays are added up", 0),
        ("clip_by_global_norm", replaces_entries, "grads is changed", 5),
        ("clip_by_global_norm", plain_floats, "which Python's own floats refuse", 4),
        ("clip_by_global_norm", one_vector, "the squares overflow", 5),
        ("clip_by_global_norm", multiplies_in_a_copied_dict, "`dict(grads)` or `grads.copy()`", 5),
        ("clip_by_global_norm", same_arrays_where_short, "the very arrays that were given are returned", 5),
        (
            "clip_by_global_norm",
            one_by_one,
            "each array is clipped by its own norm, and the norm is that of the last",
            1,
        ),
        ("clip_by_global_norm", measures_afterwards, "the norm that is returned is the one after clipping", 4),
        ("clip_by_global_norm", largest_first, "divided by their largest entry, also where that is 0", 5),
        ("clip_by_value", asks_the_array, "`if` is asked about a whole array", 0),
        ("clip_by_value", one_mask, "the signs are lost: large entries become +limit", 0),
        ("clip_by_value", masks_on_the_arrays_given, "grads is changed", 2),
        ("clip_by_value", by_the_longest, "all gradients are scaled until the largest entry is the limit", 0),
        ("orthogonal", lambda A, gain: gain * np.linalg.qr(A)[0], "the signs of np.linalg.qr are left", 0),
        ("orthogonal", never_turned, "a wide matrix is not turned first", 2),
        ("orthogonal", never_turned_back, "the result is not turned back", 2),
        ("orthogonal", signs_on_the_left, "the signs multiply the rows of Q", 0),
        ("orthogonal", along_rows, "it is its columns that Gram-Schmidt goes along", 0),
        ("orthogonal", in_place, "A is written over", 3),
    ],
)
def test_a_mistake_is_named_however_it_is_written(name, function, hint, points):
    for seed in range(5):
        report = judged(name, function, seed)
        assert report.hint is not None, f"no mistake recognised: {report}"
        assert hint in report.hint
        if seed == 0:
            assert report.points == points


BAD = [
    (
        "jacobian_norms",
        lambda *args: right("jacobian_norms")(*args).tolist(),
        "norms should be a NumPy array, got a list",
    ),
    ("jacobian_norms", lambda *args: right("jacobian_norms")(*args)[1:], "expected (6, 1), that is (T+1, B)."),
    ("jacobian_norms", lambda *args: np.ones((6, 1)), "in 5 of 6 places, from lag 1 on; first at norms[1], sequence 0"),
    ("jacobian_norms", lambda states: states, "should take (states, W_h), yours takes (states)"),
    ("jacobian_norms", lambda states, W_h: None, "it returned None: is a `return` missing?"),
    ("clip_by_global_norm", lambda grads, c: grads, "it should return 2 values (clipped, norm), got a dict"),
    ("clip_by_global_norm", lambda grads, c: (list(grads.values()), 1), "norm is 1, expected "),
    (
        "clip_by_global_norm",
        lambda grads, c: (grads, np.ones(3)),
        "norm should be one number, got an array of shape (3,)",
    ),
    (
        "clip_by_global_norm",
        lambda *args: (list(right("clip_by_global_norm")(*args)[0].values()), right("clip_by_global_norm")(*args)[1]),
        "clipped should be a dict of arrays, got a list",
    ),
    (
        "clip_by_global_norm",
        lambda grads, c: np.linalg.norm(list(grads.values())),
        "The inputs were grads = {W_x (2, 3), W_h (3, 3), b (3,)}, max_norm = ",
    ),
    ("clip_by_value", lambda grads, limit: (grads, limit), "clipped should be a dict of arrays, got a tuple"),
    ("clip_by_value", lambda grads, limit: {}, "clipped has 0 keys, expected 3; it lacks 'W_x'"),
    (
        "clip_by_value",
        lambda grads, limit: {**grads, "norm": 1.0},
        "clipped has 4 keys, expected 3; 'norm' should not be",
    ),
    (
        "clip_by_value",
        lambda grads, limit: dict.fromkeys(grads, limit),
        "clipped['W_x'] should be a NumPy array, got a float",
    ),
    (
        "clip_by_value",
        lambda grads, limit: {name: g.astype(int) for name, g in grads.items()},
        "clipped['W_x'] has the integer dtype int64",
    ),
    ("orthogonal", lambda A, gain: np.linalg.qr(A), "W should be a NumPy array, got a QRResult"),
    ("orthogonal", lambda A, gain: right("orthogonal")(A, gain)[:, :-1], "expected (4, 4), that is (I, J)"),
    ("orthogonal", lambda A, gain: right("orthogonal")(A, gain) + 0j, "W has dtype complex128, expected real numbers"),
]


@pytest.mark.parametrize(("name", "function", "sentence"), BAD)
def test_every_bad_answer_gets_its_sentence(name, function, sentence):
    report = judged(name, function)
    assert report.points < find(name).points
    assert sentence in " ".join(str(report).split())


def test_of_a_division_by_zero_one_reads_under_numbers():
    assert 'Read again: "How to work" in the problem set.' in str(judged("clip_by_global_norm", plain_floats))


# The notebook's numbers and claims.


def matrices(cell):
    """The matrices written out in a cell, in their order."""
    found = re.findall(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", notebook()[cell].source)
    return [np.array([[float(x) for x in row.split("&")] for row in matrix.split(r"\\")]) for matrix in found]


def test_the_factors_by_hand():
    W_h, h_1, h_2, F_2, F_1, J_2 = matrices("jacobian")
    np.testing.assert_allclose(F_1, np.diag(1 - h_1[0] ** 2) @ W_h.T)
    np.testing.assert_allclose(F_2, np.diag(1 - h_2[0] ** 2) @ W_h.T)
    np.testing.assert_allclose(J_2, F_2 @ F_1)
    norms = ran()["jacobian_norms"](np.stack([h_1, h_2]), W_h)
    assert "are {:g}, {:g} and {:g}.".format(*norms[:, 0]) in notebook()["jacobian"].source


def test_the_clipped_gradients_by_hand():
    W, b = matrices("norm")
    grads = {"W_h": W, "b": b[0]}
    clipped, norm = ran()["clip_by_global_norm"](grads, 1.5)
    assert (
        f"so the norm is {norm:g}. With c = 1.5 the factor is {clipped['b'][0] / b[0, 0]:g}."
        in notebook()["norm"].source
    )
    assert (ran()["clip_by_global_norm"](grads, 4)[0]["W_h"] == W).all()
    by_value = ran()["clip_by_value"](grads, 1.5)
    for ours, theirs in zip(matrices("value"), by_value.values(), strict=True):
        np.testing.assert_array_equal(np.squeeze(ours), theirs)


def test_the_orthogonal_matrix_by_hand():
    A, q_1, a_2, also_q_1, v_2, q_2, W = matrices("orthogonal-text")
    np.testing.assert_allclose(ran()["orthogonal"](A, 1.0), W, atol=1e-12)
    np.testing.assert_allclose(np.hstack([q_1 / 5, q_2]), W)
    np.testing.assert_allclose(also_q_1, q_1 / 5)
    np.testing.assert_allclose(a_2 - 2.2 * also_q_1, v_2, atol=1e-12)
    assert (np.linalg.qr(A)[0][:, 0] < 0).all(), "the example is to show a sign that NumPy chooses otherwise"


def test_the_closing_part_draws_what_its_text_says():
    by_lag = ran()["by_lag"]
    ends = {key: np.log10(norms[-1]) for key, norms in by_lag.items()}
    for seed in range(3):
        assert ends["linear", 0.8, seed] < -2
        assert abs(ends["linear", 1.0, seed]) < 1
        assert ends["linear", 1.5, seed] > 2
        assert ends["tanh", 1.0, seed] < ends["linear", 1.0, seed]
        for radius in (1.5, 2.0):
            assert 0 < ends["tanh", radius, seed] < ends["linear", radius, seed] / 2


def test_the_clipped_descents_arrive_and_the_other_is_thrown():
    descents = ran()["descents"]
    (free, missed), (by_norm, near), (by_value, also_near) = descents.values()
    longest = [np.linalg.norm(np.diff(path, axis=0), axis=1).max() for path in (free, by_norm, by_value)]
    assert longest[0] > 1 > 0.25 > max(longest[1:])
    assert missed[-1] > 0.5
    assert max(near[-1], also_near[-1]) < 0.01
    thrown, by_norm_step, by_value_step = (
        np.diff(path, axis=0)[np.argmax(np.linalg.norm(np.diff(free, axis=0), axis=1))]
        for path in (free, by_norm, by_value)
    )
    assert abs(thrown[1]) > 10 * abs(thrown[0]), "on the cliff the gradient of b is the larger one by far"
    np.testing.assert_allclose(by_norm_step / np.linalg.norm(by_norm_step), thrown / np.linalg.norm(thrown))
    np.testing.assert_allclose(abs(by_value_step), 0.3 * 0.5)


def test_the_orthogonal_start_reaches_further_and_holds_longer():
    reach, accuracy = ran()["reach"], ran()["accuracy"]
    for seed in range(3):
        assert reach["as drawn", seed][-1] < 1e-5 < 1e-2 < reach["orthogonal", seed][-1]
    assert sum(accuracy["as drawn", seed, 10] > 0.9 for seed in range(3)) >= 2
    assert max(accuracy["as drawn", seed, 30] for seed in range(3)) < 0.5
    for T in (20, 30):
        drawn, orthogonal = ([accuracy[kind, seed, T] for seed in range(3)] for kind in ("as drawn", "orthogonal"))
        assert np.mean(orthogonal) > np.mean(drawn) + 0.2
