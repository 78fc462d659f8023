"""lstm_backward: back through a sequence, h and c handed from step to step; the gradients of the weights are sums."""

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Gates, Numbers, NumbersBackward
from rnncourse.grading.checks.lent import ps5 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps5.lstm_forward import draw as draw_forward
from rnncourse.grading.checks.ps5.lstm_forward import from_zeros, lstm_forward
from rnncourse.grading.checks.ps5.lstm_step_backward import WEIGHTS, backward
from rnncourse.grading.checks.structure import several

BACK = ("dX", "dh0", "dc0")


def lstm_backward(dH, dc_last, X, hs, cs, gates, h0, c0, W_x, W_h):
    """The reference: dH, hs, cs (T, B, H), dc_last, h0, c0 (B, H), X (T, B, D), gates (T, B, 4H) to six gradients."""
    return backward(dH, dc_last, X, hs, cs, gates, h0, c0, W_x, W_h)


def draw(rng, T, B, D, H, change=lambda given: given):
    """The ten arguments, by name; hs, cs and gates are those of a forward pass whose inputs `change` made."""
    given = change(draw_forward(rng, T, B, D, H))
    hs, cs, gates = lstm_forward(**given)
    upstream = {"dH": rng.normal(size=(T, B, H)), "dc_last": rng.normal(size=(B, H))}
    others = {name: given[name] for name in ("h0", "c0", "W_x", "W_h")}
    return upstream | {"X": given["X"], "hs": hs, "cs": cs, "gates": gates} | others


def at_the_end(args):
    """The same with a loss at the last step alone, and nothing after it."""
    dH = args["dH"].copy()
    dH[:-1] = 0
    return args | {"dH": dH, "dc_last": 0 * args["dc_last"]}


def cases(rng):
    """One step; sizes all different, all equal, outputs apart; each size once 1; float32, one loss, from 0, long."""
    yield Case("sizes of 1", "One time step (T = 1)", draw(rng, T=1, B=3, D=2, H=4))
    for part, outputs in (("handed back", BACK), ("weights", WEIGHTS)):
        yield Case(part, "All sizes different", draw(rng, T=4, B=3, D=2, H=5), outputs)
        yield Case(part, "All sizes equal", draw(rng, T=3, B=3, D=3, H=3), outputs)
    yield Case("handed back", "A loss at the last step alone", at_the_end(draw(rng, T=4, B=2, D=3, H=5)), BACK)
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, T=4, B=1, D=2, H=3))
    yield Case("sizes of 1", "One input and one hidden unit (D = H = 1)", draw(rng, T=3, B=4, D=1, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, T=5, B=2, D=4, H=3)))
    yield Case("numbers and inputs", "One time step from 0", draw(rng, T=1, B=2, D=4, H=3, change=from_zeros))
    yield Case("numbers and inputs", "7 time steps", draw(rng, T=7, B=2, D=3, H=2))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, T=4, B=5, D=3, H=2), untouched=True)


def before(states, initial):
    """The state before each step: the initial one, then all but the last."""
    return [initial, *states[:-1]]


def walk(
    dH,
    dc_last,
    X,
    hs,
    cs,
    gates,
    h0,
    c0,
    W_x,
    W_h,
    *,
    h_before=before,
    c_before=before,
    order=lambda T: range(T - 1, -1, -1),
    total=lambda immediate, dh: immediate + dh,
    begin=lambda dc_last, dH: dc_last,
    begin_h=lambda h0, dH: np.zeros_like(h0),
    carry=lambda new, old, total: new,
    step=lent.lstm_step_backward,
):
    """The way back, with one of its parts replaced: dX and the weights' terms in lists by step, and the last dh, dc.

    `h_before` and `c_before` give the states before each step, `order` the steps; `total` adds immediate and handed
    back, `begin` and `begin_h` are the first dc and dh, `step` makes a step, and `carry` says what is handed on as
    (dh, dc).
    """
    h_prev, c_prev = h_before(hs, h0), c_before(cs, c0)
    dh, dc = begin_h(h0, dH), begin(dc_last, dH)
    dX, terms = [0 * x for x in X], []
    for t in order(len(X)):
        g = total(dH[t], dh)
        dX[t], *new, dW_x, dW_h, db = step(g, dc, X[t], h_prev[t], c_prev[t], cs[t], gates[t], W_x, W_h)
        dh, dc = carry(new, (dh, dc), g)
        terms.append((dW_x, dW_h, db))
    return dX, dh, dc, terms


