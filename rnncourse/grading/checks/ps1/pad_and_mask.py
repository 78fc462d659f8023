"""pad_and_mask: sequences of unequal length in one array (T, B), and the mask (T, B) of their real steps."""

import numpy as np

from rnncourse.grading.checks.kinds import Flags, Integers
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.structure import several
from rnncourse.padding import pad_right


def pad_and_mask(sequences, pad):
    """The reference: B sequences (n_b,) and a pad's id to padded (T, B) and mask (T, B)."""
    return pad_right(sequences, pad)


def draw(rng, lengths, pad=None):
    """The two arguments, by name. No step of a sequence holds the pad, which is not 0."""
    pad = int(rng.integers(3, 7)) if pad is None else pad
    ids = np.setdiff1d(np.arange(12), [pad])
    return {"sequences": [rng.choice(ids, n, replace=False) for n in lengths], "pad": pad}


def lengths(rng, T, B):
    """The lengths of B sequences, T the greatest, which is neither the first nor the last; all shorter ones differ."""
    others = rng.permutation(np.arange(1, T))[: B - 1].tolist()
    place = int(rng.integers(1, B - 1))
    return [*others[:place], T, *others[place:]]


def with_pad_inside(args):
    """The same, but the first step of the first sequence and the last of the second hold the pad's id."""
    sequences = [ids.copy() for ids in args["sequences"]]
    sequences[0][0] = sequences[1][-1] = args["pad"]
    return args | {"sequences": sequences}


def cases(rng):
    """More steps than sequences and as many; equal lengths; one sequence, one step; the pad's id in a sequence."""
    for part in ("padded", "mask"):
        yield Case(part, "Lengths all different", draw(rng, lengths(rng, 7, 4)), (part,))
        yield Case(part, "As many steps as sequences", draw(rng, lengths(rng, 5, 5)), (part,))
        yield Case(part, "Lengths all equal", draw(rng, [3, 3, 3, 3]), (part,))
        yield Case(part, "The pad's id is 0", draw(rng, lengths(rng, 6, 4), pad=0), (part,))
        if part == "mask":
            inside = with_pad_inside(draw(rng, lengths(rng, 6, 4)))
            yield Case(part, "A real step holds the id of the pad", inside, (part,))
    yield Case("sizes of 1", "One sequence (B = 1)", draw(rng, [5]))
    yield Case("sizes of 1", "One step each (T = 1)", draw(rng, [1, 1, 1]))
    yield Case("sizes of 1", "One sequence of one step", draw(rng, [1]))
    yield Case("inputs", "Your inputs afterwards", draw(rng, lengths(rng, 5, 3)), untouched=True)
    yield Case("inputs", "Your inputs afterwards, one sequence", draw(rng, [4]), untouched=True)


def filled(fill, dtype=int):
    """Padded by `fill(row, ids)` for each of B rows of pads (B, T), then turned over: mostly a mistake."""

    def run(sequences, pad):
        T = max(map(len, sequences))
        rows, mask = np.full((len(sequences), T), pad, dtype), np.zeros((len(sequences), T), bool)
        for row, real, ids in zip(rows, mask, sequences, strict=True):
            fill(row, ids)
            fill(real, np.ones(len(ids), bool))
        return rows.T.copy(), mask.T.copy()

    return run


def on_the_left(row, ids):
    """The pads come first."""
    row[len(row) - len(ids) :] = ids


def reverse(row, ids):
    """The sequence is turned round."""
    row[: len(ids)] = ids[::-1]


def without_last(row, ids):
    """The last step is missing."""
    row[: len(ids) - 1] = ids[:-1]


def repeated(row, ids):
    """The sequence starts again instead of being padded."""
    row[:] = np.resize(ids, len(row))


def masked_by(mask):
    """Padded right, with the mask `mask(padded, right mask, pad)`: a mistake."""

    def run(sequences, pad):
        padded, real = pad_and_mask(sequences, pad)
        return padded, mask(padded, real, pad)

    return run


def changed(result):
    """`result(padded, mask)` of the right ones: a mistake."""
    return lambda sequences, pad: result(*pad_and_mask(sequences, pad))


def with_pad(pad_of):
    """Another pad: a mistake."""
    return lambda sequences, pad: pad_and_mask(sequences, pad_of(pad))


def cut_to(length):
    """T is not the greatest length: longer sequences are cut. A mistake."""

    def run(sequences, pad):
        T = length([len(ids) for ids in sequences])
        padded, mask = pad_and_mask([ids[:T] for ids in sequences], pad)
        missing = ((0, T - len(padded)), (0, 0))
        return np.pad(padded, missing, constant_values=pad), np.pad(mask, missing)

    return run


def sorted_by_length(sequences, pad):
    """The longest sequence first."""
    return pad_and_mask(sorted(sequences, key=len, reverse=True), pad)


def reshaped(sequences, pad):
    """Filled as (B, T), then reshaped to (T, B), which keeps the order in memory."""
    padded, mask = pad_and_mask(sequences, pad)
    return padded.T.reshape(padded.shape), mask.T.reshape(mask.shape)


def one_step_more(sequences, pad):
    """A pad after the longest sequence, too."""
    padded, mask = pad_and_mask(sequences, pad)
    return np.pad(padded, ((0, 1), (0, 0)), constant_values=pad), np.pad(mask, ((0, 1), (0, 0)))


def first_length(mask):
    """The length of the first sequence for all of them."""
    return np.repeat(mask[:, :1], mask.shape[1], axis=1)


def empty_pads(padded, mask):
    """Whatever the memory held."""
    return np.where(mask, padded, 0)


