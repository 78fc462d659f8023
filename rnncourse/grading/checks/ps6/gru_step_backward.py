"""gru_step_backward: one step back through the GRU, by way of z directly and through the three gates."""

from types import SimpleNamespace

import numpy as np

from rnncourse.arrays import sigmoid
from rnncourse.cells import GRU
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Gates, Numbers
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps6.gru_step import beside, blocks, cell, gru_step, transposed_blocks
from rnncourse.grading.checks.ps6.gru_step import draw as draw_forward
from rnncourse.grading.checks.structure import several
from rnncourse.recurrence import Tape

BACK, WEIGHTS, BIASES = ("dx", "dh_prev"), ("dW_x", "dW_h"), ("db", "db_h")


def gru_step_backward(dh, x, h_prev, gates, W_x, W_h, b_h):
    """The reference: dh, h_prev (B, H), x (B, D), gates (B, 3H) to the six gradients."""
    gru: GRU = cell(W_x, W_h, 0, b_h, "after")
    q = h_prev @ blocks(W_h)[2] + b_h
    states = np.stack([h_prev, np.zeros_like(h_prev)])[None]  # the state after the step is not needed
    tape = Tape(x[None], states, beside(gates, q)[None], None)
    (dx,), (dh_prev,), grads = gru.backward(dh[None], tape)
    return dx, dh_prev, *grads.values()


def draw(rng, B, D, H):
    """The seven arguments, by name; the gates are those that the step gave."""
    given = draw_forward(rng, B, D, H, "after")
    _, gates = gru_step(**given)
    names = {"x": "x", "h_prev": "h"}
    arrays = {name: given[theirs] for name, theirs in names.items()} | {"gates": gates}
    return {"dh": rng.normal(size=(B, H)), **arrays, **{name: given[name] for name in ("W_x", "W_h", "b_h")}}


def saturated(args):
    """The same with gates of 0 and 1 in unit 0, as large inputs make them: r = 1, z = 0, n = −1."""
    gates, H = args["gates"].copy(), args["h_prev"].shape[1]
    gates[:, ::H] = 1, 0, -1
    return args | {"gates": gates}


def cases(rng):
    """Sizes all different and all equal, outputs apart; each size once 1; float32, shut gates."""
    for part, outputs in (("handed back", BACK), ("weights", WEIGHTS), ("biases", BIASES)):
        yield Case(part, "All sizes different", draw(rng, B=4, D=2, H=5), outputs)
        yield Case(part, "All sizes equal", draw(rng, B=3, D=3, H=3), outputs)
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
    "q": lambda s: s.h_prev @ s.W_hn + s.b_h,
    "A_n": lambda s: s.dh * (1 - s.z) * tanh_slope(s.n),
    "A_z": lambda s: s.dh * (s.h_prev - s.n) * sigmoid_slope(s.z),
    "A_r": lambda s: s.A_n * s.q * sigmoid_slope(s.r),
    "A": lambda s: beside(s.A_r, s.A_z, s.A_n),
    "S": lambda s: beside(s.A_r, s.A_z, s.r * s.A_n),
    "dx": lambda s: s.A @ s.W_x.T,
    "dh_prev": lambda s: s.z * s.dh + s.S @ s.W_h.T,
    "dW_x": lambda s: s.x.T @ s.A,
    "dW_h": lambda s: s.h_prev.T @ s.S,
    "db": lambda s: s.A.sum(axis=0),
    "db_h": lambda s: blocks(s.S)[2].sum(axis=0),
}
"""The step back, formula by formula, each from what is there by then, by name."""


def changed(**formulas):
    """The step back with some of its formulas replaced: a mistake."""
    formulas = RIGHT | formulas

    def backward(dh, x, h_prev, gates, W_x, W_h, b_h):
        s = SimpleNamespace(dh=dh, x=x, h_prev=h_prev, gates=gates, W_x=W_x, W_h=W_h, b_h=b_h)
        s.r, s.z, s.n = formulas["order"](s)
        s.W_hr, s.W_hz, s.W_hn = blocks(W_h)
        for name in ("q", "A_n", "A_z", "A_r", "A", "S"):
            setattr(s, name, formulas[name](s))
        return tuple(formulas[name](s) for name in (*BACK, *WEIGHTS, *BIASES))

    return backward


def ordered(order):
    """The blocks of gates taken for another `order`, such as "zrn": a mistake."""

    def read(s):
        named = dict(zip(order, blocks(s.gates), strict=True))
        return [named[gate] for gate in "rzn"]

    return changed(order=read)


