"""truncated_bptt: BPTT(k1, k2), every k1 steps the last k1 losses go back through at most k2 steps."""

import numpy as np

from rnncourse import recurrence
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.lent import ps3 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_step import cell
from rnncourse.grading.checks.ps3.rnn_backward import draw as draw_backward
from rnncourse.grading.checks.ps3.rnn_step_backward import tape
from rnncourse.grading.checks.structure import several

SMALL = "sizes of 1 and inputs"


def truncated_bptt(dH, X, states, h0, W_x, W_h, k1, k2):
    """The reference: the arguments of rnn_backward, k1 and k2 to the gradients of the weights."""
    grads = recurrence.truncated_bptt(cell(W_x, W_h, 0), dH, tape(X, states, h0), k1, k2)
    return tuple(grads.values())


def draw(rng, T, B, D, H, k1, k2):
    """The eight arguments, by name."""
    return draw_backward(rng, T, B, D, H) | {"k1": k1, "k2": k2}


def cases(rng):
    """k1 = k2 and k1 < k2, where k1 divides T and where it does not; the full gradient; each size once 1; float32."""
    equal, longer, last = "equal windows", "longer windows", "a shorter last block"
    yield Case(equal, "k1 = k2 = 2", draw(rng, T=6, B=3, D=4, H=5, k1=2, k2=2))
    yield Case(equal, "k1 = k2 = T", draw(rng, T=4, B=2, D=3, H=3, k1=4, k2=4))
    yield Case(equal, "All sizes equal, k1 = k2 = 2", draw(rng, T=4, B=4, D=4, H=4, k1=2, k2=2))
    yield Case(longer, "k1 = 2, k2 = 3", draw(rng, T=6, B=3, D=2, H=4, k1=2, k2=3))
    yield Case(longer, "k1 = 1, k2 = 4", draw(rng, T=6, B=2, D=3, H=2, k1=1, k2=4))
    yield Case(longer, "k1 = 2, k2 = T", draw(rng, T=6, B=2, D=4, H=3, k1=2, k2=6))
    yield Case(last, "k1 = k2 = 3, and T = 8", draw(rng, T=8, B=2, D=3, H=4, k1=3, k2=3))
    yield Case(last, "k1 = k2 = 2, and T = 5", draw(rng, T=5, B=3, D=2, H=3, k1=2, k2=2))
    yield Case(last, "k1 and k2 above T", draw(rng, T=3, B=2, D=3, H=4, k1=5, k2=7))
    yield Case(SMALL, "One step a window (k1 = k2 = 1)", draw(rng, T=3, B=2, D=3, H=4, k1=1, k2=1))
    yield Case(SMALL, "One time step (T = 1)", draw(rng, T=1, B=2, D=3, H=4, k1=1, k2=1))
    yield Case(SMALL, "All sizes but T are 1", draw(rng, T=4, B=1, D=1, H=1, k1=2, k2=2))
    yield Case(SMALL, "Inputs in float32", single_precision(draw(rng, T=4, B=2, D=4, H=3, k1=2, k2=2)))
    yield Case(SMALL, "Your inputs afterwards", draw(rng, T=6, B=3, D=4, H=2, k1=2, k2=4), untouched=True)


def blocks(T, k1, k2):
    """For each window: where it begins, where its losses begin, and where both end."""
    return [(max(0, min(a + k1, T) - k2), a, min(a + k1, T)) for a in range(0, T, k1)]


def state_before(states, h0, first):
    """The state before the step `first`."""
    return states[first - 1] if first > 0 else h0


def immediate(dH, first, start, end):
    """The losses of a window: those from `start` on, zeros before."""
    losses = dH[first:end].copy()
    losses[: start - first] = 0
    return losses


def summed(grads):
    """The sums over the windows."""
    return map(sum, zip(*grads, strict=True))


