"""How fast is grading? Stock `nbgrader autograde` beside this package's grader, the same class, in one run.

    python benchmarks/grading.py > benchmarks/grading.txt       40 students, then a class of 1000
    python benchmarks/grading.py 40 0                           40 students only

A class holds model answers, wrong answers and stubs. Times are wall-clock seconds of the whole command, its start
included, except for the cluster's.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from distributed import LocalCluster
from versions import made_with

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from courses import NOTEBOOK, ROOT, SET, hand_in, made, model, typed

from rnncourse.grading.course import Course

QUIET = {"dashboard_address": None, "silence_logs": 50}


def handed_in(k):
    """What student k hands in: two in four the model answers, one a wrong step, one the stub; each a bit different."""
    notebook = model()
    for cell in notebook.cells:
        if k % 4 == 2:
            cell.source = cell.source.replace("np.tanh(x @ W_x + h @ W_h + b)", "np.tanh(x @ W_x + h @ W_h)")
    if k % 4 == 3:
        notebook = nbformat.read(ROOT / "exercises" / SET / NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell(f"Student {k}", id=f"student-{k}"))
    return notebook


def course(root, students):
    """A course in which so many students have handed in."""
    made(root)
    here = Course(root)
    for k in range(students):
        hand_in(here, f"student{k:05d}", handed_in(k))


def fresh(root):
    """Forget all marks."""
    for name in ("autograded", ".grading"):
        shutil.rmtree(root / name, ignore_errors=True)


def ours(*options):
    """The command of this package's grader."""
    return [sys.executable, "-m", "rnncourse.grading", "grade", SET, *options]


def row(name, count, seconds, stock):
    """A row of the table."""
    print(f"{name:<36}{seconds:9.1f}{60 * count / seconds:10.0f}{stock / seconds:13.2f}", flush=True)


def main(few=40, many=1000):
    """Print the tables."""
    print(made_with("numpy", "nbgrader", "ipython", "distributed"))
    with tempfile.TemporaryDirectory() as folder, LocalCluster(n_workers=2, threads_per_worker=1, **QUIET) as cluster:
        root = Path(folder)
        course(root, few)
        rows = {
            "nbgrader autograde": ["nbgrader", "autograde", SET],
            "grade, 1 worker, no sandbox": ours("-j", "1", "--sandbox", "none"),
            "grade, 1 worker": ours("-j", "1"),
            "grade, 2 workers": ours("-j", "2"),
            "grade, Dask, 2 workers": ours("--scheduler", cluster.scheduler_address),
        }
        print(f"{few} submissions{'':<23}seconds  a minute  times stock")
        stock = None
        for name, command in rows.items():
            fresh(root)
            seconds = typed(root, command).seconds
            stock = stock or seconds
            row(name, few, seconds, stock)
        row("grade, nothing has changed", few, typed(root, ours("-j", "2")).seconds, stock)
    if many:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            course(root, many)
            _, seconds, peak = typed(root, ours("-j", "2"))
            size = (root / "gradebook.db").stat().st_size / 2**20
            print(f"\n{many} submissions, 2 workers: {seconds:.0f} s, {60 * many / seconds:.0f} a minute;", end=" ")
            print(f"the command itself at most {peak:.0f} MiB; gradebook {size:.1f} MiB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
