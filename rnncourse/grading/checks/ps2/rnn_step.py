"""rnn_step: one step of the recurrent cell, h' = tanh(x W_x + h W_h + b)."""

import numpy as np

from rnncourse.arrays import log_softmax, sigmoid
from rnncourse.cells import RNN
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.problem import Case, Problem


def cell(W_x, W_h, b):
    """The course's own `RNN` with these weights."""
    D, H = W_x.shape
    rnn = RNN(D, H, np.random.default_rng(0), W_x.dtype)
    for name, value in {"W_x": W_x, "W_h": W_h, "b": b}.items():
        rnn.params[name][...] = value
    return rnn


def rnn_step(x, h, W_x, W_h, b):
    """The reference: x (B, D), h (B, H) to h' (B, H)."""
    (h,), _ = cell(W_x, W_h, b).step(x @ W_x + b, (h,))
    return h


def weights(rng, D, H):
    """W_x, W_h, b, by name, of a size that leaves tanh neither linear nor flat; b is never near 0."""
    return {
        "W_x": rng.normal(size=(D, H)) / np.sqrt(D),
        "W_h": rng.normal(size=(H, H)) / np.sqrt(H),
        "b": rng.uniform(0.3, 0.9, H) * rng.choice([-1, 1], H),
    }


def draw(rng, B, D, H):
    """The five arguments, by name."""
    return {"x": rng.normal(size=(B, D)), "h": rng.uniform(-0.9, 0.9, (B, H)), **weights(rng, D, H)}


def huge(rng, args, name):
    """The same with the input `name` 3000 times as large and no x W_x near 0: states are −1 and 1, and both occur."""
    D, H = args["W_x"].shape
    inputs = 3000 * rng.uniform(0.5, 1.5, args[name].shape)
    W_x = rng.uniform(0.5, 1.5, (D, H)) * rng.permutation(np.resize([-1, 1], H))
    return args | {name: inputs, "W_x": W_x}


def cases(rng):
    """Sizes all different and all equal; each size once 1; float32, huge inputs."""
    yield Case("formula", "All sizes different", draw(rng, B=3, D=4, H=5))
    yield Case("formula", "All sizes equal", draw(rng, B=4, D=4, H=4))
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, B=1, D=3, H=4))
    yield Case("sizes of 1", "One input (D = 1)", draw(rng, B=3, D=1, H=4))
    yield Case("sizes of 1", "One hidden unit (H = 1)", draw(rng, B=4, D=3, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, B=2, D=5, H=3)))
    yield Case("numbers and inputs", "Inputs 3000 times as large", huge(rng, draw(rng, B=2, D=3, H=4), "x"))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, B=5, D=2, H=3), untouched=True)


def terms(formula):
    """A step by `formula(i, r, b)` from the input term i = x W_x, the recurrent term r = h W_h and the bias."""
    return lambda x, h, W_x, W_h, b: formula(x @ W_x, h @ W_h, b)


def exponentials(a):
    """tanh written out, which overflows where |a| > 709."""
    return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))


def from_growing(e):
    """tanh(a) from e = exp(2a), which overflows where a > 355."""
    return (e - 1) / (e + 1)


def from_fading(e):
    """tanh(a) from e = exp(−2a), which overflows where a < −355."""
    return (1 - e) / (1 + e)


def softmax(a):
    """Softmax along the last axis."""
    return np.exp(log_softmax(a))


