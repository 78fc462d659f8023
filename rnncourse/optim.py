"""Optimizers and gradient clipping, on flat dicts of parameters and gradients with equal keys.

All of them work in place: the arrays they are given are the model's own.
"""

import numpy as np


class SGD:
    """θ ← θ − η g, once per call. `lr` is η."""

    def __init__(self, params, lr):
        self.params, self.lr = params, _positive("lr", lr)

    def step(self, grads):
        """Take one step against `grads`. Raises KeyError or ValueError unless keys and shapes are the parameters'."""
        expect_matching(self.params, grads)
        for name, p in self.params.items():
            p -= self.lr * grads[name]


class Adam:
    """Steps scaled by running means of the gradient and of its square. `lr` is η.

        m ← β₁ m + (1−β₁) g        v ← β₂ v + (1−β₂) g²        θ ← θ − η m̂ / (√v̂ + ε)

    where m̂ = m/(1−β₁ᵏ) and v̂ = v/(1−β₂ᵏ) at step k undo the start at zero. Source: Kingma & Ba 2015.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps, self.k = params, _positive("lr", lr), betas, eps, 0
        self.m = {name: np.zeros_like(p) for name, p in params.items()}
        self.v = {name: np.zeros_like(p) for name, p in params.items()}

    def step(self, grads):
        """Take one step against `grads`. Raises KeyError or ValueError unless keys and shapes are the parameters'."""
        expect_matching(self.params, grads)
        self.k += 1
        b1, b2 = self.betas
        for name, p in self.params.items():
            m, v, g = self.m[name], self.v[name], grads[name]
            m += (1 - b1) * (g - m)
            v += (1 - b2) * (g * g - v)
            p -= self.lr * (m / (1 - b1**self.k)) / (np.sqrt(v / (1 - b2**self.k)) + self.eps)


def clip_by_global_norm(grads, max_norm):
    """g ← g · min(1, c/‖g‖), where ‖g‖ is the 2-norm of all gradients taken together and c = `max_norm`.

    Keeps the direction. Works in place; returns ‖g‖ before clipping. Raises ValueError unless c > 0, and
    FloatingPointError if a gradient is not finite (scaling cannot mend it). Source: Pascanu, Mikolov & Bengio 2013.

    >>> grads = {"a": np.array([3.0]), "b": np.array([4.0])}
    >>> clip_by_global_norm(grads, 1.0), grads["a"].round(12)
    (5.0, array([0.6]))
    """
    _positive("max_norm", max_norm)
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


def clip_by_value(grads, limit):
    """Each entry of each gradient to [−limit, limit], in place. Changes the direction.

    Raises ValueError unless limit > 0, and FloatingPointError if a gradient is not finite.

    >>> grads = {"a": np.array([3.0, -0.5])}
    >>> clip_by_value(grads, 1.0); grads["a"]
    array([ 1. , -0.5])
    """
    _positive("limit", limit)
    _expect_finite(grads)
    for g in grads.values():
        np.clip(g, -limit, limit, out=g)


def expect_matching(params, grads):
    """Raise KeyError, naming what lacks and what is too many, unless the two dicts have equal keys; ValueError unless
    each gradient has its parameter's shape."""
    if params.keys() != grads.keys():
        lacks, extra = sorted(params.keys() - grads.keys()), sorted(grads.keys() - params.keys())
        raise KeyError(f"expected gradients for {sorted(params)}: lacks {lacks}, too many {extra}")
    for name, p in params.items():
        if np.shape(grads[name]) != p.shape:
            raise ValueError(f"expected the gradient of {name} of shape {p.shape}, got {np.shape(grads[name])}")


def _positive(name, value):
    if not value > 0:
        raise ValueError(f"expected {name} to be positive, got {value}")
    return value


def _expect_finite(grads):
    for name, g in grads.items():
        if not np.isfinite(g).all():
            raise FloatingPointError(f"expected finite gradients, got {g[~np.isfinite(g)][0]} in {name}")
