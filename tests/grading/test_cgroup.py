"""A sandbox has a control group of its own where systemd makes one, and says why where not."""

import os
import time
from pathlib import Path

import pytest

from rnncourse.grading import machine
from rnncourse.grading.machine import NOTE, OK
from rnncourse.grading.sandbox import cgroup
from rnncourse.grading.sandbox import worker as workers
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.worker import Dead, Worker

SMALL = Limits(memory=200 * 2**20, files=16 * 2**20)


@pytest.fixture
def asked():
    """What is found out on this machine is forgotten before, and after."""
    cgroup.missing.cache_clear()
    yield
    cgroup.missing.cache_clear()


def systemd(folder, monkeypatch, script):
    """Put a program in the place of systemd-run."""
    program = folder / "systemd-run"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


REASONS = {
    "echo Failed to connect to bus: No medium found >&2; exit 1": "systemd-run: Failed to connect to bus",
    'while [ "$1" != -- ]; do shift; done; shift; exec "$@"': "systemd makes groups that bind no memory",
    "echo max; echo max": "systemd makes groups that bind no memory",
    "echo 1; exit 1": "systemd makes groups that bind no memory",
}


@pytest.mark.parametrize("script", REASONS)
def test_why_there_is_no_group(script, asked, tmp_path, monkeypatch):
    systemd(tmp_path, monkeypatch, script)
    assert cgroup.missing().startswith(REASONS[script])
    finding = machine.bound(cgroup.missing())
    assert finding.state == NOTE and REASONS[script] in finding.says and "is not bounded" in finding.says


def test_a_machine_without_systemd(asked, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cgroup.missing() == "there is no systemd-run"


STAND_IN = """
echo "$@" >> {log}
while [ "$1" != -- ]; do case $1 in MemoryMax=*) memory=${{1#*=}};; TasksMax=*) tasks=${{1#*=}};; esac; shift; done
shift
case "$3" in *memory.max*) echo "$memory"; echo "$tasks";; *) exec "$@";; esac
"""


def test_a_sandbox_starts_in_its_group(walls, asked, tmp_path, monkeypatch):
    log = tmp_path / "log"
    systemd(tmp_path, monkeypatch, STAND_IN.format(log=log))
    assert machine.bound(cgroup.missing()).state == OK
    with Worker(SMALL, walls=True) as worker:
        assert worker.ask({"run": "1 + 1"}, 30)["error"] is None
    tried, started = log.read_text().splitlines()
    assert f"MemoryMax={(1024 + 2 * 64) * 2**20} " in tried
    assert f"MemoryMax={(200 + 2 * 16) * 2**20} --property MemorySwapMax=0 --property TasksMax=96 -- bwrap " in started


@pytest.fixture
def group(walls):
    """Skips the test where no group binds a process."""
    if why := cgroup.missing():
        pytest.skip(f"no control group: {why}")


def folder_of(worker):
    """The folder of the group of a sandbox."""
    (path,) = [
        line[3:]
        for line in Path(f"/proc/{worker.process.pid}/cgroup").read_text().splitlines()
        if line.startswith("0::")
    ]
    return Path(f"/sys/fs/cgroup{path}")


TAKES = "import os, time\nfor _ in range(20):\n    if not os.fork(): a = b'x' * 2**25; time.sleep(20)\ntime.sleep(5)"


def test_the_kernel_binds_what_no_one_watches(group, monkeypatch):
    monkeypatch.setattr(workers, "memory", lambda process: 0)
    with Worker(SMALL, walls=True) as worker:
        folder = folder_of(worker)
        assert int((folder / "memory.max").read_text()) == cgroup.most(SMALL)
        assert int((folder / "pids.max").read_text()) == cgroup.TASKS
        said = None
        try:
            worker.ask({"run": TAKES}, 30)
        except Dead as dead:
            said = str(dead)
        events = dict(line.split() for line in (folder / "memory.events").read_text().splitlines()) if not said else {}
    assert said.startswith("the process ended") if said else int(events["oom_kill"]) > 0
    assert_gone(folder)


def test_a_group_does_not_outlive_a_sandbox(group):
    with Worker(Limits(), walls=True) as worker:
        folder = folder_of(worker)
        assert str(worker.process.pid) in (folder / "cgroup.procs").read_text().split()
    assert_gone(folder)


def assert_gone(folder):
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not folder.exists()
