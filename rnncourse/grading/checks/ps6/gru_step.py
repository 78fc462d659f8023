"""gru_step: one step of the GRU, h' = z ⊙ h + (1 − z) ⊙ n, with its reset gate after or before the product."""

from types import SimpleNamespace

import numpy as np

from rnncourse.arrays import sigmoid
from rnncourse.cells import GRU, GRUResetBefore
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Gates, Numbers
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.structure import several

WORDS = {"after": GRU, "before": GRUResetBefore}


def cell(W_x, W_h, b, b_h, reset):
    """The course's own cell with these weights."""
    gru = WORDS[reset](len(W_x), len(W_h), np.random.default_rng(0), W_x.dtype)
    given = {"W_x": W_x, "W_h": W_h, "b": b, "b_h": b_h}
    for name, value in gru.params.items():
        value[...] = given[name]
    return gru


def gru_step(x, h, W_x, W_h, b, b_h, reset):
    """The reference: x (B, D), h (B, H) to h_next (B, H) and gates (B, 3H)."""
    (h_next,), saved = cell(W_x, W_h, b, b_h, reset).step(x @ W_x + b, (h,))
    return h_next, saved[:, : 3 * len(W_h)]


def away_from_0(rng, size):
    """Biases that are never near 0."""
    return rng.uniform(0.3, 0.9, size) * rng.choice([-1, 1], size)


def weights(rng, D, H):
    """W_x, W_h, b, b_h, by name, of a size that leaves the gates neither linear nor shut."""
    return {
        "W_x": rng.normal(size=(D, 3 * H)) / np.sqrt(D),
        "W_h": 1.5 * rng.normal(size=(H, 3 * H)) / np.sqrt(H),
        "b": away_from_0(rng, 3 * H),
        "b_h": away_from_0(rng, H),
    }


def draw(rng, B, D, H, reset):
    """The seven arguments, by name; h is never near 0."""
    x, h = rng.normal(size=(B, D)), away_from_0(rng, (B, H))
    return {"x": x, "h": h, **weights(rng, D, H), "reset": reset}


def huge(rng, args, name):
    """The same with the input `name` 3000 times as large and no x W_x near 0: every gate is open here, shut there."""
    D, H = len(args["W_x"]), len(args["W_h"])
    signs = np.concatenate([rng.permutation(np.resize([-1, 1], H)) for _ in range(3)])
    large = {name: 3000 * rng.uniform(0.5, 1.5, args[name].shape)}
    return args | large | {"W_x": rng.uniform(0.5, 1.5, (D, 3 * H)) * signs}


def cases(rng):
    """Gates, then either form of the cell, sizes all different and all equal; each once 1; float32, huge inputs."""
    yield Case("gates", "All sizes different", draw(rng, B=4, D=2, H=5, reset="after"), ("gates",))
    yield Case("gates", "All sizes equal", draw(rng, B=3, D=3, H=3, reset="after"), ("gates",))
    for reset, outputs in (("after", ("h_next",)), ("before", ())):
        part = f"reset {reset}"
        yield Case(part, "All sizes different", draw(rng, B=4, D=2, H=5, reset=reset), outputs)
        yield Case(part, "All sizes equal", draw(rng, B=3, D=3, H=3, reset=reset), outputs)
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, B=1, D=3, H=4, reset="after"))
    yield Case("sizes of 1", "One input (D = 1)", draw(rng, B=3, D=1, H=2, reset="after"))
    yield Case("sizes of 1", "One hidden unit (H = 1)", draw(rng, B=4, D=3, H=1, reset="after"))
    part = "numbers and inputs"
    yield Case(part, "Inputs in float32", single_precision(draw(rng, B=2, D=5, H=3, reset="after")))
    yield Case(part, "Inputs 3000 times as large", huge(rng, draw(rng, B=2, D=3, H=4, reset="after"), "x"))
    yield Case(part, "Your inputs afterwards", draw(rng, B=5, D=2, H=3, reset="after"), untouched=True)


def blocks(a):
    """The three parts of the last axis."""
    H = a.shape[-1] // 3
    return [a[..., k * H : (k + 1) * H] for k in range(3)]


