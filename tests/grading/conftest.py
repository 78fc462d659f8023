"""What the tests of the grader share: a sandbox, or a clear reason why there is none."""

import os
import shutil
from pathlib import Path

import pytest
from courses import made

from rnncourse.grading.course import Course
from rnncourse.grading.doctor import walls_missing
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.worker import Worker


@pytest.fixture(scope="session")
def walls():
    """Skips the test where no sandbox can stand; in CI it fails, because there it must."""
    missing = walls_missing()
    if missing and os.environ.get("CI"):
        pytest.fail(f"CI needs a sandbox: {'; '.join(missing)}")
    if missing:
        pytest.skip(f"no sandbox: {'; '.join(missing)}")


@pytest.fixture(scope="module")
def worker(walls):
    """A process in a sandbox, shared by the tests of a file that leave it alive."""
    with Worker(Limits(), walls=True) as process:
        yield process


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """The folder of a course whose gradebook knows problem set 2, and no student: to be copied."""
    root = tmp_path_factory.mktemp("course")
    made(root)
    return root


@pytest.fixture
def course(empty, tmp_path, monkeypatch):
    """A course of one's own, in the current folder."""
    shutil.copytree(empty, tmp_path / "course")
    monkeypatch.chdir(tmp_path / "course")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("RNNCOURSE_SEED", "secret")
    return Course(Path())
