"""Layers made of several. A parameter's name is its layer's name, a dot, and the name it has there.

An error inside a layer carries a note that says which one it was.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rnncourse.arrays import Array, Params, State, expect_array
from rnncourse.layers.contract import Gradients, Layer, Mask, Outputs, Rng, expect_layer


class Stacked:
    """Layers one above another: the outputs of one are the inputs of the next. Its state is a list of theirs.

    Raises TypeError if an argument is not a layer, ValueError if two of them share an array of parameters.

    >>> from rnncourse.cells import RNN
    >>> from rnncourse.layers import Linear
    >>> rng = np.random.default_rng(0)
    >>> list(Stacked(RNN(4, 6, rng), Linear(6, 2, rng)).params)
    ['0.W_x', '0.W_h', '0.b', '1.W', '1.b']
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers = tuple(expect_layer(f"layer {k}", layer) for k, layer in enumerate(layers))
        expect_apart(self.params)

    @property
    def params(self) -> Params:
        """The parameters of all layers by name, as one flat dict."""
        return joined(range(len(self.layers)), (layer.params for layer in self.layers))

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D) up through every layer. Raises ValueError unless `state` has one entry a layer."""
        states, tapes = [], []
        for k, (layer, s) in enumerate(zip(self.layers, one_each("state", state, len(self.layers)), strict=True)):
            with inside(f"layer {k}", layer):
                X, s, tape = layer.forward(X, s, mask, rng)
            states.append(s)
            tapes.append(tape)
        return X, states, tapes

    def backward(self, dY: Array, tapes: list[Any], dstate: State = None) -> Gradients:
        """dY down through every layer. Raises ValueError unless `tapes` and `dstate` have one entry a layer."""
        n = len(self.layers)
        tapes = one_each("tapes", () if tapes is None else tapes, n)
        dstates = one_each("dstate", dstate, n)
        grads: list[Params] = [{}] * n
        for k in reversed(range(n)):
            with inside(f"layer {k}", self.layers[k]):
                dY, dstates[k], grads[k] = self.layers[k].backward(dY, tapes[k], dstates[k])
        return dY, dstates, joined(range(n), grads)


class Bidirectional:
    """`left` reads from the first step to the last, `right` from the last to the first; outputs side by side.

    y_t = [left's output at t, right's output at t]: what came before, and what comes after. Its state is a list of
    theirs, and each one's last state is the one after the last step *it* read. A mask keeps this exact: reading from
    the last step, a state waits through the padding until the sequence's own end. It needs the whole sequence: chunks
    of one, with the state handed on, are something else. Source: Schuster & Paliwal 1997.
    Raises TypeError if an argument is not a layer, ValueError if the two share an array of parameters.

    >>> from rnncourse.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> layer = Bidirectional(RNN(4, 6, rng), RNN(4, 6, rng))
    >>> Y, _, _ = layer.forward(np.ones((7, 5, 4)))
    >>> Y.shape, list(layer.params)[:2]
    ((7, 5, 12), ['left.W_x', 'left.W_h'])
    """

    def __init__(self, left: Layer, right: Layer) -> None:
        self.left, self.right = expect_layer("left", left), expect_layer("right", right)
        expect_apart(self.params)

    @property
    def params(self) -> Params:
        """The parameters of both layers by name, as one flat dict."""
        return joined(("left", "right"), (self.left.params, self.right.params))

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D) to Y (T, B, Q + Q′). Raises ValueError unless `state` has two entries."""
        before, after = one_each("state", state, 2)
        with inside("left", self.left):
            L, before, tape_left = self.left.forward(X, before, mask, rng)
        with inside("right", self.right):
            R, after, tape_right = self.right.forward(X[::-1], after, None if mask is None else mask[::-1], rng)
        return np.concatenate([L, R[::-1]], axis=-1), [before, after], (tape_left, tape_right, L.shape, R.shape)

    def backward(self, dY: Array, tape: tuple[Any, ...], dstate: State = None) -> Gradients:
        """dY (T, B, Q + Q′) to dX (T, B, D). Raises ValueError unless `dstate` has two entries."""
        tape_left, tape_right, (T, B, Q), (*_, Q_right) = tape
        expect_array("dY", dY, (T, B, Q + Q_right))
        before, after = one_each("dstate", dstate, 2)
        with inside("left", self.left):
            dX, before, left = self.left.backward(dY[..., :Q], tape_left, before)
        with inside("right", self.right):
            dX_right, after, right = self.right.backward(dY[::-1, :, Q:], tape_right, after)
        dX = None if dX is None else dX + dX_right[::-1]
        return dX, [before, after], joined(("left", "right"), (left, right))


def joined(names: Iterable[object], dicts: Iterable[Params]) -> Params:
    """One flat dict of several, each behind its name.

    >>> joined(["left", "right"], [{"W": 1}, {"W": 2, "b": 3}])
    {'left.W': 1, 'right.W': 2, 'right.b': 3}
    """
    return {f"{name}.{key}": value for name, d in zip(names, dicts, strict=True) for key, value in d.items()}


def expect_apart(params: Params) -> None:
    """Raise ValueError if one array stands under two names: it would be counted, saved and updated twice.

    >>> W = np.eye(2)
    >>> expect_apart({"0.W": W, "1.W": W})
    Traceback (most recent call last):
    ValueError: expected layers with parameters of their own, got one array for both 0.W and 1.W
    """
    names: dict[int, str] = {}
    for name, p in params.items():
        first = names.setdefault(id(p), name)
        if first != name:
            raise ValueError(f"expected layers with parameters of their own, got one array for both {first} and {name}")


def one_each(name: str, state: State, n: int) -> list[State]:
    """`state` as a list with an entry for each of n layers: all None for None. Raises ValueError if it has others.

    >>> one_each("state", None, 2)
    [None, None]
    """
    if state is None:
        return [None] * n
    if not isinstance(state, (tuple, list)) or len(state) != n:
        got = len(state) if isinstance(state, (tuple, list)) else type(state).__name__
        raise ValueError(f"expected {name} with {n} entries, one a layer, got {got}")
    return list(state)


@contextmanager
def inside(name: str, layer: Layer) -> Iterator[None]:
    """Add to any exception raised in the block the note that it came from `layer`.

    >>> try:
    ...     with inside("layer 1", Stacked()):
    ...         raise ValueError("expected X of another shape")
    ... except ValueError as error:
    ...     print(error, *error.__notes__)
    expected X of another shape (in layer 1, Stacked)
    """
    try:
        yield
    except Exception as error:
        error.add_note(f"(in {name}, {type(layer).__name__})")
        raise
