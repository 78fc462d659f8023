"""lstm_step_backward: one step back through the LSTM, along c and through the four gates."""

from types import SimpleNamespace

import numpy as np

from rnncourse.arrays import sigmoid
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Gates, Numbers
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps5.lstm_step import (
    beside,
    blocks,
    cell,
    lstm_step,
    transposed_blocks,
)
from rnncourse.grading.checks.ps5.lstm_step import (
    draw as draw_forward,
)
from rnncourse.grading.checks.structure import several
from rnncourse.recurrence import Tape

CELL, BACK, WEIGHTS = ("dc_prev",), ("dx", "dh_prev"), ("dW_x", "dW_h", "db")


def backward(dH, dc_last, X, hs, cs, gates, h0, c0, W_x, W_h):
    """The course's own backward pass: dX, dh0, dc0, dW_x, dW_h, db."""
    before_and_after = np.stack([np.concatenate([h0[None], hs]), np.concatenate([c0[None], cs])])
    tape = Tape(X, before_and_after, gates, None)
    dX, dstate, grads = cell(W_x, W_h, 0).backward(dH, tape, (np.zeros_like(dc_last), dc_last))
    return dX, *dstate, *grads.values()


def lstm_step_backward(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    """The reference: dh, dc, h_prev, c_prev, c (B, H), x (B, D), gates (B, 4H) to the six gradients."""
    hs = np.zeros_like(c)[None]  # the state after the step is not needed
    (dx,), *others = backward(dh[None], dc, x[None], hs, c[None], gates[None], h_prev, c_prev, W_x, W_h)
    return dx, *others


def draw(rng, B, D, H):
    """The nine arguments, by name; c and gates are those that the step gave."""
    given = draw_forward(rng, B, D, H)
    _, c, gates = lstm_step(**given)
    x, h_prev, c_prev, W_x, W_h = (given[name] for name in ("x", "h", "c", "W_x", "W_h"))
    upstream = {"dh": rng.normal(size=(B, H)), "dc": rng.normal(size=(B, H))}
    return upstream | {"x": x, "h_prev": h_prev, "c_prev": c_prev, "c": c, "gates": gates, "W_x": W_x, "W_h": W_h}


def saturated(args):
    """The same with gates of 0 and 1 in unit 0, as large inputs make them: f = o = 1, i = 0, g = −1."""
    gates, H = args["gates"].copy(), args["c"].shape[1]
    gates[:, ::H] = 0, 1, -1, 1
    i, f, g, _ = blocks(gates)
    return args | {"gates": gates, "c": f * args["c_prev"] + i * g}


def without(name, args):
    """The same with zeros for one of the arguments."""
    return args | {name: np.zeros_like(args[name])}


def cases(rng):
    """Sizes all different and all equal, outputs apart; one gradient alone; each size once 1; float32, shut gates."""
    for part, outputs in (("along c", CELL), ("through the gates", BACK), ("weights", WEIGHTS)):
        yield Case(part, "All sizes different", draw(rng, B=3, D=2, H=5), outputs)
        yield Case(part, "All sizes equal", draw(rng, B=4, D=4, H=4), outputs)
    yield Case("along c", "dc = 0, as at the last step", without("dc", draw(rng, B=2, D=4, H=3)), CELL)
    yield Case("along c", "dh = 0: nothing comes back by way of h", without("dh", draw(rng, B=2, D=3, H=4)), CELL)
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, B=1, D=3, H=4))
    yield Case("sizes of 1", "One input (D = 1)", draw(rng, B=3, D=1, H=2))
    yield Case("sizes of 1", "One hidden unit (H = 1)", draw(rng, B=4, D=3, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, B=2, D=5, H=3)))
    yield Case("numbers and inputs", "Gates of 0 and 1 in unit 0", saturated(draw(rng, B=3, D=2, H=4)))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, B=5, D=2, H=3), untouched=True)


def tanh_slope(y):
    """The slope of tanh, as a function of its output."""
    return 1 - y**2


def sigmoid_slope(y):
    """The slope of the sigmoid, as a function of its output."""
    return y * (1 - y)


