"""python benchmarks/attacks.py: each attack on the grader, what stops it, and what it achieves where that is weaker.

The attacks are those of tests/grading/attacks/; the printed tables say which measure is taken away, and how. Whatever
is weaker than the grader runs inside an outer sandbox (stage.py): no network, another user, all of the machine read
only. One part runs nothing outside the usual one: what is shown is not cleaned, and no browser opens its page. All of
it takes half an hour.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill

import nbformat
import stage
import unbounded
from versions import made_with

ROOT = Path(__file__).resolve().parent.parent
sys.path.remove(str(Path(__file__).resolve().parent))  # a script there has the name of the folder of the tests
sys.path.insert(0, str(ROOT / "tests"))

from grading.attacks import forge, leave, look, show  # noqa: E402
from grading.attacks.alive import Alive  # noqa: E402
from grading.attacks.harness import STUB, armed, document, mark, sheet  # noqa: E402


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


Row = tuple[str, ...]


def forged() -> list[Row]:
    """What stops each forgery, and what it earns judged inside, and as handed in."""
    gained = json.loads(stage.outer("weakened", host="sandbox"))  # these look for its name
    control, stub = gained.pop(CONTROL), gained.pop(STUBBED)
    assert set(control) == {"4 of 4"} and set(stub) == {"0 of 4"}, "the weakened grader does not grade"
    attacks, table = forgeries(), []
    for name, (inside, handed_in) in gained.items():
        by_value = name in forge.ANSWERS and inside.startswith("0")
        table.append(("forge", name, "the checks" if by_value else attacks[name].measure, inside, handed_in))
    return table


def walled() -> list[Row]:
    """Which walls stop what reads, goes out or leaves something: each alone, and which cannot be spared."""
    found = json.loads(stage.outer("walls"))
    achieved = [name for name, through in found["all"].items() if through]
    assert not achieved, f"these get through all walls: {achieved}"
    kinds = {"read": look.READ, "network": look.NETWORK, "leave": leave.CELLS}
    table = []
    for kind, names in kinds.items():
        for name in names:
            alone = [wall for wall in stage.WALLS if not found[f"{wall} alone"][name]] if found["none"][name] else []
            needed = [wall for wall in stage.WALLS if found[f"without {wall}"][name]]
            some = any(through[name] for through in found.values())
            without = "gets through" if found["none"][name] else "now and then" if some else "finds nothing"
            table.append((kind, name, without, ", ".join(alone) or "-", ", ".join(needed) or "-"))
    return table


def exhausting() -> list[Row]:
    """What each attack that exhausts comes to without limits, and without one of them."""
    found = json.loads(stage.outer("exhausted"))
    return [
        ("exhaust", name, bare or "its own loss", limit or ("several" if bare else "-"), alone or "-")
        for name, (bare, limit, alone) in found.items()
    ]


def shown() -> list[Row]:
    """What comes alive in the feedback if it is not cleaned."""
    bare, clean = alive(False), alive(True)
    assert set(clean.values()) == {"text"}, clean
    return [("feedback", name, bare[name]) for name in show.SHOWN]


def strange() -> list[Row]:
    """What comes of strange folders if they are read as they are."""
    return [("handed in", what, outcome) for what, outcome in json.loads(stage.outer("as it is")).items()]


TABLES = {
    forged: (
        """Marks. Judged inside: the cells, the checks and the marks share one process; locked cells are put back as
        nbgrader does. As handed in: the same, and no cell is put back. Points of points.""",
        ("kind", "attack", "stopped by", "judged inside", "as handed in"),
    ),
    walled: (
        f"""Walls: {", ".join(stage.WALLS)}. What an attack comes to with none of them; which of them stops it with all
        others gone; and which lets it through if it alone is gone. Several in the second of these columns and none in
        the third: each of them is enough. None in the second and some in the third: they stop it together. Now and
        then: not with all of them gone, but with some. What finds nothing has nothing to find in the outer sandbox, or
        is stopped by what cannot be taken away there: that the sandbox is a user namespace of its own, and that the
        machine's programs are read only.""",
        ("kind", "attack", "without walls", "each alone stops it", "gets through without"),
    ),
    exhausting: (
        f"""Limits: {", ".join(unbounded.LIMITS)}. What an attack comes to without any of them; and one of them which is
        enough to be gone, with what it then comes to. Its own loss: the grader does as it does with all limits, and the
        process that ends is the attack's own. Several: none of them alone lets it through. Ended at
        {unbounded.SECONDS:g} s, or at {unbounded.MEMORY >> 20} MiB;
        what the kernel holds in the buffers of sockets is not measured.""",
        ("kind", "attack", "without limits", "enough to be gone", "without that one"),
    ),
    shown: (
        "Feedback. Not cleaned: whether something of it comes alive on the page of one who reads it.",
        ("kind", "attack", "not cleaned"),
    ),
    strange: (
        "Folders. As it is: read as nbgrader reads a file and a time, links followed, any name taken, no limits.",
        ("kind", "attack", "as it is"),
    ),
}


def printed(titles: Row, table: list[Row]) -> None:
    """Print a table."""
    widths = [max(len(row[k]) for row in (titles, *table)) for k in range(len(titles))]
    for row in (titles, *table):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main() -> None:
    """Print the tables."""
    print(made_with("numpy", "nbgrader", "nbconvert"))
    print(
        "No attack achieves anything (tests/grading/test_attacks.py). What it achieves where measures are taken away:"
    )
    counts: dict[str, int] = {}
    for rows, (says, titles) in TABLES.items():
        table = rows()
        print(f"\n{fill(' '.join(says.split()), 118)}\n", flush=True)
        printed(titles, table)
        for row in table:
            counts[row[0]] = counts.get(row[0], 0) + 1
    of_each = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
    print(f"\n{of_each}; together: {sum(counts.values())}")


if __name__ == "__main__":
    inside = {"weakened": weakened, "walls": stage.matrix}
    inside |= {"exhausted": unbounded.exhausted, "as it is": unbounded.taken_as_it_is}
    if sys.argv[1:]:
        stage.only_inside()
        print(json.dumps(inside[sys.argv[1]]()))
    else:
        main()
