"""Small trainings, several networks at once: one question at the end of each sequence, and one network for each seed.

A trial says what is asked, and for how long it may be trained; `train_each` trains one network for each rate and seed,
side by side (`rnncourse.seeds`). They share no number: each has its own parameters, its own random numbers, its own
loss, clipped gradient and rate. All is float32.

Shapes: S networks, T time steps, B sequences for each network, D inputs, H hidden units, Q outputs.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from rnncourse import losses, optim
from rnncourse.arrays import Array, Params
from rnncourse.cells import Cell
from rnncourse.layers import Linear
from rnncourse.seeds import Seeds, clip_each

MakeCell: TypeAlias = Callable[[int, int, np.random.Generator], Cell]
"""`make(D, T, rng)` returns a new float32 cell for D inputs and sequences of T steps."""

RECENT = 20
"""A network is at the goal when the mean of this many losses in a row is below it."""


class Trial(NamedTuple):
    """What networks are asked at the end of a sequence, and when their training stops.

    `draw(T, B, rng)` returns X (T, B, D) and the targets of the last step, (1, B) or (1, B, Q), as the tasks in
    `rnncourse.data` do. Training stops after `updates`, or earlier, at the `goal`: a mean loss.

    >>> from rnncourse.data import adding
    >>> sums = Trial(adding, D=2, Q=1, loss=losses.squared_error, updates=500, goal=0.004)
    >>> X, targets = sums.draw(8, 3, np.random.default_rng(0))
    >>> X.shape, targets.shape
    ((8, 3, 2), (1, 3, 1))
    """

    draw: Callable[[int, int, np.random.Generator], tuple[Array, Array]]
    D: int
    Q: int
    loss: losses.Loss
    updates: int
    goal: float

    def batch(self, T: int, B: int, rngs: Sequence[np.random.Generator]) -> tuple[Array, Array]:
        """B sequences for each of S generators, side by side: X (T, S, B, D), targets (S, B) or (S, B, Q)."""
        drawn = [self.draw(T, B, rng) for rng in rngs]
        X = np.stack([x for x, _ in drawn], axis=1).astype(np.float32)
        targets = np.concatenate([y for _, y in drawn])
        return X, targets if targets.dtype.kind == "i" else targets.astype(np.float32)

    def losses(self, answers: Array, targets: Array) -> tuple[Array, Array]:
        """The loss of each network (S,), and the gradient of each loss by its own answers (S, B, Q)."""
        each = [self.loss(answers[s : s + 1], targets[s : s + 1], None) for s in range(len(answers))]
        return np.array([value for value, _ in each]), np.concatenate([g for _, g in each])


class AdamEach(optim.Adam):
    """Adam for networks side by side, with a learning rate for each of them.

    `params` hold arrays (S, …), `rates` S numbers.
    Raises ValueError unless there is a positive rate for each network.

    >>> theta = np.zeros((2, 1, 1), np.float32)
    >>> AdamEach({"θ": theta}, [0.5, 0.1]).step({"θ": np.ones_like(theta)})
    >>> theta.ravel().round(3)
    array([-0.5, -0.1], dtype=float32)
    """

    def __init__(self, params: Params, rates: Sequence[float]):
        super().__init__(params, 1.0)
        S = len(next(iter(params.values())))
        if len(rates) != S or not all(0 < rate < np.inf for rate in rates):
            raise ValueError(f"expected a positive rate for each of {S} networks, got {list(rates)}")
        self.rates: Array = np.reshape(rates, (-1, 1, 1)).astype(np.float32)

    def change(self, name: str, g: Array, lr: float) -> Array:
        """Adam's change at rate 1, times each network's own rate."""
        change: Array = self.rates * super().change(name, g, lr)
        return change


def train_each(
    make: MakeCell,
    trial: Trial,
    T: int,
    rates: Sequence[float],
    seeds: Sequence[int],
    B: int = 16,
    enough: Callable[[Array], bool] = np.all,
) -> tuple[Seeds, Array]:
    """Train one network for each pair of rate and seed, from new batches of B sequences of T steps, clipped to norm 1.

    Each network is a cell from `make` and a linear head, drawn with the generator of its seed, which then draws its
    batches, too. Training stops when `enough` of the networks are at the goal: it gets a bool for each (S,).
    Returns the networks, and the mean of each one's last 20 losses (S,).
    Raises ValueError unless there are as many rates as seeds, and what `Seeds`, `AdamEach` and `clip_each` raise.

    >>> from rnncourse.cells import RNN
    >>> from rnncourse.data import recall
    >>> two = Trial(lambda T, B, rng: recall(T, B, 2, rng), 3, 2, losses.softmax_cross_entropy, updates=200, goal=0.1)
    >>> model, recent = train_each(lambda D, T, rng: RNN(D, 8, rng, np.float32), two, 4, [0.01] * 3, range(3))
    >>> (recent < 0.1).all()
    np.True_
    """
    if len(rates) != len(seeds):
        raise ValueError(f"expected a rate for each of {len(seeds)} seeds, got {len(rates)}")
    rngs = [np.random.default_rng(seed) for seed in seeds]
    cells = [make(trial.D, T, rng) for rng in rngs]
    heads = [Linear(len(cell.W_h), trial.Q, rng, np.float32) for cell, rng in zip(cells, rngs, strict=True)]
    model = Seeds(cells, heads)
    adam, history = AdamEach(model.params, rates), np.empty((0, len(cells)))
    for _ in range(trial.updates):
        X, targets = trial.batch(T, B, rngs)
        answers, tape = model.forward(X)
        values, gradient = trial.losses(answers, targets)
        grads = model.backward(gradient, tape)
        clip_each(grads, 1.0)
        adam.step(grads)
        history = np.vstack([history, values])[-RECENT:]
        if len(history) == RECENT and enough(history.mean(axis=0) < trial.goal):
            break
    recent: Array = history.mean(axis=0)
    return model, recent
