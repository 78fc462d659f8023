"""What the tests of the grader share: a sandbox, or a clear reason why there is none."""

import os

import pytest

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
