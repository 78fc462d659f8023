"""What the benchmarks compare: the same recurrent layer, forward and backward, four ways."""

from collections.abc import Callable

import numpy as np
import torch

from rnncourse.cells import GRU, LSTM, RNN, Cell
from rnncourse.interop import to_torch

CELLS: dict[str, type[Cell]] = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
LOOP = {"RNN": torch.nn.RNNCell, "LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell}


def problem(name: str, B: int, T: int, D: int, H: int) -> tuple[Cell, np.ndarray, np.ndarray]:
    """A float32 cell, its inputs, and the gradient of its outputs."""
    rng = np.random.default_rng(0)
    cell = CELLS[name](D, H, rng, np.float32)
    return cell, rng.normal(size=(T, B, D)).astype(np.float32), rng.normal(size=(T, B, H)).astype(np.float32)


def ours(cell: Cell, X: np.ndarray, dH: np.ndarray) -> Callable[[], object]:
    """The package's `forward` and `backward`."""

    def run():
        _, _, tape = cell.forward(X)
        return cell.backward(dH, tape)

    return run


def torch_module(cell: Cell, X: np.ndarray, dH: np.ndarray) -> Callable[[], object]:
    """torch.nn.RNN, LSTM or GRU, and autograd."""
    module, tX, tdH = to_torch(cell), torch.tensor(X, requires_grad=True), torch.tensor(dH)

    def run():
        module.zero_grad()
        tX.grad = None
        module(tX)[0].backward(tdH)
        return tX.grad

    return run


def torch_loop(name: str, cell: Cell, X: np.ndarray, dH: np.ndarray) -> Callable[[], object]:
    """A Python loop over torch.nn.RNNCell, LSTMCell or GRUCell, and autograd."""
    one = LOOP[name](X.shape[-1], dH.shape[-1])
    one.load_state_dict({key.removesuffix("_l0"): value for key, value in to_torch(cell).state_dict().items()})
    tX, tdH = torch.tensor(X, requires_grad=True), torch.tensor(dH)

    def run():
        one.zero_grad()
        tX.grad = None
        state, outputs = None, []
        for x in tX:
            state = one(x, state)
            outputs.append(state[0] if name == "LSTM" else state)
        torch.stack(outputs).backward(tdH)
        return tX.grad

    return run


def products(cell: Cell, X: np.ndarray, dH: np.ndarray) -> Callable[[], object]:
    """The matrix products alone, through NumPy: the floor under any way of writing the layer in NumPy."""
    (T, B, D), (H, G) = X.shape, cell.W_h.shape
    x, h, a = X.reshape(T * B, D), np.ones((T * B, H), np.float32), np.ones((T * B, G), np.float32)
    W_hT = np.ascontiguousarray(cell.W_h.T)

    def run():
        x @ cell.W_x
        for t in range(T):
            h[t * B : (t + 1) * B] @ cell.W_h
        for t in range(T):
            a[t * B : (t + 1) * B] @ W_hT
        return x.T @ a, h.T @ a, a @ cell.W_x.T

    return run


def check(name: str, cell: Cell, X: np.ndarray, dH: np.ndarray) -> None:
    """Raise AssertionError unless the three that compute the layer agree on dX to float32's rounding."""
    expected = ours(cell, X, dH)()[0]
    for run in (torch_module(cell, X, dH), torch_loop(name, cell, X, dH)):
        np.testing.assert_allclose(run().numpy(), expected, rtol=1e-3, atol=1e-4 * abs(expected).max())
