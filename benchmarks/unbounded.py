"""Attacks that exhaust, and what is handed in that is no notebook, where the grader's limits are taken away.

Each runs in the outer sandbox of stage.py, in a process of its own that is watched from outside, and is ended as soon
as it takes more than `SECONDS`, or more than is there below.
"""

import os
import re
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from types import SimpleNamespace

import psutil
from stage import only_inside

SECONDS, MEMORY, TASKS, FILES, DISK, OWN = 8.0, 900 * 2**20, 130, 700, 200 * 2**20, 500 * 2**20
"""Too much: seconds for one notebook, bytes that its processes hold, processes and threads, open files, bytes in its
folders, bytes that the grader itself holds more than before."""

LIMITS = ("clock", "memory", "processes", "files", "folders", "system calls", "reply")
"""What can be taken away: the seconds; rlimit and watch of memory; the rlimits of processes and of open files; the size
of the folders; the filter of system calls; the bounds on what the grader reads from the line and asks NumPy about."""

HUGE = 2**50


def weaken(off: set[str]) -> None:
    """Take these limits away, in this process and in the sandboxes that it starts."""
    from grading.attacks import overdo

    from rnncourse.grading import marking
    from rnncourse.grading.sandbox import bubblewrap, visible, wire, worker

    low, usual = overdo.LOW, bubblewrap.walled
    clock = dict.fromkeys(("cell", "function", "submission"), 1e6) if "clock" in off else {}
    memory = {"memory": HUGE} if "memory" in off else {}
    overdo.LOW = bubblewrap.Limits(**{**vars(low), **clock, **memory})

    def walled(*given: object) -> list[str]:
        command = usual(*given)
        for option in (["--size"] if "folders" in off else []) + (["--seccomp"] if "system calls" in off else []):
            while option in command:
                place = command.index(option)
                del command[place : place + 2]
        return command

    bubblewrap.walled = walled
    worker.MADE = HUGE if "folders" in off else worker.MADE
    if "reply" in off:
        for module in (worker, wire):
            module.MESSAGE = module.PARTS = HUGE
        for name in ("ENTRIES", "VALUES", "LETTERS", "ROOM"):
            setattr(wire, name, HUGE)
        wire.TYPE, wire.DEPTH, wire.AXES, wire.DIGITS = 1, HUGE, 64, 4000
        wire.KEYS = (*wire.KEYS, tuple)
        marking.ASKED = marking.RESULT = HUGE
        wire.Decoder.plain.__defaults__ = (HUGE,)
    source = Path(visible.__file__).with_name("inside.py")
    text = source.read_text()
    for limit, old, new in (("processes", "(64, 64)", "(400, 400)"), ("files", "NOFILE: 256", "NOFILE: 4096")):
        assert old in text, old
        text = text.replace(old, new) if limit in off else text
    changed = Path(gettempdir(), "inside.py")
    changed.write_text(text)
    modules = visible.modules
    visible.modules = lambda: modules() | {"grading/sandbox/inside.py": changed}


def attacks() -> dict[str, Callable]:
    """Every attack that exhausts, as one that makes it with the limits of the moment."""
    from dataclasses import replace

    from grading.attacks import overdo

    found: dict[str, Callable] = {name: lambda s=s, n=name: overdo.cell(n, s) for name, s in overdo.CELLS.items()}
    found |= {name: lambda source=source: overdo.function(source) for name, source in overdo.FUNCTIONS.items()}
    found |= {name: lambda source=source: overdo.alone(source) for name, source in overdo.ALONE.items()}
    return found | {name: lambda a=attack: replace(a, limits=overdo.LOW) for name, attack in overdo.CALLS.items()}


