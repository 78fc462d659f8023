"""run_stateful: a long sequence cut into windows, the state carried from each to the next or reset to zeros."""

from itertools import pairwise

import numpy as np

from rnncourse.grading.checks.compare import expect_array
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.lent import ps2 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_forward import rnn_forward
from rnncourse.grading.checks.ps2.rnn_step import weights
from rnncourse.grading.checks.wrong import WrongForm, WrongShape

PLAIN = "sizes of 1 and inputs"


def run_stateful(windows, h0, W_x, W_h, b, reset):
    """The reference: windows (N, T, B, D), h0 (B, H), reset (N,) to the states (N, T, B, H)."""
    states = []
    for X, fresh in zip(windows, reset, strict=True):
        h0 = np.zeros_like(h0) if fresh else h0
        window, h0 = rnn_forward(X, h0, W_x, W_h, b)
        states.append(window)
    return np.stack(states)


def one_array(outputs, value):
    """The states in one array: as they came, or stacked from one for each window. Raises `Wrong` if they cannot be."""
    (name,) = outputs
    if not isinstance(value, (tuple, list)):
        return {name: value}
    shapes = {getattr(row, "shape", None) for row in value}
    if isinstance(value, tuple) and (len(shapes) != 1 or None in shapes):
        raise WrongForm(f"it should return the {name} alone, got {len(value)} values")
    for k, row in enumerate(value):
        if isinstance(row, tuple):
            cause = "rnn_forward returns two values; store the first"
            raise WrongForm(f"{name}[{k}] should be a NumPy array, got a tuple: {cause}")
        expect_array(f"{name}[{k}]", row)
    if len(shapes) != 1:
        came = ", ".join(str(row.shape) for row in value) or "an empty list"
        raise WrongShape(f"{name} should hold arrays of one shape, got {came}")
    return {name: np.stack(value)}


def draw(rng, T, B, D, H, reset):
    """The six arguments, by name."""
    windows = {"windows": rng.normal(size=(len(reset), T, B, D)), "h0": rng.uniform(-0.9, 0.9, (B, H))}
    return {**windows, **weights(rng, D, H), "reset": np.array(reset, bool)}


def cases(rng):
    """No reset, some, all, the first; windows of one step, one window; inputs left alone, with a reset and without."""
    yield Case("carrying", "No window resets", draw(rng, T=3, B=2, D=4, H=5, reset=[0, 0, 0, 0]))
    yield Case("carrying", "No window resets, all sizes equal", draw(rng, T=3, B=3, D=3, H=3, reset=[0, 0, 0]))
    yield Case("resets", "Windows 2 and 3 reset", draw(rng, T=3, B=2, D=4, H=5, reset=[0, 0, 1, 1, 0, 0]))
    yield Case("resets", "Windows 0 and 2 reset", draw(rng, T=2, B=3, D=4, H=5, reset=[1, 0, 1, 0]))
    yield Case("resets", "Every window resets", draw(rng, T=3, B=2, D=4, H=5, reset=[1, 1, 1, 1]))
    still = draw(rng, T=2, B=3, D=2, H=4, reset=[1, 0])
    yield Case("resets", "A state of 0 resets", still | {"h0": 0 * still["h0"]})
    yield Case("resets", "Your inputs afterwards", draw(rng, T=2, B=4, D=2, H=3, reset=[1, 0, 1]), untouched=True)
    yield Case(PLAIN, "Windows of one time step", draw(rng, T=1, B=2, D=3, H=4, reset=[0, 0, 0]))
    yield Case(PLAIN, "One window", draw(rng, T=4, B=2, D=3, H=5, reset=[0]))
    yield Case(PLAIN, "B = D = H = 1", draw(rng, T=4, B=1, D=1, H=1, reset=[0, 0, 0]))
    yield Case(PLAIN, "Inputs in float32", single_precision(draw(rng, T=3, B=2, D=4, H=3, reset=[0, 0])))
    yield Case(PLAIN, "Your inputs afterwards", draw(rng, T=3, B=4, D=2, H=3, reset=[0, 0]), untouched=True)


