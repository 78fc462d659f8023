"""Courses to grade, for tests: made once, copied, and filled with marks without running anything."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import nbformat

from rnncourse.grading.course import Course
from rnncourse.grading.record import record

ROOT = Path(__file__).parents[1]
SET, NOTEBOOK = "ps2-rnn", "rnn.ipynb"
COMMANDS = ROOT / "tests" / "grading" / "nbgrader_commands.py"


def environment(root):
    """Nothing of the user's own configuration; the environment's programs on the path."""
    own = {"HOME": str(root), "JUPYTER_CONFIG_DIR": str(root / ".config"), "RNNCOURSE_SEED": "secret"}
    own |= {"JUPYTER_DATA_DIR": str(root / ".data"), "PYTHONPATH": str(ROOT)}
    own |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return os.environ | own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


class Typed(NamedTuple):
    """A command that ended: what it printed, its seconds, and the peak of its own memory in MiB, 0 but on Linux."""

    text: str
    seconds: float
    peak: float


def typed(root, command, expect=(0,)):
    """Type a command in a course's folder. Raises AssertionError if it ends with another status than expected."""
    begin, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, cwd=root, env=environment(root), stdout=out, stderr=subprocess.STDOUT)
        while True:
            with suppress(OSError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                peak = max([peak, *map(int, re.findall(r"VmHWM:\s+(\d+)", status))])
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                break
        seconds = time.perf_counter() - begin
        out.seek(0)
        text = out.read().decode()
    assert process.returncode in expect, f"{' '.join(map(str, command))} ended with {process.returncode}:\n{text}"
    return Typed(text, seconds, peak / 1024)


@contextmanager
def nbgrader(env, log):
    """type(folder, *words): type a command of nbgrader's in a folder; what it prints goes to the file `log`, too.

    Each raises AssertionError if it ends with another status than expected.
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, COMMANDS], env=env, **pipes) as commands:

        def type_(folder, *words, expect=0):
            commands.stdin.write(json.dumps([str(folder), words, str(log)]) + "\n")
            commands.stdin.flush()
            status = int(commands.stdout.readline())
            printed = log.read_text()
            assert status == expect, f"nbgrader {' '.join(words)} ended with {status}:\n{printed}"
            return printed

        yield type_


def made(root):
    """A course in a folder whose gradebook knows problem set 2, and no student."""
    for folder in ("solutions", "exercises"):
        shutil.copytree(ROOT / folder / SET, root / folder / SET)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    nbgrader = Path(sys.executable).parent / "nbgrader"
    command = [nbgrader, "generate_assignment", SET]
    subprocess.run(command, cwd=root, env=environment(root), check=True, capture_output=True)


def model():
    """The model answers, as a student would hand them in."""
    notebook = nbformat.read(ROOT / "solutions" / SET / NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        cell.source = "\n".join(line for line in cell.source.splitlines() if "### " not in line)
    return notebook


def hand_in(course, student, content=None, when="2026-11-20 12:00:00 UTC"):
    """Put a notebook, or bytes, where nbgrader looks for what a student handed in."""
    folder = course.root / "submitted" / student / SET
    folder.mkdir(parents=True, exist_ok=True)
    content = (
        nbformat.writes(model() if content is None else content).encode() if not isinstance(content, bytes) else content
    )
    (folder / NOTEBOOK).write_bytes(content)
    (folder / "timestamp.txt").write_text(when)


def give_mark(course: Course, student, points, when="2026-11-20 12:00:00 UTC"):
    """Record `points` for each graded cell, at most what there is, as the grader would after marking."""
    notebook = nbformat.read(ROOT / "exercises" / SET / NOTEBOOK, as_version=4)
    for k, cell in enumerate(notebook.cells):
        nbgrader = cell.metadata.get("nbgrader", {})
        if nbgrader.get("grade") and cell.cell_type == "code":
            data = {"text/plain": str(min(points, nbgrader["points"]))}
            cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=k)]
    record(course, SET, student, {"rnn": nbformat.writes(notebook)}, when)
