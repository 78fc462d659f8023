"""Optimizers and gradient clipping, on flat dicts of parameters and gradients with equal keys.

All of them work in place: the arrays they are given are the model's own.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from rnncourse.arrays import Array, Params

Schedule: TypeAlias = Callable[[int], float]
"""The learning rate as a function of the step's number, k = 1, 2, … (see `rnncourse.schedules`)."""


class Optimizer:
    """What all optimizers share: at step k = 1, 2, … each parameter θ loses what `change` says.

    `lr`, the learning rate η, is a number or a `Schedule`. It may be set anew at any time.
    It changes the arrays in `params` in place: a parameter that is replaced by another array later is not trained.
    Raises ValueError if `lr` is a number that is not positive. An optimizer of your own says what changes:

    >>> class SignDescent(Optimizer):
    ...     def change(self, name, g, lr):
    ...         return lr * np.sign(g)
    >>> theta = np.zeros(2)
    >>> SignDescent({"θ": theta}, lr=0.1).step({"θ": np.array([3.0, -0.001])})
    >>> theta
    array([-0.1,  0.1])
    """

    def __init__(self, params: Params, lr: float | Schedule):
        self.params, self.k = params, 0
        self.lr = lr if callable(lr) else positive("lr", lr)

    def step(self, grads: Params) -> None:
        """Take one step against `grads`.

        Raises, before anything changes, KeyError or ValueError unless keys and shapes are the parameters', and
        ValueError if a schedule gives a rate that is not a finite number from 0.
        """
        expect_matching(self.params, grads)
        lr = self.lr(self.k + 1) if callable(self.lr) else self.lr
        if not 0 <= lr < np.inf:
            raise ValueError(f"expected a learning rate from 0, got {lr} at step {self.k + 1}")
        self.k += 1
        for name, p in self.params.items():
            p -= self.change(name, grads[name], lr)

    def change(self, name: str, g: Array, lr: float) -> Array:
        """What the parameter `name` with gradient `g` loses in this step."""
        raise NotImplementedError


class SGD(Optimizer):
    """θ ← θ − η g.

    >>> theta = np.array([1.0, 2.0])
    >>> SGD({"θ": theta}, lr=0.5).step({"θ": np.array([1.0, -1.0])})
    >>> theta
    array([0.5, 2.5])
    """

    def change(self, name: str, g: Array, lr: float) -> Array:
        """η g."""
        return lr * g