def summed(terms, W_x, W_h):
    """The sums over the steps, from zeros on."""
    sums = [np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(W_h[0])]
    for term in terms:
        sums = [so_far + now for so_far, now in zip(sums, term, strict=True)]
    return sums


def walked(**parts):
    """The way back with some of its parts replaced: a mistake."""

    def backward(*args):
        dX, dh0, dc0, terms = walk(*args, **parts)
        return np.stack(dX), dh0, dc0, *summed(terms, *args[-2:])

    return backward


def arranged(result):
    """The right gradients, then `result(dX, dh0, dc0, dW_x, dW_h, db)` of them: a mistake."""
    return lambda *args: result(*lstm_backward(*args))


def reduced(*how):
    """The gradients of W_x, W_h and b by `how` from their terms, last step first: a mistake."""

    def backward(*args):
        dX, dh0, dc0, terms = walk(*args)
        return (
            np.stack(dX),
            dh0,
            dc0,
            *(reduce(term) for reduce, term in zip(how, zip(*terms, strict=True), strict=True)),
        )

    return backward


def last_term(terms):
    """The term computed last, that of step 0: what `=` leaves."""
    return terms[-1]


def mean(terms):
    """The mean over the steps."""
    return sum(terms) / len(terms)


def read(change, **parts):
    """The way back on other arguments, `change(args)` of a dict: a mistake."""
    names = ("dH", "dc_last", "X", "hs", "cs", "gates", "h0", "c0", "W_x", "W_h")
    return lambda *args: walked(**parts)(*change(dict(zip(names, args, strict=True))).values())


def batch_first(args):
    """Time and sequences swapped."""
    return args | {name: args[name].swapaxes(0, 1) for name in ("dH", "X", "hs", "cs", "gates")}


def along_the_sequences(**parts):
    """Walks along axis 1."""

    def backward(*args):
        dX, *others = read(batch_first, **parts)(*args)
        return dX.swapaxes(0, 1), *others

    return backward


def past_the_first_step(dH, *others):
    """Adds dH[t − 1] to what step t hands back: at t = 0 that is dH[−1]."""
    dX, dh0, *grads = walked()(dH, *others)
    return dX, dh0 + dH[-1], *grads


def with_c(after):
    """`after(cs, c0)` in place of the cell states after each step."""
    return lambda *args: walked(c_before=lambda *_: before(args[4], args[7]))(
        *args[:4], after(args[4], args[7]), *args[5:]
    )


def along_both(dH, dc_last, X, hs, cs, gates, h0, c0, W_x, W_h):
    """Adds what comes back along c to dh as well."""
    return walked(total=lambda immediate, dh: immediate + dh, carry=lambda new, old, total: (new[0] + new[1], new[1]))(
        dH, dc_last, X, hs, cs, gates, h0, c0, W_x, W_h
    )


def divided_by_batch(dH, *others):
    """The means over the sequences, of the gradients of the weights."""
    dX, dh0, dc0, *weights = walked()(dH, *others)
    return dX, dh0, dc0, *(grad / dH.shape[1] for grad in weights)


def as_many_steps_as_sequences(*args):
    """Takes T from X.shape[1]."""
    return walked(order=lambda T: range(args[2].shape[1] - 1, -1, -1))(*args)


def at_every_step(dH, dc_last, *others):
    """dc_last comes in at every step."""
    return walked(carry=lambda new, old, total: (new[0], new[1] + dc_last))(dH, dc_last, *others)


def into_dH(dH, dc_last, *others):
    """Adds what is handed back to dH, an input."""

    def total(immediate, dh):
        immediate += dh
        return immediate

    return walked(total=total)(dH, dc_last, *others)


