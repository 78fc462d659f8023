"""What a layer is made of, and what its state is made of."""

from collections.abc import Callable

from rnncourse.arrays import Array, State
from rnncourse.layers import Layer


def parts(layer: Layer) -> list[Layer]:
    """`layer`, then every layer inside it, however deep.

    >>> import numpy as np
    >>> from rnncourse.layers import Linear, Residual, Stacked, Tanh
    >>> square = Linear(3, 3, np.random.default_rng(0))
    >>> [type(part).__name__ for part in parts(Stacked(Residual(square), Tanh()))]
    ['Stacked', 'Residual', 'Linear', 'Tanh']
    """
    values = [v for value in vars(layer).values() for v in (value if isinstance(value, (tuple, list)) else (value,))]
    return [layer, *(part for inner in values if isinstance(inner, Layer) for part in parts(inner))]


def each(f: Callable[[Array], Array], state: State) -> State:
    """A state of the same structure, every array a of it replaced by f(a).

    >>> each(lambda a: a + 1, [(1, 2), None])
    [(2, 3), None]
    """
    if isinstance(state, (tuple, list)):
        return type(state)(each(f, inner) for inner in state)
    return None if state is None else f(state)


def leaves(state: State) -> list[Array]:
    """The arrays of a state, in order.

    >>> leaves([(1, 2), None, [(3,)]])
    [1, 2, 3]
    """
    if isinstance(state, (tuple, list)):
        return [a for inner in state for a in leaves(inner)]
    return [] if state is None else [state]