def starting(start, result=np.stack):
    """Start window n from `start(n, h, h0, reset)`, where h is the last state of the one before: mostly a mistake."""

    def run(windows, h0, W_x, W_h, b, reset):
        h, states = h0, []
        for n, X in enumerate(windows):
            window, h = rnn_forward(X, start(n, h, h0, reset), W_x, W_h, b)
            states.append(window)
        return result(states)

    return run


def right(n, h, h0, reset):
    """Where window n starts."""
    return 0 * h if reset[n] else h


def overwritten(n, h, h0, reset):
    """Where window n starts, but made by writing zeros into the last state, which the window before holds too."""
    if reset[n]:
        h[:] = 0
    return h


def handing_on(state):
    """Hand on `state(window)`, another state of the window than its last: a mistake."""

    def run(windows, h0, W_x, W_h, b, reset):
        h, states = h0, []
        for X, fresh in zip(windows, reset, strict=True):
            states.append(rnn_forward(X, 0 * h if fresh else h, W_x, W_h, b)[0])
            h = np.broadcast_to(state(states[-1]), h0.shape)
        return np.stack(states)

    return run


def resets_afterwards(windows, h0, W_x, W_h, b, reset):
    """Resets after the window that asks for it."""
    h, states = h0, []
    for X, fresh in zip(windows, reset, strict=True):
        window, h = rnn_forward(X, h, W_x, W_h, b)
        h = 0 * h if fresh else h
        states.append(window)
    return np.stack(states)


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
    "a reset writes zeros into h itself (as `h[:] = 0` does), and h is a part of the states of the window before": (
        starting(overwritten)
    ),
    "a reset only halves the state": starting(lambda n, h, h0, reset: h / 2 if reset[n] else h),
    "a reset comes one window early": starting(lambda n, h, h0, reset: 0 * h if reset[(n + 1) % len(reset)] else h),
    "a reset comes after the window that asks for it": resets_afterwards,
    "True and False of reset are swapped": starting(lambda n, h, h0, reset: h if reset[n] else 0 * h),
    "one reset resets every window": starting(lambda n, h, h0, reset: 0 * h if any(reset) else h),
    "every window after a reset resets too": starting(lambda n, h, h0, reset: 0 * h if any(reset[: n + 1]) else h),
    "only the first entry of reset is read": starting(lambda n, h, h0, reset: 0 * h if reset[0] else h),
    "the first state of a window is carried on instead of the last": handing_on(lambda window: window[0]),
    "the mean state of a window is carried on instead of the last": handing_on(lambda window: window.mean(axis=0)),
    "the last state of the last sequence is carried on to every sequence": handing_on(lambda window: window[-1, -1]),
    "only the last state of each window is returned": starting(right, lambda states: np.stack(states)[:, -1]),
    "only the last window is returned": starting(right, lambda states: states[-1]),
    "the windows are joined into one long sequence": starting(right, np.concatenate),
    "axes of size 1 are squeezed away": starting(right, np.squeeze),
    "the axes N and T of the result are swapped": starting(right, lambda states: np.stack(states, axis=1)),
}


def into_one_array(windows, h0, W_x, W_h, b, reset):
    """Step by step, into an array made beforehand; a reset multiplies the state by 0."""
    states = np.empty((*windows.shape[:3], len(b)), windows.dtype)
    h = h0
    for n in range(len(windows)):
        h = h * (1 - int(reset[n]))
        for t in range(windows.shape[1]):
            states[n, t] = h = np.tanh(windows[n, t] @ W_x + h @ W_h + b)
    return states


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
    "a reset to zeros that are integers": starting(lambda n, h, h0, reset: np.zeros(h0.shape, int) if reset[n] else h),
}

PROBLEM = Problem(
    name="run_stateful",
    outputs={"states": Numbers("N T B H")},
    unpack=one_array,
    parts={"carrying": 2, "resets": 1, PLAIN: 1},
    cases=cases,
    reference=run_stateful,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"rnn_step": lent.rnn_step, "rnn_forward": lent.rnn_forward},
    reread='chapter 4, section "Carrying the state"',
)
