"""Networks side by side give what each gives alone."""

import numpy as np
import pytest

from rnncourse import optim
from rnncourse.cells import GRU, LSTM, RNN, GRUResetBefore
from rnncourse.layers import Linear, Stacked
from rnncourse.losses import from_step, softmax_cross_entropy
from rnncourse.seeds import Seeds, clip_each
from rnncourse.train import train_step
from rnncourse.variants import CoupledLSTM, LayerNormLSTM, PeepholeLSTM

S, T, B, D, H, Q = 3, 6, 5, 4, 7, 2
KINDS = [RNN, LSTM, GRU, GRUResetBefore, CoupledLSTM, LayerNormLSTM, PeepholeLSTM]


def networks(kind):
    rngs = [np.random.default_rng(s) for s in range(S)]
    return [kind(D, H, rng) for rng in rngs], [Linear(H, Q, rng) for rng in rngs]


def inputs(seed=9):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((T, S, B, D)), rng.integers(Q, size=(S, B))


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_gradients_are_those_of_each_network_alone(kind):
    cells, heads = networks(kind)
    X, _ = inputs()
    model = Seeds(cells, heads)
    outputs, tape = model.forward(X)
    dO = np.random.default_rng(1).standard_normal(outputs.shape)
    grads = model.backward(dO, tape)
    assert grads.keys() == model.params.keys()
    for s in range(S):
        alone = Stacked(cells[s], heads[s])
        Y, _, tapes = alone.forward(np.ascontiguousarray(X[:, s]))
        assert abs(Y[-1] - outputs[s]).max() < 1e-12
        dY = np.zeros_like(Y)
        dY[-1] = dO[s]
        for name, g in alone.backward(dY, tapes)[2].items():
            ours = grads[name.replace("0.", "cell.").replace("1.", "head.")][s].reshape(g.shape)
            assert abs(ours - g).max() < 1e-12, name


def test_training_side_by_side_is_training_alone():
    cells, heads = networks(LSTM)
    model = Seeds(cells, heads)
    alone = [Stacked(cell, head) for cell, head in zip(cells, heads, strict=True)]
    together, separate = optim.Adam(model.params, 0.03), [optim.Adam(one.params, 0.03) for one in alone]
    for k in range(5):
        X, targets = inputs(k)
        outputs, tape = model.forward(X)
        grads = model.backward(S * softmax_cross_entropy(outputs, targets)[1], tape)
        clip_each(grads, 0.1)
        together.step(grads)
        for s in range(S):
            x, y = np.ascontiguousarray(X[:, s]), targets[s : s + 1]
            train_step(alone[s], x, y, from_step(-1, softmax_cross_entropy), separate[s], max_norm=0.1)
    for s in range(S):
        for name, p in alone[s].params.items():
            ours = model.params[name.replace("0.", "cell.").replace("1.", "head.")][s].reshape(p.shape)
            assert abs(ours - p).max() < 1e-10, name


def test_the_given_cells_are_left_alone():
    cells, heads = networks(RNN)
    before = cells[0].W_h.copy()
    model = Seeds(cells, heads)
    model.params["cell.W_h"] += 1
    assert (cells[0].W_h == before).all()


def test_float32_stays_float32():
    rngs = [np.random.default_rng(s) for s in range(S)]
    heads = [Linear(H, Q, rng, np.float32) for rng in rngs]
    model = Seeds([LSTM(D, H, rng, np.float32) for rng in rngs], heads)
    outputs, tape = model.forward(inputs()[0].astype(np.float32))
    assert {g.dtype for g in model.backward(outputs, tape).values()} == {np.dtype(np.float32)}


def test_a_gradient_is_clipped_by_its_own_network_alone():
    rng = np.random.default_rng(0)
    grads = {"a": rng.standard_normal((2, 3, 4)), "b": rng.standard_normal((2, 1, 4))}
    for g in grads.values():
        g[1] *= 1e-3
    first, second = ({name: g[s].copy() for name, g in grads.items()} for s in (0, 1))
    norms = clip_each(grads, 0.5)
    assert norms[0] == pytest.approx(optim.clip_by_global_norm(first, 0.5))
    assert norms[1] < 0.5
    for name in grads:
        assert abs(grads[name][0] - first[name]).max() < 1e-12
        assert (grads[name][1] == second[name]).all()
