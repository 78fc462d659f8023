"""python benchmarks/attacks.py: each attack on the grader, what stops it, and what it achieves where that is weakened.

The attacks are those of tests/grading/attacks/. Three measures are taken away, one at a time:

    judged inside    the cells, the checks and the marks share one process; locked cells are put back as nbgrader does
    as handed in     the same, and no cell is put back: the tests are those in the student's file
    not cleaned      outputs and Markdown go into the feedback as they are

The first two run inside an outer sandbox: no network, another user, all of the machine read only. The third runs
nothing outside the usual one, and no browser opens its page.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from versions import made_with

ROOT = Path(__file__).resolve().parent.parent
sys.path.remove(str(Path(__file__).resolve().parent))  # a script there has the name of the folder of the tests
sys.path.insert(0, str(ROOT / "tests"))

from grading.attacks import forge, leave, look, overdo, show  # noqa: E402
from grading.attacks.alive import Alive  # noqa: E402
from grading.attacks.harness import SEED, STUB, armed, document, mark, sheet  # noqa: E402

COURSE = "/course"
"""Where the project lies in the outer sandbox: what the attacks look for is there."""


def outer(argument: str) -> str:
    """What this script prints inside the outer sandbox, with an argument."""
    prefix, base = Path(sys.prefix), Path(sys.base_prefix).resolve()
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    command += ["--cap-drop", "ALL"]
    become: list[str] = []
    if os.getuid() == 0:
        command = [flag for flag in command if flag != "--unshare-all"]
        command[1:1] = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"]
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
        become = [
            "setpriv",
            "--reuid=1000000",
            "--regid=1000000",
            "--clear-groups",
            "--inh-caps=-all",
            "--no-new-privs",
        ]
    for path in map(Path, ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")):
        command += ["--symlink", str(path.readlink())] if path.is_symlink() else ["--ro-bind-try", str(path)]
        command += [str(path)]
    for path in (base, prefix):
        for parent in reversed(path.parents[:-1]):
            command += ["--perms", "0755", "--dir", str(parent)]
        command += ["--ro-bind", str(path), str(path)]
    command += [
        "--ro-bind",
        str(ROOT),
        COURSE,
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
    ]
    settings = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "PYTHONPATH": COURSE, "RNNCOURSE_SEED": SEED}
    settings |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    for name, value in settings.items():
        command += ["--setenv", name, value]
    command += ["--chdir", "/tmp", "--", *become, sys.executable, f"{COURSE}/benchmarks/attacks.py", argument]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"the outer sandbox failed: {done.stderr[-2000:]}")
    return done.stdout


def in_one_process(notebook: dict, function: str) -> str:
    """The points that a notebook earns where its cells, the checks and the marks share a process; in a child of it."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.close(reading)
            os.write(writing, earned(notebook, function).encode())
        except BaseException as error:
            os.write(writing, f"stopped by {type(error).__name__}: {error}"[:200].encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as line:
        said = line.read()
    os.waitpid(child, 0)
    return said or "ended"


def earned(notebook: dict, function: str) -> str:
    """Run all cells as a kernel does, and let nbgrader find the points."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from nbgrader.utils import determine_grade, is_grade
    from traitlets import Type

    results: list = []

    class Last(DisplayHook):
        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            results.append(format_dict)

    class Shell(InteractiveShell):
        displayhook_class = Type(Last)

        def showtraceback(self, *a, **k):
            pass

        showsyntaxerror = showtraceback

    shell = Shell.instance()
    shell.results = results
    cells = nbformat.reads(json.dumps(notebook), as_version=4).cells
    for cell in cells:
        if cell.cell_type != "code" or "skip-execution" in cell.metadata.get("tags", ()):
            continue
        results.clear()
        with capture_output():
            done = shell.run_cell(cell.source)
        cell.outputs = [
            nbformat.v4.new_output("execute_result", data={k: str(v) for k, v in data.items()}) for data in results
        ]
        if error := done.error_before_exec or done.error_in_exec:
            cell.outputs = [nbformat.v4.new_output("error", ename=type(error).__name__, evalue="", traceback=[])]
    found = [cell for cell in cells if is_grade(cell) and cell.metadata.nbgrader.grade_id == f"grade_{function}"]
    if not found:
        return "no test"
    score, most = determine_grade(found[0])
    return f"{score:g} of {most:g}" if score is not None else "by hand"


def tests_of(problem_set: str) -> dict[str, dict]:
    """The locked cells of a problem set with their tests, by name: what nbgrader puts back into a submission."""
    (path,) = (ROOT / "solutions" / problem_set).glob("*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    return {cell.metadata.nbgrader.grade_id: cell for cell in cells if cell.metadata.get("nbgrader", {}).get("locked")}


def restored(notebook: dict, problem_set: str) -> dict:
    """The notebook with its locked cells as nbgrader puts them back, where it finds them by name."""
    known, cells = tests_of(problem_set), []
    for cell in notebook["cells"]:
        ours = known.get(cell["metadata"].get("nbgrader", {}).get("grade_id"))
        if ours is not None:
            more = {"outputs": [], "execution_count": None} if ours.cell_type == "code" else {}
            metadata = cell["metadata"] | {"nbgrader": ours.metadata.nbgrader}
            same = {"cell_type": ours.cell_type, "source": ours.source}
            cell = {"id": cell["id"], "metadata": metadata} | same | more
        cells.append(cell)
    return notebook | {"cells": cells}


SETS = {"build_vocab": "ps1-text", "leaks_future": "ps7-deep", "numerical_gradient": "ps3-bptt"}
CONTROL, STUBBED = "(a right answer)", "(a stub)"


def forgeries() -> dict[str, forge.Attack]:
    """All forgeries as notebooks, and an honest one."""
    answers = {
        name: forge.Attack(
            one.measure, answers={one.name: armed(one.source)}, problem_set=SETS.get(one.name, "ps2-rnn")
        )
        for name, one in forge.ANSWERS.items()
    }
    right = forge.Attack("", answers={"rnn_step": armed(STUB["right rnn_step"])})
    return {CONTROL: right, STUBBED: forge.Attack("")} | forge.WHOLE | answers


def weakened() -> dict[str, tuple[str, str]]:
    """Runs in the outer sandbox: what each forgery earns judged inside; and as it was handed in, besides."""
    gained = {}
    for name, attack in forgeries().items():
        function = next(iter(attack.answers))
        tests = {one: cell.source for one, cell in tests_of(attack.problem_set).items()}
        notebook = document(attack, tests)
        gained[name] = (
            in_one_process(restored(notebook, attack.problem_set), function),
            in_one_process(notebook, function),
        )
    return gained


def alive(clean: bool) -> dict[str, str]:
    """Which of what is shown comes alive on nbgrader's page; without cleaning, if `clean` is false."""
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions import formgrader
    from traitlets.config import Config

    from rnncourse.grading import clean as cleaning

    attack = forge.Attack("clean")
    page = json.loads(nbformat.writes(sheet(attack.problem_set, tuple(attack.answers)).released))
    kept = cleaning.outputs, cleaning.markdown
    if not clean:
        cleaning.outputs = lambda given: [nbformat.from_dict(as_stored(one)) for one in given]
        cleaning.markdown = lambda source: source
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "rnn.ipynb"
            path.write_text(json.dumps(show.page(page)), encoding="utf-8")
            marked = mark(path, attack).notebook
    finally:
        cleaning.outputs, cleaning.markdown = kept
    config = Config()
    config.HTMLExporter.template_name = "feedback"
    templates = Path(formgrader.__file__).parent
    config.HTMLExporter.extra_template_basedirs = [str(templates / "templates")]
    config.HTMLExporter.extra_template_paths = [str(templates / "static/node_modules/bootstrap/dist/css")]
    exporter = HTMLExporter(config=config)
    found = {}
    for name, cell in zip(show.SHOWN, marked.cells[-len(show.SHOWN) :], strict=True):
        one = nbformat.v4.new_notebook(cells=[cell])
        try:
            html, _ = exporter.from_notebook_node(one, resources=nbgrader_resources())
            found[name] = "alive" if Alive(html).parts_with(show.token(name)) else "text"
        except Exception as error:
            found[name] = f"no page ({type(error).__name__})"
    return found


def nbgrader_resources() -> dict:
    """What nbgrader's template asks for."""
    return {"nbgrader": {"score": 0, "max_score": 4, "late_penalty": 0, "notebook": "rnn"}}


def as_stored(output: dict) -> dict:
    """An output as Jupyter stores it."""
    extra = {"metadata": {}} if "data" in output else {}
    return extra | ({"execution_count": 1} if output["output_type"] == "execute_result" else {}) | output


def rows() -> list[tuple[str, ...]]:
    """Kind, attack, what stops it, and what it achieves judged inside, as handed in, and not cleaned."""
    gained = json.loads(outer("weakened"))
    control, stub = gained.pop(CONTROL), gained.pop(STUBBED)
    assert set(control) == {"4 of 4"} and set(stub) == {"0 of 4"}, "the weakened grader does not grade"
    bare, clean = alive(False), alive(True)
    assert set(clean.values()) == {"text"}, clean
    attacks = forgeries()
    table = []
    for name, (inside, handed_in) in gained.items():
        by_value = name in forge.ANSWERS and inside.startswith("0")
        table.append(("forge", name, "the checks" if by_value else attacks[name].measure, inside, handed_in, ""))
    table += [("read", name, probe.measure, "", "", "") for name, probe in look.READ.items()]
    table += [("network", name, probe.measure, "", "", "") for name, probe in look.NETWORK.items()]
    table += [
        ("leave", name, "walls: pid" if name in leave.PROCESSES else "walls: mounts", "", "", "")
        for name in leave.CELLS
    ]
    for part in (overdo.CELLS, overdo.FUNCTIONS, overdo.ALONE, overdo.CALLS):
        table += [("exhaust, crash", name, "limits", "", "", "") for name in part]
    table += [("feedback", name, "clean", "", "", bare[name]) for name in show.SHOWN]
    table += [("handed in", what, "read, record", "", "", "") for what in show.STRANGE]
    table += [("handed in", f"as a student called {what}", "read, record", "", "", "") for what in show.NAMES]
    return table


def main() -> None:
    """Print the table."""
    table = rows()
    titles = ("kind", "attack", "stopped by", "judged inside", "as handed in", "not cleaned")
    widths = [max(len(row[k]) for row in (titles, *table)) for k in range(len(titles))]
    print(made_with("numpy", "nbgrader", "nbconvert"))
    print(
        "No attack achieves anything (tests/grading/test_attacks.py). What it achieves where one measure is taken away,"
    )
    print("if that was tried: points of points, or whether something of it comes alive in the feedback.\n")
    for row in (titles, *table):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    kinds = dict.fromkeys(row[0] for row in table)
    counts = ", ".join(f"{kind}: {sum(row[0] == kind for row in table)}" for kind in kinds)
    print(f"\n{counts}; together: {len(table)}")


if __name__ == "__main__":
    if sys.argv[1:] == ["weakened"]:
        print(json.dumps(weakened()))
    else:
        main()
