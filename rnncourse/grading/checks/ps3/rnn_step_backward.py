"""rnn_step_backward: one step back, A = dL/dH_t ⊙ (1 − H_t²); A Wᵀ is handed back, and each weight gets a product."""

from types import SimpleNamespace

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_step import cell, rnn_step, weights
from rnncourse.grading.checks.structure import several
from rnncourse.recurrence import Tape

BACK, WEIGHTS = ("dx", "dh_prev"), ("dW_x", "dW_h", "db")


def tape(X, states, h0):
    """What the course's own cell would have left behind: the states from h0 on."""
    return Tape(X, np.concatenate([h0[None], states])[None], states, None)


def backward(dH, X, states, h0, W_x, W_h):
    """The course's own backward pass: dX, dh0, dW_x, dW_h, db."""
    dX, (dh0,), grads = cell(W_x, W_h, 0).backward(dH, tape(X, states, h0))
    return dX, dh0, *grads.values()


def rnn_step_backward(dh, x, h_prev, h, W_x, W_h):
    """The reference: dh, h_prev, h (B, H), x (B, D) to dx, dh_prev and the gradients of the weights."""
    (dx,), *others = backward(dh[None], x[None], h[None], h_prev, W_x, W_h)
    return dx, *others


def draw(rng, B, D, H):
    """The six arguments, by name; h is the state that the step gave."""
    W = weights(rng, D, H)
    x, h_prev = rng.normal(size=(B, D)), rng.uniform(-0.9, 0.9, (B, H))
    given = {name: W[name] for name in ("W_x", "W_h")}
    return {"dh": rng.normal(size=(B, H)), "x": x, "h_prev": h_prev, "h": rnn_step(x, h_prev, **W)} | given


def saturated(args):
    """The same with states of −1 and 1 in the first unit, where tanh is flat."""
    h = args["h"].copy()
    h[:, 0] = np.sign(h[:, 0])
    return args | {"h": h}


def cases(rng):
    """Sizes all different, output by output, and all equal; each size once 1; float32, flat tanh."""
    for part, outputs in (("handed back", BACK), ("weights", WEIGHTS)):
        args = draw(rng, B=3, D=4, H=5)
        for output in outputs:
            yield Case(part, "All sizes different", args, (output,))
        yield Case(part, "All sizes equal", draw(rng, B=4, D=4, H=4), outputs)
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, B=1, D=3, H=4))
    yield Case("sizes of 1", "One input (D = 1)", draw(rng, B=3, D=1, H=4))
    yield Case("sizes of 1", "One hidden unit (H = 1)", draw(rng, B=4, D=3, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, B=2, D=5, H=3)))
    yield Case("numbers and inputs", "States of −1 and 1 in unit 0", saturated(draw(rng, B=3, D=2, H=4)))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, B=5, D=2, H=3), untouched=True)


RIGHT = {
    "A": lambda s: s.dh * (1 - s.h**2),
    "dx": lambda s: s.A @ s.W_x.T,
    "dh_prev": lambda s: s.A @ s.W_h.T,
    "dW_x": lambda s: s.x.T @ s.A,
    "dW_h": lambda s: s.h_prev.T @ s.A,
    "db": lambda s: s.A.sum(axis=0),
}
"""The step back, formula by formula, from the arguments and A, by name."""


def changed(**formulas):
    """The step back with some of its formulas replaced: a mistake."""
    formulas = RIGHT | formulas

    def backward(dh, x, h_prev, h, W_x, W_h):
        s = SimpleNamespace(dh=dh, x=x, h_prev=h_prev, h=h, W_x=W_x, W_h=W_h)
        s.A = formulas["A"](s)
        return tuple(formulas[name](s) for name in (*BACK, *WEIGHTS))

    return backward


def arranged(result):
    """The right gradients, then `result(dx, dh_prev, dW_x, dW_h, db)` of them: a mistake."""
    return lambda *args: result(*rnn_step_backward(*args))


def in_place(dh, x, h_prev, h, W_x, W_h):
    """Writes A into dh."""
    dh *= 1 - h * h
    return dh @ W_x.T, dh @ W_h.T, x.T @ dh, h_prev.T @ dh, dh.sum(axis=0)


