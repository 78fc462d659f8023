"""rnn_step: one step of the recurrent cell, h' = tanh(x W_x + h W_h + b)."""

import numpy as np

from rnncourse.arrays import sigmoid
from rnncourse.cells import RNN
from rnncourse.grading.checks.problem import Case, Problem


def cell(W_x, W_h, b):
    """The course's own `RNN` with these weights."""
    rnn = RNN(*W_x.shape, np.random.default_rng(0), W_x.dtype)
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
    """The same with the input `name` 3000 times as large and every x W_x far from 0, so that the state is ±1 and nothing else."""
    D, H = args["W_x"].shape
    large = {name: 3000 * rng.uniform(0.5, 1.5, args[name].shape), "W_x": rng.uniform(0.5, 1.5, (D, H)) * rng.choice([-1, 1], H)}
    return args | large


def single_precision(args):
    """The same in float32."""
    return {name: value.astype(np.float32) if value.dtype.kind == "f" else value for name, value in args.items()}


def cases(rng):
    """Sizes all different and all equal; each size once 1; float32, huge inputs."""
    yield Case("formula", "all sizes different", draw(rng, B=3, D=4, H=5))
    yield Case("formula", "all sizes equal", draw(rng, B=4, D=4, H=4))
    yield Case("sizes of 1", "one sequence (B = 1)", draw(rng, B=1, D=3, H=4))
    yield Case("sizes of 1", "one input (D = 1)", draw(rng, B=3, D=1, H=4))
    yield Case("sizes of 1", "one hidden unit (H = 1)", draw(rng, B=4, D=3, H=1))
    yield Case("numbers and inputs", "inputs in float32", single_precision(draw(rng, B=2, D=5, H=3)))
    yield Case("numbers and inputs", "inputs 3000 times as large", huge(rng, draw(rng, B=2, D=3, H=4), "x"))
    yield Case("numbers and inputs", "your inputs afterwards", draw(rng, B=5, D=2, H=3), untouched=True)


def exponentials(a):
    """tanh written out, which overflows where |a| > 709."""
    return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))


def softmax(a):
    """Softmax along the last axis."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


MISTAKES = {
    "the bias b is left out": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + h @ W_h),
    "the bias b is added twice": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + b + h @ W_h + b),
    "the bias b is added after the tanh": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + h @ W_h) + b,
    "the bias b is added down the sequences instead of along the units": lambda x, h, W_x, W_h, b: np.tanh(
        x @ W_x + h @ W_h + b[:, None]
    ),
    "W_h is transposed": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + h @ W_h.T + b),
    "W_x is transposed": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x.T + h @ W_h + b),
    "W_x and W_h are swapped": lambda x, h, W_x, W_h, b: np.tanh(x @ W_h + h @ W_x + b),
    "tanh is taken of each term instead of their sum": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x) + np.tanh(h @ W_h) + np.tanh(b),
    "tanh is taken of each product instead of the sum, with b added outside": lambda x, h, W_x, W_h, b: (
        np.tanh(x @ W_x) + np.tanh(h @ W_h) + b
    ),
    "tanh does not cover the recurrent term h W_h": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + b) + h @ W_h,
    "tanh does not cover the input term x W_x": lambda x, h, W_x, W_h, b: x @ W_x + np.tanh(h @ W_h + b),
    "there is no tanh": lambda x, h, W_x, W_h, b: x @ W_x + h @ W_h + b,
    "tanh is taken twice": lambda x, h, W_x, W_h, b: np.tanh(np.tanh(x @ W_x + h @ W_h + b)),
    "a sigmoid stands where tanh should": lambda x, h, W_x, W_h, b: sigmoid(x @ W_x + h @ W_h + b),
    "a ReLU stands where tanh should": lambda x, h, W_x, W_h, b: np.maximum(0, x @ W_x + h @ W_h + b),
    "a softmax stands where tanh should": lambda x, h, W_x, W_h, b: softmax(x @ W_x + h @ W_h + b),
    "the previous state h is left out": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + b),
    "the input x is left out": lambda x, h, W_x, W_h, b: np.tanh(h @ W_h + b),
    "the previous state h is added without its weights W_h": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x + h + b),
    "the new state is added to the old one instead of replacing it": lambda x, h, W_x, W_h, b: h + np.tanh(x @ W_x + h @ W_h + b),
    "tanh is written out in exponentials, which overflow": lambda x, h, W_x, W_h, b: exponentials(x @ W_x + h @ W_h + b),
    "axes of size 1 are squeezed away": lambda x, h, W_x, W_h, b: np.squeeze(np.tanh(x @ W_x + h @ W_h + b)),
    "the old state is returned": lambda x, h, W_x, W_h, b: h.copy(),
    "the sum is subtracted: a sign is wrong": lambda x, h, W_x, W_h, b: np.tanh(x @ W_x - h @ W_h + b),
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


ALTERNATIVES = {
    "loops": by_loops,
    "in place on its own buffer": in_place,
    "einsum": lambda x, h, W_x, W_h, b: np.tanh(np.einsum("bd,dh->bh", x, W_x) + np.einsum("bk,kh->bh", h, W_h) + b),
    "[x, h] times the stacked weights": lambda x, h, W_x, W_h, b: np.tanh(
        np.concatenate([x, h], axis=1) @ np.concatenate([W_x, W_h]) + b
    ),
    "columns instead of rows": lambda x, h, W_x, W_h, b: np.tanh(W_x.T @ x.T + W_h.T @ h.T + b[:, None]).T,
    "tanh from a sigmoid": lambda x, h, W_x, W_h, b: 2 * sigmoid(2 * (b + h @ W_h + x @ W_x)) - 1,
    "float32 inside": lambda x, h, W_x, W_h, b: np.tanh(np.float32(x) @ np.float32(W_x) + np.float32(h) @ np.float32(W_h) + np.float32(b)),
}

PROBLEM = Problem(
    name="rnn_step",
    outputs={"h_next": "B H"},
    parts={"formula": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=rnn_step,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 4, section "The cell"',
)
