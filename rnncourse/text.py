"""From text to integers, and to batches that follow one another."""

import numpy as np

from rnncourse.arrays import expect_array, expect_ids, expect_positive


class Vocabulary:
    """The distinct characters of a text, sorted; a character's id is its place.

    Raises ValueError for an empty text.

    >>> vocabulary = Vocabulary("hello")
    >>> vocabulary.encode("hole"), len(vocabulary)
    (array([1, 3, 2, 0]), 4)
    >>> vocabulary.decode([1, 3, 2, 0])
    'hole'
    """

    def __init__(self, text):
        if not text:
            raise ValueError("expected text with at least one character, got an empty string")
        self.tokens = sorted(set(text))
        self.ids = {token: k for k, token in enumerate(self.tokens)}

    def __len__(self):
        return len(self.tokens)

    def encode(self, text):
        """String of n characters to an int array (n,). Raises KeyError naming characters not in the vocabulary."""
        unknown = set(text) - self.ids.keys()
        if unknown:
            raise KeyError(f"expected characters of the vocabulary, got {sorted(unknown)}")
        return np.array([self.ids[c] for c in text], int)

    def decode(self, ids):
        """Ids (n,) to a string. Raises TypeError for an id that is no integer, ValueError for one outside 0 … len−1."""
        return "".join(self.tokens[expect_ids("ids", k, len(self))] for k in ids)


def contiguous_batches(ids, B, T):
    """Cut one long sequence of ids (n,) into B parallel strips, and the strips into windows of T steps.

    Returns inputs and targets, both (windows, T, B): targets are the inputs one step later. Column b of window w+1
    goes on exactly where column b of window w stopped, which is what carrying the state across batches needs.
    The tail that fills no window is left out. Raises TypeError if ids is not an array,
    ValueError if there is not even one window.

    >>> inputs, targets = contiguous_batches(np.arange(9), B=2, T=2)
    >>> inputs[:, :, 0], inputs[:, :, 1]
    (array([[0, 1],
           [2, 3]]), array([[4, 5],
           [6, 7]]))
    """
    expect_array("ids", ids, ("n",))
    expect_positive(B=B, T=T)
    windows = (len(ids) - 1) // (B * T)
    if windows < 1:
        raise ValueError(f"expected at least B·T + 1 = {B * T + 1} ids for one window, got {len(ids)}")
    n = windows * T

    def strips(a):
        return a[: B * n].reshape(B, windows, T).transpose(1, 2, 0)

    return strips(ids), strips(ids[1:])