def windowed(*, blocks=blocks, before=state_before, losses=immediate, gather=summed):
    """Truncated backpropagation with some of its four parts replaced: a mistake.

    `blocks` cuts the sequence, `before` gives the state before a window and `losses` its losses; `gather` makes one
    gradient for each weight of the windows'.
    """

    def gradients(dH, X, states, h0, W_x, W_h, k1, k2):
        grads = []
        for first, start, end in blocks(len(X), k1, k2):
            h, dH_window = before(states, h0, first), losses(dH, first, start, end)
            window = slice(first, end)
            grads.append(lent.rnn_backward(dH_window, X[window], states[window], h, W_x, W_h)[2:])
        return tuple(gather(grads))

    return gradients


def shifted(back):
    """Windows that begin at `back(first, start, end, k2)`, not before step 0."""

    def cut(T, k1, k2):
        return [(max(0, back(first, start, end, k2)), start, end) for first, start, end in blocks(T, k1, k2)]

    return windowed(blocks=cut)


def short_at_the_end(T, k1, k2):
    """The last window, like its block, has fewer steps: it reaches back as if the block were whole."""
    return [(max(0, start + k1 - k2), start, end) for _, start, end in blocks(T, k1, k2)]


def swapped(T, k1, k2):
    """k1 and k2 in each other's place: a window may be shorter than its block."""
    return [(first, max(first, start), end) for first, start, end in blocks(T, k2, k1)]


def onward(T, k1, k2):
    """Windows that begin where their block does, and go on for k2 steps, with all losses on the way."""
    return [(start, start, min(start + k2, T)) for start in range(0, T, k1)]


def whole_blocks(T, k1, k2):
    """Drops what is left over at the end."""
    return [block for block in blocks(T, k1, k2) if block[2] - block[1] == k1]


def from_the_end(T, k1, k2):
    """Blocks counted back from the end: the first one is shorter."""
    return [(max(0, z - k2), max(0, z - k1), z) for z in range(T, 0, -k1)]


def unclipped(dH, X, states, h0, W_x, W_h, k1, k2):
    """end - k2 may be below 0, and then counts from the end."""
    cut = [(end - k2, start, end) for _, start, end in blocks(len(X), k1, k2)]
    return windowed(blocks=lambda *_: cut)(dH, X, states, h0, W_x, W_h, k1, k2)


def last_alone(dH, first, start, end):
    """The loss of the last step of the window alone."""
    return immediate(dH, first, end - 1, end)


def into_dH(dH, first, start, end):
    """Zeros in dH itself."""
    losses = dH[first:end]
    losses[: start - first] = 0
    return losses


MISTAKES = {
    "nothing is cut: the full gradient": windowed(blocks=lambda T, k1, k2: [(0, 0, T)]),
    "k2 is not used: every window is k1 steps long": windowed(blocks=lambda T, k1, k2: blocks(T, k1, k1)),
    "k1 is not used: blocks and windows are k2 steps long": windowed(blocks=lambda T, k1, k2: blocks(T, k2, k2)),
    "k1 is not used: each loss by itself goes back k2 steps": windowed(blocks=lambda T, k1, k2: blocks(T, 1, k2)),
    "k1 and k2 are swapped: blocks of k2 losses, sent back k1 steps": windowed(blocks=swapped),
    "losses in an overlap of windows count in each of them: set those of earlier blocks to 0": windowed(
        losses=lambda dH, first, start, end: dH[first:end].copy()
    ),
    "only the last loss of each block goes back": windowed(losses=last_alone),
    "the windows begin k2 steps before their losses: k2 counts from the last loss": shifted(
        lambda first, start, end, k2: start - k2
    ),
    "the windows begin with their block and go on for k2 steps; they end with their block": windowed(blocks=onward),
    "the windows are one step too long: the last loss's own step is one of the k2": shifted(
        lambda first, start, end, k2: end - k2 - 1
    ),
    "the windows are one step too short": shifted(lambda first, start, end, k2: min(start, end - k2 + 1)),
    "each window starts from zeros: its first state is that of the forward pass, states[first - 1]": windowed(
        before=lambda states, h0, first: h0 if first == 0 else 0 * h0
    ),
    "every window starts from zeros, and h0 is not used": windowed(before=lambda states, h0, first: 0 * h0),
    "every window starts from h0: only the first does": windowed(before=lambda states, h0, first: h0),
    "a window's first state is states[first], its own first; it is states[first - 1]": windowed(
        before=lambda states, h0, first: states[first] if first else h0
    ),
    "h0 is not used: states[first - 1] at first = 0 is states[-1], the last state": windowed(
        before=lambda states, h0, first: states[first - 1]
    ),
    "the gradients of the windows are not summed: only the last window's are left": windowed(
        gather=lambda grads: grads[-1]
    ),
    "only the first window's gradients are returned": windowed(gather=lambda grads: grads[0]),
    "the gradients are means over the windows; they are sums": windowed(
        gather=lambda grads: (sum(terms) / len(terms) for terms in zip(*grads, strict=True))
    ),
    "the steps left over at the end, fewer than k1, are dropped": windowed(blocks=whole_blocks),
    "the last window is cut as if its block were whole; it too goes back k2 steps from the last loss": windowed(
        blocks=short_at_the_end
    ),
    "the blocks are counted back from the end: the first one is the shorter, not the last": windowed(
        blocks=from_the_end
    ),
    "end - k2 falls below 0, where Python counts from the end: use max(0, end - k2)": unclipped,
    "zeros are written into dH itself, an input: copy the window first": windowed(losses=into_dH),
}