MISTAKES = {
    "the slope of tanh is left out: A is dh": changed(A=lambda s: s.dh.copy()),
    "the slope of tanh is taken for 1 - h; it is 1 - h**2": changed(A=lambda s: s.dh * (1 - s.h)),
    "the slope of tanh is taken for (1 - h)**2; it is 1 - h**2": changed(A=lambda s: s.dh * (1 - s.h) ** 2),
    "the slope of tanh is computed at h_prev; it is 1 - h**2, from the state after the step": changed(
        A=lambda s: s.dh * (1 - s.h_prev**2)
    ),
    "tanh is applied to h once more, 1 - np.tanh(h)**2; h is the tanh already": changed(
        A=lambda s: s.dh * (1 - np.tanh(s.h) ** 2)
    ),
    "the slope of a sigmoid, h (1 - h), stands where that of tanh should": changed(A=lambda s: s.dh * s.h * (1 - s.h)),
    "the slope has the wrong sign between its terms, 1 + h**2": changed(A=lambda s: s.dh * (1 + s.h**2)),
    "dh is multiplied by h, not by the slope of tanh": changed(A=lambda s: s.dh * s.h),
    "dh is multiplied by h**2; the slope is 1 - h**2": changed(A=lambda s: s.dh * s.h**2),
    "the slope is multiplied in twice": changed(A=lambda s: s.dh * (1 - s.h**2) ** 2),
    "the slope of tanh is missing from what is handed back, dx and dh_prev": changed(
        dx=lambda s: s.dh @ s.W_x.T, dh_prev=lambda s: s.dh @ s.W_h.T
    ),
    "the slope of tanh is missing from dh_prev alone": changed(dh_prev=lambda s: s.dh @ s.W_h.T),
    "the slope of tanh is missing from dx alone": changed(dx=lambda s: s.dh @ s.W_x.T),
    "dh_prev is multiplied by the slope after W_h.T; the slope comes first": changed(
        dh_prev=lambda s: s.dh @ s.W_h.T * (1 - s.h**2)
    ),
    "the slope of tanh is missing from the gradients of the weights": changed(
        dW_x=lambda s: s.x.T @ s.dh, dW_h=lambda s: s.h_prev.T @ s.dh, db=lambda s: s.dh.sum(axis=0)
    ),
    "the slope of tanh is missing from db": changed(db=lambda s: s.dh.sum(axis=0)),
    "W_h is not transposed in dh_prev": changed(dh_prev=lambda s: s.A @ s.W_h),
    "W_x is not transposed in dx": changed(dx=lambda s: s.A @ s.W_x),
    "neither W_x nor W_h is transposed": changed(dx=lambda s: s.A @ s.W_x, dh_prev=lambda s: s.A @ s.W_h),
    "dx is multiplied by W_h.T; it is A W_x.T": changed(dx=lambda s: s.A @ s.W_h.T),
    "dh_prev is A; the product with W_h.T is missing": changed(dh_prev=lambda s: s.A),
    "dh is added to dh_prev": changed(dh_prev=lambda s: s.A @ s.W_h.T + s.dh),
    "dW_h is computed from h, the state after the step; it is from h_prev": changed(dW_h=lambda s: s.h.T @ s.A),
    "dW_h is transposed: it is h_prev.T @ A, not A.T @ h_prev": changed(dW_h=lambda s: s.A.T @ s.h_prev),
    "dW_x is transposed: it is x.T @ A, not A.T @ x": changed(dW_x=lambda s: s.A.T @ s.x),
    "dW_x and dW_h are both transposed: they are x.T @ A and h_prev.T @ A": changed(
        dW_x=lambda s: s.A.T @ s.x, dW_h=lambda s: s.A.T @ s.h_prev
    ),
    "x is not transposed in dW_x, nor h_prev in dW_h": changed(dW_x=lambda s: s.x @ s.A, dW_h=lambda s: s.h_prev @ s.A),
    "h_prev is not transposed in dW_h": changed(dW_h=lambda s: s.h_prev @ s.A),
    "the gradients of the weights are means over the sequences; they are sums": changed(
        **{name: lambda s, name=name: RIGHT[name](s) / len(s.x) for name in WEIGHTS}
    ),
    "db is the mean over the sequences; it is the sum": changed(db=lambda s: s.A.mean(axis=0)),
    "db is that of the last sequence alone; it is the sum over all": changed(db=lambda s: s.A[-1].copy()),
    "db is not summed over the sequences": changed(db=lambda s: s.A.copy()),
    "db is summed over the hidden units; it is summed over the sequences, axis 0": changed(
        db=lambda s: s.A.sum(axis=1)
    ),
    "db is summed over everything, to one number": changed(db=lambda s: s.A.sum()),
    "db keeps the axis of the sequences, with size 1": changed(db=lambda s: s.A.sum(axis=0, keepdims=True)),
    "all signs are wrong (h**2 - 1 in place of 1 - h**2?)": changed(A=lambda s: s.dh * (s.h**2 - 1)),
    "dx and dh_prev are swapped": arranged(lambda dx, dh_prev, *others: (dh_prev, dx, *others)),
    "dW_x and dW_h are swapped": arranged(lambda dx, dh_prev, dW_x, dW_h, db: (dx, dh_prev, dW_h, dW_x, db)),
    "the gradients of the weights come first; dx and dh_prev do": arranged(
        lambda dx, dh_prev, dW_x, dW_h, db: (dW_x, dW_h, db, dx, dh_prev)
    ),
    "axes of size 1 are squeezed away": arranged(lambda *grads: tuple(map(np.squeeze, grads))),
    "a product is written into an input: `A = dh * …` makes a new array, `dh *= …` does not": in_place,
}