def joined(order):
    """A and what goes through W_h, their parts side by side in another order: a mistake."""
    return changed(
        A=lambda s: beside(*(getattr(s, f"A_{gate}") for gate in order)),
        S=lambda s: beside(*(s.r * s.A_n if gate == "n" else getattr(s, f"A_{gate}") for gate in order)),
    )


def sloped(sigmoids=sigmoid_slope, tanhs=tanh_slope):
    """Other slopes of the gates: a mistake."""
    return changed(
        A_n=lambda s: s.dh * (1 - s.z) * tanhs(s.n),
        A_z=lambda s: s.dh * (s.h_prev - s.n) * sigmoids(s.z),
        A_r=lambda s: s.A_n * s.q * sigmoids(s.r),
    )


def arranged(result):
    """The right gradients, then `result(dx, dh_prev, dW_x, dW_h, db, db_h)` of them: a mistake."""
    return lambda *args: result(*gru_step_backward(*args))


def in_place(dh, x, h_prev, gates, W_x, W_h, b_h):
    """Multiplies dh, an input, by 1 − z, when all else is done."""
    grads = gru_step_backward(dh, x, h_prev, gates, W_x, W_h, b_h)
    dh *= 1 - blocks(gates)[1]
    return grads


MISTAKES = {
    "the direct path is left out: dh_prev is z dh, and what comes back through W_h": changed(
        dh_prev=lambda s: s.S @ s.W_h.T
    ),
    "dx is S W_x.T; x meets all of A, without the r beside A_n": changed(dx=lambda s: s.S @ s.W_x.T),
    "the direct path is dh; it is z dh": changed(dh_prev=lambda s: s.dh + s.S @ s.W_h.T),
    "the direct path is (1 - z) dh; it is z dh": changed(dh_prev=lambda s: (1 - s.z) * s.dh + s.S @ s.W_h.T),
    "dh_prev is the direct path alone, z dh": changed(dh_prev=lambda s: s.z * s.dh),
    "dh_prev lacks what comes back from r and z": changed(dh_prev=lambda s: s.z * s.dh + (s.r * s.A_n) @ s.W_hn.T),
    "dh_prev lacks what comes back from the candidate": changed(
        dh_prev=lambda s: s.z * s.dh + s.A_r @ s.W_hr.T + s.A_z @ s.W_hz.T
    ),
    "r is missing in front of the candidate's part of dh_prev: through W_hn goes r A_n": changed(
        dh_prev=lambda s: s.z * s.dh + s.A @ s.W_h.T
    ),
    "r is missing in the candidate's part of dW_h: it is h_prev.T @ (r A_n)": changed(dW_h=lambda s: s.h_prev.T @ s.A),
    "r is missing in the candidate's parts of dh_prev and dW_h: through W_hn goes r A_n": changed(
        dh_prev=lambda s: s.z * s.dh + s.A @ s.W_h.T, dW_h=lambda s: s.h_prev.T @ s.A
    ),
    "r is missing from all that comes through h W_hn + b_h: dh_prev, dW_h and db_h need r A_n": changed(
        S=lambda s: s.A
    ),
    "z dh and r are both left out: dh_prev is A W_h.T alone, and dW_h is h_prev.T @ A": changed(
        S=lambda s: s.A, dh_prev=lambda s: s.A @ s.W_h.T
    ),
    "r is missing from db_h: it is the sum of r A_n": changed(db_h=lambda s: s.A_n.sum(axis=0)),
    "r A_n stands for A_n on the way to x and b, too": changed(
        dx=lambda s: s.S @ s.W_x.T, dW_x=lambda s: s.x.T @ s.S, db=lambda s: s.S.sum(axis=0)
    ),
    "r A_n stands for A_n in db; there it is A_n": changed(db=lambda s: s.S.sum(axis=0)),
    "the step back is that of the other cell, with its reset before the product": changed(
        A_r=lambda s: s.h_prev * (s.A_n @ s.W_hn.T) * sigmoid_slope(s.r),
        dh_prev=lambda s: s.z * s.dh + s.r * (s.A_n @ s.W_hn.T) + s.A_r @ s.W_hr.T + s.A_z @ s.W_hz.T,
        dW_h=lambda s: beside(s.h_prev.T @ s.A_r, s.h_prev.T @ s.A_z, (s.r * s.h_prev).T @ s.A_n),
    ),
    "r multiplies h_prev in the candidate's part of dW_h; it multiplies A_n": changed(
        dW_h=lambda s: beside(s.h_prev.T @ s.A_r, s.h_prev.T @ s.A_z, (s.r * s.h_prev).T @ s.A_n)
    ),
    "r multiplies after W_hn.T in dh_prev; it multiplies A_n before": changed(
        dh_prev=lambda s: s.z * s.dh + s.A_r @ s.W_hr.T + s.A_z @ s.W_hz.T + s.r * (s.A_n @ s.W_hn.T)
    ),
    "z stands for 1 - z in A_n: the candidate has the weight 1 - z": changed(
        A_n=lambda s: s.dh * s.z * tanh_slope(s.n)
    ),
    "the factor 1 - z is left out of A_n": changed(A_n=lambda s: s.dh * tanh_slope(s.n)),
    "the step back is that of the other convention, where z weighs the candidate": changed(
        A_n=lambda s: s.dh * s.z * tanh_slope(s.n),
        A_z=lambda s: s.dh * (s.n - s.h_prev) * sigmoid_slope(s.z),
        dh_prev=lambda s: (1 - s.z) * s.dh + s.S @ s.W_h.T,
    ),
    "A_z has the wrong sign: it is h_prev - n": changed(A_z=lambda s: s.dh * (s.n - s.h_prev) * sigmoid_slope(s.z)),
    "A_z has h_prev for h_prev - n: the candidate's weight 1 - z hears of z, too": changed(
        A_z=lambda s: s.dh * s.h_prev * sigmoid_slope(s.z)
    ),
    "A_z has -n for h_prev - n: the old state's weight z hears of z, too": changed(
        A_z=lambda s: -s.dh * s.n * sigmoid_slope(s.z)
    ),
    "A_z has h_prev + n for h_prev - n": changed(A_z=lambda s: s.dh * (s.h_prev + s.n) * sigmoid_slope(s.z)),
    "A_z lacks the factor h_prev - n": changed(A_z=lambda s: s.dh * sigmoid_slope(s.z)),
    "q is left out of A_r: r multiplied q": changed(A_r=lambda s: s.A_n * sigmoid_slope(s.r)),
    "q lacks b_h: r multiplied h_prev W_hn + b_h": changed(q=lambda s: s.h_prev @ s.W_hn),
    "h_prev stands for q in A_r: r multiplied h_prev W_hn + b_h": changed(q=lambda s: s.h_prev),
    "n stands for q in A_r: r multiplied h_prev W_hn + b_h": changed(q=lambda s: s.n),
    "q is r times what it should be: r (h_prev W_hn + b_h) is what came out, not what r multiplied": changed(
        q=lambda s: s.r * (s.h_prev @ s.W_hn + s.b_h)
    ),
    "dh stands for A_n in A_r: r is reached by way of the candidate": changed(
        A_r=lambda s: s.dh * s.q * sigmoid_slope(s.r)
    ),
    "the slope of the candidate's tanh is left out of A_r": changed(
        A_r=lambda s: s.dh * (1 - s.z) * s.q * sigmoid_slope(s.r)
    ),
    "all slopes of the gates are left out": sloped(lambda y: 1, lambda y: 1),
    "the slopes of the sigmoids are left out: z (1 - z) and r (1 - r)": sloped(sigmoids=lambda y: 1),
    "the slope of z is left out: z (1 - z)": changed(A_z=lambda s: s.dh * (s.h_prev - s.n)),
    "the slope of r is left out: r (1 - r)": changed(A_r=lambda s: s.A_n * s.q),
    "the slope of the candidate's tanh is left out": sloped(tanhs=lambda y: 1),
    "the slope of the candidate is that of a sigmoid, n (1 - n); it is 1 - n**2": sloped(tanhs=sigmoid_slope),
    "the slopes of r and z are those of tanh, 1 - y**2; they are y (1 - y)": sloped(sigmoids=tanh_slope),
    "the slope of the candidate's tanh is taken for 1 - n; it is 1 - n**2": sloped(tanhs=lambda y: 1 - y),
    "the slope of the candidate is 1 - tanh(n)**2; n is the tanh already": sloped(
        tanhs=lambda y: tanh_slope(np.tanh(y))
    ),
    "the gates are squashed once more; they are the outputs of sigmoid and tanh already": changed(
        order=lambda s: [sigmoid(r_z) for r_z in blocks(s.gates)[:2]] + [np.tanh(blocks(s.gates)[2])]
    ),
    "the slopes are computed from the gates squashed once more, σ(z) (1 − σ(z)) and so on": sloped(
        sigmoids=lambda y: sigmoid_slope(sigmoid(y)), tanhs=lambda y: tanh_slope(np.tanh(y))
    ),
    "the blocks of gates are taken for z, r, n; they are r, z, n": ordered("zrn"),
    "the parts of A are joined in the order z, r, n; it is r, z, n": joined("zrn"),
    "the parts of A are joined in the order n, z, r; it is r, z, n": joined("nzr"),
    "each gate's block of W_h is not transposed: it is A_r @ W_hr.T and so on": changed(
        dh_prev=lambda s: s.z * s.dh + s.S @ transposed_blocks(s.W_h).T
    ),
    "dW_x and dW_h are transposed: they are x.T @ … and h_prev.T @ …": changed(
        dW_x=lambda s: s.A.T @ s.x, dW_h=lambda s: s.S.T @ s.h_prev
    ),
    "dW_h is transposed: it is h_prev.T @ …": changed(dW_h=lambda s: s.S.T @ s.h_prev),
    "dW_x is transposed: it is x.T @ A, not A.T @ x": changed(dW_x=lambda s: s.A.T @ s.x),
    "the gradients of the weights are means over the sequences; they are sums": changed(
        **{name: lambda s, name=name: RIGHT[name](s) / len(s.x) for name in (*WEIGHTS, *BIASES)}
    ),
    "db and db_h are means over the sequences; they are sums": changed(
        **{name: lambda s, name=name: RIGHT[name](s) / len(s.x) for name in BIASES}
    ),
    "db and db_h are not summed over the sequences": changed(db=lambda s: s.A.copy(), db_h=lambda s: s.r * s.A_n),
    "db is not summed over the sequences": changed(db=lambda s: s.A.copy()),
    "db_h is not summed over the sequences": changed(db_h=lambda s: s.r * s.A_n),
    "the sum in db_h is of A_n alone, `r * A_n.sum(axis=0)`: r belongs inside it": changed(
        db_h=lambda s: s.r * s.A_n.sum(axis=0)
    ),
    "db_h holds all three gates; b_h is the candidate's alone": changed(db_h=lambda s: s.S.sum(axis=0)),
    "db_h is the sum of r times the sum of A_n; it is the sum of r A_n": changed(
        db_h=lambda s: s.r.sum(axis=0) * s.A_n.sum(axis=0)
    ),
    "db is summed over the gates; it is summed over the sequences, axis 0": changed(
        db=lambda s: s.A.sum(axis=1), db_h=lambda s: (s.r * s.A_n).sum(axis=1)
    ),
    "dx and dh_prev are swapped": arranged(lambda dx, dh, *others: (dh, dx, *others)),
    "dW_x and dW_h are swapped": arranged(lambda dx, dh, dW_x, dW_h, *biases: (dx, dh, dW_h, dW_x, *biases)),
    "db and db_h are swapped": arranged(lambda *grads: (*grads[:4], *grads[:3:-1])),
    "the gradients of the weights come first; dx and dh_prev do": arranged(
        lambda dx, dh, *of_weights: (*of_weights, dx, dh)
    ),
    "axes of size 1 are squeezed away": arranged(lambda *grads: tuple(map(np.squeeze, grads))),
    "a result is written into an input: `A = dh * …` makes a new array, `dh *= …` does not": in_place,
}


