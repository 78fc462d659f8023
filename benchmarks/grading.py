"""How fast is grading? Stock `nbgrader autograde` beside this package's grader, the same class, in one run.

    python benchmarks/grading.py > benchmarks/grading.txt       40 students, then a class of 1000
    python benchmarks/grading.py 40 0                           40 students only

A class holds model answers, wrong answers and stubs. Times are wall-clock seconds of the whole command, its start
included, except for the cluster's.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from distributed import LocalCluster
from versions import made_with

ROOT = Path(__file__).parents[1]
SET, NOTEBOOK = "ps2-rnn", "rnn.ipynb"
QUIET = {"dashboard_address": None, "silence_logs": 50}


def handed_in(k):
    """What student k hands in: two in four the model answers, one a wrong step, one the stub; each a bit different."""
    notebook = nbformat.read(ROOT / "solutions" / SET / NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        cell.source = "\n".join(line for line in cell.source.splitlines() if "### " not in line)
        if k % 4 == 2:
            cell.source = cell.source.replace("np.tanh(x @ W_x + h @ W_h + b)", "np.tanh(x @ W_x + h @ W_h)")
    if k % 4 == 3:
        notebook = nbformat.read(ROOT / "exercises" / SET / NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell(f"Student {k}", id=f"student-{k}"))
    return notebook


def environment(root):
    """Nothing of the user's own configuration; one BLAS thread."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"HOME": str(root), "JUPYTER_CONFIG_DIR": str(root / ".config"), "RNNCOURSE_SEED": "benchmark"}
    return os.environ | own | {"PATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def course(root, students):
    """A course in which so many students have handed in."""
    for folder in ("solutions", "exercises"):
        shutil.copytree(ROOT / folder / SET, root / folder / SET)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    subprocess.run(
        ["nbgrader", "generate_assignment", SET], cwd=root, env=environment(root), check=True, capture_output=True
    )
    for k in range(students):
        folder = root / "submitted" / f"student{k:05d}" / SET
        folder.mkdir(parents=True)
        nbformat.write(handed_in(k), folder / NOTEBOOK)


def fresh(root):
    """Forget all marks."""
    for name in ("autograded", ".grading"):
        shutil.rmtree(root / name, ignore_errors=True)


def timed(root, command):
    """The seconds of a command, and the peak memory of its largest process in MiB. Ends this program if it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=root, env=environment(root), stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            said.seek(0)
            sys.exit(f"{' '.join(command)}: {said.read().decode()}")
    return seconds, used.ru_maxrss / 1024


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
            seconds, _ = timed(root, command)
            stock = stock or seconds
            row(name, few, seconds, stock)
        row("grade, nothing has changed", few, timed(root, ours("-j", "2"))[0], stock)
    if many:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            course(root, many)
            seconds, peak = timed(root, ours("-j", "2"))
            size = (root / "gradebook.db").stat().st_size / 2**20
            print(f"\n{many} submissions, 2 workers: {seconds:.0f} s, {60 * many / seconds:.0f} a minute;", end=" ")
            print(f"largest process {peak:.0f} MiB; gradebook {size:.1f} MiB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
