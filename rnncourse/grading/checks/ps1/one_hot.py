"""one_hot: ids as rows of zeros but for a 1 at the place of the id."""

import numpy as np

from rnncourse import arrays
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.problem import Case, Problem


def one_hot(ids, V):
    """The reference: ids (T, B) to (T, B, V)."""
    return arrays.one_hot(ids, V)


def draw(rng, T, B, V):
    """The two arguments, by name. The first and the last step hold more than one id, and V − 1 is none of them."""
    ids = rng.integers(1, V - 1, (T, B)) if V > 2 else np.zeros((T, B), int)
    if V > 3:
        ids[0, 0], ids[-1, -1] = 0, V - 2
    return {"ids": ids, "V": V}


def cases(rng):
    """Sizes all different and all equal; each size once 1; tokens that do not occur, and all of them."""
    yield Case("rows", "All sizes different", draw(rng, T=5, B=3, V=7))
    yield Case("rows", "All sizes equal", draw(rng, T=5, B=5, V=5))
    yield Case("rows", "Every token occurs", {"ids": rng.permutation(6).reshape(3, 2), "V": 6})
    yield Case("rows", "Few of many tokens occur", draw(rng, T=3, B=2, V=40))
    yield Case("sizes of 1 and inputs", "One time step (T = 1)", draw(rng, T=1, B=4, V=6))
    yield Case("sizes of 1 and inputs", "One sequence (B = 1)", draw(rng, T=4, B=1, V=6))
    yield Case("sizes of 1 and inputs", "One token (V = 1)", draw(rng, T=3, B=2, V=1))
    yield Case("sizes of 1 and inputs", "Your inputs afterwards", draw(rng, T=4, B=3, V=5), untouched=True)


def changed(result):
    """`result(rows)` of the right rows: a mistake."""
    return lambda ids, V: result(one_hot(ids, V))


def marked(mark):
    """`mark(rows, ids)` writes into zeros (T, B, V): mostly a mistake."""

    def run(ids, V):
        rows = np.zeros((*ids.shape, V))
        mark(rows, ids)
        return rows

    return run


def at_every_step(rows, ids):
    """The tokens of all steps and sequences are marked in all of them."""
    rows[:, :, ids.ravel()] = 1


def at_every_step_of_the_sequence(rows, ids):
    """The tokens of a sequence are marked at each of its steps."""
    for b in range(ids.shape[1]):
        rows[:, b, ids[:, b]] = 1


def at_every_sequence(rows, ids):
    """The tokens of a step are marked in each sequence."""
    for t in range(len(ids)):
        rows[t, :, ids[t]] = 1


def first_sequence(rows, ids):
    """Only the first sequence is marked."""
    for t in range(len(ids)):
        rows[t, 0, ids[t, 0]] = 1


def first_step(rows, ids):
    """Only the first step is marked."""
    for b in range(ids.shape[1]):
        rows[0, b, ids[0, b]] = 1


def diagonal(rows, ids):
    """Steps and sequences are counted together, as far as both go."""
    for k in range(min(ids.shape)):
        rows[k, k, ids[k, k]] = 1


def with_id(rows, ids):
    """The id itself at its place."""
    np.put_along_axis(rows, ids[..., None], ids[..., None], axis=-1)


def until(rows, ids):
    """Ones up to the id."""
    rows[:] = np.arange(rows.shape[-1]) <= ids[..., None]


def at_each_index(rows, ids):
    """The lists of steps and of sequences are walked along together."""
    rows[range(len(rows)), range(rows.shape[1]), ids] = 1


def one_row_a_step(ids, V):
    """A row for each step, in which the sequences share."""
    rows = np.zeros((len(ids), V))
    for row, step in zip(rows, ids, strict=True):
        row[step] = 1
    return rows


def first_seen(ids, V):
    """A place for each token that occurs, in sorted order."""
    places = np.unique(ids, return_inverse=True)[1].reshape(ids.shape)
    return one_hot(places, V)


def as_steps_of_batch(ids, V):
    """Takes ids for batch first, and gives time first."""
    return one_hot(ids.reshape(ids.shape[1], ids.shape[0]), V).swapaxes(0, 1)


