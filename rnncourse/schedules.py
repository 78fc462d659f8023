"""Learning-rate schedules. Each is a function of the step's number, k = 1, 2, …; an optimizer takes it as its `lr`.
Called with another k they raise ValueError.

Adam(model.params, lr=warmup_cosine(1e-2, warmup=100, steps=1000))
"""

from math import cos, pi

from rnncourse.arrays import expect_positive
from rnncourse.optim import Schedule, positive


def step_decay(lr: float, factor: float, every: int) -> Schedule:
    """η for the first `every` steps, then `factor` times as much for as many, and so on.

    Raises ValueError unless `lr` and `factor` are positive and `every` is a positive integer.

    >>> [step_decay(0.8, 0.5, every=2)(k) for k in (1, 2, 3, 4, 5)]
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """
    positive("lr", lr)
    positive("factor", factor)
    expect_positive(every=every)

    def schedule(k: int) -> float:
        expect_positive(k=k)
        return lr * factor ** ((k - 1) // every)

    return schedule


def warmup_cosine(lr: float, warmup: int, steps: int) -> Schedule:
    """Up to η in a straight line over the first `warmup` steps, then down along half a cosine to 0 after step `steps`.

    Starting low spares a network whose first gradients are large; ending low lets it settle.
    Raises ValueError unless `lr` is positive and 0 ≤ warmup < steps. Source: Loshchilov & Hutter 2017 (cosine);
    Goyal et al. 2017 (warm-up).

    >>> schedule = warmup_cosine(1.0, warmup=4, steps=12)
    >>> [round(schedule(k), 3) for k in (1, 2, 4, 5, 9, 12, 13)]
    [0.25, 0.5, 1.0, 1.0, 0.5, 0.038, 0.0]
    """
    positive("lr", lr)
    expect_positive(steps=steps)
    if not isinstance(warmup, int) or not 0 <= warmup < steps:
        raise ValueError(f"expected integers 0 <= warmup < steps, got warmup = {warmup} and steps = {steps}")

    def schedule(k: int) -> float:
        expect_positive(k=k)
        if k <= warmup:
            return lr * k / warmup
        return lr * (1 + cos(pi * min(1, (k - 1 - warmup) / (steps - warmup)))) / 2

    return schedule
