"""bidirectional_forward: one pass from each end, states side by side, each sequence read within its own length."""

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.lent import ps7 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps2.rnn_forward import rnn_forward
from rnncourse.grading.checks.ps2.rnn_step import cell, weights
from rnncourse.grading.checks.ps7.reverse_padded import reverse_padded
from rnncourse.grading.checks.structure import several
from rnncourse.layers import Bidirectional


def bidirectional_forward(X, mask, h0, left, right):
    """The reference: X (T, B, D), mask (T, B), h0 (2, B, H), weights to states (T, B, 2H), last (2, B, H)."""
    layer = Bidirectional(cell(**left), cell(**right))
    states, last, _ = layer.forward(X, [(h,) for h in h0], mask)
    return np.where(mask[..., None], states, 0), np.stack([h for (h,) in last])


def draw(rng, lengths, D, H, T=None):
    """The five arguments, by name, for sequences of these lengths. Pads hold numbers like any other."""
    T, B = T or max(lengths), len(lengths)
    mask = np.arange(T)[:, None] < np.array(lengths)
    passes = {"left": weights(rng, D, H), "right": weights(rng, D, H)}
    return {"X": rng.normal(size=(T, B, D)), "mask": mask, "h0": rng.uniform(-0.9, 0.9, (2, B, H)), **passes}


def cases(rng):
    """Without pads, from zeros and not; padded; sizes all different and all equal; each size once 1; float32."""
    zeros = draw(rng, [5, 5, 5], D=4, H=6)
    yield Case("equal lengths", "No pads, h0 = 0", zeros | {"h0": 0 * zeros["h0"]})
    yield Case("equal lengths", "No pads, h0 not 0", draw(rng, [4, 4, 4], D=5, H=2))
    yield Case("equal lengths", "No pads, sizes equal (B = 2, others 3)", draw(rng, [3, 3], D=3, H=3))
    yield Case("padded", "Lengths 5, 3, 4, 1", draw(rng, [5, 3, 4, 1], D=3, H=2))
    yield Case("padded", "Lengths 2, 3, 3, all sizes equal", draw(rng, [2, 3, 3], D=3, H=3))
    yield Case("padded", "Pads behind every sequence", draw(rng, [2, 4], D=2, H=3, T=5))
    yield Case("sizes of 1", "One time step (T = 1)", draw(rng, [1, 1, 1], D=4, H=2))
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, [4], D=2, H=3))
    yield Case("sizes of 1", "One input and one hidden unit (D = H = 1)", draw(rng, [3, 3, 3, 3], D=1, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, [4, 4], D=3, H=5)))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, [4] * 5, D=3, H=2), untouched=True)
    yield Case("numbers and inputs", "Your inputs afterwards, h0 = 0", draw(rng, [2] * 3, D=4, H=5), untouched=True)


def side_by_side(before, after):
    """The states of both passes, (T, B, 2H)."""
    return np.concatenate([before, after], axis=-1)


def at_the_end(states, mask):
    """The state after each sequence's last real step, (B, H)."""
    return states[mask.sum(axis=0) - 1, np.arange(states.shape[1])]


def whole(X, mask):
    """The whole array turned round."""
    return X[::-1]


def not_at_all(X, mask):
    """Not turned round."""
    return X


def passes(
    there=reverse_padded,
    back=reverse_padded,
    reads=lambda X, before: X,
    starts=lambda h0, last: h0,
    weights=lambda left, right: (left, right),
    joined=side_by_side,
    pads=lambda states, real: states * real,
    last=lambda lasts, own: np.stack(own),
    result=lambda states, last, mask: (states, last),
):
    """Both passes. The second reads an array turned round by `there`; its states are turned back by `back`.

    `last` is made of the states after the last step of the arrays (`lasts`) and those after each sequence's last real
    step (`own`), for the pass from the left and the one from the right.
    """

    def run(X, mask, h0, left, right):
        first, second = weights(left, right)
        before, h_left = rnn_forward(X, starts(h0, None)[0], **first)
        there_states, h_right = rnn_forward(there(reads(X, before), mask), starts(h0, h_left)[1], **second)
        own = [at_the_end(before, mask), at_the_end(there_states, mask)]
        states = joined(before, back(there_states, mask))
        real = mask[..., None] if states.ndim == 3 else mask[None, ..., None]
        return result(pads(states, real), last([h_left, h_right], own), mask)

    return run


def as_it_is(states, real):
    """Pads keep the states they came to."""
    return states


def last_from(choice):
    """`last` by `choice(states, mask)`: two states (B, H)."""
    return lambda states, last, mask: (states, np.stack(choice(states, mask)))


def halves(states):
    """An array (…, 2H) cut in two."""
    H = states.shape[-1] // 2
    return [states[..., :H], states[..., H:]]


def every_end(X, mask, h0, left, right):
    """Picks whole rows of states, one for each sequence."""
    before, _ = rnn_forward(X, h0[0], **left)
    after, _ = rnn_forward(reverse_padded(X, mask), h0[1], **right)
    n = mask.sum(axis=0)
    states = side_by_side(before, reverse_padded(after, mask)) * mask[..., None]
    return states, np.stack([before[n - 1], after[n - 1]])