MISTAKES = {
    "nothing is handed back along h: each step gets dH[t] alone": walked(total=lambda immediate, dh: immediate),
    "nothing is handed back along c: each step gets zeros as dc": walked(
        begin=lambda dc_last, dH: 0 * dc_last, carry=lambda new, old, total: (new[0], 0 * new[1])
    ),
    "dc is set to zeros after the last step: nothing is handed back along c": walked(
        carry=lambda new, old, total: (new[0], 0 * new[1])
    ),
    "each step gets dc_last as its dc; it gets what the step after it handed back": walked(
        carry=lambda new, old, total: (new[0], old[1])
    ),
    "each step gets zeros as its dc; it gets what the step after it handed back, and the last one dc_last": walked(
        step=lambda g, dc, *others: lent.lstm_step_backward(g, 0 * dc, *others)
    ),
    "dc_last is left out: the way back begins with zeros for dc": walked(begin=lambda dc_last, dH: 0 * dc_last),
    "dc_last is added at every step; it belongs to the last": at_every_step,
    "dH[-1] stands for dc_last": walked(begin=lambda dc_last, dH: dH[-1]),
    "dH counts at the last step alone: earlier steps get only what is handed back": read(
        lambda args: args | {"dH": at_the_end(args)["dH"]}
    ),
    "the last loss counts twice: the way back begins with dH[-1] for dh, and adds it again": walked(
        begin_h=lambda h0, dH: dH[-1]
    ),
    "what is handed back along c goes into dh, too: dh is dH[t] and what came back along h": along_both,
    "what is handed back along h is added up over the steps, += in place of =": walked(
        carry=lambda new, old, total: (old[0] + new[0], new[1])
    ),
    "what is handed back along c is added up over the steps, += in place of =": walked(
        carry=lambda new, old, total: (new[0], old[1] + new[1])
    ),
    "what is handed back is added up over the steps, dh += and dc += in place of =": walked(
        carry=lambda new, old, total: (old[0] + new[0], old[1] + new[1])
    ),
    "what is handed back along h is subtracted from dH[t]": walked(total=lambda immediate, dh: immediate - dh),
    "the total gradient dH[t] + dh is handed back as it is, not dh_prev": walked(
        carry=lambda new, old, total: (total, new[1])
    ),
    "dh_prev and dc_prev are taken for each other when lstm_step_backward returns them: dh_prev comes first": walked(
        carry=lambda new, old, total: new[::-1]
    ),
    "dH[t] is also added to what is handed back along c": walked(
        step=lambda g, dc, *others: lent.lstm_step_backward(g, dc + g, *others)
    ),
    "the loop runs from the first step to the last": walked(order=range),
    "the loop ends before step 0": walked(order=lambda T: range(T - 1, 0, -1)),
    "the loop begins one step early and leaves out the last step": walked(order=lambda T: range(T - 2, -1, -1)),
    "the loop takes as many steps as there are sequences: T is X.shape[0]": as_many_steps_as_sequences,
    "the loop runs along the sequences (axis 1) instead of the time steps (axis 0)": along_the_sequences(),
    "the loop runs along the sequences, axis 1; the time steps are axis 0": (
        along_the_sequences(begin_h=lambda h0, dH: 0)
    ),
    "dH[t - 1] is added to what step t hands back: at t = 0 that is dH[-1], which is the last step's": (
        past_the_first_step
    ),
    "h0 and c0 are ignored: hs[t - 1] and cs[t - 1] at t = 0 are the last states": walked(
        h_before=lambda hs, h0: [hs[-1], *hs[:-1]], c_before=lambda cs, c0: [cs[-1], *cs[:-1]]
    ),
    "h0 is ignored: hs[t - 1] at t = 0 is the last state": walked(h_before=lambda hs, h0: [hs[-1], *hs[:-1]]),
    "c0 is ignored: cs[t - 1] at t = 0 is the last state": walked(c_before=lambda cs, c0: [cs[-1], *cs[:-1]]),
    "the states after a step stand for those before it: h_prev is hs[t - 1], and c_prev is cs[t - 1]": walked(
        h_before=lambda hs, h0: hs, c_before=lambda cs, c0: cs
    ),
    "h_prev is hs[t], the state after the step; it is hs[t - 1]": walked(h_before=lambda hs, h0: hs),
    "c_prev is cs[t], the cell state after the step; it is cs[t - 1]": walked(c_before=lambda cs, c0: cs),
    "c is cs[t - 1], which at t = 0 is the last one; it is cs[t]": with_c(lambda cs, c0: np.roll(cs, 1, axis=0)),
    "c is cs[t - 1], the cell state before the step; it is cs[t]": with_c(lambda cs, c0: np.stack(before(cs, c0))),
    "c_prev and c are swapped": lambda *args: walked(c_before=lambda *_: args[4])(
        *args[:4], np.stack(before(args[4], args[7])), *args[5:]
    ),
    "h0 and c0 are ignored: zeros stand for the states before the first step": walked(
        h_before=lambda hs, h0: before(hs, 0 * h0), c_before=lambda cs, c0: before(cs, 0 * c0)
    ),
    "h0 is ignored: zeros stand for the state before the first step": walked(
        h_before=lambda hs, h0: before(hs, 0 * h0)
    ),
    "h0 stands for c0, too: the cell state before the first step is c0": lambda *args: walked(
        c_before=lambda cs, c0: before(cs, args[6])
    )(*args),
    "h_prev is hs[t] but for the first step; it is hs[t - 1]": walked(h_before=lambda hs, h0: [h0, *hs[1:]]),
    "c_prev is cs[t] but for the first step; it is cs[t - 1]": walked(c_before=lambda cs, c0: [c0, *cs[1:]]),
    "c0 is ignored: zeros stand for the cell state before the first step": walked(
        c_before=lambda cs, c0: before(cs, 0 * c0)
    ),
    "h_prev and c_prev are h0 and c0 at every step": walked(
        h_before=lambda hs, h0: [h0] * len(hs), c_before=lambda cs, c0: [c0] * len(cs)
    ),
    "c_prev and h_prev are swapped: h_prev comes first": lambda *args: walked(
        h_before=lambda *_: before(args[4], args[7]), c_before=lambda *_: before(args[3], args[6])
    )(*args),
    "hs[t] stands for cs[t] as the cell state after the step": lambda *args: walked(
        c_before=lambda *_: before(*args[4:8:3])
    )(*args[:4], args[3], *args[5:]),
    "the gradients of the weights are not summed: only those of step 0 are left, = in place of +=": reduced(
        last_term, last_term, last_term
    ),
    "dW_x is not summed: only that of step 0 is left, = in place of +=": reduced(last_term, sum, sum),
    "dW_h is not summed: only that of step 0 is left, = in place of +=": reduced(sum, last_term, sum),
    "db is not summed: only that of step 0 is left, = in place of +=": reduced(sum, sum, last_term),
    "step 0 is left out of the sums for the weights": reduced(*[lambda terms: sum(terms[:-1], 0 * terms[0])] * 3),
    "step 0 is left out of the sums for the weights, which are the number 0 where there is no other step": reduced(
        *[lambda terms: sum(terms[:-1])] * 3
    ),
    "the gradients of the weights are those of the last step alone": reduced(*[lambda terms: terms[0]] * 3),
    "the gradients of the weights are means over the steps; they are sums": reduced(mean, mean, mean),
    "the gradients of the weights are divided by B, as means over the sequences; they are sums": divided_by_batch,
    "the gradients of the weights are stacked, one for each step; they are sums": reduced(
        *[lambda terms: np.stack(terms[::-1])] * 3
    ),
    "dX is in the wrong order, last step first": arranged(lambda dX, *others: (dX[::-1].copy(), *others)),
    "dX holds that of step 0 alone": arranged(lambda dX, *others: (dX[0], *others)),
    "dh0 and dc0 are swapped": arranged(lambda dX, dh0, dc0, *others: (dX, dc0, dh0, *others)),
    "dW_x and dW_h are swapped": arranged(lambda dX, dh, dc, dW_x, dW_h, db: (dX, dh, dc, dW_h, dW_x, db)),
    "the gradients of the weights come first; dX, dh0 and dc0 do": arranged(
        lambda dX, dh0, dc0, *of_weights: (*of_weights, dX, dh0, dc0)
    ),
    "axes of size 1 are squeezed away": arranged(lambda *grads: tuple(map(np.squeeze, grads))),
    "a result is written into an input: `dH[t] + dh` makes a new array, `dH[t] += dh` does not": into_dH,
}


