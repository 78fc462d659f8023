"""Which submissions of a problem set resemble each other more than chance lets answers do: a report, not a verdict.

A function counts as the set of its k-grams of tokens, after comments, docstrings, annotations and the names of its
locals are taken away (Schleimer, Wilkerson and Aiken, 2003, Winnowing: local algorithms for document fingerprinting).
What the release and the model answers hold, which everybody may have read, does not count. Two functions are compared
by the share of what is left that both have: |A ∩ B| / |A ∪ B|, Jaccard's index.
"""

import ast
import builtins
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from rnncourse.grading import submission
from rnncourse.grading.course import Course

LENGTH, LEAST, THRESHOLD = 5, 15, 0.6
"""Tokens in a k-gram; k-grams of their own that both functions must have at least; the index from which it is told."""

LETTERS = 300_000
"""Of code that are compared of one student; who wrote more is not."""

REST = "(other code)"
"""What a student wrote besides the functions that were asked for, as if it were one more."""

Grams = frozenset[tuple[str, ...]]
"""What a function counts as."""


@dataclass(frozen=True)
class Pair:
    """Two students, and the functions in which they resemble each other, with Jaccard's index of each."""

    one: str
    other: str
    functions: dict[str, float]


class Plain(ast.NodeTransformer):
    """Takes docstrings and annotations away, and calls the names that a function binds v0, v1, … as they come."""

    def __init__(self, bound: set[str]) -> None:
        self.bound = bound
        self.names: dict[str, str] = {}

    def _renamed(self, name: str) -> str:
        return self.names.setdefault(name, f"v{len(self.names)}") if name in self.bound else name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A variable."""
        return ast.Name(self._renamed(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """A parameter."""
        return ast.arg(self._renamed(node.arg), None)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """An assignment with an annotation, or an annotation alone."""
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=0) if node.value else ast.Pass())

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function: its name does not count, nor what it says of itself."""
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        new = ast.FunctionDef("f", node.args, body or [ast.Pass()], node.decorator_list, lineno=0)
        return self.generic_visit(new)


def grams(nodes: Iterable[ast.stmt]) -> Grams:
    """The k-grams of some statements."""
    found: set[tuple[str, ...]] = set()
    for node in nodes:
        stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        params = {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        plain = Plain((stored | params) - set(dir(builtins))).visit(node)
        text = ast.unparse(ast.fix_missing_locations(plain))
        tokens = [
            token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.string.strip()
        ]
        found.update(zip(*(tokens[k:] for k in range(LENGTH)), strict=False))
    return frozenset(found)


def functions(cells: Iterable[str], asked: Iterable[str]) -> dict[str, Grams]:
    """By name, the k-grams of the functions that are asked for and of the rest. A cell that is no Python is passed."""
    parts: dict[str, list[ast.stmt]] = defaultdict(list)
    for cell in cells:
        source = re.sub(r"^[ \t]*[%!?].*$", "", cell, flags=re.MULTILINE)
        try:
            statements = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in statements:
            own = isinstance(node, ast.FunctionDef) and node.name in asked
            parts[node.name if own and isinstance(node, ast.FunctionDef) else REST].append(node)
    found = {}
    for name, nodes in parts.items():
        try:
            found[name] = grams(nodes)
        except (ValueError, RecursionError, MemoryError, tokenize.TokenError):  # a number too long to be written, say
            continue
    return found


def pairs(students: dict[str, dict[str, Grams]], known: Grams, threshold: float = THRESHOLD) -> list[Pair]:
    """The pairs of students with a function above the threshold, the most alike first; `known` does not count."""
    alike: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for function in sorted({name for those in students.values() for name in those}):
        own = {student: those[function] - known for student, those in sorted(students.items()) if function in those}
        holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for student, those in own.items():
            shared = Counter(other for gram in those for other in holders[gram])
            for other, both in shared.items():
                index = both / (len(those) + len(own[other]) - both)
                if both >= LEAST and index >= threshold:
                    alike[other, student][function] = index
            for gram in those:
                holders[gram].append(student)
    found = [Pair(*names, functions) for names, functions in alike.items()]
    return sorted(found, key=lambda pair: (-sum(pair.functions.values()), pair.one, pair.other))


def similar(course: Course, assignment: str, threshold: float = THRESHOLD) -> tuple[list[Pair], dict[str, str]]:
    """The pairs of a problem set, and by student why a submission could not be read. Raises `CourseError`."""
    sheets = course.sheets(assignment)
    source = course.folder(course.directory.source_directory, ".", assignment)
    asked = {name for sheet in sheets for name in sheet.functions.values()}
    known: set[tuple[str, ...]] = set()
    for sheet in sheets:
        for notebook in (sheet.released, nbformat.read(source / f"{sheet.name}.ipynb", as_version=4)):
            known = known.union(*functions(code(notebook), asked).values())
    students: dict[str, dict[str, Grams]] = {}
    unread: dict[str, str] = {}
    for name in course.handed_in(assignment)[0]:
        folder = course.folder(course.directory.submitted_directory, name, assignment)
        try:
            cells = [cell for sheet in sheets for cell in read(folder / f"{sheet.name}.ipynb")]
            if sum(map(len, cells)) > LETTERS:
                raise submission.Refused(f"expected at most {LETTERS} characters of code to compare")
            students[name] = functions(cells, asked)
        except submission.Refused as refused:
            unread[name] = str(refused)
    return pairs(students, frozenset(known), threshold), unread


def read(path: Path) -> list[str]:
    """The code of what a student handed in. Raises `Refused`."""
    return code(submission.read(path))


def code(notebook: nbformat.NotebookNode) -> list[str]:
    """The text of a notebook's code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]
