"""Weights to and from torch. With the chapters, the only place that imports torch.

torch stores the transposes (its product is `W x`, ours `x W`). It gives a cell two biases that are always added; ours
is their sum, and the second is 0 on the way to torch. Only in the GRU the candidate's second bias, b_h, stands apart.
Gates lie in the same order on both sides.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnncourse.arrays import Array
from rnncourse.cells import GRU, LSTM, RNN, Cell, ReLURNN
from rnncourse.layers import Embedding, Layer, Linear
from rnncourse.twins import Plan, build, cells, planned

MODULES: dict[type[Cell], tuple[Any, dict[str, str]]] = {
    RNN: (nn.RNN, {"nonlinearity": "tanh"}),
    ReLURNN: (nn.RNN, {"nonlinearity": "relu"}),
    LSTM: (nn.LSTM, {}),
    GRU: (nn.GRU, {}),
}
"""For each kind of cell the module that computes it, and the options that make it do so."""

WITHOUT_TWIN: dict[type[nn.Module], dict[str, Any]] = {
    nn.Embedding: {"max_norm": None, "scale_grad_by_freq": False, "sparse": False},
    nn.RNNBase: {"bias": True, "batch_first": False, "proj_size": 0},
}
"""Options of torch's that our layers do not have, and what they must be set to."""


def to_torch(layer: Layer) -> nn.Module:
    """The torch module that computes the same as `layer`, in its dtype, time-major like ours.

    A Linear; an Embedding; or an RNN, ReLURNN, LSTM or GRU: alone, in both directions (`Bidirectional`), or several
    `Stacked`, all of one kind and size, with `Dropout` at one rate between each two of them or nowhere.
    Like every new module it is in training mode: with dropout, call its `eval()` to see the layer's own outputs.
    Raises TypeError for a layer that torch has no twin of, or whose parts differ in dtype.

    >>> from rnncourse.layers import Dropout, Stacked
    >>> rng = np.random.default_rng(0)
    >>> to_torch(Stacked(LSTM(4, 6, rng), Dropout(0.5), LSTM(6, 6, rng)))
    LSTM(4, 6, num_layers=2, dropout=0.5)
    """
    weights = state_dict(layer)
    dtype, *others = dict.fromkeys(w.dtype for w in weights.values())
    if others:
        raise TypeError(f"expected a layer of one dtype, got {dtype} and {others[0]}")
    module: nn.Module
    if type(layer) is Linear:
        module = nn.Linear(layer.W.shape[0], layer.W.shape[1], dtype=dtype)
    elif type(layer) is Embedding:
        module = nn.Embedding(layer.W.shape[0], layer.W.shape[1], layer.padding, dtype=dtype)
    else:
        kind, D, H, n, both, p = planned(layer)
        make, options = MODULES[kind]
        module = make(D, H, num_layers=n, bidirectional=both, dropout=p, dtype=dtype, **options)
    module.load_state_dict(weights)
    return module


def from_torch(module: nn.Module) -> Layer:
    """The layer that computes the same as `module`: a torch.nn.Linear, Embedding, RNN, LSTM or GRU.

    A recurrent module of several layers becomes `Stacked`, one of two directions `Bidirectional`; its dropout becomes
    `Dropout` layers in between. No weight depends on `batch_first`, but our sequences are (T, B, ·): set it to False.
    Raises TypeError for another module, or one that is neither float64 nor float32; ValueError, naming it, for an
    option without a twin (`bias`, `batch_first`, `proj_size`; `max_norm`, `scale_grad_by_freq`, `sparse`).

    >>> list(from_torch(nn.GRU(4, 6, bidirectional=True)).params)
    ['left.W_x', 'left.W_h', 'left.b', 'left.b_h', 'right.W_x', 'right.W_h', 'right.b', 'right.b_h']
    """
    if type(module) not in (nn.Linear, nn.Embedding, nn.RNN, nn.LSTM, nn.GRU):
        raise TypeError(f"expected a torch.nn.Linear, Embedding, RNN, LSTM or GRU, got {type(module).__name__}")
    weights, rng = module.state_dict(), np.random.default_rng(0)
    dtype = str(next(iter(weights.values())).dtype).removeprefix("torch.")
    if dtype not in ("float64", "float32"):
        raise TypeError(f"expected a module of dtype float64 or float32, got {dtype}")
    for cls, options in WITHOUT_TWIN.items():
        for name, wanted in options.items():
            if isinstance(module, cls) and getattr(module, name) != wanted:
                raise ValueError(f"expected a module with {name}={wanted}, got {name}={getattr(module, name)}")
    layer: Layer
    if isinstance(module, nn.Linear):
        if "bias" not in weights:
            raise ValueError("expected a module with bias=True, got bias=False")
        layer = Linear(module.in_features, module.out_features, rng, dtype)
    elif isinstance(module, nn.Embedding):
        layer = Embedding(module.num_embeddings, module.embedding_dim, rng, module.padding_idx, dtype)
    elif isinstance(module, nn.RNNBase):
        made_by = type(module), {"nonlinearity": module.nonlinearity} if isinstance(module, nn.RNN) else {}
        kind = next(kind for kind, twin in MODULES.items() if twin == made_by)
        sizes = module.input_size, module.hidden_size, module.num_layers
        layer = build(Plan(kind, *sizes, module.bidirectional, module.dropout), dtype)
    load_state_dict(layer, weights)
    return layer


