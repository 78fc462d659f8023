"""Losses. Each returns (loss, dY): a number, and its gradient with respect to the network's outputs.

The loss is a mean over *tokens*, that is, over the steps (t, b) where `mask` is True, so that padding and
batch size change neither the loss nor the learning rate's meaning.
"""

import numpy as np

from rnncourse.arrays import expect, expect_ids, expect_mask, log_softmax


def softmax_cross_entropy(logits, targets, mask=None):
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
    chosen = np.take_along_axis(logp, targets[..., None], axis=-1)
    dlogits = np.exp(logp)
    np.put_along_axis(dlogits, targets[..., None], np.take_along_axis(dlogits, targets[..., None], -1) - 1, axis=-1)
    return -float((chosen * weight).sum()), dlogits * weight


def squared_error(Y, targets, mask=None):
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


def from_step(first, loss):
    """The same loss, taken of the outputs from step `first` on: −1 for networks that read many steps and answer once.

    Returns a loss whose `Y` is (T, B, Q) and whose `targets` are those of the steps asked for, Y[first:]. Its gradient
    is 0 at all earlier steps. `mask` (T, B), if given, is cut alike.

    >>> value, dY = from_step(-1, squared_error)(np.ones((5, 2, 1)), np.zeros((1, 2, 1)))
    >>> value, dY[:, 0, 0]
    (0.5, array([0. , 0. , 0. , 0. , 0.5]))
    """

    def late_loss(Y, targets, mask=None):
        value, dlate = loss(Y[first:], targets, None if mask is None else mask[first:])
        dY = np.zeros_like(Y)
        dY[first:] = dlate
        return value, dY

    return late_loss


def perplexity(total_loss, tokens):
    """exp(total loss / number of tokens): how many equally likely choices the model is as unsure as.

    `total_loss` is a *sum* of −log p in nats. A mean of per-batch perplexities is another, larger number.
    Raises ValueError unless tokens ≥ 1.

    >>> perplexity(3 * np.log(4), 3) == 4
    np.True_
    """
    if tokens < 1:
        raise ValueError(f"expected tokens of at least 1, got {tokens}")
    return np.exp(total_loss / tokens)


def _token_weights(mask, shape, dtype):
    """(T, B, 1) weights: 1/N for each of the N real tokens, 0 elsewhere."""
    if expect_mask("mask", mask, shape) is None:
        mask = np.ones(shape, bool)
    if not mask.any():
        raise ValueError("expected mask with at least one True, got none")
    return (mask / mask.sum()).astype(dtype)[..., None]