def ends_early(mask):
    """The last real step of each sequence is not marked."""
    return mask & np.concatenate([mask[1:], np.zeros_like(mask[:1])])


def ends_late(mask):
    """The first pad of each sequence is marked, too."""
    return mask | np.concatenate([np.ones_like(mask[:1]), mask[:-1]])


def views(sequences, pad):
    """One sequence is not copied."""
    if len(sequences) == 1:
        return sequences[0][:, None], np.ones((len(sequences[0]), 1), bool)
    return pad_and_mask(sequences, pad)


MISTAKES = {
    "padded and mask are batch first, (B, T); they are (T, B)": changed(lambda X, mask: (X.T.copy(), mask.T.copy())),
    "padded is batch first, (B, T); it is (T, B)": changed(lambda X, mask: (X.T.copy(), mask)),
    "the mask is batch first, (B, T); it is (T, B)": changed(lambda X, mask: (X, mask.T.copy())),
    "an array (B, T) was reshaped to (T, B), which mixes the sequences; turn it over with `.T`": reshaped,
    "the pads come first; here they come after the sequence": filled(on_the_left),
    "pads are 0 (or were never filled in); they hold the id `pad`": changed(
        lambda X, mask: (empty_pads(X, mask), mask)
    ),
    "pads are -1; they hold the id `pad`": with_pad(lambda pad: -1),
    "pads are 1 too large": with_pad(lambda pad: pad + 1),
    "each sequence is turned round": filled(reverse),
    "the last step of each sequence is cut off": filled(without_last),
    "short sequences start again instead of being padded": filled(repeated),
    "T is the shortest length, and the rest is cut off; it is the greatest": cut_to(min),
    "T is the length of the first sequence; it is the greatest length": cut_to(lambda lengths: lengths[0]),
    "T is the length of the last sequence; it is the greatest length": cut_to(lambda lengths: lengths[-1]),
    "there is a step too many: the longest sequence needs no pad": one_step_more,
    "the sequences are sorted by length; they keep their order": sorted_by_length,
    "padded holds floats (np.zeros, np.empty, an empty list make floats unless told otherwise); ids are whole": changed(
        lambda X, mask: (X.astype(float), mask)
    ),
    "the mask is `padded != pad`: a real step may hold the same id; use the lengths": masked_by(
        lambda X, mask, pad: pad != X
    ),
    "the mask is `padded != 0`: use the lengths, not the ids": masked_by(lambda X, mask, pad: X != 0),
    "the mask is inverted: True marks the pads; it marks real steps": masked_by(lambda X, mask, pad: ~mask),
    "the mask is True everywhere": masked_by(lambda X, mask, pad: np.ones_like(mask)),
    "the mask is False at the last real step of each sequence": masked_by(lambda X, mask, pad: ends_early(mask)),
    "the mask is True at the first pad, too (`<=` for `<`?)": masked_by(lambda X, mask, pad: ends_late(mask)),
    "the mask of the first sequence stands for all": masked_by(lambda X, mask, pad: first_length(mask)),
    "the mask marks the pads on the left, where there are none": masked_by(lambda X, mask, pad: mask[::-1].copy()),
    "the mask holds 0 and 1; it holds False and True (dtype bool)": masked_by(lambda X, mask, pad: mask.astype(int)),
    "lengths (B,) are returned instead of the mask (T, B)": masked_by(lambda X, mask, pad: mask.sum(axis=0)),
    "the outputs are swapped: the mask comes first": changed(lambda X, mask: (mask, X)),
    "only padded is returned": changed(lambda X, mask: X),
    "axes of size 1 are squeezed away": changed(lambda X, mask: (X.squeeze(), mask.squeeze())),
    "a single sequence is returned as a view, not copied": views,
}


def by_columns(sequences, pad):
    """Column by column into arrays made beforehand."""
    T = max(len(ids) for ids in sequences)
    padded, mask = np.full((T, len(sequences)), pad), np.zeros((T, len(sequences)), dtype=bool)
    for b, ids in enumerate(sequences):
        padded[: len(ids), b] = ids
        mask[: len(ids), b] = True
    return padded, mask


def with_lists(sequences, pad):
    """Lists made longer, arrays made of them; a list of outputs."""
    T = max(len(ids) for ids in sequences)
    rows = [[*ids.tolist(), *[pad] * (T - len(ids))] for ids in sequences]
    return [np.array(rows).T, np.array([[t < len(ids) for ids in sequences] for t in range(T)])]


def by_pad(sequences, pad):
    """np.pad and np.stack; the mask from the lengths, by broadcasting."""
    lengths = np.array([len(ids) for ids in sequences])
    columns = [np.pad(ids, (0, lengths.max() - len(ids)), constant_values=pad) for ids in sequences]
    return np.stack(columns, axis=1).astype(np.int32), np.arange(lengths.max())[:, None] < lengths


def by_mask(sequences, pad):
    """The mask first; the real steps in one go."""
    lengths = np.array(list(map(len, sequences)))
    mask = lengths[:, None] > np.arange(lengths.max())
    padded = np.full(mask.shape, pad)
    padded[mask] = np.concatenate(sequences)
    return padded.T, mask.T


ALTERNATIVES = {
    "column by column": by_columns,
    "lists": with_lists,
    "np.pad and broadcasting, int32": by_pad,
    "the mask first": by_mask,
}

PROBLEM = Problem(
    name="pad_and_mask",
    outputs={"padded": Integers("T B"), "mask": Flags("T B")},
    unpack=several,
    parts={"padded": 1, "mask": 1, "sizes of 1": 1, "inputs": 1},
    cases=cases,
    reference=pad_and_mask,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 2, section "Sequences of unequal length"',
    shapes='chapter 2, section "Three axes, two layouts"',
)
