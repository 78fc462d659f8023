"""embedding_lookup: the row W_k of the table for each id k, which is its one-hot vector times W."""

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.lent import ps1 as lent
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.layers import Embedding


def embedding_lookup(ids, W):
    """The reference: ids (T, B), W (V, D) to (T, B, D)."""
    V, D = W.shape
    table = Embedding(V, D, np.random.default_rng(0), dtype=W.dtype)
    table.W[...] = W
    return table.forward(ids)[0]


def draw(rng, T, B, V, D):
    """The two arguments, by name. The ids hold 0, never V − 1, and some id twice."""
    ids = rng.integers(0, max(1, V - 1), (T, B))
    ids[0, 0] = 0
    if T > 1:
        ids[-1, -1] = ids[-2, -1] = min(1, V - 1)
    return {"ids": ids, "W": rng.normal(size=(V, D))}


def cases(rng):
    """Sizes all different and all equal; each size once 1; a long table, float32."""
    yield Case("rows", "All sizes different", draw(rng, T=5, B=3, V=7, D=4))
    yield Case("rows", "All sizes equal", draw(rng, T=5, B=5, V=5, D=5))
    yield Case("rows", "A long table", draw(rng, T=4, B=2, V=500, D=3))
    yield Case("sizes of 1 and inputs", "One time step (T = 1)", draw(rng, T=1, B=4, V=6, D=3))
    yield Case("sizes of 1 and inputs", "One sequence (B = 1)", draw(rng, T=4, B=1, V=6, D=3))
    yield Case("sizes of 1 and inputs", "One number each (D = 1)", draw(rng, T=4, B=3, V=5, D=1))
    yield Case("sizes of 1 and inputs", "A table of one row (V = 1)", draw(rng, T=3, B=2, V=1, D=4))
    yield Case("sizes of 1 and inputs", "W in float32", single_precision(draw(rng, T=3, B=2, V=6, D=4)))
    yield Case("sizes of 1 and inputs", "Your inputs afterwards", draw(rng, T=4, B=3, V=5, D=2), untouched=True)


def changed(result):
    """`result(rows, W)` of the right rows: a mistake."""
    return lambda ids, W: result(embedding_lookup(ids, W), W)


def other_ids(ids_of):
    """The rows of `ids_of(ids, V)`: a mistake."""
    return lambda ids, W: embedding_lookup(ids_of(ids, len(W)), W)


def zero_row(ids, W):
    """Id 0 is taken for a pad."""
    return np.where(ids[..., None] == 0, 0, embedding_lookup(ids, W))


def unit_rows(rows, W):
    """Rows of length 1."""
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def centered(rows, W):
    """The table's mean row is taken off."""
    return rows - W.mean(axis=0)


def softened(rows, W):
    """A softmax of each row."""
    e = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def of_the_first(ids, W):
    """The first sequence's rows for all sequences."""
    return embedding_lookup(np.repeat(ids[:, :1], ids.shape[1], axis=1), W)


def overwrites(ids, W):
    """Scales the table itself."""
    W -= 0.5
    return embedding_lookup(ids, W) + 0.5


MISTAKES = {
    "columns of W are read instead of rows: W is (V, D), a row for each token": lambda ids, W: W.T[ids],
    "entries of W are read one by one (np.take without axis=0)": lambda ids, W: np.take(W, ids),
    "W[:, ids] is returned, whose first axis is the table's": lambda ids, W: W[:, ids],
    "W stands on the left, `W.T @ one_hot(ids, V)`; rows multiply from the left, `one_hot(ids, V) @ W`": (
        lambda ids, W: W.T @ lent.one_hot(ids, len(W))
    ),
    "W stands on the left, `W @ one_hot(ids, V)`; rows multiply from the left, `one_hot(ids, V) @ W`": (
        lambda ids, W: W @ lent.one_hot(ids, len(W))
    ),
    "V is read from W.shape[1], which is D; it is W.shape[0]": lambda ids, W: lent.one_hot(ids, W.shape[1]) @ W,
    "V is one more than the largest id; it is the number of the table's rows, len(W)": (
        lambda ids, W: lent.one_hot(ids, ids.max() + 1) @ W
    ),
    "the rows are stored as integers": changed(lambda rows, W: rows.astype(int)),
    "the row after the right one is read: ids start at 0": other_ids(lambda ids, V: (ids + 1) % V),
    "the row before the right one is read: ids start at 0": other_ids(lambda ids, V: (ids - 1) % V),
    "the rows are read from the end of the table": other_ids(lambda ids, V: V - 1 - ids),
    "the ids are read batch first: reshape does not turn (T, B) over": lambda ids, W: embedding_lookup(
        ids.reshape(ids.shape[::-1]), W
    ).swapaxes(0, 1),
    "the result is batch first, (B, T, D); it is (T, B, D)": changed(lambda rows, W: rows.swapaxes(0, 1)),
    "the result is (T, D, B); it is (T, B, D)": changed(lambda rows, W: rows.swapaxes(1, 2)),
    "steps and sequences are joined, (T·B, D)": changed(lambda rows, W: rows.reshape(-1, rows.shape[-1])),
    "the rows of a sequence are averaged": changed(lambda rows, W: rows.mean(axis=0)),
    "the rows of a sequence are summed": changed(lambda rows, W: rows.sum(axis=0)),
    "the rows of all steps so far are summed": changed(lambda rows, W: np.cumsum(rows, axis=0)),
    "the row of id 0 is taken for a pad and replaced by zeros": zero_row,
    "the rows are multiplied by √D": changed(lambda rows, W: rows * np.sqrt(W.shape[1])),
    "the rows are divided by their length": changed(unit_rows),
    "the mean of the table is taken off": changed(centered),
    "a softmax is taken of each row": changed(softened),
    "a tanh is taken of the rows": changed(lambda rows, W: np.tanh(rows)),
    "only the first step is looked up": changed(lambda rows, W: rows[0]),
    "only the first sequence is looked up": changed(lambda rows, W: rows[:, 0]),
    "the first sequence is looked up for all": of_the_first,
    "W itself is returned": lambda ids, W: W.copy(),
    "axes of size 1 are squeezed away": changed(lambda rows, W: rows.squeeze()),
    "W is changed on the way (by `-=`, `*=` or `W[…] = …`)": overwrites,
}


def by_loops(ids, W):
    """One row at a time."""
    rows = np.empty((*ids.shape, W.shape[1]), W.dtype)
    for t in range(len(ids)):
        for b in range(ids.shape[1]):
            rows[t, b] = W[ids[t, b]]
    return rows


def by_einsum(ids, W):
    """One-hot times W, by its indices."""
    hot = (ids[..., None] == np.arange(len(W))).astype(W.dtype)
    return np.einsum("tbv,vd->tbd", hot, W)


ALTERNATIVES = {
    "W[ids]": lambda ids, W: W[ids],
    "np.take along axis 0": lambda ids, W: np.take(W, ids, axis=0),
    "one-hot times W": lambda ids, W: lent.one_hot(ids, len(W)) @ W,
    "loops": by_loops,
    "einsum": by_einsum,
    "float32 inside": lambda ids, W: np.stack([W.astype(np.float32)[step] for step in ids]),
}

PROBLEM = Problem(
    name="embedding_lookup",
    outputs={"rows": Numbers("T B D")},
    parts={"rows": 1, "sizes of 1 and inputs": 1},
    cases=cases,
    reference=embedding_lookup,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    lends={"one_hot": lent.one_hot},
    reread='chapter 2, section "From ids to vectors"',
    shapes='chapter 2, section "Three axes, two layouts"',
)
