"""Grade a class: every submission of a problem set marked in a sandbox, side by side, and recorded one by one.

What is marked is kept under the fingerprint of all that its mark depends on. So a batch that was interrupted goes on
where it stopped, nothing is marked twice, and what has changed is marked anew.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from multiprocessing import active_children
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import psutil

from rnncourse.book.files import write
from rnncourse.grading.cluster import Cluster
from rnncourse.grading.course import Course
from rnncourse.grading.record import NotRecorded, record, timestamp
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.unit import Sheet, Unit, staged

KEPT = ".grading"
"""Where marked notebooks are kept, in the course's folder."""

TROUBLE = "trouble"
"""The folder there with a file for each problem set: who was refused and what failed in the last batch, and why; and
whether there were walls."""

PROCESSES = multiprocessing.get_context("spawn" if os.name == "nt" else "forkserver")
"""How marking processes begin: as copies of one that has imported what they need, where the system can."""

PROCESSES.set_forkserver_preload([Unit.__module__])

TICK = 0.2
"""Seconds between two looks at whether to stop."""

TRIES = 4
"""How often a notebook is given to a process that then ends without a result, before it is given up."""


@dataclass
class Student:
    """A student's notebooks of a problem set: units by name, when they were handed in, and which are not marked yet.

    `policy` is what else a mark depends on: what is done with late submissions.
    """

    name: str
    when: str | None
    units: dict[str, Unit]
    policy: str = ""
    missing: set[str] = field(default_factory=set)

    @property
    def key(self) -> str:
        """The fingerprint of all that is recorded."""
        whole = [self.when, self.policy, {name: unit.key for name, unit in self.units.items()}]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


@dataclass
class Outcome:
    """What came of a batch: who was recorded, whose marks stood, and sentences on who was refused or failed.

    A refused notebook has its mark, 0. What failed has none: the next run takes it up again.
    """

    recorded: list[str] = field(default_factory=list)
    stood: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


