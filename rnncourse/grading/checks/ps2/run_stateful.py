"""run_stateful: a long sequence cut into windows, the state carried from each to the next or reset to zeros."""

from itertools import pairwise

import numpy as np

from rnncourse.grading.checks.compare import stacked
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_forward import rnn_forward
from rnncourse.grading.checks.ps2.rnn_step import rnn_step, single_precision, weights

PLAIN = "sizes of 1 and inputs"


def run_stateful(windows, h0, W_x, W_h, b, reset):
    """The reference: windows (N, T, B, D), h0 (B, H), reset (N,) to the states (N, T, B, H)."""
    H = []
    for X, fresh in zip(windows, reset, strict=True):
        h0 = np.zeros_like(h0) if fresh else h0
        states, h0 = rnn_forward(X, h0, W_x, W_h, b)
        H.append(states)
    return np.stack(H)


def draw(rng, T, B, D, H, reset):
    """The six arguments, by name."""
    windows = {"windows": rng.normal(size=(len(reset), T, B, D)), "h0": rng.uniform(-0.9, 0.9, (B, H))}
    return {**windows, **weights(rng, D, H), "reset": np.array(reset, bool)}


def cases(rng):
    """No reset, some, all, the first; windows of one step, one window; inputs left alone."""
    yield Case("carrying", "No window resets", draw(rng, T=3, B=2, D=4, H=5, reset=[0, 0, 0, 0]))
    yield Case("carrying", "No window resets, all sizes equal", draw(rng, T=3, B=3, D=3, H=3, reset=[0, 0, 0]))
    yield Case("resets", "Windows 2 and 3 reset", draw(rng, T=3, B=2, D=4, H=5, reset=[0, 0, 1, 1, 0, 0]))
    yield Case("resets", "Windows 0 and 2 reset", draw(rng, T=2, B=3, D=4, H=5, reset=[1, 0, 1, 0]))
    yield Case("resets", "Every window resets", draw(rng, T=3, B=2, D=4, H=5, reset=[1, 1, 1, 1]))
    yield Case(PLAIN, "Windows of one time step", draw(rng, T=1, B=2, D=3, H=4, reset=[0, 0, 0]))
    yield Case(PLAIN, "One window", draw(rng, T=4, B=2, D=3, H=5, reset=[0]))
    yield Case(PLAIN, "B = D = H = 1", draw(rng, T=4, B=1, D=1, H=1, reset=[0, 0, 0]))
    yield Case(PLAIN, "Inputs in float32", single_precision(draw(rng, T=3, B=2, D=4, H=3, reset=[0, 0])))
    yield Case(PLAIN, "Your inputs afterwards", draw(rng, T=3, B=4, D=2, H=3, reset=[0, 0]), untouched=True)


def starting(start, result=np.stack):
    """Start window n from `start(n, h, h0, reset)`, where h is the last state of the one before: mostly a mistake."""

    def run(windows, h0, W_x, W_h, b, reset):
        h, H = h0, []
        for n, X in enumerate(windows):
            states, h = rnn_forward(X, start(n, h, h0, reset), W_x, W_h, b)
            H.append(states)
        return result(H)

    return run


def right(n, h, h0, reset):
    """Where window n starts."""
    return 0 * h if reset[n] else h


def handing_on(state):
    """Hand on `state(H)`, another state of the window than its last: a mistake."""

    def run(windows, h0, W_x, W_h, b, reset):
        h, H = h0, []
        for X, fresh in zip(windows, reset, strict=True):
            H.append(rnn_forward(X, 0 * h if fresh else h, W_x, W_h, b)[0])
            h = np.broadcast_to(state(H[-1]), h0.shape)
        return np.stack(H)

    return run


def resets_afterwards(windows, h0, W_x, W_h, b, reset):
    """Resets after the window that asks for it."""
    h, H = h0, []
    for X, fresh in zip(windows, reset, strict=True):
        states, h = rnn_forward(X, h, W_x, W_h, b)
        h = 0 * h if fresh else h
        H.append(states)
    return np.stack(H)


