"""stacked_forward: recurrent layers on top of each other, each reading the states of the one below."""

import numpy as np

from rnncourse.arrays import Array
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.lent import ps7 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_forward import from_zeros, rnn_forward
from rnncourse.grading.checks.ps2.rnn_step import cell, rnn_step, weights
from rnncourse.grading.checks.structure import several
from rnncourse.layers import Stacked


def stacked_forward(X, h0, W_x, W_h, b):
    """The reference: X (T, B, D), h0 (L, B, H), lists of L weights to states (T, B, H) and last (L, B, H)."""
    stack = Stacked(*map(cell, W_x, W_h, b))
    states, last, _ = stack.forward(X, [(h,) for h in h0])
    return states, np.stack([h for (h,) in last])


def draw(rng, L, T, B, D, H):
    """The five arguments, by name. Weights are lists with an entry a layer."""
    layers = [weights(rng, D if k == 0 else H, H) for k in range(L)]
    listed = {name: [layer[name] for layer in layers] for name in ("W_x", "W_h", "b")}
    return {"X": rng.normal(size=(T, B, D)), "h0": rng.uniform(-0.9, 0.9, (L, B, H)), **listed}


def cases(rng):
    """Zero and non-zero first states, sizes all different and all equal; each size once 1; float32, many layers."""
    yield Case("from zeros", "Two layers, all sizes different, h0 = 0", from_zeros(draw(rng, L=2, T=4, B=3, D=6, H=5)))
    yield Case("from zeros", "Three layers, all sizes equal, h0 = 0", from_zeros(draw(rng, L=3, T=3, B=3, D=3, H=3)))
    yield Case("from any state", "Three layers, all sizes different, h0 not 0", draw(rng, L=3, T=4, B=2, D=6, H=5))
    yield Case("from any state", "Three layers, all sizes equal, h0 not 0", draw(rng, L=3, T=3, B=3, D=3, H=3))
    yield Case("sizes of 1", "One layer (L = 1)", draw(rng, L=1, T=3, B=3, D=2, H=5))
    yield Case("sizes of 1", "One time step (T = 1)", draw(rng, L=2, T=1, B=3, D=4, H=5))
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, L=2, T=3, B=1, D=3, H=4))
    yield Case("sizes of 1", "One input and one hidden unit (D = H = 1)", draw(rng, L=2, T=3, B=4, D=1, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, L=2, T=4, B=2, D=5, H=3)))
    yield Case("numbers and inputs", "Five layers", draw(rng, L=5, T=2, B=3, D=2, H=4))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, L=2, T=3, B=4, D=5, H=2), untouched=True)


def top(states, lasts, h0):
    """The right answer: the states of the top layer, the last state of each."""
    return states[-1], np.stack(lasts)


def climb(
    result=top,
    reads=lambda k, X, states: states[-1] if k else X,
    starts=lambda k, h0, lasts: h0[k],
    which=lambda k: (k, k, k),
):
    """Go up layer by layer: what layer k `reads`, the state it `starts` from, `which` weights it has."""

    def run(X, h0, W_x, W_h, b):
        states: list[Array] = []
        lasts: list[Array] = []
        for k in range(len(W_x)):
            i, j, m = which(k)
            above, last = rnn_forward(reads(k, X, states), starts(k, h0, lasts), W_x[i], W_h[j], b[m])
            states.append(above)
            lasts.append(last)
        return result(states, lasts, h0)

    return run


def downwards(X, h0, W_x, W_h, b):
    """The top layer first."""
    states, lasts = X, []
    for k in reversed(range(len(W_x))):
        states, last = rnn_forward(states, h0[k], W_x[k], W_h[k], b[k])
        lasts.append(last)
    return states, np.stack(lasts)


def grid(below, result=lambda rows, h: (np.stack(rows), h)):
    """Step by step, and in each step layer by layer: layer k > 0 reads `below(h, before, k)`."""

    def run(X, h0, W_x, W_h, b):
        h, rows = h0.copy(), []
        for x in X:
            before = h.copy()
            for k in range(len(W_x)):
                h[k] = rnn_step(below(h, before, k) if k else x, before[k], W_x[k], W_h[k], b[k])
            rows.append(h[-1].copy())
        return result(rows, h)

    return run