def beside(*arrays):
    """Side by side along the last axis."""
    return np.concatenate(arrays, axis=-1)


RIGHT = {
    "xw": lambda s: s.x @ s.W_x + s.b,
    "W": lambda s: s.W_h,
    "order": lambda s: list(zip(blocks(s.xw), blocks(s.W), strict=True)),
    "r": lambda s: sigmoid(s.x_r + s.h @ s.W_hr),
    "z": lambda s: sigmoid(s.x_z + s.h @ s.W_hz),
    "after": lambda s: s.r * (s.h @ s.W_hn + s.b_h),
    "before": lambda s: (s.r * s.h) @ s.W_hn,
    "n": lambda s: np.tanh(s.x_n + s.heard),
    "h_next": lambda s: s.z * s.h + (1 - s.z) * s.n,
    "gates": lambda s: beside(s.r, s.z, s.n),
}
"""The step, formula by formula, each from what is there by then, by name; `heard` is `after` or `before`."""


def changed(**formulas):
    """The step with some of its formulas replaced: a mistake."""
    formulas = RIGHT | formulas

    def step(x, h, W_x, W_h, b, b_h, reset):
        s = SimpleNamespace(x=x, h=h, W_x=W_x, W_h=W_h, b=b, b_h=b_h)
        s.xw, s.W = formulas["xw"](s), formulas["W"](s)
        (s.x_r, s.W_hr), (s.x_z, s.W_hz), (s.x_n, s.W_hn) = formulas["order"](s)
        s.r = formulas["r"](s)
        s.z = formulas["z"](s)
        s.heard = formulas[reset](s)
        s.n = formulas["n"](s)
        return formulas["h_next"](s), formulas["gates"](s)

    return step


def either(formula, **others):
    """One formula for what the candidate hears, whatever `reset` says: a mistake."""
    return changed(after=formula, before=formula, **others)


def ordered(order, kept=False, **others):
    """The blocks read in another `order`, such as "zrn"; `kept`: the gates returned in that order, too. A mistake."""

    def read(s):
        named = dict(zip(order, RIGHT["order"](s), strict=True))
        return [named[gate] for gate in "rzn"]

    return changed(order=read, **others, **{"gates": shown(order)} if kept else {})


def shown(order):
    """The gates side by side in this order."""
    return lambda s: beside(*(getattr(s, gate) for gate in order))


def arranged(result):
    """The right results, then `result(h_next, gates)` of them: a mistake."""
    return lambda *args: result(*gru_step(*args))


def gated_by(function):
    """Another function in place of the sigmoid: a mistake."""
    return changed(
        r=lambda s: function(s.x_r + s.h @ s.W_hr),
        z=lambda s: function(s.x_z + s.h @ s.W_hz),
    )


def squashed_by(function):
    """All three blocks through one function: a mistake."""
    return changed(
        r=lambda s: function(s.x_r + s.h @ s.W_hr),
        z=lambda s: function(s.x_z + s.h @ s.W_hz),
        n=lambda s: function(s.x_n + s.heard),
    )


def mean(formula):
    """Another new state: a mistake."""
    return changed(h_next=formula)


def transposed_blocks(W):
    """Each gate's block (H, H) of W_h transposed."""
    return beside(*(block.T for block in blocks(W)))


def exponentials(a):
    """tanh written out, which overflows where |a| > 709."""
    return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))


def with_overwritten(x, h, W_x, W_h, b, b_h, reset):
    """Gives r h the name h before the new state is computed from it."""
    h_next, gates = gru_step(x, h, W_x, W_h, b, b_h, reset)
    r, z, n = blocks(gates)
    return (z * r * h + (1 - z) * n if reset == "before" else h_next), gates


def in_place(x, h, W_x, W_h, b, b_h, reset):
    """Writes the new state into h."""
    _, gates = gru_step(x, h, W_x, W_h, b, b_h, reset)
    _, z, n = blocks(gates)
    h *= z
    h += (1 - z) * n
    return h, gates