def lengths_along_time(X, mask, h0, left, right):
    """Counts along the sequences in place of the time steps."""
    before, _ = rnn_forward(X, h0[0], **left)
    after, _ = rnn_forward(reverse_padded(X, mask), h0[1], **right)
    n, k = mask.sum(axis=1), np.arange(X.shape[1])
    states = side_by_side(before, reverse_padded(after, mask)) * mask[..., None]
    return states, np.stack([before[n - 1, k], after[n - 1, k]])


MISTAKES = {
    "lengths are counted along the sequences, mask.sum(axis=1); time is axis 0": lengths_along_time,
    "X[::-1] turns the whole array round, so that the second pass reads the pads first: use reverse_padded": passes(
        whole, whole
    ),
    "the mask is not used: X[::-1] turns the whole array round, and the second pass reads the pads first": passes(
        whole, whole, pads=as_it_is, last=lambda lasts, own: np.stack(lasts)
    ),
    "X[::-1] turns the whole array round, so that the second pass reads the pads first; and last of the first pass has "
    "read pads": passes(whole, whole, last=lambda lasts, own: np.stack(lasts)),
    "X[::-1] turns the whole array round, so that the second pass reads the pads first, and ends at step 0": passes(
        whole, whole, last=lambda lasts, own: np.stack([own[0], lasts[1]])
    ),
    "reverse_padded turns X round, but [::-1] turns the states back: pads come to stand before real steps": passes(
        back=whole
    ),
    "[::-1] turns X round, and reverse_padded the states back: the pads are read first": passes(there=whole),
    "the states of the second pass are not turned back: step t has those of another step": passes(back=not_at_all),
    "X is turned round as a whole, and the states are not turned back": passes(whole, not_at_all),
    "nothing is turned round: both passes read from the left": passes(not_at_all, not_at_all),
    "X is not turned round, the states are: both passes read from the left": passes(not_at_all),
    "both passes have the weights left": passes(weights=lambda left, right: (left, left)),
    "both passes have the weights right": passes(weights=lambda left, right: (right, right)),
    "the weights left and right are swapped": passes(weights=lambda left, right: (right, left)),
    "both passes start from h0[0]": passes(starts=lambda h0, last: (h0[0], h0[0])),
    "both passes start from h0[1]": passes(starts=lambda h0, last: (h0[1], h0[1])),
    "h0[0] and h0[1] are swapped": passes(starts=lambda h0, last: (h0[1], h0[0])),
    "h0 is ignored: both passes start from zeros": passes(starts=lambda h0, last: 0 * h0),
    "the second pass starts from zeros; it starts from h0[1]": passes(starts=lambda h0, last: (h0[0], 0 * h0[1])),
    "the second pass starts from the last state of the first (the same name h for both?); it starts from h0[1]": passes(
        starts=lambda h0, last: (h0[0], last)
    ),
    "the second pass reads the states of the first; it reads X": passes(reads=lambda X, before: before),
    "the states of the two passes are added; they stand side by side": passes(joined=np.add),
    "the mean of the two passes is taken; their states stand side by side": passes(
        joined=lambda before, after: (before + after) / 2
    ),
    "the pass from the right comes first in states": passes(joined=lambda before, after: side_by_side(after, before)),
    "the passes are joined along time, (2T, B, H); they stand side by side, axis=-1": passes(
        joined=lambda before, after: np.concatenate([before, after]), pads=as_it_is
    ),
    "the passes are joined along the sequences, (T, 2B, H); they stand side by side, axis=-1": passes(
        joined=lambda before, after: np.concatenate([before, after], axis=1), pads=as_it_is
    ),
    "the passes are stacked along a new axis; they stand side by side, (T, B, 2H)": passes(
        joined=lambda before, after: np.stack([before, after])
    ),
    "the units of the two passes alternate; they stand side by side, left first": passes(
        joined=lambda before, after: np.stack([before, after], axis=-1).reshape(*before.shape[:2], -1)
    ),
    "states holds the pass from the left alone": passes(joined=lambda before, after: before),
    "states holds the pass from the right alone": passes(joined=lambda before, after: after),
    "the pads of states are not set to 0": passes(pads=as_it_is),
    "the pads of states are not set to 0, and last is what rnn_forward returned, which has read pads": passes(
        pads=as_it_is, last=lambda lasts, own: np.stack(lasts)
    ),
    "the pads of states hold NaN; they are 0": passes(pads=lambda states, real: np.where(real, states, np.nan)),
    "only the real steps of states are returned, in a row": passes(pads=lambda states, real: states[real[..., 0]]),
    "last is what rnn_forward returned, which has read pads; it is the state after the last real step": passes(
        last=lambda lasts, own: np.stack(lasts)
    ),
    "last is what rnn_forward returned, with the pads of X set to 0; a pad of 0 moves the state, too": (
        lambda X, mask, *rest: passes(last=lambda lasts, own: np.stack(lasts))(X * mask[..., None], mask, *rest)
    ),
    "last of the pass from the left has read pads; it is the state after the last real step": passes(
        last=lambda lasts, own: np.stack([lasts[0], own[1]])
    ),
    "last of the pass from the right has read pads; it is the state after the last real step it read": passes(
        last=lambda lasts, own: np.stack([own[0], lasts[1]])
    ),
    "last is the last row of states: the pass from the right has read one step there, it ends at step 0": passes(
        result=last_from(lambda states, mask: halves(states[-1]))
    ),
    "last is taken at each sequence's last real step for both passes; the pass from the right ends at step 0": passes(
        result=last_from(lambda states, mask: halves(at_the_end(states, mask)))
    ),
    "last of the pass from the right is that of step 0, but last of the pass from the left is the last row, a pad": (
        passes(result=last_from(lambda states, mask: (halves(states[-1])[0], halves(states[0])[1])))
    ),
    "last is the row 0 of states: the pass from the left has read one step there": passes(
        result=last_from(lambda states, mask: halves(states[0]))
    ),
    "last has the pass from the right first": passes(last=lambda lasts, own: np.stack(own[::-1])),
    "last has the passes side by side, (B, 2H); it is (2, B, H), which np.stack makes": passes(
        last=lambda lasts, own: np.concatenate(own, axis=-1)
    ),
    "last has the passes in one long array, (2B, H); it is (2, B, H), which np.stack makes": passes(
        last=lambda lasts, own: np.concatenate(own)
    ),
    "last is (B, 2, H); it is (2, B, H)": passes(last=lambda lasts, own: np.stack(own, axis=1)),
    "states[n - 1] picks the states of all sequences for each of them; states[n - 1, np.arange(B)] picks its own": (
        every_end
    ),
    "last is a list or a tuple; np.stack makes an array (2, B, H) of it": passes(last=lambda lasts, own: own),
    "last is that of the pass from the left alone": passes(last=lambda lasts, own: own[0]),
    "last is that of the pass from the right alone": passes(last=lambda lasts, own: own[1]),
    "the outputs are swapped: last comes first": passes(result=lambda states, last, mask: (last, states)),
    "only states is returned": passes(result=lambda states, last, mask: states),
    "axes of size 1 are squeezed away": passes(
        result=lambda states, last, mask: (np.squeeze(states), np.squeeze(last))
    ),
}