def watched(action: Callable[[], str]) -> str:
    """What an action says that runs in a process of its own; or what it took too much of, and was ended for."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_NPROC, (500, 500))
            os.write(writing, action().encode())
        except BaseException as error:
            os.write(writing, f"the grader fails: {type(error).__name__}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    process, begin, said = psutil.Process(child), time.monotonic(), ""
    before, shared = process.memory_info().rss, unowned()
    while not said and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
        said = excess(process, before, shared) or (
            f"{SECONDS:g} s, no end" if time.monotonic() > begin + SECONDS else ""
        )
    for one in [*process.children(recursive=True), process] if said else []:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as line:
        return said or line.read().decode() or "the grader is ended"


def unowned() -> int:
    """The bytes of this machine that lie in files in memory, of whatever kind."""
    shown = Path("/proc/meminfo").read_text().split()
    return 1024 * int(shown[shown.index("Shmem:") + 1])


def excess(grader: psutil.Process, before: int, shared: int) -> str:
    """What the grader, or what it started, takes too much of; nothing if it does not. Before, it held so many bytes."""
    memory, tasks, files, disk = 0, 0, 0, 0
    try:
        own = grader.memory_info().rss - before
        for one in grader.children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied, OSError):
                memory, tasks = memory + one.memory_info().rss, tasks + one.num_threads()
                files = max(files, one.num_fds())
                for folder in ("tmp", "dev/shm"):
                    theirs = Path(f"/proc/{one.pid}/root", folder)
                    full = os.statvfs(theirs)
                    if theirs.stat().st_dev != Path("/", folder).stat().st_dev:
                        disk = max(disk, (full.f_blocks - full.f_bfree) * full.f_bsize)
    except psutil.NoSuchProcess:
        return ""
    taken = {"memory": (memory, MEMORY), "processes": (tasks, TASKS), "open files": (files, FILES)}
    taken |= {"MiB in its folders": (disk, DISK), "memory of the grader": (own, OWN)}
    taken |= {"memory of no process": (unowned() - shared, MEMORY)}
    return next((f"too much: {what}" for what, (much, most) in taken.items() if much > most), "")


def outcome(make: Callable, off: set[str]) -> str:
    """What an attack comes to without these limits."""
    from grading.attacks.harness import hand_in

    def run() -> str:
        weaken(off)
        attack = make()
        with TemporaryDirectory() as folder:
            marked = hand_in(attack, Path(folder))
        if "armed" not in marked.all_said:
            return "the attack did not run"
        points = sum(marked.points.values())
        return "" if points == attack.points else f"{points} points, not {attack.points}"

    said = watched(lambda: run() or "held")
    return "" if said == "held" else said


RELATED = {
    "s, no end": "clock",
    "memory of the grader": "reply",
    "memory of no process": "system calls",
    "memory": "memory",
    "processes": "processes",
    "open files": "files",
    "MiB in": "folders",
    "": "reply",
}
"""Which limit to take away first, by what was too much where all were gone."""


def exhausted() -> dict[str, tuple[str, str, str]]:
    """Runs in the outer sandbox. For each attack: what it comes to without any limit; one that is enough to be gone,
    and what it then comes to. Nothing where it achieves nothing."""
    only_inside()
    begin, found = time.monotonic(), {}
    for name, make in attacks().items():
        bare = outcome(make, set(LIMITS))
        found[name] = bare, *(alone(make, bare) if bare else ("", ""))
        print(f"{time.monotonic() - begin:5.0f} s  {name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def alone(make: Callable, bare: str) -> tuple[str, str]:
    """One limit which is enough to be gone for an attack to achieve something, and what it is; nothing if none is."""
    first = next(limit for words, limit in RELATED.items() if words in bare)
    for limit in (first, *(limit for limit in LIMITS if limit != first)):
        if said := outcome(make, {limit}):
            return limit, said
    return "", ""


def taken_as_it_is() -> dict[str, str]:
    """Runs in the outer sandbox: what comes of strange files and times if they are read as nbgrader reads them."""
    import nbformat
    from grading.attacks import show
    from grading.attacks.harness import sheet
    from nbgrader.utils import parse_utc

    only_inside()
    released = sheet("ps2-rnn", ("rnn_step",))
    root, found = Path(gettempdir(), "class"), {}
    short = root / "stub.ipynb"
    root.mkdir()
    nbformat.write(released.released, short)
    show.stub(root / "ada", short)
    (root.parent / "gradebook.db").touch()
    Path("/etc/passwd").parent.mkdir(exist_ok=True)
    Path("/etc/passwd").write_text("root:x:0")
    for what, (student, make, _) in show.STRANGE.items():
        folder = root / student
        make(folder, short)

        def graded(folder: Path = folder) -> str:
            resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
            when = folder / "ps2-rnn" / "timestamp.txt"
            text = (folder / "ps2-rnn" / "rnn.ipynb").read_text(encoding="utf-8")
            linked = (folder, folder / "ps2-rnn", folder / "ps2-rnn" / "rnn.ipynb")
            if any(path.is_symlink() for path in linked):
                return "what it links is read"
            if when.exists():
                parse_utc(when.read_text().strip())
            nbformat.reads(text, as_version=4)
            return "graded"

        found[what] = watched(graded)
    for what, name in show.NAMES.items():
        found[f"as a student called {what}"] = watched(lambda name=name: named(root / "names", name, short))
    return found


def named(root: Path, name: str, stub: Path) -> str:
    """Whether a student of this name is graded if any name is taken for one."""
    from grading.attacks import show

    from rnncourse.grading import course

    course.NAME = re.compile(".*", re.DOTALL)
    show.stub(root / "submitted" / name, stub)
    folder = SimpleNamespace(root=root, directory=SimpleNamespace(submitted_directory="submitted"))
    students, _ = course.Course.handed_in(folder, "ps2-rnn")
    return "graded under that name" if name in students else "refused all the same"
