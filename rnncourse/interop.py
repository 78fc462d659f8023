"""Weights to and from torch. With the chapters, the only place that imports torch.

torch stores the transposes (its product is `W x`, ours `x W`) and two biases that are always added: ours is their sum.
"""

import numpy as np
import torch

from rnncourse.cells import RNN, ReLURNN
from rnncourse.layers import Linear

NONLINEARITY = {RNN: "tanh", ReLURNN: "relu"}


def to_torch(layer):
    """The torch module that computes the same as `layer`: an RNN, a ReLURNN or a Linear, in its dtype.

    The second bias that torch has, `bias_hh_l0`, is set to zero.
    Raises TypeError for a layer that torch has no twin of.

    >>> to_torch(RNN(4, 6, np.random.default_rng(0)))
    RNN(4, 6)
    """
    tensor = {name: torch.from_numpy(p.T) for name, p in layer.params.items()}
    if type(layer) is Linear:
        module = torch.nn.Linear(*layer.W.shape, dtype=tensor["W"].dtype)
        twins = {"weight": tensor["W"], "bias": tensor["b"]}
    elif type(layer) in NONLINEARITY:
        D, H = layer.W_x.shape
        module = torch.nn.RNN(D, H, nonlinearity=NONLINEARITY[type(layer)], dtype=tensor["W_x"].dtype)
        b = tensor["b"]
        twins = {
            "weight_ih_l0": tensor["W_x"],
            "weight_hh_l0": tensor["W_h"],
            "bias_ih_l0": b,
            "bias_hh_l0": torch.zeros_like(b),
        }
    else:
        raise TypeError(f"expected a layer with a twin in torch (RNN, ReLURNN, Linear), got {type(layer).__name__}")
    module.load_state_dict(twins)
    return module


def from_torch(module):
    """The layer that computes the same as `module`: a one-layer, one-directional torch.nn.RNN, or a torch.nn.Linear.

    Raises TypeError for another module, ValueError for an RNN with more layers, two directions or no bias.

    >>> from_torch(torch.nn.RNN(4, 6, dtype=torch.float64)).W_x.shape
    (4, 6)
    """
    if not isinstance(module, (torch.nn.RNN, torch.nn.Linear)):
        raise TypeError(f"expected a torch.nn.RNN or torch.nn.Linear, got {type(module).__name__}")
    array = {name: p.detach().numpy().T for name, p in module.named_parameters()}
    if isinstance(module, torch.nn.Linear):
        cls, size = Linear, (module.in_features, module.out_features)
        if module.bias is None:
            raise ValueError("expected a module with a bias, got bias=False")
        values = {"W": array["weight"], "b": array["bias"]}
    else:
        if module.num_layers != 1 or module.bidirectional or not module.bias:
            raise ValueError(f"expected one layer, one direction and a bias, got {module}")
        cls = {name: cell for cell, name in NONLINEARITY.items()}[module.nonlinearity]
        size = module.input_size, module.hidden_size
        values = {
            "W_x": array["weight_ih_l0"],
            "W_h": array["weight_hh_l0"],
            "b": array["bias_ih_l0"] + array["bias_hh_l0"],
        }
    layer = cls(*size, np.random.default_rng(0), dtype=next(iter(values.values())).dtype)
    for name, p in layer.params.items():
        p[:] = values[name]
    return layer
