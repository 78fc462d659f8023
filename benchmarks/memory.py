"""python benchmarks/memory.py: the peak of memory that forward and backward take, beside the size of the tape.

The tape is what the backward pass needs and so what must be kept: inputs, states, saved gates. Peaks are of the arrays
that live at once, inputs and tape included, as tracemalloc counts them; float32. With truncated BPTT over chunks, the
state handed on, the peak must not grow with T.
"""

import tracemalloc
from collections.abc import Callable

import numpy as np
from contenders import CELLS, problem
from recurrent import SIZES
from versions import made_with

from rnncourse.cells import Cell


def peak(run: Callable[[], object]) -> int:
    """The most bytes allocated at once while `run` runs, above what there was before."""
    tracemalloc.start()
    run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def in_chunks(cell: Cell, T: int, k: int, B: int, D: int) -> None:
    """T steps of inputs made k at a time; forward and backward over each chunk, the state handed on."""
    state = None
    for _ in range(T // k):
        H, state, tape = cell.forward(np.ones((k, B, D), np.float32), state)
        cell.backward(np.ones_like(H), tape)


def main() -> None:
    """Print one line a size and cell, then truncated BPTT's peak at growing T."""
    print(made_with("numpy"))
    print("   B   T   D   H  cell   tape/MB   forward/tape   forward and backward/tape")
    for size in SIZES:
        for name in CELLS:
            cell, X, dH = problem(name, *size)
            cell.backward(dH, cell.forward(X)[2])
            tape = cell.forward(X)[2]
            nbytes = X.nbytes + tape.states.nbytes + tape.gates.nbytes
            del tape
            forward = X.nbytes + peak(lambda cell=cell, X=X: cell.forward(X))
            both = X.nbytes + peak(lambda cell=cell, X=X, dH=dH: cell.backward(dH, cell.forward(X)[2]))
            row = "".join(f"{n:4d}" for n in size)
            print(f"{row}  {name:<4} {nbytes / 2**20:9.2f} {forward / nbytes:14.2f} {both / nbytes:27.2f}")
    print("\ntruncated BPTT, LSTM, B = 32, D = H = 128, chunks of 50")
    cell = problem("LSTM", 32, 1, 128, 128)[0]
    for T in (100, 1000, 10000):
        print(f"T = {T:5d}: peak {peak(lambda T=T: in_chunks(cell, T, 50, 32, 128)) / 2**20:6.2f} MB")


if __name__ == "__main__":
    main()
