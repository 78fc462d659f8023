"""python benchmarks/mutation.py: do the tests notice when recurrence.py or cells.py is changed?

mutmut changes one thing at a time (an operator, a number, an argument left out …) in a copy of the package, in a
temporary folder, and runs the unit tests that reach the changed function. A mutant that no test notices survives.
A survivor is either a gap in the tests, or a change that changes nothing: then mutation-survivors.toml says why. The
script fails if a survivor is not explained there, or an explanation fits no survivor.

What mutmut leaves alone: class attributes, module constants, properties.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from versions import made_with

HERE = Path(__file__).parent
ROOT = HERE.parent
MUTATED = ["rnncourse/recurrence.py", "rnncourse/cells.py"]
TESTS = [f"tests/test_{name}.py" for name in ("recurrence", "cells", "seeds", "interop", "layers", "errors")]
NOTICED = {"killed", "timeout", "segfault"}
PROCESSES = 2
CONFIGURATION = f"""
[tool.mutmut]
source_paths = ["rnncourse/"]
also_copy = ["rnncourse/"]
only_mutate = {MUTATED}
pytest_add_cli_args = ["-o", "addopts=--import-mode=importlib", "-p", "no:nbval", "--hypothesis-profile=mutants"]
pytest_add_cli_args_test_selection = {TESTS}
timeout_constant = 10.0
use_setproctitle = false
use_git_change_detection = false
"""


def mutmut(folder: Path, *arguments: str) -> str:
    """What mutmut prints. Raises RuntimeError with it if mutmut fails."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "mutmut", *arguments]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"mutmut {arguments[0]} failed:\n{run.stdout[-4000:]}{run.stderr[-4000:]}")
    return run.stdout


def function(mutant: str) -> str:
    """The function that a mutant changes.

    >>> function("rnncourse.cells.xǁLSTMǁstep__mutmut_3"), function("rnncourse.recurrence.x_unroll__mutmut_12")
    ('rnncourse.cells.LSTM.step', 'rnncourse.recurrence.unroll')
    """
    module, _, name = mutant.rpartition(".")
    name = re.sub(r"__mutmut_\d+$", "", name)
    return f"{module}.{name.removeprefix('x_') if name.startswith('x_') else '.'.join(name.split('ǁ')[1:])}"


def change(folder: Path, mutant: str) -> str:
    """The lines that a mutant takes out (−) and puts in (+), without their indent."""
    lines = mutmut(folder, "show", mutant).splitlines()
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines if re.match(r"[-+](?![-+]{2} )", line))


def explanations(path: Path) -> dict[tuple[str, str], str]:
    """Why a survivor changes nothing, by function and change, from a file such as mutation-survivors.toml."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    return {(e["function"], change.strip()): e["why"] for e in entries for change in e["changes"]}


def run(folder: Path) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Every mutant's fate, and what each survivor changes, from a run in `folder`."""
    for name in ("rnncourse", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(project + CONFIGURATION, encoding="utf-8")
    mutmut(folder, "run", "--max-children", str(PROCESSES))
    fates = dict(re.findall(r"^\s*(\S+__mutmut_\d+): (.+)$", mutmut(folder, "results", "--all", "true"), re.MULTILINE))
    survivors = [name for name, fate in fates.items() if fate not in NOTICED]
    return fates, {name: (function(name), change(folder, name)) for name in survivors}


def report(fates: dict[str, str], survivors: dict[str, tuple[str, str]], why: dict[tuple[str, str], str]) -> str:
    """The score by module, then each survivor with its explanation."""
    lines = [made_with("numpy", "torch", "hypothesis", "mutmut")]
    for path in MUTATED:
        module = path.removesuffix(".py").replace("/", ".")
        own = Counter(fate for name, fate in fates.items() if name.startswith(f"{module}.x"))
        noticed = sum(own[fate] for fate in NOTICED)
        each = ", ".join(f"{count} {fate}" for fate, count in sorted(own.items()))
        lines.append(f"{module}: {noticed} of {own.total()} mutants noticed, {noticed / own.total():.1%} ({each})")
    noticed = len(fates) - len(survivors)
    lines.append(f"Mutation score: {noticed / len(fates):.1%} ({noticed} of {len(fates)})")
    for name, (where, changed) in survivors.items():
        reason = why.get((where, changed), "NOT EXPLAINED")
        lines.append(f"\n{where} ({name.rpartition('_')[2]}, {fates[name]})\n{changed}\n= {reason}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write benchmarks/mutation.txt. Returns 1 if a survivor has no explanation or an explanation no survivor."""
    with TemporaryDirectory() as folder:
        fates, survivors = run(Path(folder))
    why = explanations(HERE / "mutation-survivors.toml")
    text = report(fates, survivors, why)
    draft = HERE / ".mutation.txt.draft"
    draft.write_text(text, encoding="utf-8")
    draft.replace(HERE / "mutation.txt")
    print(text)
    unexplained = [name for name, key in survivors.items() if key not in why]
    stale = why.keys() - set(survivors.values())
    for where, changed in sorted(stale):
        print(f"Explained, but no survivor: {where}\n{changed}")
    if unexplained:
        print(f"Survivors not explained in mutation-survivors.toml: {len(unexplained)}")
    return int(bool(unexplained or stale))


if __name__ == "__main__":
    sys.exit(main())
