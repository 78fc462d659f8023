"""Every right answer to a problem as a program of its own: the model answer, the reference, the other solutions."""

import ast
import json
import symtable
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Program(NamedTuple):
    """A right answer: the source of all that it needs, whose `expression` is the function."""

    name: str
    source: str
    expression: str


def programs(folder: str, name: str) -> Iterator[Program]:
    """All right answers to a problem."""
    yield model_answer(folder, name)
    yield from others(ROOT / f"rnncourse/grading/checks/{folder}/{name}.py")


def model_answer(folder: str, name: str) -> Program:
    """The model answer in the notebook of a problem set."""
    (path,) = (ROOT / "solutions").glob(f"{folder}-*/*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    [source] = [s for s in ("".join(cell["source"]) for cell in cells) if s.startswith(f"def {name}(") and "###" in s]
    return Program("the model answer", f"import numpy as np\n{source}", name)


def others(path: Path) -> Iterator[Program]:
    """The reference of a check and its differently written solutions, each with the statements that it needs.

    Without `strict=True`: the arrays that a case gives to zip are equally long.
    """
    text = path.read_text(encoding="utf-8").replace(", strict=True", "")
    statements = ast.parse(text).body
    values = {name: statement.value for statement in statements for name in defined(statement) if name.isupper()}
    answers = {"the reference": next(word.value for word in values["PROBLEM"].keywords if word.arg == "reference")}
    answers |= zip(map(ast.literal_eval, values["ALTERNATIVES"].keys), values["ALTERNATIVES"].values, strict=True)
    for name, value in answers.items():
        source = f"answer = (\n    {ast.get_source_segment(text, value)}\n)\n"
        yield Program(name, needed(text, statements, source) + source, "answer")


def needed(text: str, statements: list[ast.stmt], source: str) -> str:
    """The imports of a module, and the statements that define what a source uses, directly or not."""
    defines = {name: statement for statement in statements for name in defined(statement)}
    wanted: set[ast.stmt] = set()
    todo = [source]
    while todo:
        found = {defines[name] for name in used(todo.pop()) & defines.keys()} - wanted
        wanted |= found
        todo += [ast.get_source_segment(text, statement) for statement in found]
    kept = [s for s in statements if s in wanted or isinstance(s, (ast.Import, ast.ImportFrom))]
    return "".join(f"{ast.get_source_segment(text, statement)}\n" for statement in kept)


def defined(statement: ast.stmt) -> list[str]:
    """The names that a statement of a module defines, imports apart.

    >>> [defined(statement) for statement in ast.parse("def f(): pass\\na, b = 1, 2\\nimport c").body]
    [['f'], ['a', 'b'], []]
    """
    if isinstance(statement, ast.FunctionDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]


def used(source: str) -> set[str]:
    """The global names that a source uses.

    >>> sorted(used("def f(x):\\n    y = g(x)\\n    return y + z"))
    ['f', 'g', 'z']
    """
    tables, names = [symtable.symtable(source, "<source>", "exec")], set()
    while tables:
        table = tables.pop()
        names |= {s.get_name() for s in table.get_symbols() if s.is_global() or table.get_type() == "module"}
        tables += table.get_children()
    return names
