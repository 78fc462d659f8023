"""Turn a language model's logits into text: one token at a time, each fed back as the next input."""

from collections.abc import Callable

import numpy as np

from rnncourse.arrays import Array, expect, expect_ids, expect_positive, expect_rng, log_softmax, one_hot
from rnncourse.layers import Layer

Encode = Callable[[Array], Array]
"""Ids (n,) to what a model reads, (n, …)."""


def sample(
    model: Layer,
    prompt: Array,
    length: int,
    rng: np.random.Generator,
    temperature: float = 1.0,
    encode: Encode | None = None,
) -> Array:
    """Draw `length` token ids that continue the ids `prompt` (n,).

    `model` maps inputs (T, B, …) to logits (T, B, V). The inputs are one-hot vectors, as wide as its last parameter,
    which is the output layer's bias (V,); or what `encode` makes of ids (n,). For a model that begins with an
    `Embedding`, which takes the ids themselves, give `encode=np.asarray`.
    Each token is drawn from softmax(logits / temperature) and fed back as the next input, with the state carried along.
    Temperature below 1 sharpens the distribution, above 1 flattens it.
    Returns an int array (length,). Raises ValueError for an empty prompt, a length or a temperature that is not
    positive, logits that are not finite, or a model without parameters and no `encode`; TypeError if `rng` is not a
    NumPy generator.

    >>> from rnncourse.layers import Linear
    >>> after = Linear(3, 3, np.random.default_rng(0))
    >>> after.W[:], after.b[:] = 99 * np.roll(np.eye(3), 1, axis=1), 0  # 1 follows 0, 2 follows 1, 0 follows 2
    >>> sample(after, np.array([0]), 5, np.random.default_rng(0))
    array([1, 2, 0, 1, 2])
    """
    expect_rng("rng", rng)
    return _continue(model, prompt, length, lambda logits: draw(logits, rng, temperature), encode)


def greedy(model: Layer, prompt: Array, length: int, encode: Encode | None = None) -> Array:
    """The likeliest token at every step: what `sample` tends to as the temperature goes to 0. Arguments as there.

    The likeliest token each time need not make the likeliest text. Of equally likely tokens it takes the first.

    >>> from rnncourse.layers import Linear
    >>> after = Linear(3, 3, np.random.default_rng(0))
    >>> after.W[:], after.b[:] = np.roll(np.eye(3), 1, axis=1), 0
    >>> greedy(after, np.array([0, 1]), 4)
    array([2, 0, 1, 2])
    """
    return _continue(model, prompt, length, lambda logits: int(logits.argmax()), encode)


def draw(logits: Array, rng: np.random.Generator, temperature: float = 1.0) -> int:
    """One index from softmax(logits / temperature), logits (V,), by inverting the cumulative sum of the probabilities.

    It computes in float64, whatever the logits' dtype: their sum over a large vocabulary must not lose the last tokens.
    Raises ValueError unless temperature > 0, TypeError or ValueError if the logits are not finite floats (V,).

    >>> draw(np.array([-1e9, 0.0, -1e9]), np.random.default_rng(0))
    1
    """
    if not temperature > 0:
        raise ValueError(f"expected temperature to be positive, got {temperature}")
    logits = expect("logits", logits, ("V",)).astype(np.float64)
    with np.errstate(over="ignore"):  # however far below the largest: its probability is 0
        p = np.exp(log_softmax((logits - logits.max()) / temperature))
    return min(int(np.searchsorted(np.cumsum(p), rng.random(), side="right")), len(p) - 1)


def _continue(model: Layer, prompt: Array, length: int, choose: Callable[[Array], int], encode: Encode | None) -> Array:
    expect_positive(length=length)
    if encode is None:
        if not model.params:
            raise ValueError("expected a model with parameters, or encode to make its inputs, got neither")
        bias = list(model.params.values())[-1]
        V, dtype = bias.shape[-1], bias.dtype
        expect_ids("prompt", prompt, V, ("n",))
        encode = lambda ids: one_hot(ids, V, dtype)
    ids = expect_ids("prompt", prompt, np.iinfo(np.int64).max, ("n",))
    tokens: list[int] = []
    state = None
    for _ in range(length):
        logits, state, _ = model.forward(encode(ids)[:, None], state)
        tokens.append(choose(expect("logits", logits, ("T", "B", "V"))[-1, 0]))
        ids = np.array(tokens[-1:])
    return np.array(tokens)
