"""What every layer and every cell can do, and what it promises."""

from typing import Any, Protocol, TypeAlias, runtime_checkable

from numpy.random import Generator

from rnncourse.arrays import Array, Params, State

Mask: TypeAlias = Array | None
"""(T, B) bool, True where a step is real, or None if all are."""

Rng: TypeAlias = Generator | None
"""The generator that training draws from, or None outside training."""

Outputs: TypeAlias = tuple[Array, State, Any]
"""What `forward` returns: Y, the state after the last step, and the tape."""

Gradients: TypeAlias = tuple[Any, State, Params]
"""What `backward` returns: dX (None where X are ids), the gradient of the first state, and the parameters'."""


@runtime_checkable
class Layer(Protocol):
    """A map from a sequence to a sequence, and its way back.

    What the forward pass leaves for the backward pass is its `tape`, and nothing else crosses: a layer keeps no
    memory of a call. The state after the last step, handed to the next call, carries a sequence on; its gradient,
    handed back, makes chunks of a sequence exactly the whole. A layer without state lets both pass by.

    Where `mask` (T, B) is False a step is padding. What X holds there changes nothing at the real steps. A loss
    gives these steps no gradient, and so dX is 0 there: a cell or a `Window` sees to it, and all other layers
    map the zeros that reach them to zeros. A layer that has no use for the mask does not look at it, so that a mask of
    a wrong shape or dtype is only refused where it is used.

    Arrays that `forward` hands out may share memory with X, with each other and with the tape, which holds X itself:
    none of them is yours to change before `backward` has been called. Copy them first.

    >>> import numpy as np
    >>> from rnncourse.cells import RNN
    >>> isinstance(RNN(4, 6, rng=np.random.default_rng(0)), Layer)
    True
    """

    @property
    def params(self) -> Params:
        """The parameters by name, in one flat dict. The arrays are the layer's own: change them in place."""

    def forward(self, X: Array, state: State = None, mask: Mask = None, rng: Rng = None) -> Outputs:
        """X (T, B, D), from `state` on (zeros if None), to Y (T, B, Q), the last state and the tape.

        `rng` given means training: it draws what dropout drops.
        """

    def backward(self, dY: Array, tape: Any, /, dstate: State = None) -> Gradients:
        """dY (T, B, Q), and the last state's gradient (none if None), to dX, the first state's gradient and grads.

        `grads` has the keys of `params`.
        """


def expect_layer(name: str, layer: Any) -> Layer:
    """Raise TypeError unless `layer` has what a `Layer` has; return it.

    >>> from rnncourse.layers import Tanh
    >>> expect_layer("layer", Tanh)
    Traceback (most recent call last):
    TypeError: expected layer to be a layer, got the class Tanh: make one with Tanh(…)
    """
    if isinstance(layer, type):
        raise TypeError(
            f"expected {name} to be a layer, got the class {layer.__name__}: make one with {layer.__name__}(…)"
        )
    if not isinstance(layer, Layer):
        raise TypeError(f"expected {name} to be a layer (params, forward, backward), got {type(layer).__name__}")
    return layer
