"""Layers that are not cells, and layers made of layers. All keep one contract, so that they compose: see `Layer`.

`steps`         treat every step alike: Linear, Embedding, LayerNorm
`elementwise`   treat every entry alike: Tanh, ReLU, Dropout, SequenceDropout
`windows`       look back over a fixed number of steps: Window, and the window MLP and causal CNN made with it
`combinators`   are made of several layers: Stacked, Bidirectional
`wrappers`      are made of one: Residual, Frozen
"""

from rnncourse.layers.combinators import Bidirectional, Stacked
from rnncourse.layers.contract import Layer
from rnncourse.layers.elementwise import Dropout, ReLU, SequenceDropout, Tanh
from rnncourse.layers.steps import Embedding, LayerNorm, Linear
from rnncourse.layers.windows import Window, causal_cnn, window_mlp
from rnncourse.layers.wrappers import Frozen, Residual

__all__ = [
    "Bidirectional",
    "Dropout",
    "Embedding",
    "Frozen",
    "Layer",
    "LayerNorm",
    "Linear",
    "ReLU",
    "Residual",
    "SequenceDropout",
    "Stacked",
    "Tanh",
    "Window",
    "causal_cnn",
    "window_mlp",
]
