"""python benchmarks/where.py: where the time of forward and backward goes; float32, one thread.

The share of the whole that goes to: the products (timed alone, see contenders.py), the rest of `step`, `linearize`, the
rest of `pullback`, and everything else (copies into the tape, checks, loops, the parameters' gradients).
"""

from collections import Counter
from time import perf_counter

import numpy as np
from contenders import CELLS, problem, products
from recurrent import SIZES, interleaved
from versions import made_with

SECONDS = 3


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
    T = size[1]
    cell, X, dH = problem(name, *size)
    spent = Counter()
    timed(cell, spent)
    a, W_hT = np.ones((*X.shape[:2], cell.b.size), np.float32), np.ascontiguousarray(cell.W_h.T)

    def once():
        cell.backward(dH, cell.forward(X)[2])

    def forward():
        for t in range(T):
            dH[t] @ cell.W_h

    def backward():
        for t in range(T):
            a[t] @ W_hT

    all_products, in_step, in_pullback = interleaved([products(cell, X, dH), forward, backward], SECONDS / 2)
    once()
    spent.clear()
    start, runs = perf_counter(), 0
    while perf_counter() < start + SECONDS / 2 or runs < 5:
        once()
        runs += 1
    whole = (perf_counter() - start) / runs
    of_step, of_linearize, of_pullback = (spent[m] / runs for m in ("step", "linearize", "pullback"))
    parts = {
        "products": all_products,
        "step": of_step - in_step,
        "linearize": of_linearize,
        "pullback": of_pullback - in_pullback,
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