def gate_by_gate(dh, x, h_prev, gates, W_x, W_h, b_h):
    """Each gate with its own blocks, summed up; a list of outputs."""
    r, z, n = blocks(gates)
    (U_r, U_z, U_n), V = blocks(W_h), blocks(W_x)
    to_n = (1 - n * n) * (dh - z * dh)
    to_q = r * to_n
    to_r = (h_prev @ U_n + b_h) * to_q * (1 - r)
    to_z = (z - z * z) * dh * (h_prev - n)
    dh_prev = dh * z + to_r @ U_r.T + to_z @ U_z.T + to_q @ U_n.T
    dx = to_r @ V[0].T + to_z @ V[1].T + to_n @ V[2].T
    dW_x = np.hstack([x.T @ a for a in (to_r, to_z, to_n)])
    dW_h = np.hstack([h_prev.T @ a for a in (to_r, to_z, to_q)])
    return [dx, dh_prev, dW_x, dW_h, np.hstack([a.sum(axis=0) for a in (to_r, to_z, to_n)]), to_q.sum(axis=0)]


def by_loops(dh, x, h_prev, gates, W_x, W_h, b_h):
    """One number at a time."""
    (B, H), D = h_prev.shape, x.shape[1]
    dx, dh_prev = np.zeros((B, D)), dh * gates[:, H : 2 * H]
    dW_x, dW_h, db, db_h = np.zeros((D, 3 * H)), np.zeros((H, 3 * H)), np.zeros(3 * H), np.zeros(H)
    for i in range(B):
        for j in range(H):
            r, z, n = gates[i, j::H]
            q = b_h[j] + h_prev[i] @ W_h[:, 2 * H + j]
            to_n = dh[i, j] * (1 - z) * (1 - n) * (1 + n)
            to_r, to_z = to_n * q * r * (1 - r), dh[i, j] * (h_prev[i, j] - n) * z * (1 - z)
            db_h[j] += r * to_n
            for k, a, s in ((j, to_r, to_r), (H + j, to_z, to_z), (2 * H + j, to_n, r * to_n)):
                db[k] += a
                dx[i] += a * W_x[:, k]
                dW_x[:, k] += a * x[i]
                dh_prev[i] += s * W_h[:, k]
                dW_h[:, k] += s * h_prev[i]
    return dx, dh_prev, dW_x, dW_h, db, db_h