def recursive(dH, dc_last, X, hs, cs, gates, h0, c0, W_x, W_h):
    """By recursion on the length of the sequence."""
    dX, dh, dc, dW = X[:0], 0 * h0, dc_last, (0, 0, 0)
    if len(X) > 1:
        dX, dh, dc, *dW = recursive(dH[1:], dc_last, X[1:], hs[1:], cs[1:], gates[1:], hs[0], cs[0], W_x, W_h)
    dx, dh0, dc0, *terms = lent.lstm_step_backward(dH[0] + dh, dc, X[0], h0, c0, cs[0], gates[0], W_x, W_h)
    return np.concatenate([dx[None], dX]), dh0, dc0, *(a + b for a, b in zip(dW, terms, strict=True))


def weights_at_the_end(dH, dc, X, hs, cs, gates, h0, c0, W_x, W_h):
    """Every step's A first; then one product for each of dX, dW_x and dW_h."""
    h_prev, c_prev = np.concatenate([h0[None], hs])[:-1], np.concatenate([c0[None], cs])[:-1]
    i, f, g, o = np.split(gates, 4, axis=-1)
    to_c = o * (1 - np.tanh(cs) ** 2)
    factors = np.stack([g * i * (1 - i), c_prev * f * (1 - f), i * (1 - g * g), np.tanh(cs) * o * (1 - o)])
    A, dh = np.empty_like(gates), 0
    for t in reversed(range(len(X))):
        dh = dh + dH[t]
        dc = dc + dh * to_c[t]
        A[t] = np.hstack([dc * factors[0, t], dc * factors[1, t], dc * factors[2, t], dh * factors[3, t]])
        dh, dc = A[t] @ W_h.T, dc * f[t]
    dW_x, dW_h = (np.tensordot(value, A, axes=([0, 1], [0, 1])) for value in (X, h_prev))
    return A @ W_x.T, dh, dc, dW_x, dW_h, A.sum(axis=(0, 1))


