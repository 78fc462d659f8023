"""rnn_backward: back through a sequence, total = immediate + handed back; the gradients of the weights are sums."""

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers, NumbersBackward
from rnncourse.grading.checks.lent import ps3 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_forward import draw as draw_forward
from rnncourse.grading.checks.ps2.rnn_forward import rnn_forward
from rnncourse.grading.checks.ps3.rnn_step_backward import WEIGHTS, backward
from rnncourse.grading.checks.structure import several

BACK = ("dX", "dh0")


def rnn_backward(dH, X, states, h0, W_x, W_h):
    """The reference: dH, states (T, B, H), X (T, B, D), h0 (B, H) to dX, dh0 and the gradients of the weights."""
    return backward(dH, X, states, h0, W_x, W_h)


def draw(rng, T, B, D, H):
    """The six arguments, by name; the states are those of a forward pass."""
    given = draw_forward(rng, T, B, D, H)
    states, _ = rnn_forward(**given)
    dH = rng.normal(size=states.shape)
    return {"dH": dH, "X": given["X"], "states": states} | {name: given[name] for name in ("h0", "W_x", "W_h")}


def at_the_end(args):
    """The same with a loss at the last step alone."""
    dH = args["dH"].copy()
    dH[:-1] = 0
    return args | {"dH": dH}


def cases(rng):
    """Sizes all different, output by output, and all equal; each size once 1; one loss alone, float32, many steps."""
    for part, outputs in (("handed back", BACK), ("weights", WEIGHTS)):
        args = draw(rng, T=5, B=3, D=4, H=2)
        for output in outputs:
            yield Case(part, "All sizes different", args, (output,))
        yield Case(part, "All sizes equal", draw(rng, T=3, B=3, D=3, H=3), outputs)
    yield Case("handed back", "A loss at the last step alone", at_the_end(draw(rng, T=4, B=2, D=3, H=5)), BACK)
    yield Case("sizes of 1", "One time step (T = 1)", draw(rng, T=1, B=3, D=2, H=4))
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, T=4, B=1, D=2, H=3))
    yield Case("sizes of 1", "One input and one hidden unit (D = H = 1)", draw(rng, T=3, B=4, D=1, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, T=5, B=2, D=4, H=3)))
    yield Case("numbers and inputs", "7 time steps", draw(rng, T=7, B=2, D=3, H=2))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, T=4, B=5, D=3, H=2), untouched=True)


def states_before(states, h0):
    """H_{t−1} for each step: h0, then the states but the last."""
    return [h0, *states[:-1]]


def walk(
    dH,
    X,
    states,
    h0,
    W_x,
    W_h,
    *,
    before=states_before,
    order=lambda T: range(T - 1, -1, -1),
    total=lambda immediate, handed_back: immediate + handed_back,
    carry=lambda new, old, total: new,
    begin=lambda h0, dH: np.zeros_like(h0),
):
    """The way back, with one of its parts replaced: dX and the weights' terms in lists by step, and dh0.

    `before` gives each step's H_{t−1}, `order` the steps; `total` adds immediate and handed back, `carry` says what is
    handed on, and `begin` is what is handed to the last step.
    """
    before, handed_back = before(states, h0), begin(h0, dH)
    dX, terms = [0 * x for x in X], []
    for t in order(len(X)):
        g = total(dH[t], handed_back)
        dX[t], new, *grads = lent.rnn_step_backward(g, X[t], before[t], states[t], W_x, W_h)
        handed_back = carry(new, handed_back, g)
        terms.append(grads)
    return dX, handed_back, terms


def summed(terms):
    """The sums over the steps."""
    return tuple(sum(term) for term in zip(*terms, strict=True))


def walked(**parts):
    """The way back with some of its parts replaced: a mistake."""

    def backward(*args):
        dX, dh0, terms = walk(*args, **parts)
        return np.stack(dX), dh0, *summed(terms)

    return backward


def arranged(result):
    """The way back, then `result(dX, dh0, terms)` of it: a mistake, or another form."""
    return lambda *args: result(*walk(*args))


def reduced(*how):
    """The gradients of W_x, W_h and b by `how` from their terms, last step first: a mistake."""
    return arranged(
        lambda dX, dh0, terms: (
            np.stack(dX),
            dh0,
            *(reduce(term) for reduce, term in zip(how, zip(*terms, strict=True), strict=True)),
        )
    )


def last_term(terms):
    """The term computed last, that of step 0: what `=` leaves."""
    return terms[-1]


def mean(terms):
    """The mean over the steps."""
    return sum(terms) / len(terms)


def along_batch(dH, X, states, h0, W_x, W_h):
    """Takes as many steps as there are sequences."""
    return walked(order=lambda T: range(X.shape[1] - 1, -1, -1))(dH, X, states, h0, W_x, W_h)