MISTAKES = {
    "z weighs the candidate, (1 - z) h + z n; here z weighs the old state h": mean(
        lambda s: (1 - s.z) * s.h + s.z * s.n
    ),
    "the bias b is left out": changed(xw=lambda s: s.x @ s.W_x),
    "the bias b is added twice": changed(xw=lambda s: s.x @ s.W_x + 2 * s.b),
    "the second bias b_h is left out where the reset comes after": changed(after=lambda s: s.r * (s.h @ s.W_hn)),
    "b_h is added outside the reset gate; it is r (h W_hn + b_h)": changed(
        after=lambda s: s.r * (s.h @ s.W_hn) + s.b_h
    ),
    'b_h is added with reset="before", too; it counts with "after" alone': changed(
        before=lambda s: (s.r * s.h) @ s.W_hn + s.b_h
    ),
    'with reset="before" the gate stands after the product, r (h W_hn); it is (r h) W_hn': changed(
        before=lambda s: s.r * (s.h @ s.W_hn)
    ),
    "reset is not looked at (`if reset:` holds for both words): the gate always acts after the product": either(
        RIGHT["after"]
    ),
    "reset is not looked at: the gate always acts before the product": either(RIGHT["before"]),
    'the two words are swapped: "after" means that the gate acts after the product': changed(
        after=RIGHT["before"], before=RIGHT["after"]
    ),
    'with reset="after" the gate acts before the product, and b_h is added: (r h) W_hn + b_h': changed(
        after=lambda s: (s.r * s.h) @ s.W_hn + s.b_h
    ),
    'with reset="after" the gate acts twice, before the product and after it': changed(
        after=lambda s: s.r * ((s.r * s.h) @ s.W_hn + s.b_h)
    ),
    "the reset gate also acts on the input's part: tanh(r (…)) of the whole sum": changed(
        n=lambda s: np.tanh(s.r * s.x_n + s.heard)
    ),
    "the reset gate acts on the whole sum, r (x W_xn + h W_hn + b_n), whatever reset says, and b_h is left out": either(
        lambda s: s.r * (s.h @ s.W_hn), n=lambda s: np.tanh(s.r * s.x_n + s.heard)
    ),
    "h W_hn is in the candidate twice, through r and past it (in a sum x W_x + h W_h + b?)": changed(
        n=lambda s: np.tanh(s.x_n + s.h @ s.W_hn + s.heard)
    ),
    "the reset gate is left out of the candidate": changed(
        after=lambda s: s.h @ s.W_hn + s.b_h, before=lambda s: s.h @ s.W_hn
    ),
    "1 - r stands for r in the candidate": changed(
        after=lambda s: (1 - s.r) * (s.h @ s.W_hn + s.b_h), before=lambda s: ((1 - s.r) * s.h) @ s.W_hn
    ),
    "z stands for r in the candidate": changed(
        after=lambda s: s.z * (s.h @ s.W_hn + s.b_h), before=lambda s: (s.z * s.h) @ s.W_hn
    ),
    "the candidate does not hear the old state at all": either(lambda s: 0 * s.h),
    "the update gate hears r h; it hears h, and only the candidate goes through r": changed(
        z=lambda s: sigmoid(s.x_z + (s.r * s.h) @ s.W_hz)
    ),
    "the reset gate also acts on the state that is kept: z r h + (1 - z) n": mean(
        lambda s: s.z * s.r * s.h + (1 - s.z) * s.n
    ),
    'with reset="before" r h is named h, and then kept as if it were the old state: z h takes h as it was': (
        with_overwritten
    ),
    "r stands for z in the new state: r h + (1 - r) n": mean(lambda s: s.r * s.h + (1 - s.r) * s.n),
    "the candidate is added whole, z h + n; it is z h + (1 - z) n": mean(lambda s: s.z * s.h + s.n),
    "the old state is kept whole, h + (1 - z) n; it is z h + (1 - z) n": mean(lambda s: s.h + (1 - s.z) * s.n),
    "z weighs both: z h + z n": mean(lambda s: s.z * s.h + s.z * s.n),
    "the two weights are z and r: z h + r n": mean(lambda s: s.z * s.h + s.r * s.n),
    "the candidate is returned as the new state": mean(lambda s: s.n.copy()),
    "the candidate is left out of the new state: it is z h": mean(lambda s: s.z * s.h),
    "the old state is left out of the new one: it is (1 - z) n": mean(lambda s: (1 - s.z) * s.n),
    "the old state h is returned": mean(lambda s: s.h.copy()),
    "tanh is taken of the new state, too": mean(lambda s: np.tanh(s.z * s.h + (1 - s.z) * s.n)),
    "the candidate n has no tanh": changed(n=lambda s: s.x_n + s.heard),
    "a sigmoid stands where the candidate's tanh should": changed(n=lambda s: sigmoid(s.x_n + s.heard)),
    "tanh is taken of all three blocks; r and z have a sigmoid": squashed_by(np.tanh),
    "r and z have no sigmoid": gated_by(lambda a: a),
    "tanh does not cover what comes from the old state: it is tanh(x W_xn + b_n + …)": changed(
        n=lambda s: np.tanh(s.x_n) + s.heard
    ),
    "the sigmoid is 1 / (1 + exp(a)), with the sign of a lost": gated_by(lambda a: sigmoid(-a)),
    "the sigmoid is exp(a) / (1 + exp(a)), which overflows where a is large": gated_by(
        lambda a: np.exp(a) / (1 + np.exp(a))
    ),
    "the sigmoid is ½ + ½ tanh(a); it is ½ + ½ tanh(a / 2)": gated_by(lambda a: sigmoid(2 * a)),
    "the candidate's tanh is written out in exponentials, which overflow": changed(
        n=lambda s: exponentials(s.x_n + s.heard)
    ),
    "the blocks are read in the order z, r, n; they are r, z, n": ordered("zrn"),
    "r and z are swapped: the blocks are read and returned in the order z, r, n, or the two trade places": ordered(
        "zrn", kept=True
    ),
    "the blocks are taken for z, r, n, and z weighs the candidate; they are r, z, n, and z weighs h": ordered(
        "zrn", kept=True, h_next=lambda s: (1 - s.z) * s.h + s.z * s.n
    ),
    "the blocks are read in the order n, r, z; they are r, z, n": ordered("nrz"),
    "the blocks are read and returned in the order r, n, z; they are r, z, n": ordered("rnz", kept=True),
    "the gates are returned in the order z, r, n; they are r, z, n": changed(gates=shown("zrn")),
    "every third column is taken for a gate; a gate's columns lie side by side": changed(
        order=lambda s: [(s.xw[:, k::3], s.W[:, k::3]) for k in range(3)]
    ),
    "each gate's block of W_h is transposed: it is h @ W_h": changed(W=lambda s: transposed_blocks(s.W_h)),
    "the recurrent terms of r and z are left out": changed(r=lambda s: sigmoid(s.x_r), z=lambda s: sigmoid(s.x_z)),
    "the input term x W_x is left out": changed(xw=lambda s: 0 * (s.x @ s.W_x) + s.b),
    "the candidate is left out of the gates that are returned": changed(gates=shown("rz")),
    "the gates are stacked along a new axis; they lie side by side in (B, 3H), np.concatenate(…, axis=1)": changed(
        gates=lambda s: np.stack([s.r, s.z, s.n])
    ),
    "the gates are joined along the sequences, axis 0; they lie side by side in (B, 3H)": changed(
        gates=lambda s: np.concatenate([s.r, s.z, s.n])
    ),
    "the gates come first; h_next does": arranged(lambda h, gates: (gates, h)),
    "only h_next is returned": arranged(lambda h, gates: h),
    "r, z and n are returned one by one; they lie side by side in one array, np.concatenate(…, axis=1)": arranged(
        lambda h, gates: (h, *blocks(gates))
    ),
    "axes of size 1 are squeezed away": arranged(lambda *results: tuple(map(np.squeeze, results))),
    "a result is written into an input: `h = z * h + …` makes a new array, `h *= z` and `h[:] = …` do not": in_place,
}