RIGHT = {
    "order": lambda s: blocks(s.gates),
    "total": lambda s: s.dc + s.dh * s.o * tanh_slope(np.tanh(s.c)),
    "A_i": lambda s: s.total * s.g * sigmoid_slope(s.i),
    "A_f": lambda s: s.total * s.c_prev * sigmoid_slope(s.f),
    "A_g": lambda s: s.total * s.i * tanh_slope(s.g),
    "A_o": lambda s: s.dh * np.tanh(s.c) * sigmoid_slope(s.o),
    "A": lambda s: beside(s.A_i, s.A_f, s.A_g, s.A_o),
    "dx": lambda s: s.A @ s.W_x.T,
    "dh_prev": lambda s: s.A @ s.W_h.T,
    "dc_prev": lambda s: s.total * s.f,
    "dW_x": lambda s: s.x.T @ s.A,
    "dW_h": lambda s: s.h_prev.T @ s.A,
    "db": lambda s: s.A.sum(axis=0),
}
"""The step back, formula by formula, each from what is there by then, by name."""


def changed(**formulas):
    """The step back with some of its formulas replaced: a mistake."""
    formulas = RIGHT | formulas

    def backward(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
        s = SimpleNamespace(dh=dh, dc=dc, x=x, h_prev=h_prev, c_prev=c_prev, c=c, gates=gates, W_x=W_x, W_h=W_h)
        s.i, s.f, s.g, s.o = formulas["order"](s)
        for name in ("total", "A_i", "A_f", "A_g", "A_o", "A"):
            setattr(s, name, formulas[name](s))
        return tuple(formulas[name](s) for name in ("dx", "dh_prev", "dc_prev", *WEIGHTS))

    return backward


def ordered(order, kept=False):
    """The blocks of gates taken for another `order`, such as "figo"; `kept`: A in that order, too. A mistake."""

    def read(s):
        named = dict(zip(order, blocks(s.gates), strict=True))
        return [named[gate] for gate in "ifgo"]

    return changed(order=read, **{"A": joined(order)} if kept else {})


def joined(order):
    """The parts of A side by side in this order."""
    return lambda s: beside(*(getattr(s, f"A_{gate}") for gate in order))


def arranged(result):
    """The right gradients, then `result(dx, dh_prev, dc_prev, dW_x, dW_h, db)` of them: a mistake."""
    return lambda *args: result(*lstm_step_backward(*args))


def sloped(sigmoids=sigmoid_slope, tanhs=tanh_slope):
    """Other slopes of the gates: a mistake."""
    return changed(
        A_i=lambda s: s.total * s.g * sigmoids(s.i),
        A_f=lambda s: s.total * s.c_prev * sigmoids(s.f),
        A_g=lambda s: s.total * s.i * tanhs(s.g),
        A_o=lambda s: s.dh * np.tanh(s.c) * sigmoids(s.o),
    )


def in_place(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    """Adds what comes by way of h to dc, an input."""
    dc += dh * blocks(gates)[3] * tanh_slope(np.tanh(c))
    return changed(total=lambda s: s.dc)(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h)


MISTAKES = {
    "dc is left out: the total gradient of c holds only what comes by way of h": changed(
        total=lambda s: s.dh * s.o * tanh_slope(np.tanh(s.c))
    ),
    "dc is multiplied by f on its way into the total gradient of c; it comes with its forget gate in it": changed(
        total=lambda s: s.dc * s.f + s.dh * s.o * tanh_slope(np.tanh(s.c))
    ),
    "what comes by way of h is left out: the total gradient of c is more than dc": changed(total=lambda s: s.dc.copy()),
    "the slope of tanh(c) is left out of the total gradient of c": changed(total=lambda s: s.dc + s.dh * s.o),
    "the output gate o is left out of the total gradient of c": changed(
        total=lambda s: s.dc + s.dh * tanh_slope(np.tanh(s.c))
    ),
    "dh is added to dc as it is, without o and the slope of tanh(c)": changed(total=lambda s: s.dc + s.dh),
    "dh stands for dc in what comes by way of c": changed(total=lambda s: s.dh + s.dh * s.o * tanh_slope(np.tanh(s.c))),
    "the slope of tanh(c) is taken for 1 - c**2; c is not squashed yet, it is 1 - tanh(c)**2": changed(
        total=lambda s: s.dc + s.dh * s.o * tanh_slope(s.c)
    ),
    "the slope of tanh(c) is taken for 1 - tanh(c); it is 1 - tanh(c)**2": changed(
        total=lambda s: s.dc + s.dh * s.o * (1 - np.tanh(s.c))
    ),
    "dh is multiplied by tanh(c) on its way to c, not by the slope of tanh": changed(
        total=lambda s: s.dc + s.dh * s.o * np.tanh(s.c)
    ),
    "the slope of tanh is computed at c_prev; it is at c, the cell state after the step": changed(
        total=lambda s: s.dc + s.dh * s.o * tanh_slope(np.tanh(s.c_prev))
    ),
    "o and the slope of tanh(c) also multiply dc": changed(
        total=lambda s: (s.dc + s.dh) * s.o * tanh_slope(np.tanh(s.c))
    ),
    "dc_prev is the total gradient of c; the forget gate is missing": changed(dc_prev=lambda s: s.total.copy()),
    "dc_prev is dc times f; what comes by way of h is missing there": changed(dc_prev=lambda s: s.dc * s.f),
    "dc_prev is multiplied by i, not by the forget gate f": changed(dc_prev=lambda s: s.total * s.i),
    "dc_prev is multiplied by 1 - f, not by f": changed(dc_prev=lambda s: s.total * (1 - s.f)),
    "dc_prev is multiplied by the slope of f, f (1 - f), not by f": changed(
        dc_prev=lambda s: s.total * sigmoid_slope(s.f)
    ),
    "A_g is also multiplied by g, as A_i is; it is dC i (1 - g**2)": changed(
        A_g=lambda s: s.total * s.i * s.g * tanh_slope(s.g)
    ),
    "i, f and g hear of dc alone; they hear of the total gradient of c": changed(
        A_i=lambda s: s.dc * s.g * sigmoid_slope(s.i),
        A_f=lambda s: s.dc * s.c_prev * sigmoid_slope(s.f),
        A_g=lambda s: s.dc * s.i * tanh_slope(s.g),
    ),
    "i, f and g hear of dh; they hear of the total gradient of c": changed(
        A_i=lambda s: s.dh * s.g * sigmoid_slope(s.i),
        A_f=lambda s: s.dh * s.c_prev * sigmoid_slope(s.f),
        A_g=lambda s: s.dh * s.i * tanh_slope(s.g),
    ),
    "the output gate hears of dc; it hears of dh": changed(A_o=lambda s: s.dc * np.tanh(s.c) * sigmoid_slope(s.o)),
    "the output gate hears of the total gradient of c; it hears of dh": changed(
        A_o=lambda s: s.total * np.tanh(s.c) * sigmoid_slope(s.o)
    ),
    "the output gate's part of A has c for tanh(c)": changed(A_o=lambda s: s.dh * s.c * sigmoid_slope(s.o)),
    "the output gate's part of A has tanh(c_prev) for tanh(c)": changed(
        A_o=lambda s: s.dh * np.tanh(s.c_prev) * sigmoid_slope(s.o)
    ),
    "the output gate's part of A lacks tanh(c)": changed(A_o=lambda s: s.dh * sigmoid_slope(s.o)),
    "the forget gate's part of A has c for c_prev": changed(A_f=lambda s: s.total * s.c * sigmoid_slope(s.f)),
    "the forget gate's part of A has h_prev for c_prev": changed(A_f=lambda s: s.total * s.h_prev * sigmoid_slope(s.f)),
    "the forget gate's part of A lacks c_prev": changed(A_f=lambda s: s.total * sigmoid_slope(s.f)),
    "the input gate's part of A lacks g, and the candidate's lacks i": changed(
        A_i=lambda s: s.total * sigmoid_slope(s.i), A_g=lambda s: s.total * tanh_slope(s.g)
    ),
    "the input gate's part of A lacks g": changed(A_i=lambda s: s.total * sigmoid_slope(s.i)),
    "the candidate's part of A lacks i": changed(A_g=lambda s: s.total * tanh_slope(s.g)),
    "i and g are swapped as factors: dc g belongs to i, and dc i to g": changed(
        A_i=lambda s: s.total * s.i * sigmoid_slope(s.i), A_g=lambda s: s.total * s.g * tanh_slope(s.g)
    ),
    "all slopes of the gates are left out": sloped(lambda y: 1, lambda y: 1),
    "the slopes of the sigmoids are left out: i (1 - i) and so on": sloped(sigmoids=lambda y: 1),
    "the slope of the candidate's tanh is left out": sloped(tanhs=lambda y: 1),
    "the slope of the candidate is that of a sigmoid, g (1 - g); it is 1 - g**2": sloped(tanhs=sigmoid_slope),
    "the slopes of i, f and o are those of tanh, 1 - y**2; they are y (1 - y)": sloped(sigmoids=tanh_slope),
    "the slope of the candidate's tanh is taken for 1 - g; it is 1 - g**2": sloped(tanhs=lambda y: 1 - y),
    "the slopes of the sigmoids are taken for 1 - y; they are y (1 - y)": sloped(sigmoids=lambda y: 1 - y),
    "the slope of the candidate is 1 - tanh(g)**2; g is the tanh already": sloped(
        tanhs=lambda y: tanh_slope(np.tanh(y))
    ),
    "the gates are squashed once more; they are the outputs of sigmoid and tanh already": changed(
        order=lambda s: [np.tanh(y) if k == 2 else sigmoid(y) for k, y in enumerate(blocks(s.gates))]
    ),
    "the slopes are computed from the gates squashed once more, σ(i) (1 − σ(i)) and so on": sloped(
        sigmoids=lambda y: sigmoid_slope(sigmoid(y)), tanhs=lambda y: tanh_slope(np.tanh(y))
    ),
    "the blocks of gates are taken for f, i, g, o; they are i, f, g, o": ordered("figo"),
    "the blocks of gates and A are taken for f, i, g, o; they are i, f, g, o": ordered("figo", kept=True),
    "the blocks of gates are taken for i, f, o, g; they are i, f, g, o": ordered("ifog"),
    "the blocks of gates and A are taken for i, f, o, g; they are i, f, g, o": ordered("ifog", kept=True),
    "the parts of A are joined in the order f, i, g, o; it is i, f, g, o": changed(A=joined("figo")),
    "the parts of A are joined in the order i, f, o, g; it is i, f, g, o": changed(A=joined("ifog")),
    "the forget gate's part of A is left out (zeros)": changed(A_f=lambda s: 0 * s.f),
    "the output gate's part of A is left out (zeros)": changed(A_o=lambda s: 0 * s.o),
    "each gate's block of W_h is not transposed: it is A @ W_h.T": changed(
        dh_prev=lambda s: s.A @ transposed_blocks(s.W_h).T
    ),
    "dh is added to dh_prev": changed(dh_prev=lambda s: s.A @ s.W_h.T + s.dh),
    "dW_h is computed from c_prev; the gates see h_prev": changed(dW_h=lambda s: s.c_prev.T @ s.A),
    "dW_x and dW_h are transposed: they are x.T @ A and h_prev.T @ A": changed(
        dW_x=lambda s: s.A.T @ s.x, dW_h=lambda s: s.A.T @ s.h_prev
    ),
    "dW_h is transposed: it is h_prev.T @ A, not A.T @ h_prev": changed(dW_h=lambda s: s.A.T @ s.h_prev),
    "dW_x is transposed: it is x.T @ A, not A.T @ x": changed(dW_x=lambda s: s.A.T @ s.x),
    "x is not transposed in dW_x, nor h_prev in dW_h": changed(dW_x=lambda s: s.x @ s.A, dW_h=lambda s: s.h_prev @ s.A),
    "the gradients of the weights are means over the sequences; they are sums": changed(
        **{name: lambda s, name=name: RIGHT[name](s) / len(s.x) for name in WEIGHTS}
    ),
    "db is the mean over the sequences; it is the sum": changed(db=lambda s: s.A.mean(axis=0)),
    "db is not summed over the sequences": changed(db=lambda s: s.A.copy()),
    "db is summed over the gates; it is summed over the sequences, axis 0": changed(db=lambda s: s.A.sum(axis=1)),
    "db is summed over everything, to one number": changed(db=lambda s: s.A.sum()),
    "db keeps the axis of the sequences, with size 1": changed(db=lambda s: s.A.sum(axis=0, keepdims=True)),
    "dh_prev and dc_prev are swapped": arranged(lambda dx, dh, dc, *others: (dx, dc, dh, *others)),
    "dx comes last of the first three; it comes first": arranged(lambda dx, dh, dc, *others: (dh, dc, dx, *others)),
    "dW_x and dW_h are swapped": arranged(lambda dx, dh, dc, dW_x, dW_h, db: (dx, dh, dc, dW_h, dW_x, db)),
    "the gradients of the weights come first; dx, dh_prev and dc_prev do": arranged(
        lambda dx, dh, dc, *of_weights: (*of_weights, dx, dh, dc)
    ),
    "axes of size 1 are squeezed away": arranged(lambda *grads: tuple(map(np.squeeze, grads))),
    "a result is written into an input: `total = dc + …` makes a new array, `dc += …` does not": in_place,
}


def by_loops(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    """One number at a time."""
    (B, H), D = c.shape, x.shape[1]
    dx, dh_prev, dc_prev = np.zeros((B, D)), np.zeros((B, H)), np.zeros((B, H))
    dW_x, dW_h, db = np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
    for n in range(B):
        for j in range(H):
            i, f, g, o = gates[n, j::H]
            tanh_c = np.tanh(c[n, j])
            total = dc[n, j] + dh[n, j] * o * (1 - tanh_c) * (1 + tanh_c)
            dc_prev[n, j] = f * total
            to_i, to_f = total * g * i * (1 - i), total * c_prev[n, j] * f * (1 - f)
            to_g, to_o = total * i * (1 - g * g), dh[n, j] * tanh_c * o * (1 - o)
            for k, a in zip(range(j, 4 * H, H), (to_i, to_f, to_g, to_o), strict=True):
                db[k] += a
                dx[n] += a * W_x[:, k]
                dW_x[:, k] += a * x[n]
                dh_prev[n] += a * W_h[:, k]
                dW_h[:, k] += a * h_prev[n]
    return dx, dh_prev, dc_prev, dW_x, dW_h, db


def gate_by_gate(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    """Each gate with its own blocks, summed up; a list of outputs."""
    i, f, g, o = blocks(gates)
    total = dc + dh * o / np.cosh(c) ** 2
    factors = total * g, total * c_prev, total * i, dh * np.tanh(c)
    slopes = i - i * i, f - f * f, 1 - g * g, o - o * o
    A = [factor * slope for factor, slope in zip(factors, slopes, strict=True)]
    dx, dh_prev = (sum(a @ part.T for a, part in zip(A, blocks(W), strict=True)) for W in (W_x, W_h))
    dW_x, dW_h = (np.hstack([before.T @ a for a in A]) for before in (x, h_prev))
    return [dx, dh_prev, f * total, dW_x, dW_h, np.hstack([a.sum(axis=0) for a in A])]


def by_einsum(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    """Sums by their indices, the gates along an axis of their own."""
    (B, H), y = c.shape, gates.reshape(len(c), 4, -1)
    total = dc + dh * y[:, 3] * (1 - np.tanh(c) ** 2)
    A = np.stack([total * y[:, 2], total * c_prev, total * y[:, 0], dh * np.tanh(c)], axis=1) * (1 - y)
    A = (A * np.stack([y[:, 0], y[:, 1], 1 + y[:, 2], y[:, 3]], axis=1)).reshape(B, 4 * H)
    back = [np.einsum("bg,ig->bi", A, W) for W in (W_x, W_h)]
    return *back, total * y[:, 1], *(np.einsum("bi,bg->ig", v, A) for v in (x, h_prev)), np.einsum("bg->g", A)


def on_own_buffer(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    """In place, on buffers of its own; dh_prev and dx are parts of one product."""
    H, total = len(W_h), dh * gates[:, 3 * len(W_h) :]
    total *= 1 - np.tanh(c) ** 2
    total += dc
    A = gates * (1 - gates)
    A[:, 2 * H : 3 * H] = 1 - gates[:, 2 * H : 3 * H] ** 2
    A[:, :H] *= gates[:, 2 * H : 3 * H] * total
    A[:, H : 2 * H] *= c_prev * total
    A[:, 2 * H : 3 * H] *= gates[:, :H] * total
    A[:, 3 * H :] *= dh * np.tanh(c)
    both = A @ np.vstack([W_h, W_x]).T
    dW = np.hstack([h_prev, x, np.ones((len(x), 1))]).T @ A
    total *= gates[:, H : 2 * H]
    return both[:, H:], both[:, :H], total, dW[H:-1], dW[:H], dW[-1]


def in_float32(*args):
    """Half the digits."""
    return changed()(*(np.asarray(value, np.float32) for value in args))


ALTERNATIVES = {
    "formula by formula": changed(),
    "loops": by_loops,
    "gate by gate, a list of outputs": gate_by_gate,
    "einsum": by_einsum,
    "in place on its own buffers": on_own_buffer,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="lstm_step_backward",
    outputs={
        "dx": Numbers("B D"),
        "dh_prev": Numbers("B H"),
        "dc_prev": Numbers("B H"),
        "dW_x": Gates("D 4H"),
        "dW_h": Gates("H 4H"),
        "db": Gates("4H"),
    },
    unpack=several,
    parts={"along c": 2, "through the gates": 2, "weights": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=lstm_step_backward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 7, section "Why memory lasts"',
    shapes='"Notation" in the problem set',
)
