"""Courses to grade, for tests: made once, copied, and filled with marks without running anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from rnncourse.grading.course import Course
from rnncourse.grading.record import record

ROOT = Path(__file__).parents[1]
SET, NOTEBOOK = "ps2-rnn", "rnn.ipynb"


def environment(root):
    """Nothing of the user's own configuration; the environment's programs on the path."""
    own = {"HOME": str(root), "JUPYTER_CONFIG_DIR": str(root / ".config"), "RNNCOURSE_SEED": "secret"}
    own |= {"JUPYTER_DATA_DIR": str(root / ".data"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return os.environ | own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


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
