# ruff: noqa: E501 (a cell reads as it is handed in)
"""Forging marks: functions that are not written, or wrong, out for points all the same.

`WHOLE` are whole notebooks, each in a sandbox of its own. `ANSWERS` are functions alone: they spoil nothing for each
other and share one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grading.attacks.harness import Attack, armed

NAMES = "x, h, W_x, W_h, b"
ZEROS = armed(f"def rnn_step({NAMES}):\n    return np.zeros_like(h)")


def taken(source: str) -> dict[str, str]:
    """The answer: rnn_step as these lines get hold of it; a stub if they do not."""
    lines = "\n".join(f"    {line}" for line in source.strip().splitlines())
    return {"rnn_step": armed(f"try:\n{lines}\nexcept Exception as error:\n    rnn_step = lambda {NAMES}: None")}


def graded(document: dict[str, Any], name: str = "grade_rnn_step") -> dict[str, Any]:
    """The graded cell of a document."""
    for cell in document["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name:
            found: dict[str, Any] = cell
            return found
    raise LookupError(name)


def four() -> dict[str, Any]:
    """An output that says 4, as a graded cell's would."""
    return {"output_type": "execute_result", "data": {"text/plain": "4"}, "metadata": {}, "execution_count": 1}


def edited(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """Change the graded cell."""
    return lambda document: graded(document).update(changes)


def metadata(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """Change what nbgrader knows of the graded cell."""
    return lambda document: graded(document)["metadata"]["nbgrader"].update(changes)


def skip(document: dict[str, Any]) -> None:
    graded(document)["metadata"]["tags"] = ["skip-execution", "raises-exception"]


def delete(document: dict[str, Any]) -> None:
    document["cells"].remove(graded(document))


def double(document: dict[str, Any]) -> None:
    copy = {**graded(document), "source": "4", "outputs": [four()], "id": "copy"}
    document["cells"].insert(0, copy)
    document["cells"].append(dict(copy, id="copy-2"))


def replace(document: dict[str, Any]) -> None:
    delete(document)
    copy = {
        "nbgrader": {"grade_id": "grade_rnn_step", "grade": True, "solution": True, "points": 4, "schema_version": 3}
    }
    cell = {
        "cell_type": "code",
        "source": "4",
        "metadata": copy,
        "outputs": [four()],
        "execution_count": 1,
        "id": "own",
    }
    document["cells"].append(cell)


def swap(document: dict[str, Any]) -> None:
    """The answer under the name of the graded cell, and the other way round."""
    one, other = graded(document, "rnn_step"), graded(document)
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]
    one["source"], one["outputs"] = "4", [four()]


def turn(document: dict[str, Any]) -> None:
    document["cells"].reverse()


def other_kernel(document: dict[str, Any]) -> None:
    document["metadata"] = {"kernelspec": {"name": "bash", "language": "bash", "display_name": "echo 4"}}
    graded(document)["outputs"] = [four()]


SEND = """
import json, struct
def send(message):
    data = json.dumps(message).encode()
    for fd in range(3, 30):
        try: socket.socket(fileno=os.dup(fd)).sendall(struct.pack(">I", len(data)) + data)
        except OSError: pass
right = {"value": ["float", "0x1p+2"], "failure": None, "args": [], "shared": []}
"""

PATCHED = "rnncourse.grading.sandbox.inside"

WHOLE = {
    "imports the reference": Attack(
        "walls: mounts",
        answers=taken(
            "from rnncourse.cells import RNN\nfrom rnncourse.grading.checks.ps2 import rnn_step as m\nrnn_step = m.rnn_step"
        ),
    ),
    "finds the check": Attack(
        "walls: mounts",
        answers=taken("from rnncourse.grading.checks import find\nrnn_step = find('rnn_step').reference"),
    ),
    "takes the lent function": Attack(
        "walls: mounts", answers=taken("from rnncourse.grading.checks.lent.ps2 import rnn_step")
    ),
    "reads the solutions": Attack(
        "walls: mounts",
        answers=taken(
            """
import glob, json
found = [path for root in ("/", "/course", "..", "../..", "/home/*", "/srv", "/tmp/*")
         for path in glob.glob(root + "/solutions/ps2-rnn/rnn.ipynb")]
for cell in json.load(open(found[0]))["cells"]:
    if "def rnn_step" in "".join(cell["source"]): exec("".join(cell["source"]))
"""
        ),
    ),
    "patches np.testing and all that compares": Attack(
        "score outside",
        cells=(
            """
import numpy as np
for name in ("assert_allclose", "assert_array_equal", "assert_equal", "assert_array_almost_equal"):
    setattr(np.testing, name, lambda *a, **k: None)
for name in ("allclose", "array_equal", "isclose"):
    setattr(np, name, lambda *a, **k: True)
np.abs = np.maximum = lambda a, *rest, **k: np.zeros_like(a)
np.isfinite = lambda a: np.full(np.shape(a), True)
""",
        ),
        answers={"rnn_step": ZEROS},
    ),
    "patches the builtins": Attack(
        "score outside",
        cells=(
            "import builtins\nbuiltins.abs = lambda x: x * 0\nbuiltins.sum = lambda *a: 4\nbuiltins.round = lambda *a: 4",
        ),
        answers={"rnn_step": ZEROS},
    ),
    "patches grade": Attack(
        "score outside",
        cells=(
            "import rnncourse.grading as g\nclass Four:\n    def __getattr__(self, name): return lambda f: 4\ng.grade = g.check = Four()\ng.grade.x(1)",
        ),
    ),
    "replaces the modules of the checks": Attack(
        "score outside",
        cells=(
            """
import types
for name in ("judge", "compare", "kinds", "report", "problem"):
    module = types.ModuleType(name)
    module.judge = lambda *a: types.SimpleNamespace(points=4, show=lambda: None)
    sys.modules["rnncourse.grading.checks." + name] = module
4
""",
        ),
    ),
    "patches what calls the function": Attack(
        "score outside",
        cells=(
            f"import {PATCHED} as i\ni.told = lambda result, untouched: dict(value=['float', '0x1p+2'], failure=None, args=[], shared=[], points=4)",
        ),
    ),
    "transforms the text of every cell": Attack(
        "score outside",
        cells=(
            "get_ipython().input_transformers_cleanup.append(lambda lines: ['4\\n'] if any('grade' in l for l in lines) else lines)",
        ),
    ),
    "transforms the syntax tree": Attack(
        "score outside",
        cells=(
            """
import ast
class Four(ast.NodeTransformer):
    def visit_Call(self, node):
        return ast.copy_location(ast.Constant(4), node) if "grade" in ast.dump(node) else node
get_ipython().ast_transformers.append(Four())
""",
        ),
    ),
    "hooks the display": Attack(
        "score outside",
        cells=(
            "shell = get_ipython()\nshell.displayhook.write_format_data = lambda *a: shell.results.append({'text/plain': '4'})\n"
            "shell.events.register('post_run_cell', lambda *a: shell.results.append({'text/plain': '4'}))\n"
            "sys.displayhook = lambda value: print(4)\n4",
        ),
    ),
    "shows a record of points": Attack(
        "clean",
        cells=(
            "from IPython.display import display\nmime = 'application/vnd.rnncourse.report+json'\n"
            "display({'text/plain': '4', mime: {'function': 'rnn_step', 'points': 4}}, raw=True)\n4",
        ),
    ),
    "sends a reply before the question": Attack(
        "score outside",
        cells=(SEND + "send({'outputs': []})\nsend({'results': [right] * 7})",),
        answers={"rnn_step": ZEROS},
    ),
    "sends a reply of points": Attack(
        "score outside",
        answers={
            "rnn_step": armed(
                SEND
                + f"def rnn_step({NAMES}):\n    send({{'points': 4, 'report': {{'points': 4, 'wrong': {{}}}}, 'results': []}})\n    return h * 0"
            )
        },
    ),
    "sends replies for all cases at once": Attack(
        "score outside",
        answers={
            "rnn_step": armed(
                SEND
                + f"def rnn_step({NAMES}):\n    [send({{'results': [right] * n}}) for n in range(1, 30)]\n    return h"
            )
        },
    ),
    "answers that nothing went wrong": Attack(
        "score outside",
        cells=(
            f"import {PATCHED} as i\ni.call = lambda *a: {{'results': [], 'failure': None, 'wrong': {{}}, 'points': 4}}",
        ),
    ),
    "says that the function is missing, and right": Attack(
        "score outside", cells=(f"import {PATCHED} as i\ni.call = lambda *a: {{'missing': False, 'unfit': ''}}",)
    ),
    "leaves with success": Attack(
        "score outside", answers={"rnn_step": armed(f"def rnn_step({NAMES}):\n    print(4)\n    os._exit(0)")}
    ),
    "leaves as if from the program": Attack(
        "score outside", answers={"rnn_step": armed(f"def rnn_step({NAMES}):\n    raise SystemExit(4)")}
    ),
    "peeks into the frames": Attack(
        "score outside",
        answers={
            "rnn_step": armed(
                f"""
def rnn_step({NAMES}):
    frame = sys._getframe()
    while frame:
        for name, value in [*frame.f_locals.items(), *frame.f_globals.items()]:
            if name in ("want", "wanted", "expected", "reference", "cases", "PROBLEM") and not isinstance(value, list):
                return value(x, h, W_x, W_h, b) if callable(value) else value
        frame = frame.f_back
    return np.zeros_like(h)
"""
            )
        },
    ),
    "looks through all objects": Attack(
        "score outside",
        answers={
            "rnn_step": armed(
                f"""
def rnn_step({NAMES}):
    import gc, types
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and one.__name__ in ("rnn_step", "reference") and one is not rnn_step:
            return one(x, h, W_x, W_h, b)
        if type(one).__name__ in ("Problem", "Sitting"):
            return one.reference(x, h, W_x, W_h, b)
    return np.zeros_like(h)
"""
            )
        },
    ),
    "skips the test": Attack("normalise", edit=skip),
    "a number as its own output": Attack("normalise", cells=("4", "4.0", "print(4)\n4")),
    "claims more points": Attack("normalise", edit=metadata(points=99, grade=True, solution=True, locked=False)),
    "writes the graded cell itself": Attack("normalise", edit=edited(source="4", outputs=[four()])),
    "brings its outputs along": Attack("normalise", edit=edited(outputs=[four()], execution_count=1)),
    "turns the graded cell into Markdown": Attack("normalise", edit=edited(cell_type="markdown", source="4")),
    "doubles the graded cell": Attack("normalise", edit=double),
    "deletes the test": Attack("normalise", edit=delete),
    "replaces the test by its own": Attack("normalise", edit=replace),
    "swaps answer and test": Attack("normalise", edit=swap),
    "turns the order of the cells": Attack("normalise", edit=turn),
    "names another kernel": Attack("normalise", edit=other_kernel),
    "steals what is lent for an earlier function": Attack(
        "score outside",
        answers={
            "rnn_step": armed(
                "import builtins\ndef rnn_step(x, h, W_x, W_h, b):\n    return builtins.stolen(x, h, W_x, W_h, b)"
            ),
            "rnn_forward": armed(
                """
def rnn_forward(X, h0, W_x, W_h, b):
    if not hasattr(builtins, "stolen"):
        builtins.stolen = rnn_step
        os._exit(0)  # and again from the beginning
    return None
"""
            ),
        },
    ),
    "asks for what was lent before": Attack(
        "score outside",
        answers={
            "rnn_forward": armed(
                "import builtins\ndef rnn_forward(X, h0, W_x, W_h, b):\n    builtins.stolen = rnn_step\n    return None"
            ),
            "count_parameters": armed(
                "def count_parameters(D, H, Q):\n    return builtins.stolen(np.ones((1, 1)), np.ones((1, 1)), *[np.ones((1, 1))] * 3)"
            ),
        },
    ),
    "asks for functions that are not there": Attack(
        "limits",
        answers={
            "rnn_forward": armed(
                f"""
def rnn_forward(X, h0, W_x, W_h, b):
    from {PATCHED} import Channel
    cells = dict(zip(rnn_step.__code__.co_freevars, (cell.cell_contents for cell in rnn_step.__closure__)))
    for place in (-1, 1, 2, True, "0", 1e9):
        cells["channel"].send({{"function": place, "args": [], "named": {{}}}})
        answer = cells["channel"].receive()
        if "value" in answer: return answer
"""
            )
        },
    ),
}


@dataclass(frozen=True)
class Answer:
    """A function that earns `points` honestly, and must not earn more. `after` is what stays of a right answer."""

    source: str
    points: int = 0
    name: str = "rnn_step"
    measure: str = "score outside"


def returns(value: str, before: str = "", name: str = "rnn_step", points: int = 0) -> Answer:
    """A function that returns this."""
    args = {"rnn_step": NAMES, "count_parameters": "D, H, Q", "build_vocab": "tokens, min_frequency, specials"}[name]
    return Answer(f"import numpy as np\n{before}\ndef {name}({args}):\n    return {value}", points, name)


LIAR = """
class Liar:
    def __eq__(self, other): return True
    __ne__ = __lt__ = __gt__ = __bool__ = lambda self, *other: False
    __hash__ = object.__hash__
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    shape = property(lambda self: self)
"""
ARRAY = """
class Array(np.ndarray):
    def __eq__(self, other): return True
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.zeros(self.shape)
    def __array_function__(self, *a, **k): return True
    def __sub__(self, other): return np.zeros(self.shape)
    __rsub__ = __abs__ = __sub__
"""
SPOOF = """
class Spoof:
    __class__ = np.ndarray
    dtype, shape, size = np.dtype(float), (3, 5), 15
    def __array__(self, *a, **k): return np.zeros((3, 5))
    def __reduce__(self): return (print, (4,))
"""
COUNT = "dict.fromkeys(('W_xh', 'W_hh', 'b_h', 'W_hq', 'b_q', 'total'), {})"

ANSWERS = {
    "an object that equals all": returns("Liar()", LIAR),
    "an array that equals all": returns("np.zeros_like(h).view(Array)", ARRAY),
    "an object that is said to be an array": returns("Spoof()", SPOOF),
    "a list of objects that equal all": returns("[[Liar()] * h.shape[1]] * len(h)", LIAR),
    "an array of objects that equal all": returns("np.full(h.shape, Liar(), dtype=object)", LIAR),
    "nan": returns("h * np.nan"),
    "infinity": returns("h + np.inf"),
    "minus zero": returns("-0.0 * h"),
    "a number too small to be normal": returns("np.full(h.shape, 5e-324)"),
    "half precision, overflown": returns("np.full(h.shape, 7e4).astype(np.float16)"),
    "all masked": returns("np.ma.masked_all(h.shape)"),
    "an array without entries": returns("np.zeros((0, *h.shape))"),
    "one entry, shown many times": returns("np.broadcast_to(np.float64(0), h.shape)"),
    "dates": returns("np.full(h.shape, 'NaT', dtype='M8[s]')"),
    "records": returns("np.zeros(h.shape, dtype=[('f', float)])"),
    "an input": returns("h"),
    "its inputs in one": returns("(x @ W_x, h @ W_h, b)"),
    "a dict that has every key": returns(
        "Every()",
        "class Every(dict):\n    def __missing__(self, key): return 4\n    __contains__ = lambda *a: True",
        "count_parameters",
    ),
    "huge integers": returns(COUNT.format("10**399"), name="count_parameters"),
    "more digits than are read": returns(COUNT.format("10**5000"), name="count_parameters"),
    "True for 1": returns(COUNT.format("True"), name="count_parameters"),
    "strings that look like numbers": returns(COUNT.format("'12'"), name="count_parameters"),
    "empty arrays for counts": returns(COUNT.format("np.array([])"), name="count_parameters"),
    "counts that equal all": returns(
        COUNT.format("Number()"),
        "class Number(int):\n    __eq__ = lambda *a: True\n    __hash__ = int.__hash__\n    __ne__ = lambda *a: False",
        "count_parameters",
    ),
    "empty arrays as entries": returns("[np.array([])] * 10", name="build_vocab"),
    "empty arrays as values": returns(
        "{token: np.array([], int) for token in [*specials, *tokens]}", name="build_vocab"
    ),
    "objects that equal all, as values": returns(
        "{token: Liar() for token in [*specials, *tokens]}", LIAR, "build_vocab"
    ),
    "the shape alone, from the inputs": returns("np.tanh(np.zeros((len(x), len(b))))"),
    "what it gave for the case before": Answer(
        f"seen = []\ndef rnn_step({NAMES}):\n    seen.append(np.tanh(x @ W_x + h @ W_h + b))\n    return seen[max(0, len(seen) - 2)]",
        points=0,
    ),
    "right for the first case only": Answer(
        f"calls = []\ndef rnn_step({NAMES}):\n    calls.append(1)\n    return np.tanh(x @ W_x + h @ W_h + b * (len(calls) == 1))",
        points=0,
    ),
    "True, whatever the function does": Answer("def leaks_future(f, X, other):\n    return True", 0, "leaks_future"),
    "what the function tells of itself": Answer(
        """
def leaks_future(f, X, other):
    told = [f.__name__, f.__qualname__, f.__doc__, f.__module__, f.__defaults__, getattr(f, "__wrapped__", None)]
    told += [cell.cell_contents for cell in f.__closure__ or ()]
    return any("lea" in str(part) or "later" in str(part) for part in told)
""",
        0,
        "leaks_future",
    ),
    "the errors of a function among the inputs": Answer(
        """
def numerical_gradient(loss, theta, eps):
    for wrong in ("gradient", None, {}, [], np.zeros(0), np.zeros((9, 9, 9)), [loss]):
        try: loss(wrong)
        except Exception as error:
            if "w" in vars(error) or "cell" in str(error): return error.w
    return np.zeros_like(theta)
""",
        0,
        "numerical_gradient",
    ),
    "a function among the inputs, asked for the gradient": Answer(
        """
def numerical_gradient(loss, theta, eps):
    for name in ("grad", "gradient", "backward", "__wrapped__", "__self__"):
        if hasattr(loss, name): return getattr(loss, name)(theta)
    try: return loss(theta=theta, gradient=True)
    except TypeError: return np.zeros_like(theta)
""",
        0,
        "numerical_gradient",
    ),
}
