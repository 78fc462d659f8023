"""What a layer costs: numbers to learn, and operations to run."""

from typing import NamedTuple

from rnncourse.analysis.structure import parts
from rnncourse.arrays import expect_positive
from rnncourse.layers import Embedding, Layer
from rnncourse.layers.contract import expect_layer


class Flops(NamedTuple):
    """Floating-point operations of one forward and one backward pass.

    >>> sum(Flops(forward=2, backward=4))
    6
    """

    forward: int
    backward: int


def count_parameters(layer: Layer) -> int:
    """How many numbers there are to learn. It does not depend on the length of a sequence.

    Raises TypeError if `layer` is not a layer.

    >>> import numpy as np
    >>> from rnncourse.cells import RNN
    >>> count_parameters(RNN(D=4, H=6, rng=np.random.default_rng(0)))  # 4·6 + 6·6 + 6
    66
    """
    return sum(p.size for p in expect_layer("layer", layer).params.values())


def flops(layer: Layer, T: int, B: int = 1) -> Flops:
    """The floating-point operations of the matrix products over T steps of B sequences.

    A vector times a weight matrix (m, n) takes m·n multiplications and as many additions: 2·m·n operations, forward,
    per step and sequence. Backward takes as many for the vector's gradient and as many for the matrix's: twice that.
    So an LSTM's forward pass takes 2·T·B·4(D·H + H·H).
    Left out are all products of entry with entry, sums, biases and activations, which grow with H, not with H²; what a
    layer computes again instead of saving it; the optimizer; and an embedding, which looks its rows up.
    Raises TypeError if `layer` is not a layer, ValueError unless T and B are positive integers.

    >>> import numpy as np
    >>> from rnncourse.cells import LSTM
    >>> flops(LSTM(D=10, H=20, rng=np.random.default_rng(0)), T=5)
    Flops(forward=24000, backward=48000)
    """
    expect_layer("layer", layer)
    expect_positive(T=T, B=B)
    single = [part for part in parts(layer) if len(parts(part)) == 1 and not isinstance(part, Embedding)]
    forward = 2 * T * B * sum(p.size for part in single for p in part.params.values() if p.ndim == 2)
    return Flops(forward, 2 * forward)