def one_state(X, h0, W_x, W_h, b):
    """Step by step with one state, which goes up and then on to the next step."""
    h, rows = h0[0], []
    lasts: list[Array] = []
    for x in X:
        lasts = []
        for k in range(len(W_x)):
            h = rnn_step(x, h, W_x[k], W_h[k], b[k])
            x = h
            lasts.append(h)
        rows.append(h)
    return np.stack(rows), np.stack(lasts)


def only_layer_0(X, h0, W_x, W_h, b):
    """One layer."""
    states, last = rnn_forward(X, h0[0], W_x[0], W_h[0], b[0])
    return states, last[None].copy()


def without_top(X, h0, W_x, W_h, b):
    """All layers but the top one, whose state stays where it was."""
    below = X
    lasts = h0.copy()
    for k in range(len(W_x) - 1):
        below, lasts[k] = rnn_forward(below, h0[k], W_x[k], W_h[k], b[k])
    return below, lasts


def into_h0(X, h0, W_x, W_h, b):
    """Writes the last states into h0, and returns it."""
    below = X
    for k in range(len(W_x)):
        below, h0[k] = rnn_forward(below, h0[k], W_x[k], W_h[k], b[k])
    return below, h0


def into_a_copy(X, h0, W_x, W_h, b):
    """The same, in a copy."""
    return into_h0(X, h0.copy(), W_x, W_h, b)


def residual(X, h0, W_x, W_h, b):
    """Every layer but the first adds its input to its states."""
    below, lasts = X, []
    for k in range(len(W_x)):
        states, last = rnn_forward(below, h0[k], W_x[k], W_h[k], b[k])
        below = states + below if k else states
        lasts.append(last)
    return below, np.stack(lasts)


def tanh_between(X, h0, W_x, W_h, b):
    """Another tanh between the layers."""
    return climb(reads=lambda k, X, states: np.tanh(states[-1]) if k else X)(X, h0, W_x, W_h, b)


