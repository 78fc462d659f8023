"""leaks_future: does a function from sequences to sequences use what comes later? A test that the student writes.

The cases are functions, some causal and some not; the students' test must tell them apart.
"""

import numpy as np

from rnncourse.cells import RNN
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Flag
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.layers import Bidirectional, Stacked

ROUNDING = 1e-6
"""Changes up to this size are rounding, as the problem set says."""


def leaks_future(f, X, other):
    """The reference: f from (T, B, D) to (T, B, …), X and other (T, B, D), to whether f uses what comes later."""
    Y = np.array(f(X.copy()))
    return any(moved(Y, f, X, other, t) for t in range(1, len(X)))


def moved(Y, f, X, other, t):
    """Whether outputs before step t differ from Y if the inputs from t on are others."""
    changed = np.concatenate([X[:t], other[t:]])
    return bool((np.abs(f(changed)[:t] - Y[:t]) > ROUNDING).any())


def later(X, k):
    """The input k steps later, zeros behind the end."""
    return np.concatenate([X[k:], np.zeros_like(X[:k])]) if k < len(X) else np.zeros_like(X)


def function(formula):
    """A function of the name `f`, as the problem set calls it, in double precision on a copy of its input."""

    def f(X):
        return formula(np.array(X, dtype=np.float64))

    return f


def stack(rng, D, H=3):
    """Two recurrent layers, as a function."""
    layers = Stacked(RNN(D, H, rng), RNN(H, H, rng))
    return function(lambda X: layers.forward(X)[0])


def both_ends(rng, D, H=3):
    """A bidirectional layer, as a function."""
    layer = Bidirectional(RNN(D, H, rng), RNN(D, H, rng))
    return function(lambda X: layer.forward(X)[0])


def only(X, step=None, sequence=None, feature=None):
    """X where its index is the one given, zeros elsewhere."""
    keep = np.zeros(X.shape, bool)
    keep[tuple(slice(None) if k is None else k for k in (step, sequence, feature))] = True
    return np.where(keep, X, 0)


def running(X):
    """The sum of all inputs so far."""
    return X.cumsum(axis=0)


def in_place(X):
    """The running sum, written over its input."""
    return np.cumsum(X, axis=0, out=X)


def in_place_and_ahead(X):
    """The input of the step before, written over each input, and the next input as output."""
    ahead = later(X, 1)
    X[1:] = X[:-1].copy()
    return ahead


def first_sees_second(X):
    """The first output sees the second input, all others their own."""
    return np.concatenate([X[1:2], X[1:]]) if len(X) > 1 else X


def before_last_sees_last(X):
    """The last output but one sees the last input, all others their own."""
    return np.concatenate([X[:-2], X[-1:], X[-1:]]) if len(X) > 1 else X


def first_sees_last_sequence(X):
    """The outputs of the first sequence see the next inputs of the last one; all others are zeros."""
    Y = np.zeros_like(X)
    Y[:, 0] = later(X, 1)[:, -1]
    return Y


def sized(X):
    """One number a step, and the mean size of all inputs added to each."""
    return X.sum(axis=-1) + np.abs(X).mean()


def without_the_rest(X):
    """The running sum, computed from the end: the total less what is still to come. It rounds."""
    rest = X[::-1].cumsum(axis=0)[::-1] - X
    return X.sum(axis=0) - rest


def draw(rng, formula, T=5, B=3, D=4):
    """The three arguments, by name. No entry of `other` is near that of X; from t on its sums are larger."""
    X = rng.normal(size=(T, B, D))
    f = formula if hasattr(formula, "__name__") and formula.__name__ == "f" else function(formula)
    return {"f": f, "X": X, "other": X + rng.uniform(0.5, 1.5, (T, B, D))}


def cases(rng):
    """All cases in an order that `rng` says. In one that is known, so would be the answers: each is True or False."""
    drawn = list(in_parts(rng))
    return [drawn[k] for k in rng.permutation(len(drawn))]


