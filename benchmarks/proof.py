"""python benchmarks/proof.py: the property tests at length: 1000 examples of each, for several seeds.

`make test` runs the same tests with 25 examples, always the same ones. The result goes to proof.txt; a failure is
printed with the example that shows it, and the seed that found it repeats it.
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from versions import made_with

ROOT = Path(__file__).parents[1]
SEEDS = range(4)
PROCESSES = 2
COMMAND = (
    *(sys.executable, "-m", "pytest", "tests", "--ignore=tests/book", "-m", "hypothesis"),
    *("-q", "-p", "no:nbval", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib"),
    *("--hypothesis-profile=proof", "--hypothesis-show-statistics"),
)
HANDED_IN = "tests/grading/test_malformed.py::test_whatever_is_handed_in_is_rebuilt_or_refused"


class Run(NamedTuple):
    """What one seed gave."""

    seed: int
    passed: int
    failed: list[str]
    examples: int
    seconds: float
    output: str

    def __str__(self) -> str:
        verdict = f"{self.passed} passed, {len(self.failed)} failed"
        return f"seed {self.seed}: {verdict}, {self.examples} examples, {self.seconds:.0f} s"

    def notebooks(self, fate: str) -> int:
        """How many spoilt notebooks met a fate. Hypothesis tells it in hundredths of 1 %: exact for so few."""
        said = self.output.partition(f"{HANDED_IN}:")[2].partition("Stopped because")[0]
        tried = re.search(r"(\d+) passing, (\d+) failing, and (\d+) invalid", said)
        share = re.search(rf"([\d.]+)%, {fate}$", said, re.MULTILINE)
        return round(sum(map(int, tried.groups())) * float(share[1]) / 100) if tried and share else 0


def prove(seed: int) -> Run:
    """Run every property test with its examples drawn from `seed`. Raises RuntimeError if pytest did not get to run."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    start = time.perf_counter()
    run = subprocess.run(
        [*COMMAND, f"--hypothesis-seed={seed}"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    passed = re.search(r"(\d+) passed", run.stdout)
    if run.returncode not in (0, 1) or not passed:
        raise RuntimeError(f"pytest failed:\n{run.stdout[-4000:]}{run.stderr[-4000:]}")
    examples = sum(int(count) for count in re.findall(r"(\d+) passing, ", run.stdout))
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", run.stdout, re.MULTILINE)
    return Run(seed, int(passed[1]), failed, examples, seconds, run.stdout)


def main() -> int:
    """Write benchmarks/proof.txt. Returns 1 if a test failed."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        runs = list(pool.map(prove, SEEDS))
    lines = [made_with("numpy", "torch", "hypothesis"), *map(str, runs)]
    fates = [f"{sum(run.notebooks(fate) for run in runs)} {fate}" for fate in ("refused with a sentence", "rebuilt")]
    lines.append(f"among them notebooks spoilt at random and handed in to the grader: {', '.join(fates)}")
    lines += [f"FAILED, seed {run.seed}: {test}" for run in runs for test in run.failed]
    lines.append(f"{sum(run.examples for run in runs)} examples, {sum(len(run.failed) for run in runs)} tests failed")
    text = "\n".join(lines) + "\n"
    draft = ROOT / "benchmarks" / ".proof.txt.draft"
    draft.write_text(text, encoding="utf-8")
    draft.replace(ROOT / "benchmarks" / "proof.txt")
    for run in runs:
        if run.failed:
            print(run.output)
    print(text)
    return int(any(run.failed for run in runs))


if __name__ == "__main__":
    sys.exit(main())