def gate_by_gate(x, h, W_x, W_h, b, b_h, reset):
    """The split form: two products for each gate; a list of outputs."""
    H = h.shape[1]
    r, z, n = slice(H), slice(H, 2 * H), slice(2 * H, 3 * H)
    r_gate = 1 / (1 + np.exp(-(x @ W_x[:, r] + h @ W_h[:, r] + b[r])))
    z_gate = 1 - sigmoid(-(x @ W_x[:, z] + h @ W_h[:, z] + b[z]))
    heard = r_gate * (h @ W_h[:, n] + b_h) if reset == "after" else (r_gate * h) @ W_h[:, n]
    new = np.tanh(x @ W_x[:, n] + b[n] + heard)
    return [new + z_gate * (h - new), np.hstack([r_gate, z_gate, new])]


def in_columns(x, h, W_x, W_h, b, b_h, reset):
    """The transposes, as torch has them."""
    H = len(W_h)
    gates = W_x.T @ x.T + b[:, None]
    gates[: 2 * H] += W_h.T[: 2 * H] @ h.T
    gates[: 2 * H] = 0.5 + 0.5 * np.tanh(0.5 * gates[: 2 * H])
    r, z = gates[:H], gates[H : 2 * H]
    q = W_h.T[2 * H :] @ (h.T if reset == "after" else r * h.T)
    n = gates[2 * H :]
    n += r * (q + b_h[:, None]) if reset == "after" else q
    np.tanh(n, out=n)
    return (h.T + (1 - z) * (n - h.T)).T, gates.T


