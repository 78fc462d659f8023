"""The numerical core needs NumPy alone."""

import subprocess
import sys

import pytest

RECURRENCE = ["arrays", "recurrence", "cells", "layers", "losses", "init", "optim", "gradcheck"]
AROUND_IT = ["decoding", "text", "train", "evidence", "data"]
HEAVY = ["torch", "matplotlib", "IPython", "ipykernel", "sphinx", "nbgrader"]


@pytest.mark.parametrize("module", ["rnncourse", *(f"rnncourse.{name}" for name in RECURRENCE + AROUND_IT)])
def test_import_brings_nothing_heavy(module):
    code = f"import sys, {module}; print(*(sys.modules.keys() & set({HEAVY})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [], f"importing {module} imports {run.stdout}"
