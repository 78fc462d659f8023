"""Turn a language model's logits into text."""

import numpy as np

from rnncourse.arrays import expect, expect_ids, expect_positive, expect_rng, log_softmax, one_hot


def sample(model, prompt, length, rng, temperature=1.0):
    """Draw `length` token ids that continue the ids `prompt` (n,), one at a time.

    `model` maps one-hot inputs (T, B, V) to logits (T, B, V). Each token is drawn from
    softmax(logits / temperature) and fed back as the next input, with the state carried along.
    Temperature below 1 sharpens the distribution, above 1 flattens it.
    Returns an int array (length,). Raises ValueError for an empty prompt, a length or a temperature that is not
    positive; TypeError if `rng` is not a NumPy generator.
    """
    expect_positive(length=length)
    expect_rng("rng", rng)
    if not temperature > 0:
        raise ValueError(f"expected temperature to be positive, got {temperature}")
    first = next(iter(model.params.values()))
    V, dtype = first.shape[0], first.dtype
    expect_ids("prompt", prompt, V, ("n",))
    logits, state, _ = model.forward(one_hot(prompt, V, dtype)[:, None])
    tokens = np.empty(length, int)
    for k in range(length):
        tokens[k] = draw(logits[-1, 0] / temperature, rng)
        logits, state, _ = model.forward(one_hot(tokens[k : k + 1], V, dtype)[:, None], state)
    return tokens


def draw(logits, rng):
    """One index from softmax(logits), logits (V,), by inverting the cumulative sum of the probabilities.

    >>> draw(np.array([-1e9, 0.0, -1e9]), np.random.default_rng(0))
    1
    """
    p = np.exp(log_softmax(expect("logits", logits, ("V",))))
    return min(int(np.searchsorted(np.cumsum(p), rng.random(), side="right")), len(p) - 1)
