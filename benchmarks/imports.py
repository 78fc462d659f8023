"""python benchmarks/imports.py: the milliseconds that importing the package adds to importing NumPy.

Fresh interpreters, one after another, the variants in turn; each times its own imports. Medians over all runs.
"""

import subprocess
import sys
from pathlib import Path
from statistics import median

from versions import made_with

import rnncourse

RUNS = 31
PACKAGE = Path(rnncourse.__file__).parent
NOT_THE_CORE = {"book", "grading", "handson", "interop", "plots"}
"""What needs more than NumPy: Sphinx, nbgrader, torch, matplotlib."""

TIMER = """
import time
start = time.perf_counter()
import numpy
after_numpy = time.perf_counter()
{imports}
print(after_numpy - start, time.perf_counter() - after_numpy)
"""


def core() -> list[str]:
    """The modules that need NumPy alone, by the names they are imported under."""
    paths = (path.relative_to(PACKAGE).with_suffix("").parts for path in sorted(PACKAGE.rglob("*.py")))
    return [
        ".".join(("rnncourse", *parts)).removesuffix(".__init__") for parts in paths if parts[0] not in NOT_THE_CORE
    ]


def seconds(imports: str) -> tuple[float, float]:
    """What `import numpy` took in a fresh interpreter, and what `imports` took after it."""
    run = subprocess.run(
        [sys.executable, "-c", TIMER.format(imports=imports)], capture_output=True, text=True, check=True
    )
    of_numpy, added = map(float, run.stdout.split())
    return of_numpy, added


def main() -> None:
    """Print one line for NumPy and one for each variant."""
    variants = {
        "rnncourse": "import rnncourse",
        f"its {len(core())} modules that need NumPy alone": f"import {', '.join(core())}",
    }
    of_numpy: list[float] = []
    added: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(RUNS + 1):
        for name, imports in variants.items():
            first, rest = seconds(imports)
            of_numpy.append(first)
            added[name].append(rest)
    print(made_with("numpy"))
    print(f"{1e3 * median(of_numpy[2:]):6.1f} ms  numpy")
    for name in variants:  # the first run of each may have compiled what the others only load
        print(f"{1e3 * median(added[name][1:]):+6.1f} ms  {name}")


if __name__ == "__main__":
    main()
