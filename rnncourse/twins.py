"""Which layers have a twin in torch: one cell, or several of a kind stacked, in one direction or both."""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncourse.cells import GRU, LSTM, RNN, Cell, ReLURNN
from rnncourse.layers import Bidirectional, Dropout, Layer, Stacked

KINDS = (RNN, ReLURNN, LSTM, GRU)
"""The cells that torch has."""


class Plan(NamedTuple):
    """What a torch.nn.RNN, LSTM or GRU is made by: the kind of cell, the sizes, and how many go where.

    >>> Plan(LSTM, D=4, H=6, num_layers=2, bidirectional=False, dropout=0.5).num_layers
    2
    """

    kind: type[Cell]
    D: int
    H: int
    num_layers: int
    bidirectional: bool
    dropout: float


def build(plan: Plan, dtype: DTypeLike = np.float64) -> Layer:
    """The layer of a plan, its parameters still to be set.

    >>> outline(build(Plan(RNN, 4, 6, num_layers=2, bidirectional=True, dropout=0.5)))
    'Stacked(Bidirectional(RNN(4, 6), RNN(4, 6)), Dropout(0.5), Bidirectional(RNN(12, 6), RNN(12, 6)))'
    """
    kind, D, H, n, both, p = plan
    rng = np.random.default_rng(0)
    layers: list[Layer] = []
    for k in range(n):
        if k and p:
            layers.append(Dropout(p))
        one, two = (kind(D, H, rng, dtype) for _ in range(2))
        layers.append(Bidirectional(one, two) if both else one)
        D = 2 * H if both else H
    return Stacked(*layers) if n > 1 else layers[0]


def planned(layer: Layer) -> Plan:
    """The plan whose layer is like `layer`. Raises TypeError if there is none, and then torch has no twin of it.

    >>> rng = np.random.default_rng(0)
    >>> planned(Stacked(RNN(4, 6, rng), GRU(6, 6, rng)))
    Traceback (most recent call last):
    TypeError: expected a layer with a twin, like Stacked(RNN(4, 6), RNN(6, 6)), got Stacked(RNN(4, 6), GRU(6, 6))
    """
    found = cells(layer)
    if not found:
        raise TypeError(
            "expected a layer with a twin in torch (Linear, Embedding; RNN, ReLURNN, LSTM, GRU, alone, Bidirectional or"
            f" Stacked), got {outline(layer)}"
        )
    if isinstance(layer, Stacked):  # without what drops nothing
        layer = Stacked(*(level for level in layer.layers if not (isinstance(level, Dropout) and level.p == 0)))
    levels = layer.layers if isinstance(layer, Stacked) else (layer,)
    n = sum(not isinstance(level, Dropout) for level in levels)
    p = next((level.p for level in levels if isinstance(level, Dropout)), 0.0)
    D, H = len(found[0].W_x), len(found[0].W_h)
    plan = Plan(type(found[0]), D, H, n, isinstance(levels[0], Bidirectional), p)
    like, got = outline(build(plan)), outline(layer)
    if got not in (like, f"Stacked({like})"):
        raise TypeError(f"expected a layer with a twin, like {like}, got {got}")
    return plan


def cells(layer: Layer) -> list[Cell]:
    """The cells in a layer that torch has, lowest first, left before right.

    >>> rng = np.random.default_rng(0)
    >>> len(cells(Stacked(Bidirectional(GRU(4, 6, rng), GRU(4, 6, rng)), GRU(12, 6, rng))))
    3
    """
    if type(layer) is Stacked:
        return [cell for level in layer.layers for cell in cells(level)]
    if type(layer) is Bidirectional:
        return cells(layer.left) + cells(layer.right)
    return [layer] if isinstance(layer, Cell) and type(layer) in KINDS else []


def outline(layer: Layer) -> str:
    """What a layer is made of, with its sizes, on one line.

    >>> outline(Bidirectional(LSTM(4, 6, np.random.default_rng(0)), LSTM(4, 6, np.random.default_rng(0))))
    'Bidirectional(LSTM(4, 6), LSTM(4, 6))'
    """
    if isinstance(layer, Stacked):
        parts = [outline(level) for level in layer.layers]
    elif isinstance(layer, Bidirectional):
        parts = [outline(layer.left), outline(layer.right)]
    elif isinstance(layer, Cell):
        parts = [str(len(layer.W_x)), str(len(layer.W_h))]
    else:
        parts = [str(layer.p)] if isinstance(layer, Dropout) else ["…"]
    return f"{type(layer).__name__}({', '.join(parts)})"
