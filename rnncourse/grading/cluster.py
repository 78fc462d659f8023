"""Mark units on many machines: a Dask cluster in the place of processes on this one.

Each machine needs this package at the same version and a sandbox of its own; nothing is shared but the units and what
comes back. `pip install -e '.[cluster]'` installs Dask.
"""

from concurrent.futures import Executor, Future
from typing import Any

from rnncourse.grading.course import CourseError
from rnncourse.grading.unit import Unit

RETRIES = 3
"""How often a unit is tried again on another machine when one is lost."""


class Cluster:
    """The cluster behind a scheduler's address, such as tcp://grader:8786. Use it as a context manager.

    Raises `CourseError` if Dask is not installed or nobody answers there.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise CourseError("expected Dask, found none: run `pip install -e '.[cluster]'`") from None
        try:
            connect: Any = distributed.Client
            self.client: Any = connect(address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CourseError(f"expected a Dask scheduler at {address}, got: {error}") from None
        self.processes = max(1, sum(self.client.nthreads().values()))
        self.pool: Executor = self.client.get_executor(pure=False, retries=RETRIES)

    def submit(self, unit: Unit) -> "Future[str]":
        """The marked notebook, to come."""
        promise: Future[str] = self.pool.submit(Unit.mark, unit)
        return promise

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        self.pool.shutdown(wait=kind is None)
        self.client.close()