MISTAKES = {
    "h0 is ignored: every layer starts from zeros": climb(starts=lambda k, h0, lasts: 0 * h0[k]),
    "every layer starts from h0[0], the first state of the lowest layer": climb(starts=lambda k, h0, lasts: h0[0]),
    "every layer starts from h0[-1], the first state of the top layer": climb(starts=lambda k, h0, lasts: h0[-1]),
    "only the lowest layer starts from h0, the others from zeros": climb(
        starts=lambda k, h0, lasts: 0 * h0[k] if k else h0[0]
    ),
    "only the top layer starts from h0, the others from zeros": climb(
        starts=lambda k, h0, lasts: h0[k] if k == len(h0) - 1 else 0 * h0[k]
    ),
    "the layers of h0 are in the wrong order: h0[0] is the lowest layer's": climb(
        starts=lambda k, h0, lasts: h0[len(h0) - 1 - k]
    ),
    "a layer starts from the last state of the layer below (the same name h for both?); it starts from h0[k]": climb(
        starts=lambda k, h0, lasts: lasts[-1] if k else h0[0]
    ),
    "every layer reads X; a layer above the first reads the states of the layer below": climb(
        reads=lambda k, X, states: X
    ),
    "every layer but the first reads the states of the lowest layer; it reads those of the layer below it": climb(
        reads=lambda k, X, states: states[0] if k else X
    ),
    "the layers are run from the top down": downwards,
    "a layer reads the state that the layer below had one step before; it reads the new one, of the same step": grid(
        lambda h, before, k: before[k - 1]
    ),
    "one state goes through all layers, then on to the next step: each layer has a state of its own": one_state,
    "every layer has the weights of layer 0": climb(which=lambda k: (0, 0, 0)),
    "every layer has the W_x of layer 0": climb(which=lambda k: (0, k, k)),
    "every layer has the W_h of layer 0": climb(which=lambda k: (k, 0, k)),
    "every layer has the b of layer 0": climb(which=lambda k: (k, k, 0)),
    "only the lowest layer is run": only_layer_0,
    "the top layer is not run": without_top,
    "each layer's input is added to its states (a residual connection)": residual,
    "another tanh is taken between the layers": tanh_between,
    "states is that of the lowest layer; it is that of the top layer": climb(
        lambda s, last, h0: (s[0], np.stack(last))
    ),
    "states holds all layers; it is that of the top layer alone": climb(
        lambda s, last, h0: (np.stack(s), np.stack(last))
    ),
    "states holds all layers side by side; it is that of the top layer alone": climb(
        lambda s, last, h0: (np.concatenate(s, axis=-1), np.stack(last))
    ),
    "states is the sum over the layers; it is that of the top layer": climb(
        lambda s, last, h0: (np.sum(s, axis=0), np.stack(last))
    ),
    "last is that of the top layer alone; it holds the last state of every layer": climb(
        lambda s, last, h0: (s[-1], last[-1])
    ),
    "last holds the last state of the top layer for every layer": climb(
        lambda s, last, h0: (s[-1], np.stack([last[-1]] * len(h0)))
    ),
    "last begins with the top layer; it begins with the lowest": climb(
        lambda s, last, h0: (s[-1], np.stack(last[::-1]))
    ),
    "last holds the first states, h0": climb(lambda s, last, h0: (s[-1], h0.copy())),
    "last holds the states after the first step": climb(lambda s, last, h0: (s[-1], np.stack([a[0] for a in s]))),
    "last holds the states of the last sequence, states[:, -1]; it holds those after the last step": climb(
        lambda s, last, h0: (s[-1], np.stack([a[:, -1] for a in s]))
    ),
    "last is (B, L, H); it is (L, B, H)": climb(lambda s, last, h0: (s[-1], np.stack(last, axis=1))),
    "last holds the layers side by side, (B, L·H); it is (L, B, H), which np.stack makes": climb(
        lambda s, last, h0: (s[-1], np.concatenate(last, axis=-1))
    ),
    "last holds the layers in one long array, (L·B, H); it is (L, B, H), which np.stack makes": climb(
        lambda s, last, h0: (s[-1], np.concatenate(last))
    ),
    "last is a list; np.stack makes an array (L, B, H) of it": climb(lambda s, last, h0: (s[-1], last)),
    "last keeps a time axis of size 1": climb(lambda s, last, h0: (s[-1], np.stack([a[-1:] for a in s]))),
    "axes of size 1 are squeezed away from last": climb(lambda s, last, h0: (s[-1], np.squeeze(np.stack(last)))),
    "axes of size 1 are squeezed away": climb(lambda s, last, h0: (np.squeeze(s[-1]), np.squeeze(np.stack(last)))),
    "the outputs are swapped: last comes first": climb(lambda s, last, h0: (np.stack(last), s[-1])),
    "only states is returned": climb(lambda s, last, h0: s[-1]),
    "last is written into h0; write it into an array of your own": into_h0,
}


def recursive(X, h0, W_x, W_h, b):
    """The stack above the first layer reads its states."""
    states, last = rnn_forward(X, h0[0], W_x[0], W_h[0], b[0])
    if len(W_x) == 1:
        return states, last[None]
    states, lasts = recursive(states, h0[1:], W_x[1:], W_h[1:], b[1:])
    return states, np.concatenate([last[None], lasts])


def by_hand(X, h0, W_x, W_h, b):
    """The double loop, with einsum, without the lent function; a list of outputs."""
    h, rows = [state.astype(float) for state in h0], []
    for below in X:
        for k, layer in enumerate(zip(W_x, W_h, b, strict=True)):
            a = np.einsum("bd,dh->bh", below, layer[0]) + np.einsum("bk,kh->bh", h[k], layer[1]) + layer[2]
            h[k] = below = np.tanh(a)
        rows.append(below)
    return [np.array(rows), np.array(h)]


def in_float32(X, h0, W_x, W_h, b):
    """Half the digits."""
    return climb()(**single_precision({"X": X, "h0": h0, "W_x": W_x, "W_h": W_h, "b": b}))


ALTERNATIVES = {
    "layer by layer, lists stacked": climb(),
    "step by step": grid(lambda h, before, k: h[k - 1]),
    "recursion over the layers": recursive,
    "einsum, a list of outputs": by_hand,
    "last states written into a copy of h0": into_a_copy,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="stacked_forward",
    outputs={"states": Numbers("T B H"), "last": Numbers("L B H")},
    unpack=several,
    parts={"from zeros": 2, "from any state": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=stacked_forward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"rnn_forward": lent.rnn_forward},
    reread='chapter 9, section "Layers feeding layers"',
    shapes='chapter 9, section "Shapes and parameters"',
)