def in_parts(rng):
    """Causal functions, and such as leak: everywhere, from one step, into one step, in one entry, slightly."""
    plain, hidden, alarm, small = PROBLEM.parts
    yield Case(plain, "Two recurrent layers, causal", draw(rng, stack(rng, 4)))
    yield Case(plain, "A bidirectional layer, which leaks", draw(rng, both_ends(rng, 4)))
    yield Case(plain, "Each output is its own input: causal", draw(rng, lambda X: 2 * X))
    yield Case(plain, "The mean over all steps taken off, a leak", draw(rng, lambda X: X - X.mean(axis=0)))
    yield Case(hidden, "Each output is the next input, a leak", draw(rng, lambda X: later(X, 1)))
    yield Case(hidden, "Each output is the input 3 steps later, a leak", draw(rng, lambda X: later(X, 3), T=6))
    yield Case(hidden, "The first output sees the second input, a leak", draw(rng, first_sees_second))
    yield Case(hidden, "The last output but one sees the last input, a leak", draw(rng, before_last_sees_last, T=6))
    yield Case(
        hidden, "The next input of the last sequence, a leak", draw(rng, lambda X: later(only(X, sequence=-1), 1))
    )
    yield Case(
        hidden, "The first sequence sees the next input of the last, a leak", draw(rng, first_sees_last_sequence)
    )
    yield Case(hidden, "The next input's last feature, a leak", draw(rng, lambda X: later(only(X, feature=-1), 1)))
    yield Case(hidden, "A thousandth of the next input, a leak", draw(rng, lambda X: running(X) + later(X, 1) / 1000))
    yield Case(
        hidden,
        "A ten-thousandth of the next input beside outputs of 100, a leak",
        draw(rng, lambda X: 100 + later(X, 1) / 10000),
    )
    yield Case(hidden, "Minus the mean over all steps, a leak", draw(rng, lambda X: -X.mean(axis=0) + 0 * X))
    yield Case(
        hidden,
        "The next input, once with each sign, a leak",
        draw(rng, lambda X: np.concatenate([later(X, 1), -later(X, 1)], axis=-1)),
    )
    yield Case(hidden, "The input before: causal", draw(rng, lambda X: later(X[::-1], 1)[::-1]))
    yield Case(alarm, "A running sum, computed from the end: it rounds, but is causal", draw(rng, without_the_rest))
    yield Case(
        alarm,
        "A running sum, computed from the end in float32: it rounds more, but is causal",
        draw(rng, lambda X: without_the_rest((X / 10).astype(np.float32))),
    )
    yield Case(
        alarm,
        "The mean over the sequences at each step taken off: causal",
        draw(rng, lambda X: X - X.mean(axis=1, keepdims=True)),
    )
    yield Case(alarm, "The first input, at every step: causal", draw(rng, lambda X: 0 * X + X[0]))
    yield Case(
        alarm,
        "One number a step, the largest so far: causal",
        draw(rng, lambda X: np.maximum.accumulate(X).sum(axis=-1)),
    )
    yield Case(alarm, "One number a step, with the size of all inputs in it: a leak", draw(rng, sized))
    yield Case(alarm, "Zeros, whatever comes in: causal", draw(rng, lambda X: 0 * X))
    yield Case(small, "One time step (T = 1), which is causal", draw(rng, lambda X: X - X.mean(), T=1))
    yield Case(small, "Two time steps, causal", draw(rng, running, T=2, B=2, D=2))
    last_alone = draw(rng, lambda X: running(only(X, sequence=-1)), T=2, B=2, D=2)
    yield Case(small, "Two time steps, the running sum of the last sequence, causal", last_alone)
    yield Case(small, "Two time steps, a leak", draw(rng, lambda X: later(X, 1), T=2, B=1, D=1))
    yield Case(small, "Inputs in float32, a leak", single_precision(draw(rng, lambda X: later(X, 1))))
    f = writing(in_place)
    yield Case(small, "A running sum that overwrites its input: causal", draw(rng, f), untouched=True)
    yield Case(small, "A leak that overwrites its input", draw(rng, writing(in_place_and_ahead)), untouched=True)


def writing(formula):
    """A function of the name `f` that gets its input itself."""

    def f(X):
        return formula(X)

    return f


def splits(verdict, inputs=None, outputs=None, distance=None, steps=None, copied=True):
    """`verdict` on how far the outputs move, for all `steps` t: a list of numbers, one for each.

    `inputs(X, other, t)` are the changed ones, `outputs(Y, t)` those that are compared, `distance(new, old)` says by
    how much they differ.
    """
    inputs = inputs or (lambda X, other, t: np.concatenate([X[:t], other[t:]]))
    outputs = outputs or (lambda Y, t: Y[:t])
    distance = distance or (lambda new, old: np.abs(new - old).max(initial=0))
    steps = steps or (lambda T: range(1, T))

    def run(f, X, other):
        Y = np.array(f(X.copy())) if copied else f(X)
        return verdict([distance(outputs(f(inputs(X, other, t)), t), outputs(Y, t)) for t in steps(len(X))])

    return run


