"""reverse_padded: each sequence turned round within its own length, pads left where they are."""

import numpy as np

from rnncourse import padding
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.problem import Case, Problem


def reverse_padded(X, mask):
    """The reference: X (T, B, D), mask (T, B) to an array of the shape of X."""
    return padding.reverse_padded(X, mask)


def draw(rng, real, D, pads=0):
    """X and mask from strings, one a sequence: "xx." has two real steps and a pad. `pads` multiplies what pads hold."""
    mask = np.array([[step == "x" for step in sequence] for sequence in real]).T
    return {"X": rng.normal(size=(*mask.shape, D)) * np.where(mask, 1, pads)[..., None], "mask": mask}


def cases(rng):
    """Pads behind, in front, inside; no pads, no real step; each size once 1; float32, inputs left alone.

    Pads hold numbers in the first part only: who sets them to 0 loses no other.
    """
    behind = ["xxxxxx", "xxxx..", "xx....", "xxxxx."]
    yield Case("pads behind", "Lengths 6, 4, 2, 5", draw(rng, behind, D=3, pads=1))
    yield Case("pads behind", "Lengths 2, 3, 3, all sizes equal", draw(rng, ["xx.", "xxx", "xxx"], D=3, pads=1))
    yield Case("pads behind", "Pads behind every sequence", draw(rng, ["xxx....", "xxxxx.."], D=3, pads=1))
    yield Case("pads anywhere", "Pads in front", draw(rng, ["..xxx", "xxxxx", "....x", ".xxxx"], D=3))
    yield Case("pads anywhere", "Pads in between", draw(rng, ["xx.xxx", "xxxxxx", "x.x..x", ".xx.x."], D=2))
    yield Case("pads anywhere", "A sequence of pads alone", draw(rng, ["xxx.", "....", "xxxx"], D=2))
    yield Case("sizes of 1", "One time step (T = 1)", draw(rng, ["x", "x", "."], D=2))
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, ["xxxx."], D=3))
    yield Case("sizes of 1", "One feature (D = 1)", draw(rng, ["xxxx", "xx..", "xxx."], D=1))
    yield Case("numbers and inputs", "No pads", draw(rng, ["xxxx"] * 3, D=5))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, ["xxxx", "xxx."], D=3)))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, ["xxxx", "xxx.", "xxxx"], D=2), untouched=True)


def right(X, mask):
    """Real steps by their places."""
    reverse = X.copy()
    for b in range(X.shape[1]):
        steps = np.flatnonzero(mask[:, b])
        reverse[steps, b] = X[steps[::-1], b]
    return reverse


def within(lengths, into=np.copy):
    """Turn round the first `lengths(mask)` steps of each sequence: right for true lengths and pads behind."""

    def run(X, mask):
        reverse = into(X)
        for b, n in enumerate(lengths(mask)):
            reverse[:n, b] = X[:n, b][::-1]
        return reverse

    return run


def true(mask):
    """The lengths, as counts of real steps."""
    return mask.sum(axis=0)


def to_the_last(mask):
    """The place behind the last real step."""
    return [max(np.flatnonzero(column), default=-1) + 1 for column in mask.T]


def marked(result):
    """`result(right answer, X, mask with an axis for the features)`: a mistake."""
    return lambda X, mask: result(right(X, mask), X, mask[..., None])


def over_itself(X, mask):
    """Writes into the copy that it reads from."""
    reverse = X.copy()
    for b in range(X.shape[1]):
        steps = np.flatnonzero(mask[:, b])
        for to, source in zip(steps, steps[::-1], strict=True):
            reverse[to, b] = reverse[source, b]
    return reverse


def between(X, mask):
    """From the first real step to the last, holes included."""
    reverse = X.copy()
    for b in range(X.shape[1]):
        steps = np.flatnonzero(mask[:, b])
        if len(steps):
            span = slice(steps[0], steps[-1] + 1)
            reverse[span, b] = X[span, b][::-1]
    return reverse


def all_in_a_row(X, mask):
    """All real steps of the batch as one list."""
    reverse = X.copy()
    reverse[mask] = X[mask][::-1]
    return reverse


def step_by_step(X, mask):
    """Turns round what is real in each step: along the batch."""
    return right(X.swapaxes(0, 1), mask.T).swapaxes(0, 1).copy()


def rows_for_sequences(X, mask):
    """Takes the axes for (B, T, D)."""
    reverse = X.copy()
    for b in range(X.shape[0]):
        n = mask[b].sum()
        reverse[b, :n] = X[b, :n][::-1]
    return reverse


def lengths_along_the_batch(X, mask):
    """Counts the real sequences of each step, and takes that for lengths."""
    reverse = X.copy()
    lengths = mask.sum(axis=1)
    for b in range(X.shape[1]):
        n = lengths[b]
        reverse[:n, b] = X[:n, b][::-1]
    return reverse


def packed(X, mask):
    """The real steps, then the pads."""
    columns = zip(X.swapaxes(0, 1), mask.T, strict=True)
    return np.stack([np.concatenate([x[real][::-1], x[~real]]) for x, real in columns], axis=1)


def inside_itself(X, mask):
    """Turns X itself round."""
    for b in range(X.shape[1]):
        X[mask[:, b], b] = X[mask[:, b], b][::-1]
    return X