MISTAKES = {
    "the 1 stands one place too far: ids start at 0": changed(lambda rows: np.roll(rows, 1, axis=-1)),
    "the 1 stands one place too early: ids start at 0": changed(lambda rows: np.roll(rows, -1, axis=-1)),
    "the places are counted from the end": changed(lambda rows: rows[..., ::-1].copy()),
    "ones and zeros are swapped": changed(lambda rows: 1 - rows),
    "the id stands at its place instead of a 1": marked(with_id),
    "all places up to the id are 1": marked(until),
    "V is ignored and read off the ids, as their largest plus 1": lambda ids, V: one_hot(ids, ids.max() + 1),
    "V is ignored: there is a place for each token that occurs": lambda ids, V: first_seen(ids, len(np.unique(ids))),
    "tokens are numbered anew, by those that occur": first_seen,
    "there are V + 1 places": lambda ids, V: one_hot(ids, V + 1),
    "the rows are batch first, (B, T, V); they are (T, B, V)": changed(lambda rows: rows.swapaxes(0, 1)),
    "the places come first, (V, T, B)": changed(lambda rows: np.moveaxis(rows, -1, 0)),
    "the places come in the middle, (T, V, B)": changed(lambda rows: rows.swapaxes(1, 2)),
    "steps and sequences are joined, (T·B, V)": changed(lambda rows: rows.reshape(-1, rows.shape[-1])),
    "ids are read batch first, (B, T)": as_steps_of_batch,
    "rows[:, :, ids] = 1 marks the tokens of all steps at every step": marked(at_every_step),
    "the tokens of a whole sequence are marked at each of its steps": marked(at_every_step_of_the_sequence),
    "the tokens of a step are marked in each sequence": marked(at_every_sequence),
    "the steps are summed: it is counted how often each token occurs in a sequence": changed(
        lambda rows: rows.sum(axis=0)
    ),
    "the ones of earlier steps stay (one array, used for every step?)": changed(
        lambda rows: np.minimum(np.cumsum(rows, axis=0), 1)
    ),
    "only the first sequence is filled in": marked(first_sequence),
    "only the first step is filled in": marked(first_step),
    "step k is paired with sequence k: use one loop inside the other, or np.eye(V)[ids]": marked(diagonal),
    "rows[range(T), range(B), ids] = 1 walks along steps and sequences together; np.eye(V)[ids] needs neither": marked(
        at_each_index
    ),
    "there is one row for each step, in which all its sequences share": one_row_a_step,
    "rows holds integers; floats are asked for, since weights will multiply them": changed(
        lambda rows: rows.astype(int)
    ),
    "rows holds True and False; floats are asked for: `.astype(float)` makes them": changed(lambda rows: rows > 0),
    "axes of size 1 are squeezed away": changed(np.squeeze),
}


def by_loops(ids, V):
    """One step of one sequence at a time."""
    T, B = ids.shape
    rows = np.zeros((T, B, V))
    for t in range(T):
        for b in range(B):
            rows[t, b, ids[t, b]] = 1
    return rows


def by_grid(ids, V):
    """All places at once, by three arrays of indices."""
    rows = np.zeros((*ids.shape, V), dtype=np.float32)
    t, b = np.indices(ids.shape)
    rows[t, b, ids] = 1
    return rows


ALTERNATIVES = {
    "loops": by_loops,
    "rows of the identity": lambda ids, V: np.eye(V)[ids],
    "a comparison with all places": lambda ids, V: (ids[:, :, None] == np.arange(V)).astype(float),
    "three arrays of indices, float32": by_grid,
    "put_along_axis": marked(lambda rows, ids: np.put_along_axis(rows, ids[..., None], 1, axis=-1)),
}

PROBLEM = Problem(
    name="one_hot",
    outputs={"rows": Numbers("T B V")},
    parts={"rows": 1, "sizes of 1 and inputs": 1},
    cases=cases,
    reference=one_hot,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 2, section "From ids to vectors"',
    shapes='chapter 2, section "Three axes, two layouts"',
)