def by_einsum(dh, x, h_prev, gates, W_x, W_h, b_h):
    """Sums by their indices, the gates along an axis of their own."""
    H, D = h_prev.shape[1], x.shape[1]
    (r, z, n), U, V = blocks(gates), W_h.reshape(H, 3, H), W_x.reshape(D, 3, H)
    q = np.einsum("bk,kh->bh", h_prev, U[:, 2]) + b_h
    J = np.stack([(1 - z) * (1 - n**2) * q * r * (1 - r), (h_prev - n) * z * (1 - z), (1 - z) * (1 - n**2)])
    A = J * dh
    S = A * np.stack([np.ones_like(r), np.ones_like(r), r])
    dx, dh_prev = np.einsum("gbh,dgh->bd", A, V), z * dh + np.einsum("gbh,kgh->bk", S, U)
    dW_x, dW_h = np.einsum("bd,gbh->dgh", x, A), np.einsum("bk,gbh->kgh", h_prev, S)
    return dx, dh_prev, dW_x.reshape(D, 3 * H), dW_h.reshape(H, 3 * H), A.sum(axis=1).ravel(), S[2].sum(axis=0)


def on_own_buffer(dh, x, h_prev, gates, W_x, W_h, b_h):
    """In place, on a buffer of its own, which first holds A and then what goes through W_h."""
    H = len(W_h)
    A = gates * (1 - gates)
    n = gates[:, 2 * H :]
    A[:, 2 * H :] = dh - dh * gates[:, H : 2 * H]
    A[:, 2 * H :] *= 1 - n**2
    A[:, H : 2 * H] *= dh * (h_prev - n)
    A[:, :H] *= A[:, 2 * H :] * (h_prev @ W_h[:, 2 * H :] + b_h)
    dx, dW_x, db = A @ W_x.T, x.T @ A, A.sum(0)
    A[:, 2 * H :] *= gates[:, :H]
    dh_prev = A @ W_h.T
    dh_prev += dh * gates[:, H : 2 * H]
    return dx, dh_prev, dW_x, h_prev.T @ A, db, A.sum(0)[2 * H :]


def in_float32(*args):
    """Half the digits."""
    return changed()(*(np.asarray(value, np.float32) for value in args))


ALTERNATIVES = {
    "formula by formula": changed(),
    "gate by gate, a list of outputs": gate_by_gate,
    "loops": by_loops,
    "einsum": by_einsum,
    "in place on its own buffer": on_own_buffer,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="gru_step_backward",
    outputs={
        "dx": Numbers("B D"),
        "dh_prev": Numbers("B H"),
        "dW_x": Gates("D 3H", gates="rzn"),
        "dW_h": Gates("H 3H", gates="rzn"),
        "db": Gates("3H", gates="rzn"),
        "db_h": Numbers("H"),
    },
    unpack=several,
    parts={"handed back": 2, "weights": 2, "biases": 1, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=gru_step_backward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 8, section "From the LSTM to the GRU"',
    shapes='"Notation" in the problem set',
)