class Batch:
    """The grading of a problem set. `tell(done, failed, all)` is called after each student."""

    def __init__(
        self,
        course: Course,
        assignment: str,
        *,
        seed: str,
        walls: bool,
        limits: Limits | None = None,
        force: bool = False,
        tell: Callable[[int, int, int], None] = lambda done, failed, of: None,
    ) -> None:
        self.course, self.assignment = course, assignment
        self.seed, self.walls, self.limits, self.force, self.tell = seed, walls, limits or Limits(), force, tell
        self.kept = course.root / KEPT
        self.policy = ""
        self.extensions: dict[str, str] = {}
        self.outcome, self.stopping = Outcome(), threading.Event()

    def run(self, scheduler: "Scheduler | Cluster") -> Outcome:
        """Mark and record all; what has its mark already is left alone, unless `force` says otherwise.

        Ctrl-C breaks nothing off in the middle: KeyboardInterrupt is raised when what is being recorded is.
        """
        with noted(self.stopping):
            return self._run(scheduler)

    def _run(self, scheduler: "Scheduler | Cluster") -> Outcome:
        sheets = self.course.sheets(self.assignment)
        names, refused = self.course.handed_in(self.assignment)
        self.outcome.refused.update(refused)
        self.policy, self.extensions = self.course.policy(self.assignment), self.known()
        flying = dict[Future[str], tuple[Student, str]]()
        for name in names:
            self.go_on()
            student = self.student(name, sheets)
            if not self.force and name in self.extensions and self.stands(student):
                self.outcome.stood.append(name)
                self.told(len(names))
            elif not student.missing:
                self.finish(student, len(names))
            for missing in sorted(student.missing if name not in self.outcome.stood else ()):
                while len(flying) >= 2 * scheduler.processes:
                    self.land(flying, len(names))
                flying[scheduler.submit(student.units[missing])] = student, missing
        while flying:
            self.land(flying, len(names))
        trouble = {"refused": self.outcome.refused, "failed": self.outcome.failed, "walls": self.walls}
        write(self.kept / TROUBLE / f"{self.assignment}.json", json.dumps(trouble, indent=1, sort_keys=True))
        return self.outcome

    def student(self, name: str, sheets: list[Sheet]) -> Student:
        """What a student handed in. What cannot be read is listed as refused."""
        folder = self.course.folder(self.course.directory.submitted_directory, name, self.assignment)
        student = Student(name, timestamp(folder), {}, self.policy + self.extensions.get(name, ""))
        for sheet in sheets:
            notebook, complaint = staged(folder / f"{sheet.name}.ipynb", sheet)
            text = str(nbformat.writes(notebook))
            unit = Unit(text, sheet.functions, self.seed, self.limits, self.walls)
            student.units[sheet.name] = unit
            if complaint:
                self.outcome.refused[name] = complaint
            if self.force or not self.file(unit).exists():
                student.missing.add(sheet.name)
        return student

    def stands(self, student: Student) -> bool:
        """Whether what is recorded for a student is what would be recorded now."""
        stamp = self.stamp(student)
        return stamp.exists() and stamp.read_text(encoding="utf-8") == student.key

    def land(self, flying: "dict[Future[str], tuple[Student, str]]", of: int) -> None:
        """Wait for one marked notebook at least; keep it, and record the students who are complete."""
        done: set[Future[str]] = set()
        while not done:
            self.go_on()
            done, _ = wait(flying, timeout=TICK, return_when=FIRST_COMPLETED)
        for future in done:
            student, name = flying.pop(future)
            try:
                write(self.file(student.units[name]), future.result())
            except Exception as error:  # one notebook's trouble is not the batch's
                self.outcome.failed[student.name] = f"{name}: {type(error).__name__}: {error}"
            student.missing.remove(name)
            if not student.missing:
                self.finish(student, of)

    def go_on(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was typed."""
        if self.stopping.is_set():
            raise KeyboardInterrupt

    def finish(self, student: Student, of: int) -> None:
        """Record a student whose notebooks are all marked."""
        if student.name not in self.outcome.failed:
            try:
                marked = {name: self.file(unit).read_text(encoding="utf-8") for name, unit in student.units.items()}
                self.stamp(student).unlink(missing_ok=True)
                record(self.course, self.assignment, student.name, marked, student.when)
                write(self.stamp(student), student.key)
                self.outcome.recorded.append(student.name)
            except (NotRecorded, OSError) as error:
                self.outcome.failed[student.name] = str(error)
        self.told(of)

    def told(self, of: int) -> None:
        """Tell how far the batch is."""
        done = len(self.outcome.recorded) + len(self.outcome.stood) + len(self.outcome.failed)
        self.tell(done, len(self.outcome.failed), of)

    def known(self) -> dict[str, str]:
        """The students whose submission of this problem set the gradebook has, and what extension each was granted."""
        with self.course.gradebook() as gradebook:
            submissions = gradebook.assignment_submissions(self.assignment)
            return {one.student_id: str(one.extension or "") for one in submissions}

    def file(self, unit: Unit) -> Path:
        """Where a marked notebook is kept."""
        return self.kept / "marked" / f"{unit.key}.ipynb"

    def stamp(self, student: Student) -> Path:
        """Where it is written what was recorded last for a student."""
        return self.kept / "recorded" / self.assignment / student.name


@contextmanager
def noted(stopping: threading.Event) -> Iterator[None]:
    """While inside, Ctrl-C only sets `stopping`. In another than the main thread it never arrives."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: stopping.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Scheduler:
    """Marks units side by side, each in a process of its own, on this machine. Use it as a context manager.

    A process that dies is replaced, and what it had in hand is tried again. Notebooks are handed over in files: one
    that died with half of a notebook in a pipe would leave the other end waiting for the rest.
    """

    def __init__(self, processes: int) -> None:
        self.processes, self.lock, self.stopped = processes, threading.Lock(), False
        self.folder, self.numbers = TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True), count()
        self.pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.processes, PROCESSES, initializer=begin, initargs=(self.folder.name,))

    def submit(self, unit: Unit) -> "Future[str]":
        """The marked notebook, to come."""
        promise: Future[str] = Future()
        path = Path(self.folder.name, str(next(self.numbers)))
        try:
            path.write_text(json.dumps(asdict(unit)), encoding="utf-8")
        except OSError as error:
            promise.set_exception(error)
        else:
            self._try(path, promise, TRIES)
        return promise

    def _try(self, path: Path, promise: "Future[str]", tries: int) -> None:
        def done(future: Future[None]) -> None:
            if future.cancelled() or self.stopped:
                promise.cancel()
            elif isinstance(future.exception(), BrokenProcessPool) and tries > 1:
                self._renew(pool)
                self._try(path, promise, tries - 1)
            elif error := future.exception():
                promise.set_exception(error)
            else:
                settle(promise, path)

        pool = self.pool
        try:
            pool.submit(mark, path).add_done_callback(done)
        except BrokenProcessPool:
            self._renew(pool)
            self._try(path, promise, tries)

    def _renew(self, broken: ProcessPoolExecutor) -> None:
        with self.lock:
            if self.pool is broken:
                self.pool = self._new()
        broken.shutdown(wait=False)

    def __enter__(self) -> "Scheduler":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is not None:  # what is still running is of no use
            self.stopped = True
            for child in active_children():
                with suppress(psutil.NoSuchProcess):
                    for process in psutil.Process(child.pid).children(recursive=True):
                        process.kill()
                child.kill()
        self.pool.shutdown(wait=kind is None, cancel_futures=True)
        self.folder.cleanup()


def mark(path: Path) -> None:
    """Mark the unit that a file holds, and leave the marked notebook beside it."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    unit = Unit(**fields | {"limits": Limits(**fields["limits"])})
    path.with_suffix(".marked").write_text(unit.mark(), encoding="utf-8")


def settle(promise: "Future[str]", path: Path) -> None:
    """Keep a promise with what a marking process has left."""
    marked = path.with_suffix(".marked")
    try:
        promise.set_result(marked.read_text(encoding="utf-8"))
        marked.unlink()
        path.unlink()
    except OSError as error:
        promise.set_exception(error)


def begin(folder: str) -> None:
    """Begin a marking process: Ctrl-C is the parent's, and without the parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
