"""Every public name says what it is, and every one of the numerical core shows it: read from the source itself."""

import ast
import builtins
import re
from doctest import DocTestParser
from pathlib import Path

import pytest

import rnncourse

PACKAGE = Path(rnncourse.__file__).parent
MODULES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TOOLING = "book/", "grading/"  # run by make and by nbgrader: their tests are their examples
CORE = [name for name in MODULES if not name.startswith(TOOLING)]
UNSAID = {
    "NotImplementedError",  # raised by a method that a subclass must write, as its docstring says
    "AttributeError",  # raised by `__getattr__`, whose caller Python is
}


def named(target):
    """The public names that an assignment's target binds."""
    names = [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]
    return [name for name in names if not name.startswith("_")]


def constants(body):
    """The public names bound at module level, and whether a string after the assignments says what they are.

    Assignments on consecutive lines share the string behind the last of them.
    """
    waiting = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, (ast.Assign, ast.AnnAssign)):
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            waiting += named(target)
        if isinstance(after, (ast.Assign, ast.AnnAssign)) and after.lineno == node.end_lineno + 1:
            continue
        said = (
            isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
        )
        yield from ((name, said) for name in waiting)
        waiting = []


def definitions(body, inside=""):
    """(qualified name, node) of every public function and class, and of every method of these classes."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield inside + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from definitions(node.body, f"{inside}{node.name}.")


def raised(node):
    """The names of the exceptions that a function raises in its own lines, not in those of functions inside it."""
    inner = [n for n in ast.walk(node) if n is not node and isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    nested = {id(n) for part in inner for n in ast.walk(part)}
    for n in ast.walk(node):
        if isinstance(n, ast.Raise) and n.exc is not None and id(n) not in nested:
            for call in ast.walk(n.exc):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id[0].isupper():
                    yield call.func.id


def functions(body):
    """(qualified name, node, what its docstring and its class's say) of every public function, method, `__init__`."""
    for name, node in definitions(body):
        if isinstance(node, ast.ClassDef):
            for n in node.body:
                if isinstance(n, ast.FunctionDef) and (n.name == "__init__" or not n.name.startswith("_")):
                    yield f"{name}.{n.name}", n, f"{ast.get_docstring(node)} {ast.get_docstring(n)}"
        elif node in body:
            yield name, node, f"{ast.get_docstring(node)}"


def shown(node):
    """Whether the docstring of a function or class, or of a method of the class, has an example."""
    documented = [node, *(n for n in node.body if isinstance(n, ast.FunctionDef))]
    return any(DocTestParser().get_examples(ast.get_docstring(n) or "") for n in documented)


def source(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def test_modules_are_found():
    assert {"recurrence", "cells", "grading/checks/ps2/rnn_step", "book/__main__"} <= MODULES.keys()
    assert {"recurrence", "cells", "evidence", "plots"} <= set(CORE)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_docstring(module):
    tree = source(module)
    lacking = [] if ast.get_docstring(tree) else ["the module itself"]
    lacking += [name for name, node in definitions(tree.body) if not ast.get_docstring(node)]
    if "/ps" not in module:  # a bank's constants are the fields of its `Problem`, which says what they are
        lacking += [name for name, said in constants(tree.body) if not said and name != "__all__"]
    assert not lacking, f"no docstring in {module}: {', '.join(lacking)}"


@pytest.mark.parametrize("module", CORE)
def test_every_public_function_and_class_has_an_example(module):
    top = [(name, node) for name, node in definitions(source(module).body) if "." not in name]
    lacking = [name for name, node in top if not shown(node)]
    assert not lacking, f"no example (>>>) in {module}: {', '.join(lacking)}"


@pytest.mark.parametrize("module", MODULES)
def test_what_is_raised_is_said(module):
    found = functions(source(module).body)
    silent = [f"{name} ({what})" for name, node, said in found for what in raised(node) if not says(said, what)]
    assert not silent, f"raised in {module} and not said in the docstring: {', '.join(silent)}"


def says(docstring, what):
    """Whether a docstring says that this is raised, by its name, or as `Wrong` where it is one of its kinds."""
    if what in UNSAID:
        return True
    names = [what] if hasattr(builtins, what) else [what, *(w for w in ["Wrong"] if what.startswith(w))]
    return bool(re.search(r"\b[Rr]aises?\b", docstring)) and any(re.search(rf"\b{n}\b", docstring) for n in names)
