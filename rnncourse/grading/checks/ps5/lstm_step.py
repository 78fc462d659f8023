"""lstm_step: one step of the LSTM, c' = f ⊙ c + i ⊙ g and h' = o ⊙ tanh(c'), and its gates."""

from types import SimpleNamespace

import numpy as np

from rnncourse.arrays import sigmoid
from rnncourse.cells import LSTM
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Gates, Numbers
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.structure import several

STATES, GATES = ("h_next", "c_next"), ("gates",)


def cell(W_x, W_h, b):
    """The course's own `LSTM` with these weights."""
    lstm = LSTM(len(W_x), len(W_h), np.random.default_rng(0), W_x.dtype)
    for name, value in {"W_x": W_x, "W_h": W_h, "b": b}.items():
        lstm.params[name][...] = value
    return lstm


def lstm_step(x, h, c, W_x, W_h, b):
    """The reference: x (B, D), h, c (B, H) to h_next, c_next (B, H) and gates (B, 4H)."""
    (h, c), gates = cell(W_x, W_h, b).step(x @ W_x + b, (h, c))
    return h, c, gates


def weights(rng, D, H):
    """W_x, W_h, b, by name, of a size that leaves the gates neither linear nor shut; b is never near 0."""
    return {
        "W_x": rng.normal(size=(D, 4 * H)) / np.sqrt(D),
        "W_h": rng.normal(size=(H, 4 * H)) / np.sqrt(H),
        "b": rng.uniform(0.3, 0.9, 4 * H) * rng.choice([-1, 1], 4 * H),
    }


def states(rng, B, H):
    """h between −0.9 and 0.9; c far enough from 0 that tanh(c) is not c."""
    return {"h": rng.uniform(-0.9, 0.9, (B, H)), "c": rng.uniform(0.5, 2, (B, H)) * rng.choice([-1, 1], (B, H))}


def draw(rng, B, D, H):
    """The six arguments, by name."""
    return {"x": rng.normal(size=(B, D)), **states(rng, B, H), **weights(rng, D, H)}


def huge(rng, args, *names):
    """The same with the inputs `names` 3000 times as large and no x W_x near 0: every gate is open here, shut there."""
    D, H = len(args["W_x"]), len(args["W_h"])
    signs = np.concatenate([rng.permutation(np.resize([-1, 1], H)) for _ in range(4)])
    large = {name: 3000 * rng.uniform(0.5, 1.5, args[name].shape) for name in names}
    return args | large | {"W_x": rng.uniform(0.5, 1.5, (D, 4 * H)) * signs}


def cases(rng):
    """Sizes all different and all equal, gates and states apart; each size once 1; float32, huge inputs and memory."""
    for part, outputs in (("gates", GATES), ("states", STATES)):
        yield Case(part, "All sizes different", draw(rng, B=3, D=2, H=5), outputs)
        yield Case(part, "All sizes equal", draw(rng, B=4, D=4, H=4), outputs)
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, B=1, D=3, H=4))
    yield Case("sizes of 1", "One input (D = 1)", draw(rng, B=3, D=1, H=2))
    yield Case("sizes of 1", "One hidden unit (H = 1)", draw(rng, B=4, D=3, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, B=2, D=5, H=3)))
    yield Case("numbers and inputs", "Inputs 3000 times as large", huge(rng, draw(rng, B=2, D=3, H=4), "x"))
    yield Case("numbers and inputs", "x and c 3000 times as large", huge(rng, draw(rng, B=2, D=3, H=4), "x", "c"))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, B=5, D=2, H=3), untouched=True)


def blocks(a):
    """The four parts of the last axis."""
    H = a.shape[-1] // 4
    return [a[..., k * H : (k + 1) * H] for k in range(4)]


def beside(*arrays):
    """Side by side along the last axis."""
    return np.concatenate(arrays, axis=-1)


RIGHT = {
    "a": lambda s: s.x @ s.W_x + s.h @ s.W_h + s.b,
    "order": lambda s: blocks(s.a),
    "i": lambda s: sigmoid(s.a_i),
    "f": lambda s: sigmoid(s.a_f),
    "g": lambda s: np.tanh(s.a_g),
    "o": lambda s: sigmoid(s.a_o),
    "c_next": lambda s: s.f * s.c + s.i * s.g,
    "h_next": lambda s: s.o * np.tanh(s.c_next),
    "gates": lambda s: beside(s.i, s.f, s.g, s.o),
}
"""The step, formula by formula, each from what is there by then, by name."""