def by_distance(dH, X, states, h0, W_x, W_h, k1, k2):
    """Loss by loss: each goes back from its own step to where its block's window begins."""
    parts = []
    for t in range(len(X)):
        end = min((t // k1 + 1) * k1, len(X))
        window = slice(max(0, end - k2), t + 1)
        h = states[window.start - 1] if window.start else h0
        alone = immediate(dH, window.start, t, t + 1)
        parts.append(lent.rnn_backward(alone, X[window], states[window], h, W_x, W_h)[2:])
    return list(summed(parts))


def without_rnn_backward(dH, X, states, h0, W_x, W_h, k1, k2):
    """Two loops and no other function, all sums by +=."""
    before = np.concatenate([h0[None], states])
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(W_h[0])
    for first, start, end in blocks(len(X), k1, k2):
        handed_back = np.zeros_like(h0)
        for t in range(end - 1, first - 1, -1):
            A = (handed_back + (dH[t] if t >= start else 0)) * (1 - states[t] ** 2)
            dW_x += X[t].T @ A
            dW_h += before[t].T @ A
            db += A.sum(axis=0)
            handed_back = A @ W_h.T
    return dW_x, dW_h, db


def by_masks(dH, X, states, h0, W_x, W_h, k1, k2):
    """The losses of a block by a mask over all steps, a list of outputs."""
    T, grads = len(X), []
    ends = [*range(k1, T, k1), T]
    for k, end in enumerate(ends):
        first = end - k2 if end > k2 else 0
        block = np.arange(T) >= (ends[k - 1] if k else 0)
        losses = np.where(block[:, None, None], dH, 0)[first:end]
        h = np.concatenate([h0[None], states])[first]
        grads.append(lent.rnn_backward(losses, X[first:end], states[first:end], h, W_x, W_h)[2:])
    return [np.sum([g[j] for g in grads], axis=0) for j in range(3)]


def in_float32(*args):
    """Half the digits."""
    *arrays, k1, k2 = args
    return windowed()(*(np.asarray(value, np.float32) for value in arrays), k1, k2)


ALTERNATIVES = {
    "window by window": windowed(),
    "loss by loss, a list of outputs": by_distance,
    "two loops": without_rnn_backward,
    "masks over all steps": by_masks,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="truncated_bptt",
    outputs={"dW_x": Numbers("D H"), "dW_h": Numbers("H H"), "db": Numbers("H")},
    unpack=several,
    parts={"equal windows": 2, "longer windows": 2, "a shorter last block": 1, SMALL: 1},
    cases=cases,
    reference=truncated_bptt,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"rnn_step_backward": lent.rnn_step_backward, "rnn_backward": lent.rnn_backward},
    reread='chapter 5, section "Truncated backpropagation"',
    shapes='"Notation" in the problem set',
)