def one_too_far(X, mask):
    """Reads X[n - t] for X[n - 1 - t]."""
    reverse = X.copy()
    for b, n in enumerate(mask.sum(axis=0)):
        for t in range(n):
            reverse[t, b] = X[n - t, b]
    return reverse


MISTAKES = {
    "the whole array is turned round, pads included: turn each sequence round within its own length": (
        lambda X, mask: X[::-1].copy()
    ),
    "the whole array is turned round, and the places of the pads are then set to 0": (
        lambda X, mask: X[::-1] * mask[..., None]
    ),
    "the pads are set to 0; they stay as they were": marked(lambda reverse, X, real: reverse * real),
    "the pads are set to 0, and lengths are counted, so that only pads behind will do": within(true, np.zeros_like),
    "only pads behind are thought of: the first n steps are turned round, wherever the n real ones are": within(true),
    "lengths are read from the place of the last real step: pads before it are turned round too": within(to_the_last),
    "all from the first real step to the last is turned round; pads in between stay where they are": between,
    "lengths are read from mask.argmin(axis=0), which is 0 for a sequence without pads": within(
        lambda mask: mask.argmin(axis=0)
    ),
    "every sequence is turned round within the longest length": within(
        lambda mask: [mask.sum(axis=0).max()] * len(mask.T)
    ),
    "every sequence is turned round within the length of the first": within(
        lambda mask: [mask[:, 0].sum()] * len(mask.T)
    ),
    "lengths are too small by 1: the last real step stays where it is": within(
        lambda mask: np.maximum(mask.sum(axis=0) - 1, 0)
    ),
    "lengths are too large by 1: a pad is turned round too": within(lambda mask: mask.sum(axis=0) + 1),
    "X[n - t] is read for X[n - 1 - t]": one_too_far,
    "lengths are sums of the mask along axis 1, the sequences; time is axis 0": lengths_along_the_batch,
    "X is taken for (B, T, D); it is (T, B, D)": rows_for_sequences,
    "the sequences of the batch are turned round, not the steps": step_by_step,
    "the order of the sequences is turned round, X[:, ::-1]": lambda X, mask: X[:, ::-1].copy(),
    "the features are turned round, X[..., ::-1]": lambda X, mask: X[..., ::-1].copy(),
    "the steps are turned round, and the features too": marked(lambda reverse, X, real: reverse[..., ::-1].copy()),
    "the real steps of all sequences are turned round as one list, which mixes the sequences": all_in_a_row,
    "the real steps come first and the pads behind them; real steps stay in the places where real steps were": packed,
    "the pads are turned round, and real steps stay": lambda X, mask: right(X, ~mask),
    "the array that is read is the one that is written (`tmp = R[t, b]` is no copy): the second half stays as it was": (
        over_itself
    ),
    "X comes out as it went in (is it turned round twice?)": lambda X, mask: X.copy(),
    "X itself is turned round; write into a copy": inside_itself,
    "the result is an array of integers, which drops what follows the decimal point": marked(
        lambda reverse, X, real: reverse.astype(int)
    ),
    "the result is batch first, (B, T, D)": marked(lambda reverse, X, real: reverse.swapaxes(0, 1).copy()),
    "axes of size 1 are squeezed away": marked(lambda reverse, X, real: np.squeeze(reverse)),
    "the real steps of all sequences are returned, in a row": marked(lambda reverse, X, real: reverse[real[..., 0]]),
}


def by_index(X, mask):
    """Where each step comes from, in an array of indices."""
    places = np.arange(len(X))
    source = np.tile(places[:, None], X.shape[1])
    for column, real in zip(source.T, mask.T, strict=True):
        column[real] = places[real][::-1]
    return np.take_along_axis(X, source[..., None], axis=0)


def without_loops(X, mask):
    """The array and its mask turned round, then real steps to the places of real steps."""
    reverse = X.swapaxes(0, 1).copy()
    reverse[mask.T] = X[::-1].swapaxes(0, 1)[mask[::-1].T]
    return reverse.swapaxes(0, 1)


def with_a_stack(X, mask):
    """Push the real steps on a pile, then take them from the top."""
    reverse = np.empty(X.shape, X.dtype)
    for b in range(X.shape[1]):
        pile = [x for x, real in zip(X[:, b], mask[:, b], strict=True) if real]
        for t in range(len(X)):
            reverse[t, b] = pile.pop() if mask[t, b] else X[t, b]
    return reverse


def by_rank(X, mask):
    """The k-th real step from the front goes where the k-th from the back is."""
    reverse = X.copy()
    front, back = mask.cumsum(axis=0), mask[::-1].cumsum(axis=0)[::-1]
    for t, b in np.argwhere(mask):
        (source,) = np.flatnonzero(mask[:, b] & (back[:, b] == front[t, b]))
        reverse[t, b] = X[source, b]
    return reverse


ALTERNATIVES = {
    "a loop over sequences": right,
    "indices, take_along_axis": by_index,
    "no loops": without_loops,
    "a pile": with_a_stack,
    "ranks": by_rank,
    "float32 inside": lambda X, mask: right(X.astype(np.float32), mask),
}

PROBLEM = Problem(
    name="reverse_padded",
    outputs={"reverse": Numbers("T B D")},
    parts={"pads behind": 2, "pads anywhere": 1, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=reverse_padded,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 10, section "The first trap: padding"',
    shapes='chapter 10, section "Two passes"',
)