def changed(**formulas):
    """The step with some of its formulas replaced: a mistake."""
    formulas = RIGHT | formulas

    def step(x, h, c, W_x, W_h, b):
        s = SimpleNamespace(x=x, h=h, c=c, W_x=W_x, W_h=W_h, b=b)
        s.a = formulas["a"](s)
        s.a_i, s.a_f, s.a_g, s.a_o = formulas["order"](s)
        for name in ("i", "f", "g", "o", "c_next", "h_next", "gates"):
            setattr(s, name, formulas[name](s))
        return s.h_next, s.c_next, s.gates

    return step


def ordered(order, kept=False):
    """The blocks read in another `order`, such as "figo"; `kept`: the gates returned in that order, too. A mistake."""

    def read(s):
        named = dict(zip(order, blocks(s.a), strict=True))
        return [named[gate] for gate in "ifgo"]

    def shown(s):
        return beside(*(getattr(s, gate) for gate in order))

    return changed(order=read, **{"gates": shown} if kept else {})


def arranged(result):
    """The right results, then `result(h_next, c_next, gates)` of them: a mistake."""
    return lambda *args: result(*lstm_step(*args))


def squashed_by(function):
    """All four blocks through one function: a mistake."""
    return changed(**{gate: lambda s, gate=gate: function(getattr(s, f"a_{gate}")) for gate in "ifgo"})


def gated_by(function):
    """Another function in place of the sigmoid: a mistake."""
    return changed(**{gate: lambda s, gate=gate: function(getattr(s, f"a_{gate}")) for gate in "ifo"})


def transposed_blocks(W):
    """Each gate's block (H, H) of W_h transposed."""
    return beside(*(block.T for block in blocks(W)))


def exponentials(a):
    """tanh written out, which overflows where |a| > 709."""
    return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))


def along_the_sequences(x, h, c, W_x, W_h, b):
    """np.split without an axis cuts the sequences apart."""
    a_i, a_f, a_g, a_o = np.split(x @ W_x + h @ W_h + b, 4)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_next = f * c + i * g
    return o * np.tanh(c_next), c_next, np.concatenate([i, f, g, o], axis=1)


def in_place(x, h, c, W_x, W_h, b):
    """Writes the new cell state into c."""
    i, f, g, o = blocks(lstm_step(x, h, c, W_x, W_h, b)[2])
    c *= f
    c += i * g
    return o * np.tanh(c), c, beside(i, f, g, o)