def one_sequence_at_a_time(dH, dc_last, X, hs, cs, gates, h0, c0, W_x, W_h):
    """Sequence by sequence, in a list in place of a tuple."""
    parts = []
    for k in range(len(h0)):
        in_time = (value[:, [k]] for value in (X, hs, cs, gates))
        parts.append(walked()(dH[:, [k]], dc_last[[k]], *in_time, h0[[k]], c0[[k]], W_x, W_h))
    dX, dh0, dc0, *weights = zip(*parts, strict=True)
    return [np.concatenate(dX, axis=1), np.concatenate(dh0), np.concatenate(dc0), *map(sum, weights)]


ALTERNATIVES = {
    "lists, stacked and summed": walked(),
    "recursion": recursive,
    "one product for each weight at the end": weights_at_the_end,
    "one sequence at a time, a list of outputs": one_sequence_at_a_time,
    "float32 inside": lambda *args: walked()(*(np.asarray(value, np.float32) for value in args)),
}

PROBLEM = Problem(
    name="lstm_backward",
    outputs={
        "dX": NumbersBackward("T B D"),
        "dh0": Numbers("B H"),
        "dc0": Numbers("B H"),
        "dW_x": Gates("D 4H"),
        "dW_h": Gates("H 4H"),
        "db": Gates("4H"),
    },
    unpack=several,
    parts={"sizes of 1": 1, "handed back": 2, "weights": 2, "numbers and inputs": 1},
    cases=cases,
    reference=lstm_backward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"lstm_step_backward": lent.lstm_step_backward},
    reread="part 4 of the problem set",
    shapes='"Notation" in the problem set',
)