def state_dict(layer: Layer) -> dict[str, Tensor]:
    """A copy of the layer's parameters under the names, and in the shapes, that torch gives them.

    Layer k of a stack has the suffix `_lk`, its right-to-left half `_lk_reverse`. Raises TypeError as `to_torch` does.

    >>> {name: tuple(p.shape) for name, p in state_dict(LSTM(4, 6, np.random.default_rng(0))).items()}
    {'weight_ih_l0': (24, 4), 'weight_hh_l0': (24, 6), 'bias_ih_l0': (24,), 'bias_hh_l0': (24,)}
    """
    if type(layer) is Linear:
        arrays = {"weight": layer.W.T, "bias": layer.b}
    elif type(layer) is Embedding:
        arrays = {"weight": layer.W}
    else:
        arrays = {}
        for suffix, cell in by_suffix(layer):
            second = np.zeros_like(cell.b)
            if isinstance(cell, GRU):
                second[-len(cell.b_h) :] = cell.b_h
            arrays |= {"weight_ih" + suffix: cell.W_x.T, "weight_hh" + suffix: cell.W_h.T}
            arrays |= {"bias_ih" + suffix: cell.b, "bias_hh" + suffix: second}
    return {name: torch.tensor(value) for name, value in arrays.items()}


def load_state_dict(layer: Layer, weights: Mapping[str, Tensor]) -> None:
    """Set the layer's parameters, in place, from tensors under torch's names: `state_dict` the other way round.

    Raises KeyError unless the names are the layer's, ValueError unless the shapes are, TypeError unless the dtype is or
    for what is no tensor, and TypeError as `to_torch` does; then nothing has been changed.

    >>> cell = LSTM(4, 6, np.random.default_rng(0))
    >>> load_state_dict(cell, nn.LSTM(4, 6, dtype=torch.float64).state_dict())
    """
    if not isinstance(weights, Mapping):
        raise TypeError(f"expected weights by name, as a module's state_dict() is, got {type(weights).__name__}")
    expected = state_dict(layer)
    if expected.keys() != weights.keys():
        lacks, extra = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
        raise KeyError(f"expected weights {sorted(expected)}: lacks {lacks}, too many {extra}")
    for name, p in expected.items():
        if not isinstance(weights[name], Tensor):
            raise TypeError(f"expected {name} to be a torch.Tensor, got {type(weights[name]).__name__}")
        if weights[name].shape != p.shape:
            raise ValueError(f"expected {name} of shape {tuple(p.shape)}, got {tuple(weights[name].shape)}")
        if weights[name].dtype != p.dtype:
            raise TypeError(f"expected {name} of dtype {p.dtype}, got {weights[name].dtype}")
    value: dict[str, Array] = {name: w.detach().cpu().numpy() for name, w in weights.items()}
    if type(layer) is Linear:
        layer.W[:], layer.b[:] = value["weight"].T, value["bias"]
    elif type(layer) is Embedding:
        layer.W[:] = value["weight"]
    else:
        for suffix, cell in by_suffix(layer):
            second = value["bias_hh" + suffix].copy()
            if isinstance(cell, GRU):
                cell.b_h[:] = second[-len(cell.b_h) :]
                second[-len(cell.b_h) :] = 0
            cell.W_x[:], cell.W_h[:] = value["weight_ih" + suffix].T, value["weight_hh" + suffix].T
            cell.b[:] = value["bias_ih" + suffix] + second


def by_suffix(layer: Layer) -> Iterator[tuple[str, Cell]]:
    """Every cell of a layer with a twin, behind the suffix that its parameters' names have in torch.

    >>> [suffix for suffix, _ in by_suffix(from_torch(nn.GRU(4, 6, num_layers=2, bidirectional=True)))]
    ['_l0', '_l0_reverse', '_l1', '_l1_reverse']
    """
    plan = planned(layer)
    directions = ("", "_reverse") if plan.bidirectional else ("",)
    suffixes = [f"_l{k}{direction}" for k in range(plan.num_layers) for direction in directions]
    yield from zip(suffixes, cells(layer), strict=True)