class Momentum(Optimizer):
    """SGD along a running sum of the gradients, which forgets by the factor μ a step.

        v ← μ v + g        θ ← θ − η v

    A steady gradient is followed at 1/(1−μ) times the rate, one that changes sign at every step at 1/(1+μ) times.
    torch's convention: η multiplies the whole sum, so a new rate acts on old gradients too. `momentum` is μ.
    Raises ValueError unless 0 ≤ μ < 1 and `lr` is positive. Source: Polyak 1964.

    >>> theta = np.array([0.0])
    >>> optimizer = Momentum({"θ": theta}, lr=0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step({"θ": np.array([1.0])})
    >>> theta.round(12)  # −0.1, then −0.15
    array([-0.25])
    """

    def __init__(self, params: Params, lr: float | Schedule, momentum: float = 0.9):
        super().__init__(params, lr)
        if not 0 <= momentum < 1:
            raise ValueError(f"expected momentum from 0 to below 1, got {momentum}")
        self.momentum = momentum
        self.v = {name: np.zeros_like(p) for name, p in params.items()}

    def change(self, name: str, g: Array, lr: float) -> Array:
        """η v, after v has taken up g."""
        v = self.v[name]
        v *= self.momentum
        v += g
        return lr * v


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

        m ← β₁ m + (1−β₁) g        v ← β₂ v + (1−β₂) g²        θ ← θ − η m̂ / (√v̂ + ε)

    where m̂ = m/(1−β₁ᵏ) and v̂ = v/(1−β₂ᵏ) at step k undo the start at zero.
    Raises ValueError unless `lr` and ε are positive and 0 ≤ β < 1 for both. Source: Kingma & Ba 2015.

    >>> theta = np.zeros(2)
    >>> Adam({"θ": theta}, lr=0.1).step({"θ": np.array([3.0, -0.001])})
    >>> theta.round(3)  # the first step has the size η, however large the gradient
    array([-0.1,  0.1])
    """

    def __init__(
        self, params: Params, lr: float | Schedule = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ):
        super().__init__(params, lr)
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"expected betas to be two numbers from 0 to below 1, got {betas}")
        self.betas, self.eps = betas, positive("eps", eps)
        self.m = {name: np.zeros_like(p) for name, p in params.items()}
        self.v = {name: np.zeros_like(p) for name, p in params.items()}

    def change(self, name: str, g: Array, lr: float) -> Array:
        """η m̂ / (√v̂ + ε), after m and v have taken up g."""
        m, v, (b1, b2) = self.m[name], self.v[name], self.betas
        m += (1 - b1) * (g - m)
        v += (1 - b2) * (g * g - v)
        change: Array = lr * (m / (1 - b1**self.k)) / (np.sqrt(v / (1 - b2**self.k)) + self.eps)
        return change


def clip_by_global_norm(grads: Params, max_norm: float) -> float:
    """g ← g · min(1, c/‖g‖), where ‖g‖ is the 2-norm of all gradients taken together and c = `max_norm`.

    Keeps the direction. Works in place; returns ‖g‖ before clipping. Raises ValueError unless c > 0, and
    FloatingPointError if a gradient is not finite (scaling cannot mend it). Source: Pascanu, Mikolov & Bengio 2013.

    >>> grads = {"a": np.array([3.0]), "b": np.array([4.0])}
    >>> clip_by_global_norm(grads, 1.0), grads["a"].round(12)
    (5.0, array([0.6]))
    """
    positive("max_norm", max_norm)
    _expect_finite(grads)
    largest = max((float(abs(g).max(initial=0)) for g in grads.values()), default=0.0)
    if largest == 0:
        return 0.0
    root = float(np.sqrt(sum(((g / largest) ** 2).sum(dtype=np.float64) for g in grads.values())))
    norm = largest * root
    if norm > max_norm:
        for g in grads.values():  # in two steps, since ‖g‖ itself may be too large for a float
            g /= largest
            g *= max_norm / root
    return norm


def clip_by_value(grads: Params, limit: float) -> None:
    """Each entry of each gradient to [−limit, limit], in place. Changes the direction.

    Raises ValueError unless limit > 0, and FloatingPointError if a gradient is not finite.

    >>> grads = {"a": np.array([3.0, -0.5])}
    >>> clip_by_value(grads, 1.0); grads["a"]
    array([ 1. , -0.5])
    """
    positive("limit", limit)
    _expect_finite(grads)
    for g in grads.values():
        np.clip(g, -limit, limit, out=g)


def expect_matching(params: Params, grads: Params) -> None:
    """Raise KeyError, naming what lacks and what is too many, unless the two dicts have equal keys; ValueError unless
    each gradient has its parameter's shape.

    >>> expect_matching({"W": np.ones(2)}, {"W": np.ones(3)})
    Traceback (most recent call last):
    ValueError: expected the gradient of W of shape (2,), got (3,)
    """
    if params.keys() != grads.keys():
        lacks, extra = sorted(params.keys() - grads.keys()), sorted(grads.keys() - params.keys())
        raise KeyError(f"expected gradients for {sorted(params)}: lacks {lacks}, too many {extra}")
    for name, p in params.items():
        if np.shape(grads[name]) != p.shape:
            raise ValueError(f"expected the gradient of {name} of shape {p.shape}, got {np.shape(grads[name])}")


def positive(name: str, value: float) -> float:
    """Raise ValueError, naming the argument, unless `value` is above 0; return it.

    >>> positive("lr", 0.1)
    0.1
    """
    if not value > 0:
        raise ValueError(f"expected {name} to be positive, got {value}")
    return value


def _expect_finite(grads: Params) -> None:
    for name, g in grads.items():
        if not np.isfinite(g).all():
            raise FloatingPointError(f"expected finite gradients, got {g[~np.isfinite(g)][0]} in {name}")
