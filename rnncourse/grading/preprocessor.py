"""`rebuild` for plain `nbgrader autograde`, which nbgrader_config.py makes its first step."""

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor

from rnncourse.grading.rebuild import rebuild


class Rebuild(NbGraderPreprocessor):
    """`rebuild` as a step of `nbgrader autograde`: the first one. Missing cells are put back, and logged."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Raises FileNotFoundError if there is no release to rebuild from."""
        found = resources["nbgrader"]
        course = CourseDirectory(parent=self)
        folder = course.format_path(course.release_directory, ".", found["assignment"])
        released = nbformat.read(Path(folder) / f"{found['notebook']}.ipynb", as_version=4)
        notebook, missing = rebuild(nb, released)
        if missing:
            self.log.warning(
                "Cells missing from %s of %s, put back: %s", found["notebook"], found["student"], ", ".join(missing)
            )
        return notebook, resources
