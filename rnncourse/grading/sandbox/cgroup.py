"""One bound for all that a sandbox takes, kept by the kernel: a control group, which systemd makes and removes.

A group counts what no process shows, too: files in memory, the buffers of sockets and pipes, the kernel's own. Where
there is none, each process has its rlimits, and `Worker` watches what all of them hold.
"""

import os
import shutil
import subprocess
from functools import cache

from rnncourse.grading.sandbox.bubblewrap import Limits

TASKS = 96
"""Processes and threads: 64 of the submission's own, which rlimits count where they can, and those that start it."""

READ = 'group=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup); cat "$group/memory.max" "$group/pids.max" 2>&-'
"""What a process says of the group it is in, on a system with cgroups of version 2."""


def command(limits: Limits) -> list[str]:
    """What stands before a command that is to run in a group of its own. Its process stays the same one.

    >>> [word for word in command(Limits(memory=2**30, files=0)) if "Max" in word]
    ['MemoryMax=1073741824', 'MemorySwapMax=0', 'TasksMax=96']
    """
    bounds = {"MemoryMax": most(limits), "MemorySwapMax": 0, "TasksMax": TASKS}
    whose = ["--user"] if os.getuid() else []
    properties = [word for name, bound in bounds.items() for word in ("--property", f"{name}={bound}")]
    return ["systemd-run", *whose, "--scope", "--quiet", "--collect", *properties, "--"]


def most(limits: Limits) -> int:
    """The bytes of a group: the memory of the processes, and both folders that they can fill."""
    return limits.memory + 2 * limits.files


def environment() -> dict[str, str]:
    """What `command` needs to find a user's systemd; in a job without a login, where it usually is."""
    found = {name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS") if name in os.environ}
    return {"XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"} | found


@cache
def missing() -> str | None:
    """Why no group binds a process here; None if one does, which is tried."""
    if shutil.which("systemd-run") is None:
        return "there is no systemd-run"
    limits = Limits()
    tried = [*command(limits), "sh", "-c", READ]
    try:
        done = subprocess.run(
            tried, env=os.environ | environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd-run does not answer ({type(error).__name__})"
    if done.stdout == f"{most(limits)}\n{TASKS}\n":
        return None
    said = done.stderr.strip().splitlines()
    return f"systemd-run: {said[0]}" if done.returncode and said else "systemd makes groups that bind no memory"