MISTAKES = {
    "the bias b is left out": terms(lambda i, r, b: np.tanh(i + r)),
    "the bias b is added twice": terms(lambda i, r, b: np.tanh(i + r + 2 * b)),
    "the bias b is added after the tanh": terms(lambda i, r, b: np.tanh(i + r) + b),
    "the bias b is added down the sequences, not along the units": terms(lambda i, r, b: np.tanh(i + r + b[:, None])),
    "tanh is taken of each of the three terms instead of their sum": terms(
        lambda i, r, b: np.tanh(i) + np.tanh(r) + np.tanh(b)
    ),
    "tanh is taken of each product instead of the sum": terms(lambda i, r, b: np.tanh(i) + np.tanh(r) + b),
    "tanh does not cover the recurrent term h W_h": terms(lambda i, r, b: np.tanh(i + b) + r),
    "tanh does not cover the input term x W_x": terms(lambda i, r, b: i + np.tanh(r + b)),
    "there is no tanh": terms(lambda i, r, b: i + r + b),
    "tanh is taken twice": terms(lambda i, r, b: np.tanh(np.tanh(i + r + b))),
    "a sigmoid stands where tanh should": terms(lambda i, r, b: sigmoid(i + r + b)),
    "a ReLU stands where tanh should": terms(lambda i, r, b: np.maximum(0, i + r + b)),
    "a softmax stands where tanh should": terms(lambda i, r, b: softmax(i + r + b)),
    "tanh is written out in exponentials, which overflow": terms(lambda i, r, b: exponentials(i + r + b)),
    "tanh is written out with exp(2a), which overflows where a is large": terms(
        lambda i, r, b: from_growing(np.exp(2 * (i + r + b)))
    ),
    "tanh is written out with exp(-2a), which overflows where a is far below 0": terms(
        lambda i, r, b: from_fading(np.exp(-2 * (i + r + b)))
    ),
    "the recurrent term h W_h is left out": terms(lambda i, r, b: np.tanh(i + b)),
    "the recurrent term h W_h is subtracted": terms(lambda i, r, b: np.tanh(i - r + b)),
    "the input term x W_x is left out": terms(lambda i, r, b: np.tanh(r + b)),
    "axes of size 1 are squeezed away": terms(lambda i, r, b: np.squeeze(np.tanh(i + r + b))),
    "W_h is transposed": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + h @ W_h.T + b),
    "W_h stands on the left, `W_h @ h`; weights multiply from the right, `h @ W_h`": lambda x, h, W_x, W_h, b: np.tanh(
        x @ W_x + W_h @ h + b
    ),
    "W_x is transposed": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x.T + h @ W_h + b),
    "W_x and W_h (or x and h) are swapped": lambda x, h, W_x, W_h, b: np.tanh(x @ W_h + h @ W_x + b),
    "x and h (or W_x and W_h) are swapped": lambda x, h, W_x, W_h, b: np.tanh(h @ W_x + x @ W_h + b),
    "the state h is added without its weights W_h": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + h + b),
    "the new state is added to the old one": lambda x, h, W_x, W_h, b: h + np.tanh(x @ W_x + h @ W_h + b),
    "the old state is returned": lambda x, h, W_x, W_h, b: h.copy(),
}


def by_loops(x, h, W_x, W_h, b):
    """One number at a time."""
    new = np.empty_like(h)
    for i in range(len(x)):
        for k in range(len(b)):
            a = b[k]
            for j in range(x.shape[1]):
                a += x[i, j] * W_x[j, k]
            for j in range(len(b)):
                a += h[i, j] * W_h[j, k]
            new[i, k] = np.tanh(a)
    return new


def in_place(x, h, W_x, W_h, b):
    """In place, on a buffer of its own."""
    a = x @ W_x
    a += h @ W_h
    a += b
    return np.tanh(a, out=a)


def joined(x, h, W_x, W_h, b):
    """[x, h] times the weights, one above the other."""
    return np.tanh(np.concatenate([x, h], axis=1) @ np.concatenate([W_x, W_h]) + b)


def by_einsum(x, h, W_x, W_h, b):
    """Sums by their indices."""
    return np.tanh(np.einsum("bd,dh->bh", x, W_x) + np.einsum("bk,kh->bh", h, W_h) + b)


def in_float32(x, h, W_x, W_h, b):
    """Half the digits."""
    x, h, W_x, W_h, b = (np.asarray(value, np.float32) for value in (x, h, W_x, W_h, b))
    return np.tanh(x @ W_x + h @ W_h + b)


ALTERNATIVES = {
    "loops": by_loops,
    "in place on its own buffer": in_place,
    "[x, h] times the stacked weights": joined,
    "einsum": by_einsum,
    "columns instead of rows": lambda x, h, W_x, W_h, b: np.tanh(W_x.T @ x.T + W_h.T @ h.T + b[:, None]).T,
    "tanh from a sigmoid": terms(lambda i, r, b: 2 * sigmoid(2 * (b + r + i)) - 1),
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="rnn_step",
    outputs={"h_next": Numbers("B H")},
    parts={"formula": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=rnn_step,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 4, section "The cell"',
)