MISTAKES = {
    "the bias b is left out": changed(a=lambda s: s.x @ s.W_x + s.h @ s.W_h),
    "the bias b is added twice": changed(a=lambda s: s.x @ s.W_x + s.h @ s.W_h + 2 * s.b),
    "the recurrent term h W_h is left out": changed(a=lambda s: s.x @ s.W_x + s.b),
    "the input term x W_x is left out": changed(a=lambda s: s.h @ s.W_h + s.b),
    "each gate's block of W_h is transposed: it is h @ W_h": changed(
        a=lambda s: s.x @ s.W_x + s.h @ transposed_blocks(s.W_h) + s.b
    ),
    "c stands for h in the sums: they read c @ W_h, but the gates see h": changed(
        a=lambda s: s.x @ s.W_x + s.c @ s.W_h + s.b
    ),
    "1 is added to the forget gate's sum (that bias belongs into b, when the weights are drawn)": changed(
        f=lambda s: sigmoid(s.a_f + 1)
    ),
    "the blocks are read in the order f, i, g, o; they are i, f, g, o": ordered("figo"),
    "i and f are swapped in c_next (it is f c + i g), or the blocks are read and returned as f, i, g, o": ordered(
        "figo", kept=True
    ),
    "the blocks are read in the order i, f, o, g; they are i, f, g, o": ordered("ifog"),
    "the blocks are read and returned in the order i, f, o, g; they are i, f, g, o": ordered("ifog", kept=True),
    "the blocks are read in the order f, i, o, g; they are i, f, g, o": ordered("fiog"),
    "the blocks are read and returned in the order f, i, o, g; they are i, f, g, o": ordered("fiog", kept=True),
    "the gates are returned in the order i, f, o, g; they are i, f, g, o": changed(
        gates=lambda s: beside(s.i, s.f, s.o, s.g)
    ),
    "the gates are returned in the order f, i, g, o; they are i, f, g, o": changed(
        gates=lambda s: beside(s.f, s.i, s.g, s.o)
    ),
    "every fourth column is taken for a gate; a gate's columns lie side by side": changed(
        order=lambda s: [s.a[:, k::4] for k in range(4)]
    ),
    "np.split is called without axis=1, and cuts along the sequences": along_the_sequences,
    "the gates are stacked along a new axis; they lie side by side in (B, 4H), np.concatenate(…, axis=1)": changed(
        gates=lambda s: np.stack([s.i, s.f, s.g, s.o])
    ),
    "the sums are returned as gates, before sigmoid and tanh": changed(gates=lambda s: s.a),
    "the candidate g is left out of the gates that are returned": changed(gates=lambda s: beside(s.i, s.f, s.o)),
    "a sigmoid stands where the candidate's tanh should, in g": changed(g=lambda s: sigmoid(s.a_g)),
    "the candidate g has no tanh": changed(g=lambda s: s.a_g),
    "tanh is taken of all four blocks; i, f and o have a sigmoid": squashed_by(np.tanh),
    "tanh stands where the sigmoid should, in the output gate o": changed(o=lambda s: np.tanh(s.a_o)),
    "the sigmoid is 1 / (1 + exp(a)), with the sign of a lost": gated_by(lambda a: sigmoid(-a)),
    "the sigmoid is exp(a) / (1 + exp(a)), which overflows where a is large": gated_by(
        lambda a: np.exp(a) / (1 + np.exp(a))
    ),
    "the sigmoid is tanh(a / 2) / 2, with the ½ lost that is added": gated_by(lambda a: np.tanh(a / 2) / 2),
    "the sigmoid is ½ + ½ tanh(a); it is ½ + ½ tanh(a / 2)": gated_by(lambda a: sigmoid(2 * a)),
    "the candidate's tanh is written out in exponentials, which overflow": changed(g=lambda s: exponentials(s.a_g)),
    "the tanh of the cell state is written out in exponentials, which overflow": changed(
        h_next=lambda s: s.o * exponentials(s.c_next)
    ),
    "the old cell state c is not kept: c_next is i g alone": changed(c_next=lambda s: s.i * s.g),
    "there is no forget gate: c_next is c + i g": changed(c_next=lambda s: s.c + s.i * s.g),
    "there is no input gate: c_next is f c + g": changed(c_next=lambda s: s.f * s.c + s.g),
    "the candidate is left out: c_next is f c + i": changed(c_next=lambda s: s.f * s.c + s.i),
    "the candidate is added without its gate, and the gate added, too: f c + i + g": changed(
        c_next=lambda s: s.f * s.c + s.i + s.g
    ),
    "the candidate is not added: c_next is f c": changed(c_next=lambda s: s.f * s.c),
    "the forget gate also acts on what is written: c_next is f (c + i g)": changed(
        c_next=lambda s: s.f * (s.c + s.i * s.g)
    ),
    "1 - f stands for f: a forget gate of 1 keeps everything": changed(c_next=lambda s: (1 - s.f) * s.c + s.i * s.g),
    "1 - f stands for the input gate i": changed(c_next=lambda s: s.f * s.c + (1 - s.f) * s.g),
    "h stands for c: c_next is f h + i g": changed(c_next=lambda s: s.f * s.h + s.i * s.g),
    "f c and i g are multiplied, not added": changed(c_next=lambda s: s.f * s.c * s.i * s.g),
    "tanh is applied to the cell state that is returned; it belongs into h_next alone": changed(
        c_next=lambda s: np.tanh(s.f * s.c + s.i * s.g), h_next=lambda s: s.o * s.c_next
    ),
    "tanh is applied to c_next, and once more in h_next": changed(c_next=lambda s: np.tanh(s.f * s.c + s.i * s.g)),
    "h_next is o c_next, without the tanh; it is o tanh(c_next)": changed(h_next=lambda s: s.o * s.c_next),
    "h_next is computed from the old c, not from c_next": changed(h_next=lambda s: s.o * np.tanh(s.c)),
    "there is no output gate: h_next is tanh(c_next)": changed(h_next=lambda s: np.tanh(s.c_next)),
    "tanh covers the output gate, too: h_next is tanh(o c_next)": changed(h_next=lambda s: np.tanh(s.o * s.c_next)),
    "a sigmoid stands where tanh should, in h_next": changed(h_next=lambda s: s.o * sigmoid(s.c_next)),
    "h_next is computed from the candidate: o tanh(g)": changed(h_next=lambda s: s.o * np.tanh(s.g)),
    "h_next is computed from what is written alone: o tanh(i g)": changed(h_next=lambda s: s.o * np.tanh(s.i * s.g)),
    "another gate stands for o: h_next is f tanh(c_next)": changed(h_next=lambda s: s.f * np.tanh(s.c_next)),
    "h_next and c_next are swapped": arranged(lambda h, c, gates: (c, h, gates)),
    "the gates come first; h_next and c_next do": arranged(lambda h, c, gates: (gates, h, c)),
    "axes of size 1 are squeezed away": arranged(lambda *results: tuple(map(np.squeeze, results))),
    "a result is written into an input: `c = f * c + …` makes a new array, `c *= f` and `h[:] = …` do not": in_place,
}