def waiting(X, mask, h0, left, right):
    """At pads the state waits: the second loop counts down, over the array as it is."""
    T, B, _ = X.shape
    H = h0.shape[-1]
    states, (h, g) = np.zeros((T, B, 2 * H)), h0
    for t in range(T):
        real, s = mask[t][:, None], T - 1 - t
        h = np.where(real, np.tanh(X[t] @ left["W_x"] + h @ left["W_h"] + left["b"]), h)
        states[t, :, :H] = real * h
        real = mask[s][:, None]
        g = np.where(real, np.tanh(X[s] @ right["W_x"] + g @ right["W_h"] + right["b"]), g)
        states[s, :, H:] = real * g
    return states, np.array([h, g])


def each_alone(X, mask, h0, left, right):
    """Every sequence by itself, without pads."""
    T, B, _ = X.shape
    states = np.zeros((T, B, 2 * h0.shape[-1]))
    last = np.empty_like(h0)
    for k in range(B):
        n, one = mask[:, k].sum(), slice(k, k + 1)
        before, last[0, one] = rnn_forward(X[:n, one], h0[0, one], **left)
        after, last[1, one] = rnn_forward(X[:n, one][::-1], h0[1, one], **right)
        states[:n, one] = side_by_side(before, after[::-1])
    return [states, last]


def from_rows(X, mask, h0, left, right):
    """`last` is read off states: the last real row's left half, the right half of row 0."""
    before, _ = rnn_forward(X, h0[0], **left)
    after = reverse_padded(rnn_forward(reverse_padded(X, mask), h0[1], **right)[0], mask)
    states = np.zeros((*mask.shape, 2 * h0.shape[-1]))
    states[mask] = np.hstack([before[mask], after[mask]])
    H = h0.shape[-1]
    return states, np.stack([at_the_end(before, mask), states[0, :, H:]])


def in_float32(X, mask, h0, left, right):
    """Half the digits."""
    return passes()(**single_precision({"X": X, "mask": mask, "h0": h0, "left": left, "right": right}))


ALTERNATIVES = {
    "turned round, there and back": passes(),
    "the state waits at pads": waiting,
    "each sequence alone": each_alone,
    "last from the rows of states": from_rows,
    "pads of X set to 0 first": lambda X, mask, *rest: passes()(X * mask[..., None], mask, *rest),
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="bidirectional_forward",
    outputs={"states": Numbers("T B 2H"), "last": Numbers("2 B H")},
    unpack=several,
    parts={"equal lengths": 2, "padded": 2, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=bidirectional_forward,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"rnn_forward": lent.rnn_forward, "reverse_padded": lent.reverse_padded},
    reread='part 3 of the problem set, and chapter 10, section "The first trap: padding"',
    shapes='"Notation" in the problem set',
)
