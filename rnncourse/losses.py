"""Losses. Each returns (loss, dY): a number, and its gradient with respect to the network's outputs.

The loss is a mean over *tokens*, that is, over the steps (t, b) where `mask` is True, so that padding and
batch size change neither the loss nor the learning rate's meaning.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from rnncourse.arrays import Array, expect, expect_ids, expect_mask, expect_positive, log_softmax

Loss: TypeAlias = Callable[[Array, Array, Array | None], tuple[float, Array]]
"""`loss(Y, targets, mask)` returns the loss and its gradient with respect to the outputs Y."""


def softmax_cross_entropy(logits: Array, targets: Array, mask: Array | None = None) -> tuple[float, Array]:
    """L = −(1/N) Σ_{t,b} log softmax(logits_tb)[target_tb] over the N unmasked tokens, in nats.

    `logits` (T, B, V), `targets` (T, B) integers 0 … V−1, `mask` (T, B) bool. Returns L and
    ∂L/∂logits = (softmax(logits) − one_hot(targets)) / N, which is 0 where the mask is False.
    Raises TypeError or ValueError naming the argument; ValueError if the mask leaves no token.

    >>> softmax_cross_entropy(np.zeros((1, 1, 4)), np.array([[2]]))[0] == np.log(4)
    np.True_
    """
    T, B, V = expect("logits", logits, ("T", "B", "V")).shape
    expect_ids("targets", targets, V, (T, B))
    weight = _token_weights(mask, (T, B), logits.dtype)
    logp = log_softmax(logits)
    chosen = np.arange(T)[:, None], np.arange(B), targets  # the entry of every step's target
    dlogits = np.exp(logp)
    dlogits[chosen] -= 1
    return -float((logp[chosen] * weight[..., 0]).sum()), dlogits * weight


def squared_error(Y: Array, targets: Array, mask: Array | None = None) -> tuple[float, Array]:
    """L = (1/N) Σ_{t,b} ½ ‖y_tb − target_tb‖² over the N unmasked tokens.

    `Y` and `targets` (T, B, Q), `mask` (T, B) bool. Returns L and ∂L/∂Y = (Y − targets) / N.
    Raises TypeError or ValueError naming the argument; ValueError if the mask leaves no token.

    >>> squared_error(np.full((1, 1, 2), 3.0), np.zeros((1, 1, 2)))[0]
    9.0
    """
    T, B, _ = expect("Y", Y, ("T", "B", "Q")).shape
    expect("targets", targets, Y.shape, Y.dtype)
    difference = (Y - targets) * _token_weights(mask, (T, B), Y.dtype)
    return 0.5 * float((difference * (Y - targets)).sum()), difference


def quantile(*levels: float) -> Loss:
    """The pinball loss of predicted quantiles: one output per level τ, 0 < τ < 1, of one target per step.

        L = (1/N) Σ_{t,b} Σ_τ max(τ e, (τ−1) e)        e = target_tb − y_tbτ

    over the N unmasked tokens. Too low costs τ a unit, too high 1−τ; so the best constant is the targets' τ-quantile,
    and outputs for 0.1 and 0.9 bound an interval that holds 80 % of the targets, if the model is right.
    Returns a loss whose `Y` is (T, B, Q), a column per level, and whose `targets` are (T, B, 1). Its gradient is −τ/N
    where y is too low, (1−τ)/N where it is too high, and 0, which lies between, where it is exact.
    Raises ValueError for no level or one outside (0, 1); the loss, TypeError or ValueError naming the argument.
    Source: Koenker & Bassett 1978.

    >>> loss, dY = quantile(0.1, 0.9)(np.array([[[2.0, 5.0]]]), np.array([[[4.0]]]))
    >>> round(loss, 12), dY  # 0.1 · 2 for the lower, 0.1 · 1 for the upper
    (0.3, array([[[-0.1,  0.1]]]))
    """
    if not levels or not all(np.ndim(level) == 0 and 0 < level < 1 for level in levels):
        raise ValueError(f"expected levels between 0 and 1, got {levels}")

    def pinball(Y: Array, targets: Array, mask: Array | None = None) -> tuple[float, Array]:
        T, B, _ = expect("Y", Y, ("T", "B", len(levels))).shape
        error = expect("targets", targets, (T, B, 1), Y.dtype) - Y
        slope = np.where(error > 0, levels, np.where(error < 0, np.subtract(levels, 1), 0))
        slope = slope.astype(Y.dtype) * _token_weights(mask, (T, B), Y.dtype)
        return float((slope * error).sum()), -slope

    return pinball


def from_step(first: int, loss: Loss) -> Loss:
    """The same loss, taken of the outputs from step `first` on: −1 for networks that read many steps and answer once.

    Returns a loss whose `Y` is (T, B, Q) and whose `targets` are those of the steps asked for, Y[first:]. Its gradient
    is 0 at all earlier steps. `mask` (T, B), if given, is cut alike; the loss raises ValueError if that leaves a
    sequence out (for answers at each sequence's own end see `at_end`), or if Y has no step `first`.

    >>> value, dY = from_step(-1, squared_error)(np.ones((5, 2, 1)), np.zeros((1, 2, 1)))
    >>> value, dY[:, 0, 0]
    (0.5, array([0. , 0. , 0. , 0. , 0.5]))
    """

    def late_loss(Y: Array, targets: Array, mask: Array | None = None) -> tuple[float, Array]:
        T, B, _ = expect("Y", Y, ("T", "B", "Q")).shape
        if not -T <= first < T:
            raise ValueError(f"expected first to be one of {T} steps, got {first}")
        expect_mask("mask", mask, (T, B))
        if mask is not None and not mask[first:].any(axis=0).all():
            none = int(np.argmin(mask[first:].any(axis=0)))
            raise ValueError(
                f"expected mask with a real step of every sequence from step {first} on, got none of {none}"
            )
        value, dlate = loss(Y[first:], targets, None if mask is None else mask[first:])
        dY = np.zeros_like(Y)
        dY[first:] = dlate
        return value, dY

    return late_loss


def at_end(loss: Loss) -> Loss:
    """The same loss, taken of each sequence's output at its own last real step: one answer to a sequence of any length.

    Returns a loss whose `Y` is (T, B, Q), whose `targets` are those of one step, (1, B) or (1, B, Q), and whose `mask`
    (T, B), True at least once for every sequence, says where each ends (at T if None). The gradient is 0 elsewhere.
    Raises TypeError or ValueError naming the argument.

    >>> mask = np.array([[True, True], [True, False], [True, False]])  # three steps, and one
    >>> value, dY = at_end(squared_error)(np.ones((3, 2, 1)), np.zeros((1, 2, 1)), mask)
    >>> value, dY[..., 0]
    (0.5, array([[0. , 0.5],
           [0. , 0. ],
           [0.5, 0. ]]))
    """

    def end_loss(Y: Array, targets: Array, mask: Array | None = None) -> tuple[float, Array]:
        T, B, _ = expect("Y", Y, ("T", "B", "Q")).shape
        expect_mask("mask", mask, (T, B))
        real = np.ones((T, B), bool) if mask is None else mask
        if not real.any(axis=0).all():
            none = int(np.argmin(real.any(axis=0)))
            raise ValueError(f"expected mask with a real step of every sequence, got none of {none}")
        last = T - 1 - np.argmax(real[::-1], axis=0), np.arange(B)
        value, dend = loss(Y[last][None], targets, None)
        dY = np.zeros_like(Y)
        dY[last] = dend[0]
        return value, dY

    return end_loss


def perplexity(total_loss: float, tokens: int) -> float:
    """exp(total loss / number of tokens): how many equally likely choices the model is as unsure as.

    `total_loss` is a *sum* of −log p in nats. A mean of per-batch perplexities is another number, never smaller if the
    batches are equally long. Raises ValueError unless `tokens` is a positive integer.

    >>> perplexity(3 * np.log(4), 3) == 4
    True
    """
    expect_positive(tokens=tokens)
    return float(np.exp(total_loss / tokens))


def _token_weights(mask: Array | None, shape: tuple[int, int], dtype: DTypeLike) -> Array:
    """(T, B, 1) weights: 1/N for each of the N real tokens, 0 elsewhere."""
    expect_mask("mask", mask, shape)
    real = np.ones(shape, bool) if mask is None else mask
    if not real.any():
        raise ValueError("expected mask with at least one True, got none")
    weights: Array = (real / real.sum()).astype(dtype)
    return weights[..., None]