def leak(distances):
    """The right verdict."""
    return any(distance > ROUNDING for distance in distances)


def causal(distances):
    """The opposite."""
    return not leak(distances)


def replaced(X, other, *index):
    """A copy of X, with an index of it taken from `other`."""
    X = X.copy()
    X[index] = other[index]
    return X


def inside_X(f, X, other):
    """Changes X itself, and leaves it changed."""
    Y = np.array(f(X.copy()))
    for t in range(1, len(X)):
        X[t:] = other[t:]
        if (np.abs(f(X)[:t] - Y[:t]) > ROUNDING).any():
            return True
    return False


def inside_a_name(f, X, other):
    """`changed = X` is no copy; from the last step to the first, each step is changed once."""
    changed = X
    Y = np.array(f(X.copy()))
    found = False
    for t in range(len(X) - 1, 0, -1):
        changed[t] = other[t]
        found = found or bool((np.abs(f(changed.copy())[:t] - Y[:t]) > ROUNDING).any())
    return found


def whole_is_other(f, X, other):
    """Compares the outputs of X and of other."""
    return bool((np.abs(f(other.copy()) - f(X.copy())) > ROUNDING).any())


MISTAKES = {
    "True and False are swapped: the answer is True for a leak": splits(causal),
    "the answer is always True": lambda f, X, other: True,
    "the answer is always False": lambda f, X, other: False,
    "all outputs are compared; those from the first changed step on may move": splits(leak, outputs=lambda Y, t: Y),
    "the outputs of other are compared with those of X, all of them; change the later inputs only": whole_is_other,
    "the output at the changed step is compared too, Y[: t + 1]; it may move": splits(
        leak, outputs=lambda Y, t: Y[: t + 1]
    ),
    "the outputs from the changed step on are compared, Y[t:]; those before it must not move": splits(
        leak, outputs=lambda Y, t: Y[t:]
    ),
    "the outputs are cut along the sequences, Y[:, :t]; their steps are axis 0, Y[:t]": splits(
        leak, outputs=lambda Y, t: Y[:, :t]
    ),
    "earlier inputs are changed, and later outputs compared: it is the other way round": splits(
        leak, inputs=lambda X, other, t: np.concatenate([other[:t], X[t:]]), outputs=lambda Y, t: Y[t:]
    ),
    "earlier inputs are changed; the later ones must be": splits(
        leak, inputs=lambda X, other, t: np.concatenate([other[:t], X[t:]])
    ),
    "between the outputs compared and the inputs changed a step is left out: the next input is never tried": splits(
        leak, outputs=lambda Y, t: Y[: t - 1]
    ),
    "only one place t is tried, the last step, or only the answer for the last t is kept": splits(
        leak, steps=lambda T: range(T - 1, T) if T > 1 else ()
    ),
    "only t = 1 is tried (a `return False` inside the loop?), or only the first output is looked at": splits(
        leak, steps=lambda T: range(1, min(T, 2))
    ),
    "inputs after t are changed and outputs before t compared: at t = 0 none are left, of which max has no value": (
        splits(
            leak,
            inputs=lambda X, other, t: np.concatenate([X[: t + 1], other[t + 1 :]]),
            distance=lambda new, old: np.abs(new - old).max(),
            steps=lambda T: range(T - 1),
        )
    ),
    "only one place t is tried, the middle": splits(leak, steps=lambda T: [T // 2] if T > 1 else ()),
    "the loop over t ends one step early: a change of the last step alone is never tried": splits(
        leak, steps=lambda T: range(1, T - 1)
    ),
    "the loop over t begins at 2: the output of the first step alone is never looked at": splits(
        leak, steps=lambda T: range(2, T)
    ),
    "of the outputs before the change only the last one, Y[t - 1], is looked at, with one changed step": splits(
        leak, inputs=lambda X, other, t: replaced(X, other, t), outputs=lambda Y, t: Y[t - 1]
    ),
    "a leak must show at every t; one t is enough": splits(
        lambda distances: all(distance > ROUNDING for distance in distances)
    ),
    "differences have signs: the largest of new - old is looked at, not of its size, np.abs": splits(
        leak, distance=lambda new, old: (new - old).max(initial=0)
    ),
    "differences have signs: the largest of old - new is looked at, not of its size, np.abs": splits(
        leak, distance=lambda new, old: (old - new).max(initial=0)
    ),
    "sums or means are compared, in which changes cancel out; compare entry by entry": splits(
        leak, distance=lambda new, old: abs(new.sum() - old.sum())
    ),
    "numbers are compared exactly, so that rounding counts as a leak": splits(
        lambda distances: any(d > 0 for d in distances)
    ),
    "the limit is larger than 1e-6, or grows with the outputs, as that of np.allclose does": splits(
        any, distance=lambda new, old: not np.allclose(new, old)
    ),
    "the limit is far below 1e-6, so that rounding counts as a leak": splits(
        lambda distances: any(d > 1e-9 for d in distances)
    ),
    "changes of a thousandth are taken for rounding; the limit is 1e-6": splits(
        lambda distances: any(d > 0.01 for d in distances)
    ),
    "all entries must move; one is enough": splits(
        leak, distance=lambda new, old: np.abs(new - old).min(initial=9) % 9
    ),
    "only the first sequence is changed": splits(
        leak, inputs=lambda X, other, t: replaced(X, other, slice(t, None), slice(1))
    ),
    "only the first sequence is looked at": splits(leak, outputs=lambda Y, t: Y[:t, :1]),
    "only the first feature is changed": splits(
        leak, inputs=lambda X, other, t: replaced(X, other, slice(t, None), slice(None), slice(1))
    ),
    "X is handed to f itself, and f may write into it: hand it a copy": splits(leak, copied=False),
    "later inputs are written into X itself, and stay there: make a new array": inside_X,
    "`changed = X` makes no copy: other inputs are written into X": inside_a_name,
    "the largest change is returned; say whether it is above 1e-6": splits(
        lambda distances: max(distances, default=0.0)
    ),
}


def one_at_a_time(f, X, other):
    """One input step at a time, and all outputs before it."""
    Y = np.array(f(X.copy()))
    return any(np.abs(f(replaced(X, other, t))[:t] - Y[:t]).max() > ROUNDING for t in range(1, len(X)))


def one_entry_at_a_time(f, X, other):
    """One number at a time."""
    Y = np.array(f(X.copy()))
    for index in np.ndindex(X.shape):
        changed = X.copy()
        changed[index] = other[index]
        before = slice(index[0])
        if not np.allclose(f(changed)[before], Y[before], rtol=0, atol=ROUNDING):
            return np.True_
    return np.False_


def zeros_later(f, X, other):
    """Zeros in place of `other`, and np.allclose."""
    Y = f(X.copy()).copy()
    found = []
    for t in range(1, len(X)):
        changed = np.zeros_like(X)
        changed[:t] = X[:t]
        found.append(not np.allclose(f(changed)[:t], Y[:t], rtol=0, atol=ROUNDING))
    return sum(found) > 0


def cut_off(f, X, other):
    """The sequence cut off at t: no future at all."""
    Y = np.array(f(X.copy()))
    return not all(np.allclose(f(X[:t].copy()), Y[:t], rtol=0, atol=ROUNDING) for t in range(1, len(X)))


def other_way(f, X, other):
    """Keeps `other` and puts X behind it."""
    return leaks_future(f, other, X)


ALTERNATIVES = {
    "all later steps, stops at the first leak": leaks_future,
    "all later steps, the largest change": splits(lambda distances: max(distances, default=0) > ROUNDING),
    "one step at a time": one_at_a_time,
    "one number at a time": one_entry_at_a_time,
    "zeros for later inputs": zeros_later,
    "cut off": cut_off,
    "X and other swapped": other_way,
}

PROBLEM = Problem(
    name="leaks_future",
    outputs={"leaks": Flag()},
    parts={"plain leaks": 2, "hidden leaks": 2, "false alarms": 1, "sizes of 1 and inputs": 1},
    cases=cases,
    reference=leaks_future,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 10, section "The leak test"',
    shapes='chapter 10, section "The leak test"',
)
