"""python benchmarks/patient.py > benchmarks/patient.txt: the tests marked `proof`, which take too long for `make test`.

They are attacks on the grader that use up all the time they have. A failure is printed, and ends this with status 1.
"""

import re
import subprocess
import sys
from pathlib import Path

from versions import made_with

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "pytest", "-m", "proof", "-v", "tests/grading")


def main() -> int:
    """Print each test and what became of it."""
    run = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True)
    verdicts = re.findall(r"::(\w+\[.*\]) (PASSED|FAILED|ERROR|SKIPPED)", run.stdout)
    print(made_with("numpy", "pytest"))
    print("\n".join(f"{verdict.lower()}  {test}" for test, verdict in verdicts))
    print(f"{sum(verdict == 'PASSED' for _, verdict in verdicts)} of {len(verdicts)} passed")
    if run.returncode:
        print(run.stdout, run.stderr, file=sys.stderr)
    return int(run.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
