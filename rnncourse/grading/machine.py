"""What grading needs of this machine, above all for its sandbox, and what of it is missing."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rnncourse.grading.sandbox import cgroup, seccomp
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.worker import Dead, Worker

INSTALL = "Debian, Ubuntu: apt install {0}; Fedora: dnf install {1}; Arch: pacman -S {2}"
"""How a package is installed, by the names it has there."""

NO_LINUX = "the sandbox needs Linux: use a container, or WSL on Windows; see the instructors' page of the appendix"
"""How to grade on another system."""

OK, MISSING, NOTE = "ok", "missing", "note"
"""Of a finding: all is well; grading cannot go on; grading can go on, but read this."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: its state, what there is to say, and how to get what is missing."""

    state: str
    says: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.state:<8} {self.says}" + (f"\n{'':<8} → {self.cure}" if self.cure else "")


def machine(system: Path = Path("/")) -> Iterator[Finding]:
    """What there is to say of this machine. `system` is where /proc is looked for."""
    here = f"Python {platform.python_version()} on {platform.system()}"
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield Finding(OK, here)
    else:
        yield Finding(MISSING, here, "make the environment with Python 3.11, 3.12 or 3.13")
    yield from walls(system)


def bound(missing: str | None) -> Finding:
    """What bounds a sandbox as a whole: a group, or, since that is `missing` for this reason, the grader's watch."""
    if missing is None:
        says = "a control group bounds each sandbox: its memory, with files and buffers in it, and its processes"
        return Finding(OK, says)
    says = (
        f"no control group bounds a sandbox ({missing}): each process has its rlimits, and the grader adds up ten "
        "times a second what they hold; what is taken between two looks, and much of the kernel's own memory for them, "
        "is not bounded"
    )
    cure = "on Linux with systemd, grade as a user who has logged in; in a container, bound the container's own memory"
    return Finding(NOTE, says, cure)


def walls(system: Path) -> Iterator[Finding]:
    """What a sandbox needs, and whether one stands."""
    if sys.platform != "linux":
        yield Finding(MISSING, f"there is no bubblewrap for {platform.system()}", NO_LINUX)
        return
    missing = list(tools())
    yield from missing or [Finding(OK, "bubblewrap, setpriv and libseccomp are installed")]
    if os.getuid() == 0:
        yield Finding(NOTE, "you are root: the sandbox becomes another user; better grade as a user of your own")
    else:
        yield from namespaces(system)
    if any(finding.state == MISSING for finding in missing):
        return
    try:
        Worker(Limits(), walls=True).close()
        yield Finding(OK, "a sandbox starts")
        yield bound(cgroup.missing())
    except (Dead, OSError, subprocess.SubprocessError) as error:
        cure = "in a container: allow it user namespaces, or let the container be the sandbox (--sandbox none)"
        yield Finding(MISSING, f"bubblewrap does not start here ({error})", cure)


def tools() -> Iterator[Finding]:
    """The programs and libraries of the sandbox that are not there."""
    if shutil.which("bwrap") is None:
        yield Finding(MISSING, "bwrap is not installed", INSTALL.format(*["bubblewrap"] * 3))
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        yield Finding(MISSING, "setpriv is not installed", INSTALL.format(*["util-linux"] * 3))
    try:
        seccomp.library()
    except OSError:
        yield Finding(MISSING, "libseccomp is not installed", INSTALL.format(*["libseccomp2"], *["libseccomp"] * 2))


def namespaces(system: Path) -> Iterator[Finding]:
    """Whether one who is not root may make the namespaces that a sandbox consists of."""
    settings = {
        "kernel.unprivileged_userns_clone": ("0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        "user.max_user_namespaces": ("0", "sysctl -w user.max_user_namespaces=10000"),
    }
    bad = {name: cure for name, (off, cure) in settings.items() if setting(system, name) == off}
    for name, cure in bad.items():
        says = f"user namespaces are switched off ({name} = 0)"
        yield Finding(NOTE, says, f"if no sandbox starts, as root: {cure}; to keep it so: /etc/sysctl.d")
    if bad:
        return
    if setting(system, "kernel.apparmor_restrict_unprivileged_userns") == "1":
        cure = "if no sandbox starts, load the profile for bwrap that Ubuntu has; the instructors' page says how"
        yield Finding(NOTE, "AppArmor restricts user namespaces (Ubuntu 24.04 and later)", cure)
    else:
        yield Finding(OK, "user namespaces are allowed")


def setting(system: Path, name: str) -> str | None:
    """A setting of the kernel; None if it does not have it."""
    path = system / "proc/sys" / name.replace(".", "/")
    return path.read_text().strip() if path.is_file() else None
