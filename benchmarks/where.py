"""python benchmarks/where.py: where the time of forward and backward goes; float32, one thread.

The share of the whole that goes to: the products (timed alone, see contenders.py), the rest of `step`, `linearize`, the
rest of `pullback`, and everything else (copies into the tape, checks, loops, the parameters' gradients).
"""

from collections import Counter
from time import perf_counter

import numpy as np
from contenders import CELLS, problem
from recurrent import SIZES, interleaved
from versions import made_with

SECONDS = 4


def timed(cell, spent):
    """The cell with its methods' time added up in `spent`."""
    for method in ("step", "linearize", "pullback"):
        run = getattr(cell, method)

        def call(*arguments, run=run, method=method):
            start = perf_counter()
            result = run(*arguments)
            spent[method] += perf_counter() - start
            return result

        setattr(cell, method, call)
    return cell


def shares(name, size):
    """Fractions of the time of one forward and backward, by part."""
    B, T, _, _ = size
    cell, X, dH = problem(name, *size)
    spent = Counter()
    timed(cell, spent)
    h, a, W_hT = dH[0], np.ones((B, cell.b.size), np.float32), np.ascontiguousarray(cell.W_h.T)

    def once():
        cell.backward(dH, cell.forward(X)[2])

    def outside():  # the products that no method of the cell makes: x W_x, and the gradients of X, W_x and W_h
        rows, x, states = np.ones((T * B, cell.b.size), np.float32), X.reshape(T * B, -1), dH.reshape(T * B, -1)
        return x @ cell.W_x, x.T @ rows, states.T @ rows, rows @ cell.W_x.T

    whole, forward, backward, big = interleaved([once, lambda: h @ cell.W_h, lambda: a @ W_hT, outside], SECONDS)
    spent.clear()
    for _ in range(10):
        once()
    of_step, of_linearize, of_pullback = (spent[m] / 10 for m in ("step", "linearize", "pullback"))
    parts = {
        "products": T * (forward + backward) + big,
        "step": of_step - T * forward,
        "linearize": of_linearize,
        "pullback": of_pullback - T * backward,
    }
    parts["else"] = whole - sum(parts.values())
    return {part: seconds / whole for part, seconds in parts.items()}


def main():
    """Print one line a size and cell."""
    print(made_with("numpy"))
    print("   B   T   D   H  cell   products   step   linearize   pullback   else")
    for size in SIZES:
        for name in CELLS:
            p = shares(name, size)
            row = "".join(f"{n:4d}" for n in size)
            print(
                f"{row}  {name:<4}  {p['products']:8.0%} {p['step']:7.0%} {p['linearize']:10.0%} {p['pullback']:10.0%}"
                f"   {p['else']:5.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
