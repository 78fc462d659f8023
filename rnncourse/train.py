"""The training loop: forward, loss, backward, clip, step. And a progress bar that stays out of the way."""

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from rnncourse.arrays import Array, State
from rnncourse.evidence import in_notebook
from rnncourse.layers import Layer
from rnncourse.losses import Loss
from rnncourse.optim import Optimizer, clip_by_global_norm


def train_step(
    model: Layer,
    X: Array,
    targets: Array,
    loss: Loss,
    optimizer: Optimizer,
    state: State = None,
    mask: Array | None = None,
    max_norm: float | None = None,
    rng: np.random.Generator | None = None,
) -> tuple[float, State]:
    """One update of the model's parameters from one batch.

    X (T, B, D), and `targets` as `loss(Y, targets, mask)` takes them. `state` is where they start (zeros if None).
    Gradients are clipped to the global norm `max_norm` if one is given. `rng` is handed to the layers: without it
    nothing is dropped.
    Returns the loss before the update, and the last state: hand it to the next call to carry the state on. Its gradient
    is not handed back, so what carries it on is truncated BPTT.
    Raises FloatingPointError, before anything is updated, if the loss is not finite.

    >>> from rnncourse.layers import Linear
    >>> from rnncourse.losses import squared_error
    >>> from rnncourse.optim import SGD
    >>> model = Linear(1, 1, np.random.default_rng(0))
    >>> X = np.linspace(-1, 1, 9).reshape(9, 1, 1)
    >>> before, _ = train_step(model, X, 2 * X, squared_error, SGD(model.params, lr=0.5))
    >>> after, _ = train_step(model, X, 2 * X, squared_error, SGD(model.params, lr=0.5))
    >>> after < before
    True
    """
    Y, state, tape = model.forward(X, state, mask, rng)
    value, dY = loss(Y, targets, mask)
    if not np.isfinite(value):
        raise FloatingPointError(f"expected a finite loss, got {value}: clip the gradients, or lower the learning rate")
    _, _, grads = model.backward(dY, tape)
    if max_norm is not None:
        clip_by_global_norm(grads, max_norm)
    optimizer.step(grads)
    return value, state


def fit(
    model: Layer,
    batches: Iterable[tuple[Array, ...]],
    loss: Loss,
    optimizer: Optimizer,
    max_norm: float | None = None,
    carry_state: bool = False,
    rng: np.random.Generator | None = None,
    name: str = "training",
) -> Array:
    """Take one `train_step` for each (X, targets) or (X, targets, mask) of the iterable `batches`.

    With `carry_state` each batch starts in the state where the one before it stopped (stateful training: the batches
    must follow one another, see `text.contiguous_batches`); without, each starts from zeros. `rng` is handed to the
    layers: without it nothing is dropped.
    Returns the losses, float64 (number of batches,). Raises FloatingPointError when the loss is no longer finite,
    ValueError for a batch of other than two or three things, and what the layers raise (ValueError, if outputs overflow
    before the loss does); a note says at which batch.

    >>> from rnncourse.layers import Linear
    >>> from rnncourse.losses import squared_error
    >>> from rnncourse.optim import SGD
    >>> model = Linear(1, 1, np.random.default_rng(0))
    >>> X = np.linspace(-1, 1, 9).reshape(9, 1, 1)
    >>> losses = fit(model, [(X, 2 * X + 1)] * 100, squared_error, SGD(model.params, lr=0.5))
    >>> losses.shape, model.params["W"].round(3), model.params["b"].round(3)
    ((100,), array([[2.]]), array([1.]))
    """
    losses: list[float] = []
    state: State = None
    bar = progress(batches, name)
    for batch in bar:
        try:
            if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
                got = len(batch) if isinstance(batch, (tuple, list)) else type(batch).__name__
                raise ValueError(f"expected batches of (X, targets) or (X, targets, mask), got {got}")
            X, targets, mask = (*batch, None)[:3]
            value, last = train_step(model, X, targets, loss, optimizer, state, mask, max_norm, rng)
        except Exception as error:
            error.add_note(f"({name}, batch {len(losses)})")
            raise
        losses.append(value)
        state = last if carry_state else None
        bar.set_postfix(loss=f"{value:.3g}", refresh=False)
    return np.array(losses)


def progress(items: Iterable[Any], name: str) -> Any:
    """`items` behind a progress bar on stderr: in a terminal or a notebook, once the loop has run for half a second.

    Written to a file or a pipe it says nothing, and the built book leaves stderr out.

    >>> sum(progress([1, 2, 3], "counting"))
    6
    """
    from tqdm import tqdm  # here, since importing it takes longer than importing the rest of the package

    return tqdm(items, desc=name, delay=0.5, disable=not (sys.stderr.isatty() or in_notebook()))
