"""python benchmarks/recurrent.py: the package's recurrent layers beside torch's, forward and backward, float32.

Four ways in one run, in turn (contenders.py says what they are), median seconds; ratios above 1 mean that this package
is faster. Once with every library's widest instructions (native) and once with all of them held to AVX2, since NumPy's
OpenBLAS and torch's oneDNN do not choose alike; each with one thread and with two. Each setting has a process of its
own, because these libraries read their settings when they are loaded. All processes keep the memory they freed: else
page faults, up to a quarter of the time, come and go with what ran before.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter, sleep

SIZES = [(32, 35, 64, 64), (32, 64, 128, 128), (64, 100, 256, 256), (1, 100, 32, 32), (128, 50, 512, 512)]
AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_MMAP_THRESHOLD_": str(2**28)}
WAYS = ("rnncourse", "torch.nn", "cell loop", "products")


def interleaved(runs: list[Callable[[], object]], seconds: float, pause: float = 0) -> list[float]:
    """The median time of each of `runs`, called in turn for about `seconds` altogether, at least seven times each.

    With several threads the libraries' idle workers keep spinning for a while, on the cores that the next one needs:
    a `pause` before each call, in seconds, lets them go to sleep.
    """
    for run in runs:
        run()
    times: list[list[float]] = [[] for _ in runs]
    until = perf_counter() + seconds
    while perf_counter() < until or len(times[0]) < 7:
        for k, run in enumerate(runs):
            sleep(pause)
            start = perf_counter()
            run()
            times[k].append(perf_counter() - start)
    return [median(t) for t in times]


def measure(threads: int, seconds: float) -> None:
    """Print one JSON line a size and cell: its name and the four medians. Runs in a process of its own."""
    import contenders
    import torch

    torch.set_num_threads(threads)
    for size in SIZES:
        for name in contenders.CELLS:
            cell, X, dH = contenders.problem(name, *size)
            contenders.check(name, cell, X, dH)
            runs = [
                contenders.ours(cell, X, dH),
                contenders.torch_module(cell, X, dH),
                contenders.torch_loop(name, cell, X, dH),
                contenders.products(cell, X, dH),
            ]
            print(json.dumps([size, name, interleaved(runs, seconds, pause=0.1 * (threads > 1))]), flush=True)


def table(instructions: str, threads: int, seconds: float) -> None:
    """Measure one setting in a fresh process and print its table."""
    environment = {key: value for key, value in os.environ.items() if key not in AVX2}
    environment |= {key: str(threads) for key in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    environment |= KEEP_MEMORY | (AVX2 if instructions == "AVX2" else {})
    print(f"\n{instructions} instructions, {threads} thread{'s' * (threads > 1)}")
    print(
        "   B   T   D   H  cell       ms: "
        + "".join(f"{way:>11}" for way in WAYS)
        + "   torch.nn/ cell loop/ products/"
    )
    print(" " * 77 + "rnncourse rnncourse rnncourse")
    command = [sys.executable, __file__, "--measure", str(threads), "--seconds", str(seconds)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout or []:
            size, name, times = json.loads(line)
            row = "".join(f"{n:4d}" for n in size) + f"  {name:<4}" + " " * 11
            row += "".join(f"{1e3 * t:11.2f}" for t in times)
            print(row + "".join(f"{t / times[0]:10.2f}" for t in times[1:]), flush=True)
    if child.returncode:
        raise SystemExit(f"expected the measuring process to end well, got exit code {child.returncode}")


def main() -> None:
    """Print the versions, then a table for each number of threads and set of instructions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4, help="for each size and cell (default 4)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="the tables to print (default 1 2)")
    parser.add_argument("--measure", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure, arguments.seconds)
        return
    from versions import made_with

    print(made_with("numpy", "torch"), end="")
    for threads in arguments.threads:
        for instructions in ("native", "AVX2"):
            table(instructions, threads, arguments.seconds)


if __name__ == "__main__":
    main()