def by_loops(dh, x, h_prev, h, W_x, W_h):
    """One number at a time."""
    (B, H), D = h.shape, x.shape[1]
    dx, dh_prev = np.zeros((B, D)), np.zeros((B, H))
    dW_x, dW_h, db = np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    for n in range(B):
        for j in range(H):
            a = dh[n, j] * (1 - h[n, j] * h[n, j])
            db[j] += a
            for i in range(D):
                dx[n, i] += a * W_x[i, j]
                dW_x[i, j] += a * x[n, i]
            for i in range(H):
                dh_prev[n, i] += a * W_h[i, j]
                dW_h[i, j] += a * h_prev[n, i]
    return dx, dh_prev, dW_x, dW_h, db


def by_einsum(dh, x, h_prev, h, W_x, W_h):
    """Sums by their indices, in a list."""
    A = np.einsum("bh,bh->bh", dh, 1 - h**2)
    back = [np.einsum("bh,ih->bi", A, W) for W in (W_x, W_h)]
    return [*back, *(np.einsum("bi,bh->ih", value, A) for value in (x, h_prev)), np.einsum("bh->h", A)]


def stacked(dh, x, h_prev, h, W_x, W_h):
    """[x, h_prev, 1] times the weights, one above the other."""
    D = len(W_x)
    A = dh - dh * h**2
    both = A @ np.concatenate([W_x, W_h]).T
    dW = np.concatenate([x, h_prev, np.ones_like(h[:, :1])], axis=1).T @ A
    return both[:, :D], both[:, D:], dW[:D], dW[D:-1], dW[-1]


def one_sequence_at_a_time(dh, x, h_prev, h, W_x, W_h):
    """Outer products, summed over the sequences."""
    a = [g * (1 - s) * (1 + s) for g, s in zip(dh, h, strict=True)]
    dW_x = sum(np.outer(before, row) for before, row in zip(x, a, strict=True))
    dW_h = sum(np.outer(before, row) for before, row in zip(h_prev, a, strict=True))
    return np.array([W_x @ row for row in a]), np.array([W_h @ row for row in a]), dW_x, dW_h, sum(a)


def in_float32(*args):
    """Half the digits."""
    return changed()(*(np.asarray(value, np.float32) for value in args))


ALTERNATIVES = {
    "formula by formula": changed(),
    "loops": by_loops,
    "einsum, a list of outputs": by_einsum,
    "stacked weights, parts of one product": stacked,
    "outer products of one sequence at a time": one_sequence_at_a_time,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="rnn_step_backward",
    outputs={
        "dx": Numbers("B D"),
        "dh_prev": Numbers("B H"),
        "dW_x": Numbers("D H"),
        "dW_h": Numbers("H H"),
        "db": Numbers("H"),
    },
    unpack=several,
    parts={"handed back": 2, "weights": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=rnn_step_backward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 5, section "In matrices"',
    shapes='"Notation" in the problem set',
)
