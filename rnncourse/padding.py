"""Sequences of unequal length, side by side in one array: pad, mask, bucket.

An array holds sequences of one length only. Shorter ones are filled up, and a mask (T, B) says which steps are real:
True for a step of the sequence, False for a pad. What a pad holds must change nothing.
"""

from collections.abc import Sequence

import numpy as np

from rnncourse.arrays import Array, expect_array, expect_ids, expect_mask, expect_positive, expect_rng


def length_mask(lengths: Array) -> Array:
    """Lengths (B,) to the mask (T, B) of sequences that all start at step 0, T being the greatest length.

    Raises TypeError unless the lengths are integers, ValueError unless each is at least 1.

    >>> length_mask(np.array([3, 1]))
    array([[ True,  True],
           [ True, False],
           [ True, False]])
    """
    _expect_lengths(lengths)
    return np.arange(lengths.max())[:, None] < lengths


def pad_right(sequences: Sequence[Array], value: float = 0) -> tuple[Array, Array]:
    """Sequences (n_b, …) of B lengths to one array (T, B, …), each followed by pads, and its mask (T, B).

    A sequence is ids (n_b,) or vectors (n_b, D), at least one step long; T is the greatest length. Pads hold `value`.
    The last real step of sequence b is n_b − 1, so a plain network's last state has read pads.
    Raises TypeError or ValueError, naming the sequence, if one differs in dtype or in shape after the first axis;
    TypeError if `value` does not fit the dtype (a float array takes any real number, to its own precision).

    >>> padded, mask = pad_right([np.array([5, 6, 7]), np.array([8])])
    >>> padded.T
    array([[5, 6, 7],
           [8, 0, 0]])
    """
    return _pad(sequences, length_mask(_lengths(sequences)), value)


def pad_left(sequences: Sequence[Array], value: float = 0) -> tuple[Array, Array]:
    """As `pad_right`, but each sequence comes after its pads: all end at step T − 1, and start at different steps.

    >>> padded, mask = pad_left([np.array([5, 6, 7]), np.array([8])])
    >>> padded.T
    array([[5, 6, 7],
           [0, 0, 8]])
    """
    return _pad(sequences, length_mask(_lengths(sequences))[::-1], value)


def reverse_padded(X: Array, mask: Array) -> Array:
    """X (T, B, …) with each sequence's real steps in reverse order, in the same places; pads stay where they are.

    `X[::-1]` would put the pads of short sequences first. Applied twice it gives X again.
    Raises TypeError or ValueError if the mask is not bool (T, B).

    >>> padded, mask = pad_right([np.array([5, 6, 7]), np.array([8, 9])])
    >>> reverse_padded(padded, mask).T
    array([[7, 6, 5],
           [9, 8, 0]])
    """
    if not isinstance(X, np.ndarray) or X.ndim < 2:
        raise ValueError(f"expected X of shape (T, B, …), got {getattr(X, 'shape', type(X).__name__)}")
    if expect_mask("mask", mask, X.shape[:2]) is None:
        raise TypeError("expected mask to be a NumPy array, got NoneType")
    reverse = X.copy()
    for b, real in enumerate(mask.T):
        reverse[real, b] = X[real, b][::-1]
    return reverse


def bucket(lengths: Array, B: int, rng: np.random.Generator) -> list[Array]:
    """Batches of sequences of similar length: arrays of at most B indices into `lengths` (n,), each index once.

    Sequences are sorted by length, equal ones in random order, and cut every B; the batches come in random order.
    Draw anew for each epoch. `padding_share` says how much of the padded arrays is pads.
    Raises TypeError unless the lengths are integers and `rng` a NumPy generator, ValueError unless B and each length
    are at least 1.

    >>> lengths = np.array([9, 2, 8, 3, 9, 2])
    >>> batches = bucket(lengths, 2, np.random.default_rng(0))
    >>> sorted(lengths[batch].tolist() for batch in batches)
    [[2, 2], [3, 8], [9, 9]]
    """
    _expect_lengths(lengths)
    expect_positive(B=B)
    shuffled = expect_rng("rng", rng).permutation(len(lengths))
    order = shuffled[np.argsort(lengths[shuffled], kind="stable")]
    batches = [order[k : k + B] for k in range(0, len(order), B)]
    return [batches[k] for k in rng.permutation(len(batches))]


def padding_share(lengths: Array, batches: Sequence[Array]) -> float:
    """The share of pads among all steps, 0 ≤ share < 1, if each batch is padded to its own greatest length.

    `lengths` (n,) integers; `batches` hold indices into it. Raises ValueError if there is no batch, or an empty one;
    TypeError or ValueError, naming the batch, for what is no index from 0 to n−1.

    >>> padding_share(np.array([9, 1, 1]), [np.array([0, 1]), np.array([2])])
    0.42105263157894735
    """
    _expect_lengths(lengths)
    if len(batches) == 0 or min(map(len, batches)) == 0:
        raise ValueError("expected at least one batch, and none empty")
    batches = [expect_ids(f"batches[{k}]", np.asarray(b), len(lengths), ("n",)) for k, b in enumerate(batches)]
    real = sum(int(lengths[batch].sum()) for batch in batches)
    return 1 - real / sum(len(batch) * int(lengths[batch].max()) for batch in batches)


def _expect_lengths(lengths: Array) -> None:
    if expect_array("lengths", lengths, ("B",)).dtype.kind not in "iu":
        raise TypeError(f"expected lengths to be integers, got {lengths.dtype}")
    if lengths.min() < 1:
        raise ValueError(f"expected lengths of at least 1, got {lengths.min()}")


def _lengths(sequences: Sequence[Array]) -> Array:
    if not len(sequences):
        raise ValueError("expected at least one sequence, got none")
    rest, dtype = np.shape(sequences[0])[1:], getattr(sequences[0], "dtype", None)
    for b, sequence in enumerate(sequences):
        if expect_array(f"sequences[{b}]", sequence, ("n", *rest)).dtype != dtype:
            raise TypeError(f"expected sequences[{b}] of dtype {dtype} (the first one's), got {sequence.dtype}")
    return np.array([len(sequence) for sequence in sequences])


def _pad(sequences: Sequence[Array], mask: Array, value: float) -> tuple[Array, Array]:
    first, filler = sequences[0], np.asarray(value)
    if first.dtype.kind == "f":
        fits = np.can_cast(filler.dtype, first.dtype, "same_kind")
    else:
        with np.errstate(invalid="ignore"):  # NaN to an integer
            fits = filler.dtype.kind in "biuf" and bool((filler.astype(first.dtype) == filler).all())
    if not fits:
        raise TypeError(f"expected value to fit dtype {first.dtype}, got {value!r}")
    padded = np.full((*mask.shape, *first.shape[1:]), value, first.dtype)
    padded.swapaxes(0, 1)[mask.T] = np.concatenate(sequences)  # real steps, one sequence after the other
    return padded, mask
