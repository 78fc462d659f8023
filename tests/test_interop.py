"""Weights cross to torch and back without losing a bit, and both sides then compute the same."""

import numpy as np
import pytest
import torch

from rnncourse.cells import RNN, ReLURNN
from rnncourse.interop import from_torch, to_torch
from rnncourse.layers import Linear

dtypes = pytest.mark.parametrize(("dtype", "tensor_type"), [(np.float32, torch.float32), (np.float64, torch.float64)])


def layers(dtype):
    rng = np.random.default_rng(0)
    return RNN(3, 5, rng, dtype), ReLURNN(1, 4, rng, dtype), Linear(4, 2, rng, dtype)


def modules(dtype):
    torch.manual_seed(0)
    RNNs = [torch.nn.RNN(3, 5, dtype=dtype), torch.nn.RNN(2, 2, nonlinearity="relu", dtype=dtype)]
    return *RNNs, torch.nn.Linear(4, 3, dtype=dtype)


@dtypes
def test_there_and_back_keeps_every_bit(dtype, tensor_type):
    for layer in layers(dtype):
        back = from_torch(to_torch(layer))
        assert type(back) is type(layer)
        for name, p in layer.params.items():
            assert back.params[name].dtype == dtype
            assert (back.params[name] == p).all(), name


@dtypes
def test_from_torch_and_back_computes_the_same(dtype, tensor_type):
    for module in modules(tensor_type):
        twin = to_torch(from_torch(module))
        X = torch.randn(
            6, 2, module.weight_ih_l0.shape[1] if isinstance(module, torch.nn.RNN) else 4, dtype=tensor_type
        )
        got, expected = (m(X)[0] if isinstance(m, torch.nn.RNN) else m(X) for m in (twin, module))
        assert got.dtype == tensor_type
        tolerance = 1e-6 if dtype == np.float32 else 1e-14
        np.testing.assert_allclose(got.detach(), expected.detach(), rtol=0, atol=tolerance)


def test_from_torch_adds_the_two_biases():
    module = torch.nn.RNN(2, 3, dtype=torch.float64)
    expected = (module.bias_ih_l0 + module.bias_hh_l0).detach().numpy()
    assert (from_torch(module).b == expected).all()
    assert abs(module.bias_hh_l0).min() > 0, "nothing to add"


@dtypes
def test_outputs_agree(dtype, tensor_type):
    for layer in layers(dtype):
        X = np.random.default_rng(1).normal(size=(6, 2, next(iter(layer.params.values())).shape[0])).astype(dtype)
        theirs = to_torch(layer)(torch.tensor(X))
        theirs = theirs[0] if isinstance(theirs, tuple) else theirs
        tolerance = 1e-6 if dtype == np.float32 else 1e-14
        np.testing.assert_allclose(layer.forward(X)[0], theirs.detach(), rtol=0, atol=tolerance)


def test_the_twins_share_no_memory():
    for layer in layers(np.float64):
        module = to_torch(layer)
        back = from_torch(module)
        before = {name: p.copy() for name, p in layer.params.items()}
        with torch.no_grad():
            for p in module.parameters():
                p.zero_()
        assert all((layer.params[name] == p).all() for name, p in before.items())
        assert all((back.params[name] == p).all() for name, p in before.items())