MISTAKES = {
    "no window is ever reset": starting(lambda n, h, h0, reset: h),
    "every window starts from zeros: nothing is carried": starting(lambda n, h, h0, reset: 0 * h),
    "every window starts from h0, reset or not": starting(lambda n, h, h0, reset: h0),
    "windows that do not reset start from h0: nothing is carried": starting(
        lambda n, h, h0, reset: 0 * h if reset[n] else h0
    ),
    "h0 is ignored and the first window starts from zeros": starting(
        lambda n, h, h0, reset: h if n and not reset[n] else 0 * h
    ),
    "the first window never resets": starting(lambda n, h, h0, reset: 0 * h if n and reset[n] else h),
    "a reset goes back to h0 instead of zeros": starting(lambda n, h, h0, reset: h0 if reset[n] else h),
    "a reset sets the state to ones": starting(lambda n, h, h0, reset: np.ones_like(h) if reset[n] else h),
    "a reset only halves the state": starting(lambda n, h, h0, reset: h / 2 if reset[n] else h),
    "a reset comes one window early": starting(lambda n, h, h0, reset: 0 * h if reset[(n + 1) % len(reset)] else h),
    "a reset comes after the window that asks for it": resets_afterwards,
    "True and False of reset are swapped": starting(lambda n, h, h0, reset: h if reset[n] else 0 * h),
    "one reset resets every window": starting(lambda n, h, h0, reset: 0 * h if any(reset) else h),
    "every window after a reset resets too": starting(lambda n, h, h0, reset: 0 * h if any(reset[: n + 1]) else h),
    "only the first entry of reset is read": starting(lambda n, h, h0, reset: 0 * h if reset[0] else h),
    "the first state of a window is carried on instead of the last": handing_on(lambda H: H[0]),
    "the mean state of a window is carried on instead of the last": handing_on(lambda H: H.mean(axis=0)),
    "the last state of the last sequence is carried on to every sequence": handing_on(lambda H: H[-1, -1]),
    "only the last state of each window is returned": starting(right, lambda H: np.stack(H)[:, -1]),
    "only the last window is returned": starting(right, lambda H: H[-1]),
    "the windows are joined into one long sequence": starting(right, np.concatenate),
    "the axes N and T of the result are swapped": starting(right, lambda H: np.stack(H, axis=1)),
}


def into_one_array(windows, h0, W_x, W_h, b, reset):
    """Step by step, into an array made beforehand; a reset multiplies the state by 0."""
    H = np.empty((*windows.shape[:3], len(b)), windows.dtype)
    h = h0
    for n in range(len(windows)):
        h = h * (1 - int(reset[n]))
        for t in range(windows.shape[1]):
            H[n, t] = h = np.tanh(windows[n, t] @ W_x + h @ W_h + b)
    return H


def stretches(windows, h0, W_x, W_h, b, reset):
    """The windows between two resets as one long sequence."""
    N, T = windows.shape[:2]
    parts = []
    for a, z in pairwise([0, *(n for n in range(1, N) if reset[n]), N]):
        start = h0 if a == 0 and not reset[0] else 0 * h0
        parts.append(rnn_forward(np.concatenate(windows[a:z]), start, W_x, W_h, b)[0])
    return np.concatenate(parts).reshape(N, T, *h0.shape)


ALTERNATIVES = {
    "a list of windows": starting(right, list),
    "step by step into one array": into_one_array,
    "one long sequence between resets": stretches,
}

PROBLEM = Problem(
    name="run_stateful",
    outputs={"H": "N T B H"},
    unpack=stacked,
    parts={"carrying": 2, "resets": 1, PLAIN: 1},
    cases=cases,
    reference=run_stateful,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"rnn_step": rnn_step, "rnn_forward": rnn_forward},
    reread='chapter 4, section "Carrying the state"',
)
