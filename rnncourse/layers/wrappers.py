"""Layers made of one other."""

from typing import Any

from rnncourse.arrays import Array, Params, State
from rnncourse.layers.contract import Gradients, Layer, Mask, Outputs, Rng, expect_layer


class Residual:
    """y = x + layer(x): the layer learns what to add. Its state and its parameters are the layer's.

    The gradient reaches x along the sum unchanged, however deep the stack. Source: He et al. 2016.
    Raises TypeError if `layer` is not a layer, ValueError (in forward) unless its outputs are as wide as its inputs.

    >>> import numpy as np
    >>> from rnncourse.cells import RNN
    >>> Residual(RNN(4, 4, np.random.default_rng(0))).forward(np.ones((7, 5, 4)))[0].shape
    (7, 5, 4)
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = expect_layer("layer", layer)

    @property
    def params(self) -> Params:
        """The parameters of the layer."""
        return self.layer.params

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D) to Y (T, B, D)."""
        Y, state, tape = self.layer.forward(X, state, mask, rng)
        if Y.shape != X.shape:
            raise ValueError(f"expected outputs as wide as the inputs, X + layer(X): got {X.shape} + {Y.shape}")
        return X + Y, state, tape

    def backward(self, dY: Array, tape: Any, dstate: State = None) -> Gradients:
        """dY (T, B, D) to dX (T, B, D)."""
        dX, dstate, grads = self.layer.backward(dY, tape, dstate)
        return dY + dX, dstate, grads


class Frozen:
    """A layer that does what `layer` does and has nothing to learn: no parameters, no gradients of them.

    dX and the state's gradient pass through it. Having no parameters it is left out of what `parameters.save` writes of
    a model: save `frozen.layer.params` to a file of their own, and load them from it.
    Raises TypeError if `layer` is not a layer.

    >>> import numpy as np
    >>> from rnncourse.layers import Embedding
    >>> Frozen(Embedding(1000, 8, np.random.default_rng(0))).params
    {}
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = expect_layer("layer", layer)

    @property
    def params(self) -> Params:
        """No parameters."""
        return {}

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D) to Y (T, B, Q), as the layer does."""
        return self.layer.forward(X, state, mask, rng)

    def backward(self, dY: Array, tape: Any, dstate: State = None) -> Gradients:
        """dY (T, B, Q) to dX (T, B, D), as the layer does."""
        dX, dstate, _ = self.layer.backward(dY, tape, dstate)
        return dX, dstate, {}