def gate_by_gate(x, h, c, W_x, W_h, b):
    """The split form: two products for each gate."""
    H = h.shape[1]
    parts = [slice(k * H, (k + 1) * H) for k in range(4)]
    i, f, g, o = (x @ W_x[:, part] + h @ W_h[:, part] + b[part] for part in parts)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_next = i * g + f * c
    return [np.tanh(c_next) * o, c_next, np.hstack([i, f, g, o])]


def concatenated(x, h, c, W_x, W_h, b):
    """One product, in columns: [h, x] times the weights, one above the other."""
    a = np.vstack([W_h, W_x]).T @ np.hstack([h, x]).T + b[:, None]
    i, f, g, o = a.reshape(4, len(W_h), -1).transpose(0, 2, 1)
    i, f, g, o = 0.5 + 0.5 * np.tanh(0.5 * i), 1 - sigmoid(-f), 2 * sigmoid(2 * g) - 1, sigmoid(o)
    c = c * f + g * i
    return np.tanh(c) * o, c, np.concatenate((i, f, g, o), axis=-1)


def by_loops(x, h, c, W_x, W_h, b):
    """One number at a time."""
    (B, H), D = h.shape, x.shape[1]
    gates, c_next, h_next = np.empty((B, 4 * H)), np.empty((B, H)), np.empty((B, H))
    for n in range(B):
        for k in range(4 * H):
            a = b[k] + sum(x[n, j] * W_x[j, k] for j in range(D)) + sum(h[n, j] * W_h[j, k] for j in range(H))
            gates[n, k] = np.tanh(a) if k // H == 2 else 1 / (1 + np.exp(-a))
        for k in range(H):
            c_next[n, k] = gates[n, H + k] * c[n, k] + gates[n, k] * gates[n, 2 * H + k]
            h_next[n, k] = gates[n, 3 * H + k] * np.tanh(c_next[n, k])
    return h_next, c_next, gates


def on_own_buffer(x, h, c, W_x, W_h, b):
    """In place, on buffers of its own; the gates are views of one."""
    H = len(W_h)
    a = np.einsum("bd,dg->bg", x, W_x)
    a += np.einsum("bh,hg->bg", h, W_h)
    a += b
    np.tanh(a[:, 2 * H : 3 * H], out=a[:, 2 * H : 3 * H])
    for part in (a[:, : 2 * H], a[:, 3 * H :]):
        part[:] = 1 / (1 + np.exp(-part))
    c = c.copy()
    c *= a[:, H : 2 * H]
    c += a[:, :H] * a[:, 2 * H : 3 * H]
    return a[:, 3 * H :] * np.tanh(c), c, a


def in_float32(*args):
    """Half the digits."""
    return changed()(*(np.asarray(value, np.float32) for value in args))


ALTERNATIVES = {
    "formula by formula": changed(),
    "gate by gate, a list of outputs": gate_by_gate,
    "concatenated form, in columns": concatenated,
    "loops": by_loops,
    "in place on its own buffers": on_own_buffer,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="lstm_step",
    outputs={"h_next": Numbers("B H"), "c_next": Numbers("B H"), "gates": Gates("B 4H")},
    unpack=several,
    parts={"gates": 2, "states": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=lstm_step,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 7, section "Two paths"',
    shapes='"Notation" in the problem set',
)
