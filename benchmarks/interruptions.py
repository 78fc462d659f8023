"""Kill a grading batch again and again, then let it end: are the marks those of an undisturbed run?

    python benchmarks/interruptions.py              50 instants, 40 students: about four minutes
    python benchmarks/interruptions.py 10 8 > …     fewer

At each instant, drawn at random, one of these is killed: the command (kill -9 or Ctrl-C), a marking process, a sandbox.
The command is then started again, as an instructor would. `make proof` writes the report to interruptions.txt.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import nbformat
import psutil
from grading import SET, course, fresh, ours
from nbgrader.api import Gradebook
from versions import made_with

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from courses import environment

SEED = 7


def started(root):
    """The command, running."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(ours("-j", "2"), cwd=root, env=environment(root), **silent)


def family(process):
    """The marking processes and the sandboxes of a command."""
    with suppress(psutil.NoSuchProcess):
        found = psutil.Process(process.pid).children(recursive=True)
        named = [(one, " ".join(one.cmdline())) for one in found if one.is_running()]
        servers = {one.pid for one, line in named if "forkserver" in line}
        marking = [one for one, _ in named if one.ppid() in servers and one.pid in servers]
        return marking, [one for one, line in named if line.startswith("bwrap")]
    return [], []


def strike(process, rng):
    """Kill one of the processes of a command: what was killed."""
    marking, sandboxes = family(process)
    whom = rng.choice(["the command, kill -9", "the command, Ctrl-C", "a marking process", "a sandbox"])
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        if whom == "a marking process" and marking:
            rng.choice(marking).kill()
            return whom
        if whom == "a sandbox" and sandboxes:
            rng.choice(sandboxes).kill()
            return whom
    ctrl_c = whom == "the command, Ctrl-C"
    process.send_signal(signal.SIGINT if ctrl_c else signal.SIGKILL)
    process.wait(60)
    return "the command, Ctrl-C" if ctrl_c else "the command, kill -9"


def marks(root):
    """Each student's points by cell, as often as the gradebook has them, and the marked notebooks' bytes."""
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        points = Counter(
            (one.student_id, grade.name, grade.auto_score)
            for one in gradebook.assignment_submissions(SET)
            for notebook in one.notebooks
            for grade in notebook.grades
        )
    kept = {path.name: path.read_bytes() for path in (root / ".grading" / "marked").glob("*.ipynb")}
    shown = {path: nbformat.read(path, as_version=4) for path in sorted(root.glob(f"autograded/*/{SET}/*.ipynb"))}
    return points, kept, {str(path.relative_to(root)): nbformat.writes(notebook) for path, notebook in shown.items()}


def main(instants=50, students=40):
    """Print the report. Returns 1 if a mark differs."""
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        calm, struck = Path(folder) / "calm", Path(folder) / "struck"
        calm.mkdir()
        course(calm, students)
        shutil.copytree(calm, struck)
        start = time.perf_counter()
        subprocess.run(ours("-j", "2"), cwd=calm, env=environment(calm), check=True, capture_output=True)
        whole = time.perf_counter() - start
        done = Counter()
        process = started(struck)
        for _ in range(instants):
            time.sleep(rng.uniform(0.05, whole / 4))
            if process.poll() is not None:  # it had ended: begin anew, so that every instant falls into work
                fresh(struck)
                process = started(struck)
                time.sleep(rng.uniform(0.05, whole / 4))
            done[strike(process, rng)] += 1
            if process.poll() is not None:
                process = started(struck)
        process.wait()
        last = subprocess.run(ours("-j", "2"), cwd=struck, env=environment(struck), capture_output=True, text=True)
        expected, found = marks(calm), marks(struck)
        left = [path.name for path in struck.iterdir() if path.name.startswith(".recording")]
        verdicts = {
            "the command ended well at last": last.returncode == 0,
            "every grade is the same, none lost, none twice": expected[0] == found[0],
            "every marked notebook is the same, byte for byte": expected[1] == found[1],
            "every notebook in autograded/ is the same": expected[2] == found[2],
        }
    print(made_with("numpy", "nbgrader", "psutil"))
    print(f"{students} students, {instants} instants (seed {SEED}); an undisturbed run took {whole:.0f} s")
    for whom, times in sorted(done.items()):
        print(f"  {times:3d} times killed: {whom}")
    for sentence, true in verdicts.items():
        print(f"{'yes' if true else 'NO '}  {sentence}")
    print(f"{len(left)} temporary folders left behind by kills")
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(*map(int, sys.argv[1:])))
