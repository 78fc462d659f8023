"""Rebuild a submission around the released notebook, before nbgrader grades it.

nbgrader trusts the cells it finds. A deleted test earns nothing, silently. A copied answer, which keeps its metadata,
stops the grading of the whole class. So every cell that nbgrader knows comes from the release, in its order; from the
submission come the text of the answers and the cells that are the student's own.
"""

from copy import deepcopy

from nbformat import NotebookNode


def grade_id(cell: NotebookNode) -> str | None:
    """The name under which nbgrader knows a cell, or None."""
    nbgrader = cell.metadata.get("nbgrader")
    return nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None


def rebuild(submitted: NotebookNode, released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The submission as a notebook that nbgrader can grade, and the names of the cells that were missing from it.

    Both are notebooks (nbformat 4). A cell of the student's own stays behind the known cell that it followed; a copy of
    a known cell counts as their own.
    """
    known = {name: cell for cell in released.cells if (name := grade_id(cell))}
    answers: dict[str, str] = {}
    own: dict[str | None, list[NotebookNode]] = {name: [] for name in (None, *known)}
    last = None
    ids = {cell.id for cell in known.values()}
    for k, cell in enumerate(submitted.cells):
        name = grade_id(cell)
        if name is not None and name in known and name not in answers:
            answers[name] = cell.source
            last = name
        else:
            cell.metadata.pop("nbgrader", None)
            if cell.get("id") in ids | {None}:  # a copy of another, or of a format without ids
                cell.id = f"own-{k}"
            ids.add(cell.id)
            own[last].append(cell)

    notebook = deepcopy(released)
    notebook.cells = own[None]
    for name, cell in known.items():
        cell = deepcopy(cell)
        if name in answers and cell.metadata.nbgrader.solution:
            cell.source = answers[name]
        notebook.cells += [cell, *own[name]]
    return notebook, [name for name in known if name not in answers]
