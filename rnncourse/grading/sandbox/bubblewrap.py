"""The walls: the command that starts a process under bubblewrap."""

import os
from dataclasses import dataclass
from pathlib import Path

from rnncourse.grading.sandbox import visible

COURSE = "/course"
"""Where a submission finds what it may import."""

SYSTEM = tuple(map(Path, ("/usr", "/lib", "/lib64", "/bin")))
"""Of the machine, read only: its libraries, and a shell."""

SCRATCH = "/tmp", "/dev/shm"
"""The folders that a submission can write to, in memory."""

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""All that a submission sees of the environment."""


@dataclass(frozen=True)
class Limits:
    """What a submission may take: bytes of memory for all its processes and for its files, and seconds.

    `cell` bounds one cell, `function` the calls of one function, `submission` all of a notebook.
    """

    memory: int = 2**30
    files: int = 64 * 2**20
    cell: float = 30.0
    function: float = 20.0
    submission: float = 180.0


def walled(socket: int, filter_: int, limits: Limits, uid: int) -> list[str]:
    """The command for a process that answers on an inherited `socket`, behind all walls.

    `filter_` is the open file of the calls that are refused, and `uid` is whom the process becomes if this one is
    root's.
    """
    command = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try"]
    command += ["--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv", "--cap-drop", "ALL"]
    become: list[str] = []
    if os.getuid() == 0:
        command += [flag for name in ("SETUID", "SETGID", "SETPCAP") for flag in ("--cap-add", f"CAP_{name}")]
        become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all"]
        become += ["--bounding-set=-all", "--no-new-privs"]
    else:
        command += ["--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"]
    for path in SYSTEM:
        command += ["--symlink", str(path.readlink())] if path.is_symlink() else ["--ro-bind-try", str(path)]
        command += [str(path)]
    command += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    base = visible.base()
    if not base.is_relative_to("/usr"):
        for parent in reversed(base.parents[:-1]):
            command += ["--perms", "0755", "--dir", str(parent)]
        command += ["--ro-bind", str(base), str(base)]
    for folder_ in visible.hidden():
        command += ["--perms", "0755", "--tmpfs", str(folder_)]
    seen = {f"{COURSE}/{name}": source for name, source in visible.everything().items()}
    for above in sorted({parent for place in seen for parent in Path(place).parents[:-1]}):
        command += ["--perms", "0755", "--dir", str(above)]
    for place, source in seen.items():
        command += ["--ro-bind", str(source), place]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for scratch in SCRATCH:
        command += ["--perms", "1777", "--size", str(limits.files), "--tmpfs", scratch]
    for made in ("/", "/dev", *map(str, visible.hidden())):  # they are in memory, without a bound
        command += ["--remount-ro", made]
    command += ["--chdir", "/tmp", "--seccomp", str(filter_)]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    return [*command, "--", *become, *started(COURSE, socket, limits)]


def started(course: str, socket: int, limits: Limits) -> list[str]:
    """The command that starts `inside`, which finds what it imports in the folder `course`."""
    code = f"import sys; sys.path.insert(0, {course!r}); from rnncourse.grading.sandbox.inside import main; "
    return [str(visible.interpreter()), "-I", "-S", "-c", f"{code}main('{socket}', '{limits.memory}')"]
