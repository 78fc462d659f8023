"""Layers that are not cells, and layers made of layers.

Every layer keeps one contract, so that they compose:

    forward(X, state=None, mask=None, rng=None) -> Y, state, tape        rng given means training
    backward(dY, tape, dstate=None)             -> dX, dstate, grads     grads has the keys of params
"""

import numpy as np

from rnncourse import init
from rnncourse.arrays import expect, expect_positive, flat


class Linear:
    """y = x W + b at every step: W (D, Q), b (Q,). Also the output head of a recurrent network.

    Both drawn from U(−1/√D, 1/√D), as torch does.
    Raises TypeError or ValueError, naming the argument, if X or dY does not fit.

    >>> Linear(3, 2, np.random.default_rng(0)).forward(np.zeros((7, 5, 3)))[0].shape
    (7, 5, 2)
    """

    def __init__(self, D, Q, rng, dtype=np.float64):
        expect_positive(D=D, Q=Q)
        self.W, self.b = (init.uniform(s, D**-0.5, rng, dtype) for s in ((D, Q), (Q,)))

    @property
    def params(self):
        """The parameters by name. The arrays are the layer's own: change them in place."""
        return {"W": self.W, "b": self.b}

    def forward(self, X, state=None, mask=None, rng=None):
        """X (T, B, D) to Y (T, B, Q). The state passes by unused."""
        expect("X", X, ("T", "B", len(self.W)), self.W.dtype)
        return (flat(X) @ self.W + self.b).reshape(*X.shape[:-1], -1), state, X

    def backward(self, dY, X, dstate=None):
        """dY (T, B, Q) to dX (T, B, D)."""
        expect("dY", dY, (*X.shape[:-1], self.W.shape[1]), self.W.dtype)
        grads = {"W": flat(X).T @ flat(dY), "b": flat(dY).sum(axis=0)}
        return (flat(dY) @ self.W.T).reshape(X.shape), dstate, grads


class Stacked:
    """Layers one above another: the outputs of one are the inputs of the next.

    Its state is a list of the layers' states; a parameter's name is the layer's number, a dot, and the layer's own
    name.

    >>> from rnncourse.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> list(Stacked(RNN(4, 6, rng), Linear(6, 2, rng)).params)
    ['0.W_x', '0.W_h', '0.b', '1.W', '1.b']
    """

    def __init__(self, *layers):
        self.layers = layers

    @property
    def params(self):
        """The parameters of all layers by name, as one flat dict."""
        return numbered(layer.params for layer in self.layers)

    def forward(self, X, state=None, mask=None, rng=None):
        """X (T, B, D) up through every layer. Raises ValueError unless `state` has one entry a layer."""
        states, tapes = [], []
        for layer, s in zip(self.layers, self._each("state", state), strict=True):
            X, s, tape = layer.forward(X, s, mask, rng)
            states.append(s)
            tapes.append(tape)
        return X, states, tapes

    def backward(self, dY, tapes, dstate=None):
        """dY down through every layer."""
        dstates, grads = [], []
        for layer, tape, ds in reversed(list(zip(self.layers, tapes, self._each("dstate", dstate), strict=True))):
            dY, ds, g = layer.backward(dY, tape, ds)
            dstates.append(ds)
            grads.append(g)
        return dY, dstates[::-1], numbered(grads[::-1])

    def _each(self, name, state):
        if state is None:
            return [None] * len(self.layers)
        if not isinstance(state, (tuple, list)) or len(state) != len(self.layers):
            got = len(state) if isinstance(state, (tuple, list)) else type(state).__name__
            raise ValueError(f"expected {name} with {len(self.layers)} entries, one a layer, got {got}")
        return state


def numbered(dicts):
    """[{'W': …}, {'W': …}] to {'0.W': …, '1.W': …}.

    >>> numbered([{"W": 1}, {"W": 2, "b": 3}])
    {'0.W': 1, '1.W': 2, '1.b': 3}
    """
    return {f"{k}.{name}": value for k, d in enumerate(dicts) for name, value in d.items()}
