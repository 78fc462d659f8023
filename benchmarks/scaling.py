"""python benchmarks/scaling.py: how the time of forward and backward grows with T and with H; float32, one thread.

Medians of runs taken in turn over all sizes. The slope is that of log time against log size between neighbors: 1 is
linear, 2 quadratic. Theory: T·(D·H + H²) multiplications, so 1 in T, and towards 2 in H when H = D is large enough for
the products to outweigh the work that grows with H alone.
"""

from math import log

import torch
from contenders import CELLS, ours, problem
from recurrent import interleaved
from versions import made_with

B, SECONDS = 32, 8
LENGTHS = [25, 50, 100, 200, 400, 800]
UNITS = [16, 32, 64, 128, 256, 512]


def line(what: str, sizes: list[int], times: list[float]) -> str:
    """The times of one cell at all sizes, and the slopes between them."""
    slopes = [log(b / a) / log(y / x) for a, b, x, y in zip(times, times[1:], sizes, sizes[1:], strict=False)]
    return (
        f"{what:<14}" + "".join(f"{1e3 * t:10.2f}" for t in times) + "   slopes" + "".join(f"{s:6.2f}" for s in slopes)
    )


def main() -> None:
    """Print two tables, in milliseconds."""
    torch.set_num_threads(1)
    print(made_with("numpy"))
    print(f"ms against T, at B = {B}, D = H = 64\n" + " " * 14 + "".join(f"{T:10d}" for T in LENGTHS))
    for name in CELLS:
        runs = [ours(*problem(name, B, T, 64, 64)) for T in LENGTHS]
        print(line(name, LENGTHS, interleaved(runs, SECONDS)), flush=True)
    print(f"\nms against H = D, at B = {B}, T = 50\n" + " " * 14 + "".join(f"{H:10d}" for H in UNITS))
    for name in CELLS:
        runs = [ours(*problem(name, B, 50, H, H)) for H in UNITS]
        print(line(name, UNITS, interleaved(runs, SECONDS)), flush=True)


if __name__ == "__main__":
    main()
