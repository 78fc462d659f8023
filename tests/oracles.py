"""Independent oracles: every cell once more, as its formula reads, one step at a time, differentiated by torch."""

from functools import partial

import numpy as np
import torch

from rnncourse.cells import GRU, LSTM, RNN, GRUResetBefore, ReLURNN
from rnncourse.variants import CoupledLSTM, LayerNormLSTM, LayerNormRNN, LeakyReLURNN, PeepholeLSTM, SkipRNN

SKIP = 3

# What tests draw from: each called with D, H, rng and, optionally, dtype.
PLAIN = RNN, ReLURNN, LSTM, GRU, GRUResetBefore
VARIANTS = LeakyReLURNN, PeepholeLSTM, CoupledLSTM, LayerNormRNN, LayerNormLSTM
CELLS = {cls.__name__: cls for cls in (*PLAIN, *VARIANTS)} | {"SkipRNN": partial(SkipRNN, k=SKIP)}


def gates(p, x, h, n):
    """(W_x, W_h, b of each gate, then) what each gate takes from x with b, and from h."""
    W_x, W_h, b = (p[name].chunk(n, dim=-1) for name in ("W_x", "W_h", "b"))
    return [x @ w + c for w, c in zip(W_x, b, strict=True)], [h @ w for w in W_h]


def simple(phi, p, x, state):
    ((xw,), (hw,)) = gates(p, x, state[0], 1)
    return (phi(xw + hw),)


def skip(p, x, state):
    ((xw,), (hw,)) = gates(p, x, state[0], 1)
    return (torch.tanh(xw + hw + state[SKIP - 1] @ p["W_s"]), *state[: SKIP - 1])


def lstm(p, x, state):
    h, c = state
    (xi, xf, xg, xo), (hi, hf, hg, ho) = gates(p, x, h, 4)
    c = torch.sigmoid(xf + hf) * c + torch.sigmoid(xi + hi) * torch.tanh(xg + hg)
    return torch.sigmoid(xo + ho) * torch.tanh(c), c


def peephole(p, x, state):
    h, c = state
    (xi, xf, xg, xo), (hi, hf, hg, ho) = gates(p, x, h, 4)
    i, f = torch.sigmoid(xi + hi + p["p_i"] * c), torch.sigmoid(xf + hf + p["p_f"] * c)
    c = f * c + i * torch.tanh(xg + hg)
    return torch.sigmoid(xo + ho + p["p_o"] * c) * torch.tanh(c), c


def coupled(p, x, state):
    h, c = state
    (xf, xg, xo), (hf, hg, ho) = gates(p, x, h, 3)
    f = torch.sigmoid(xf + hf)
    c = f * c + (1 - f) * torch.tanh(xg + hg)
    return torch.sigmoid(xo + ho) * torch.tanh(c), c


def gru(p, x, state):
    (h,) = state
    (xr, xz, xn), (hr, hz, hn) = gates(p, x, h, 3)
    r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
    n = torch.tanh(xn + r * (hn + p["b_h"]))
    return ((1 - z) * n + z * h,)


def gru_reset_before(p, x, state):
    (h,) = state
    (xr, xz, xn), (hr, hz, _) = gates(p, x, h, 3)
    r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
    n = torch.tanh(xn + (r * h) @ p["W_h"].chunk(3, dim=-1)[2])
    return ((1 - z) * n + z * h,)


def normalized(p, h):
    hw = h @ p["W_h"]
    return torch.nn.functional.layer_norm(hw, hw.shape[-1:], p["gain"])


def layer_norm_rnn(p, x, state):
    return (torch.tanh(x @ p["W_x"] + p["b"] + normalized(p, state[0])),)


def layer_norm_lstm(p, x, state):
    h, c = state
    i, f, g, o = (x @ p["W_x"] + p["b"] + normalized(p, h)).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


FORMULA = {
    "RNN": partial(simple, torch.tanh),
    "ReLURNN": partial(simple, torch.relu),
    "LeakyReLURNN": partial(simple, partial(torch.nn.functional.leaky_relu, negative_slope=0.01)),
    "SkipRNN": skip,
    "LSTM": lstm,
    "PeepholeLSTM": peephole,
    "CoupledLSTM": coupled,
    "GRU": gru,
    "GRUResetBefore": gru_reset_before,
    "LayerNormRNN": layer_norm_rnn,
    "LayerNormLSTM": layer_norm_lstm,
}


def autograd(cell, X, state, mask=None, detach_at=None):
    """`cell` as a loop in torch: the states after each step, and the leaves (X, state, the parameters) by name.

    Where the mask is False the state waits; the state entering step `detach_at` is cut off.
    """
    p = {name: torch.tensor(value, requires_grad=True) for name, value in {"X": X, **cell.params}.items()}
    now = p["state"] = [torch.tensor(s, requires_grad=True) for s in state]
    states = []
    for t in range(len(X)):
        if t == detach_at:
            now = [s.detach() for s in now]
        new = FORMULA[type(cell).__name__](p, p["X"][t], tuple(now))
        if mask is not None:
            new = [torch.where(torch.tensor(mask[t])[:, None], n, s) for n, s in zip(new, now, strict=True)]
        now = list(new)
        states.append(now)
    return states, p


def gradients(cell, p):
    """(dX, dstate, grads) as `backward` returns them, from the leaves of a loss that was sent back; 0 if unused."""

    def grad(leaf):
        return np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy()

    return grad(p["X"]), tuple(grad(s) for s in p["state"]), {name: grad(p[name]) for name in cell.params}