def by_loops(x, h, W_x, W_h, b, b_h, reset):
    """One number at a time."""
    (B, H), D = h.shape, x.shape[1]
    gates, h_next = np.empty((B, 3 * H)), np.empty((B, H))
    for i in range(B):
        for k in range(3 * H):
            gates[i, k] = b[k] + sum(x[i, j] * W_x[j, k] for j in range(D))
        for k in range(2 * H):
            a = gates[i, k] + sum(h[i, j] * W_h[j, k] for j in range(H))
            gates[i, k] = 1 / (1 + np.exp(-a))
        for k in range(2 * H, 3 * H):
            r = gates[i, :H]
            if reset == "before":
                gates[i, k] += sum(r[j] * h[i, j] * W_h[j, k] for j in range(H))
            else:
                gates[i, k] += r[k - 2 * H] * (sum(h[i, j] * W_h[j, k] for j in range(H)) + b_h[k - 2 * H])
            gates[i, k] = np.tanh(gates[i, k])
        for k in range(H):
            z, n = gates[i, H + k], gates[i, 2 * H + k]
            h_next[i, k] = (1 - z) * n + z * h[i, k]
    return h_next, gates


def by_einsum(x, h, W_x, W_h, b, b_h, reset):
    """Sums by their indices, the gates along an axis of their own."""
    (B, H), D = h.shape, x.shape[1]
    a, U = np.einsum("bd,dgh->gbh", x, W_x.reshape(D, 3, H)) + b.reshape(3, 1, H), W_h.reshape(H, 3, H)
    r, z = sigmoid(a[:2] + np.einsum("bk,kgh->gbh", h, U[:, :2]))
    into = h if reset == "after" else h * r
    q = np.einsum("bk,kh->bh", into, U[:, 2])
    n = np.tanh(a[2] + (r * q + r * b_h if reset == "after" else q))
    return n - z * n + z * h, np.stack([r, z, n], axis=1).reshape(B, 3 * H)


def in_float32(*args):
    """Half the digits."""
    *arrays, reset = args
    return changed()(*(np.asarray(value, np.float32) for value in arrays), reset)


ALTERNATIVES = {
    "formula by formula": changed(),
    "gate by gate, a list of outputs": gate_by_gate,
    "columns instead of rows, in place on its own buffers": in_columns,
    "loops": by_loops,
    "einsum": by_einsum,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="gru_step",
    outputs={"h_next": Numbers("B H"), "gates": Gates("B 3H", gates="rzn")},
    unpack=several,
    parts={"gates": 1, "reset after": 2, "reset before": 1, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=gru_step,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 8, section "From the LSTM to the GRU"',
    shapes='"Notation" in the problem set',
)