def batch_first(**parts):
    """Walks along axis 1."""

    def backward(dH, X, states, *others):
        dX, *grads = walked(**parts)(*(value.swapaxes(0, 1) for value in (dH, X, states)), *others)
        return dX.swapaxes(0, 1), *grads

    return backward


def past_the_first_step(dH, *others):
    """Adds dH[t − 1] to what step t hands back: at t = 0 that is dH[−1]."""
    dX, dh0, *weights = walked()(dH, *others)
    return dX, dh0 + dH[-1], *weights


def divided_by_batch(dH, *others):
    """The means over the sequences, of the gradients of the weights."""
    dX, dh0, *weights = walked()(dH, *others)
    return dX, dh0, *(grad / dH.shape[1] for grad in weights)


def not_multiplied_back(*args):
    """dh0 is the total gradient of the first state, from before the last product with W_hᵀ."""
    dX, dh0, terms = walk(*args, carry=lambda new, old, total: (new, total), total=lambda g, last: g + last[0])
    return np.stack(dX), dh0[1], *summed(terms)


def forward_in_time(dH, X, states, h0, W_x, W_h):
    """The loop runs from the first step to the last."""
    return walked(order=range)(dH, X, states, h0, W_x, W_h)


def total_for_immediate(dH, X, states, h0, W_x, W_h):
    """Sends the total gradients back, as if they were the immediate ones."""
    totals = np.empty_like(dH)
    handed_back = np.zeros_like(h0)
    for t in reversed(range(len(X))):
        totals[t] = dH[t] + handed_back
        handed_back = lent.rnn_step_backward(totals[t], X[t], h0, states[t], W_x, W_h)[1]
    return walked()(totals, X, states, h0, W_x, W_h)


def into_dH(dH, X, states, h0, W_x, W_h):
    """Adds what is handed back to dH, an input."""
    dX, handed_back, terms = np.empty_like(X), np.zeros_like(h0), []
    for t in reversed(range(len(X))):
        dH[t] += handed_back
        before = states[t - 1] if t else h0
        dX[t], handed_back, *grads = lent.rnn_step_backward(dH[t], X[t], before, states[t], W_x, W_h)
        terms.append(grads)
    return dX, handed_back, *summed(terms)


def before_after_swapped(dH, X, states, h0, W_x, W_h):
    """Takes the state before the step for the one after it, and the other way round."""
    before = np.stack(states_before(states, h0))
    return walked(before=lambda *_: states)(dH, X, before, h0, W_x, W_h)


MISTAKES = {
    "nothing is handed back: each step gets dH[t] alone": walked(total=lambda immediate, handed_back: immediate),
    "dH counts at the last step alone: earlier steps get only what is handed back": lambda dH, *others: walked()(
        at_the_end({"dH": dH})["dH"], *others
    ),
    "the last loss counts twice: the way back begins with dH[-1], and adds it again": walked(
        begin=lambda h0, dH: dH[-1]
    ),
    "what is handed back is added up over the steps, += in place of =": walked(carry=lambda new, old, total: old + new),
    "what is handed back is subtracted from dH[t]": walked(
        total=lambda immediate, handed_back: immediate - handed_back
    ),
    "the total gradient dH[t] + dh is handed back as it is, not dh_prev": walked(carry=lambda new, old, total: total),
    "dH[t] is added once more to what is handed back": walked(carry=lambda new, old, total: new + total - old),
    "the total gradients are sent back as if they were immediate, and later losses count again": total_for_immediate,
    "the loop runs from the first step to the last": forward_in_time,
    "the loop ends before step 0": walked(order=lambda T: range(T - 1, 0, -1)),
    "the loop begins one step early and leaves out the last step": walked(order=lambda T: range(T - 2, -1, -1)),
    "the loop takes as many steps as there are sequences: T is X.shape[0]": along_batch,
    "the loop runs along the sequences (axis 1) instead of the time steps (axis 0)": batch_first(),
    "the loop runs along the sequences, axis 1; the time steps are axis 0": batch_first(begin=lambda h0, dH: 0),
    "dH[t - 1] is added to what step t hands back: at t = 0 that is dH[-1], which is the last step's": (
        past_the_first_step
    ),
    "H_t stands for H_{t-1}: h_prev is states[t], it is states[t - 1]": walked(before=lambda states, h0: states),
    "H_t stands for H_{t-1} but for the first step: h_prev is states[t], it is states[t - 1]": walked(
        before=lambda states, h0: [h0, *states[1:]]
    ),
    "h0 is ignored: states[t - 1] at t = 0 is states[-1], the last state": walked(
        before=lambda states, h0: [states[-1], *states[:-1]]
    ),
    "h0 is ignored: zeros stand for the state before the first step": walked(
        before=lambda states, h0: [0 * h0, *states[:-1]]
    ),
    "h_prev is h0 at every step": walked(before=lambda states, h0: [h0] * len(states)),
    "h_prev and h are swapped": before_after_swapped,
    "the gradients of the weights are not summed: only those of step 0 are left, = in place of +=": reduced(
        last_term, last_term, last_term
    ),
    "dW_x is not summed over the steps: only that of step 0 is left": reduced(last_term, sum, sum),
    "dW_h is not summed over the steps: only that of step 0 is left": reduced(sum, last_term, sum),
    "db is not summed over the steps: only that of step 0 is left": reduced(sum, sum, last_term),
    "the gradients of the weights are those of the last step alone": reduced(*[lambda terms: terms[0]] * 3),
    "the gradients of the weights are means over the steps; they are sums": reduced(mean, mean, mean),
    "the gradients of the weights are divided by B, as means over the sequences; they are sums": divided_by_batch,
    "the gradients of the weights are kept step by step, not summed": reduced(np.stack, np.stack, np.stack),
    "dX is in the order of the way back: its last step comes first": arranged(
        lambda dX, dh0, terms: (np.stack(dX[::-1]), dh0, *summed(terms))
    ),
    "dX holds the first step alone": arranged(lambda dX, dh0, terms: (dX[0], dh0, *summed(terms))),
    "dX is summed over the steps": arranged(lambda dX, dh0, terms: (sum(dX), dh0, *summed(terms))),
    "dX is batch first, (B, T, D)": arranged(lambda dX, dh0, terms: (np.stack(dX, 1), dh0, *summed(terms))),
    "dX is an array of zeros that is never filled": arranged(
        lambda dX, dh0, terms: (0 * np.stack(dX), dh0, *summed(terms))
    ),
    "dh0 is zero": arranged(lambda dX, dh0, terms: (np.stack(dX), 0 * dh0, *summed(terms))),
    "dh0 is the total gradient of the first state, states[0]: one more step back is missing": not_multiplied_back,
    "dX and dh0 are swapped": arranged(lambda dX, dh0, terms: (dh0, np.stack(dX), *summed(terms))),
    "axes of size 1 are squeezed away": arranged(
        lambda dX, dh0, terms: tuple(map(np.squeeze, (np.stack(dX), dh0, *summed(terms))))
    ),
    "what is handed back is added to dH itself, an input: `dH[t] += …`": into_dH,
}


