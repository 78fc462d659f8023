"""The numerical core needs NumPy alone."""

import subprocess
import sys
from pathlib import Path

import rnncourse

PACKAGE = Path(rnncourse.__file__).parent
HEAVY = ["torch", "faker", "matplotlib", "IPython", "ipykernel", "sphinx", "nbgrader", "tqdm"]
NEEDS = {
    "book": "Sphinx and nbformat",
    "grading": "nbgrader",
    "interop": "torch",
    "plots": "matplotlib",
    "handson": "matplotlib",
}
"""What is not the numerical core, and why."""


def modules():
    """Every module of the package, by the name it is imported under."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(("rnncourse", *(parts[:-1] if parts[-1] == "__init__" else parts)))


CORE = [name for name in modules() if not set(name.split(".")) & NEEDS.keys()]


def test_modules_are_found():
    assert {"rnncourse", "rnncourse.recurrence", "rnncourse.cells", "rnncourse.data"} <= set(CORE)


def test_import_brings_nothing_heavy():
    code = f"""
import sys
from importlib import import_module

for module in {CORE}:
    import_module(module)
    heavy = sorted(sys.modules.keys() & set({HEAVY}))
    assert not heavy, f"{{module}} imports {{heavy}}"
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
