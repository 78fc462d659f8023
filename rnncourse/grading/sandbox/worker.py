"""The grader's end of the line to a sandbox. It waits for nothing without a clock and believes nothing it reads."""

import json
import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from rnncourse.grading.sandbox import bubblewrap, cgroup, seccomp
from rnncourse.grading.sandbox.bare import Folder
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.wire import MESSAGE, PARTS, Garbled

TICK = 0.1
"""Seconds between two looks at the clock and at the memory."""


FILES = 256
"""That a process can have open: `inside.limit` says so."""

MADE = 50_000
"""The files that a submission can make in each folder: the kernel keeps a thousand bytes for an empty one."""


class Dead(Exception):
    """The process in the sandbox is gone: a sentence says why. It has been stopped, with all it started."""


class Ended(Dead):
    """It ended by itself, or something killed it: nobody can say which."""


class Worker:
    """A process in a sandbox that answers requests, one at a time. `close` it, or use it as a context manager.

    Raises `Dead` at once if the process does not start.
    """

    def __init__(self, limits: Limits, walls: bool) -> None:
        self.limits = limits
        self.folder = None if walls else Folder()
        self.line, theirs = socket.socketpair()
        said, saying = os.pipe()  # a file would be one that a submission could write to
        os.set_blocking(said, False)
        self.said, self.saying = os.fdopen(said, "rb", 0), os.fdopen(saying, "wb", 0)
        self.looked = time.monotonic()
        self.first: int | None = None  # the process that holds the walls up from inside, once they stand
        try:
            with theirs:
                self.process = self._start(theirs.fileno())
            reply = self.ask({}, 30.0, start=True)
            if reply != {"ready": True}:
                raise Dead("the sandbox did not start")
            if walls:
                self.first = next((process.pid for process in family(self.process.pid)), None)
        except BaseException:
            self.close()
            raise

    def _start(self, theirs: int) -> subprocess.Popen[bytes]:
        if self.folder is not None:
            home = str(self.folder.path)
            command = bubblewrap.started(home, theirs, self.limits)
            return self._popen(command, (theirs,), bubblewrap.ENVIRONMENT | {"HOME": home}, home)
        refused = seccomp.program()
        try:
            command = bubblewrap.walled(theirs, refused, self.limits, 2**20 + os.getpid() % 2**20)
            path = {"PATH": os.environ.get("PATH", os.defpath)}
            if cgroup.missing() is None:
                command, path = [*cgroup.command(self.limits), *command], path | cgroup.environment()
            return self._popen(command, (theirs, refused), path, "/")
        finally:
            os.close(refused)

    def _popen(
        self, command: list[str], open_: tuple[int, ...], environment: dict[str, str], folder: str
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            pass_fds=open_,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self.saying,
            stderr=self.saying,
            start_new_session=True,
        )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the process and all it started, and remove its folder, if it has one."""
        self.line.close()
        self.said.close()
        self.saying.close()
        process = getattr(self, "process", None)
        if process is not None:
            for child in [*family(process.pid), process]:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            process.wait()
        if self.folder is not None:
            self.folder.remove()
            self.folder = None

    def ask(
        self,
        request: dict[str, Any],
        seconds: float,
        serve: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        *,
        start: bool = False,
    ) -> dict[str, Any]:
        """Send a request and wait for the reply. What is asked back meanwhile is answered by `serve`.

        Raises `Ended` if the process ends, `Dead` if it is too slow, takes too much memory, or sends what is no reply.
        """
        deadline = time.monotonic() + seconds
        try:
            if not start:
                self._send(request, deadline)
            while True:
                reply = self._receive(deadline)
                if serve is None or "function" not in reply:
                    return reply
                self._send(serve(reply), deadline)
        except Garbled as error:
            raise Dead(f"what came back could not be read: {error}") from None
        except ConnectionError:
            raise Ended(self._last_words()) from None
        except OSError as error:
            raise Dead(str(error)) from None

    def _send(self, message: dict[str, Any], deadline: float) -> None:
        data = json.dumps(message).encode()
        rest = memoryview(struct.pack(">I", len(data)) + data)
        while rest:
            self._look(deadline)
            try:
                rest = rest[self.line.send(rest) :]
            except TimeoutError:
                continue

    def _receive(self, deadline: float) -> dict[str, Any]:
        (length,) = struct.unpack(">I", self._exactly(4, deadline))
        if length > MESSAGE:
            raise Garbled(f"a message of {length} bytes")
        data = self._exactly(length, deadline)
        if data.count(b"[") + data.count(b"{") > PARTS:
            raise Garbled("a message of too many parts")
        try:
            reply = json.loads(data)
        except (ValueError, RecursionError):
            raise Garbled("it is not JSON") from None
        if not isinstance(reply, dict):
            raise Garbled("it is not a reply")
        return reply

    def _exactly(self, size: int, deadline: float) -> bytes:
        read = bytearray()
        while len(read) < size:
            self._look(deadline)
            try:
                part = self.line.recv(min(size - len(read), 2**18))
            except TimeoutError:
                continue
            if not part:
                raise ConnectionResetError("the process ended")
            read += part
        return bytes(read)

    def _look(self, deadline: float) -> None:
        """Raise `Dead` if time is up or memory is used up, else give the next wait its length."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise Dead("it took too long")
        if time.monotonic() > self.looked + TICK:
            self.looked = time.monotonic()
            if sum(map(memory, family(self.process.pid))) > self.limits.memory:
                raise Dead(f"it used more than {self.limits.memory >> 20} MiB of memory")
            if self.first is not None and made(self.first) > MADE:
                raise Dead(f"it made more than {MADE} files")
        self.line.settimeout(min(left, TICK))

    def _last_words(self) -> str:
        said = (self.said.read(2000) or b"").decode(errors="replace").strip()
        return f"the process ended{': ' + said if said else ''}"


def family(pid: int) -> list[psutil.Process]:
    """The processes that a process started, and theirs."""
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def memory(process: psutil.Process) -> int:
    """The bytes that a process holds in memory, and those that the kernel may hold for its open files.

    A socket's buffer belongs to no process and is shown nowhere: each file counts as one. 0 if the process has ended.
    """
    try:
        resident = int(process.memory_info().rss)
        try:
            files = int(process.num_fds())
        except psutil.AccessDenied:  # it hides them
            files = FILES
        return resident + files * buffer()
    except psutil.NoSuchProcess:
        return 0


def made(pid: int) -> int:
    """The files in the fuller one of the folders that a sandbox can write to, as a process in it sees it."""
    try:
        states = [os.statvfs(f"/proc/{pid}/root{folder}") for folder in bubblewrap.SCRATCH]
    except OSError:  # it has ended
        return 0
    return max(state.f_files - state.f_ffree for state in states)


@cache
def buffer() -> int:
    """The bytes that a socket holds at most if nothing makes it larger, which seccomp refuses."""
    with suppress(OSError):
        largest = int(Path("/proc/sys/net/core/wmem_default").read_text())
        return largest
    return 2**18