def weights_at_the_end(dH, X, states, h0, W_x, W_h):
    """Collect A on the way back, then one product for each weight, as `rnncourse.recurrence` does it."""
    T, _, D = X.shape
    A = np.array(dH)
    for t in reversed(range(T)):
        if t < T - 1:
            A[t] += A[t + 1] @ W_h.T
        A[t] *= 1 - states[t] ** 2
    before = np.concatenate([h0[None], states[:-1]])
    flat = A.reshape(-1, len(W_h))
    dW = X.reshape(-1, D).T @ flat, before.reshape(flat.shape).T @ flat, flat.sum(axis=0)
    return A @ W_x.T, A[0] @ W_h.T, *dW


def double_sum(dH, X, states, h0, W_x, W_h):
    """Loss by loss: each goes back to the first step by itself, and the gradients add up."""
    parts = []
    for t in range(len(X)):
        steps = slice(0, t + 1)
        dX, dh0, terms = walk(at_the_end({"dH": dH[steps]})["dH"], X[steps], states[steps], h0, W_x, W_h)
        later = np.zeros_like(X[t + 1 :])
        parts.append((np.concatenate([dX, later]), dh0, *summed(terms)))
    return summed(parts)


def recursive(dH, X, states, h0, W_x, W_h):
    """By recursion: the later steps hand back to the first one."""
    handed_back, later, sums = 0, X[1:], (0, 0, 0)
    if len(X) > 1:
        later, handed_back, *sums = recursive(dH[1:], X[1:], states[1:], states[0], W_x, W_h)
    dx, dh0, *terms = lent.rnn_step_backward(dH[0] + handed_back, X[0], h0, states[0], W_x, W_h)
    return [np.concatenate([dx[None], later]), dh0, *(a + b for a, b in zip(sums, terms, strict=True))]


ALTERNATIVES = {
    "step by step, then sums": walked(),
    "the weights' products after the loop": weights_at_the_end,
    "the double sum, loss by loss": double_sum,
    "recursion, a list of outputs": recursive,
    "float32 inside": lambda *args: walked()(*(np.asarray(value, np.float32) for value in args)),
}

PROBLEM = Problem(
    name="rnn_backward",
    outputs={
        "dX": NumbersBackward("T B D"),
        "dh0": Numbers("B H"),
        "dW_x": Numbers("D H"),
        "dW_h": Numbers("H H"),
        "db": Numbers("H"),
    },
    unpack=several,
    parts={"handed back": 2, "weights": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=rnn_backward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"rnn_step_backward": lent.rnn_step_backward},
    reread='chapter 5, section "In matrices"',
    shapes='"Notation" in the problem set',
)
