"""The process in the sandbox: it runs cells, and calls the student's functions on inputs that it is sent.

Started with the number of its socket and the bytes of memory it may take, it answers one request at a time. Nothing
here is secret and nothing here is safe: from the first cell on, the process is the student's. So it holds no answers,
no marks, no seed.

    {"run": source}     → {"outputs": […], "error": null, or the name of an error}
    {"call": function, "names": […], "lends": […], "cases": […], "seconds": 20}
                        → {"missing": true}, or {"unfit": sentence}, or {"results": […]}
    {"function": place, "args": […], "named": {…}}
                        ← asked back while a function runs: a lent function, or one among the inputs
"""

import builtins
import json
import os
import resource
import socket
import struct
import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets import Type
from traitlets.config import Config

from rnncourse.grading.checks.attempt import Failure, OutOfTime, Result, attempt, expect_function, limited, muted
from rnncourse.grading.checks.wrong import WrongForm
from rnncourse.grading.sandbox.wire import MESSAGE, decode, encode


class Channel:
    """One end of the line: JSON behind its length in four bytes."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line

    def receive(self) -> Any:
        """The next message. Raises EOFError when the line is closed."""
        (length,) = struct.unpack(">I", self._exactly(4))
        return json.loads(self._exactly(length))

    def _exactly(self, size: int) -> bytes:
        read = bytearray()
        while len(read) < size:
            part = self.line.recv(min(size - len(read), 2**16))
            if not part:
                raise EOFError("the grader has gone")
            read += part
        return bytes(read)

    def send(self, message: Any) -> None:
        """Send a message; one that is too long, as an error."""
        data = json.dumps(message).encode("utf-8", "replace")
        if len(data) > MESSAGE:
            data = json.dumps({"too long": len(data)}).encode()
        self.line.sendall(struct.pack(">I", len(data)) + data)


def limit(memory: int) -> None:
    """Bound what one process of the sandbox can take."""
    bounds = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: 64 * 2**20,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: 600,
    }
    for what, bound in bounds.items():
        resource.setrlimit(what, (bound, bound))
    if sys.platform == "linux" and os.getuid() != 0:
        resource.setrlimit(resource.RLIMIT_NPROC, (64, 64))


class Last(DisplayHook):
    """The value of a cell's last expression: an output among the others."""

    def write_output_prompt(self) -> None:
        """No prompt."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        """Keep the value as it is shown."""
        Notebook.instance().results.append(format_dict)

    def finish_displayhook(self) -> None:
        """Print nothing."""


class Notebook(InteractiveShell):
    """IPython as a notebook's cells expect it, without history, colors or windows."""

    displayhook_class = Type(Last)
    results: list[dict[str, Any]]

    def enable_gui(self, gui: Any = None) -> None:
        """`%matplotlib` asks for a window; there is none."""

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Print nothing: `run` reads the error."""

    showsyntaxerror = showtraceback

    def run(self, source: str) -> dict[str, Any]:
        """Run a cell: its outputs as a notebook stores them, and the name of its error."""
        self.results = []
        outputs: list[dict[str, Any]] = []
        with capture_output() as captured:
            done = self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]  # IPython's
        for name, text in (("stdout", captured.stdout), ("stderr", captured.stderr)):
            if text:
                outputs.append({"output_type": "stream", "name": name, "text": text})
        outputs += [{"output_type": "display_data", "data": rich.data} for rich in captured.outputs]
        outputs += [{"output_type": "execute_result", "data": data} for data in self.results]
        error = done.error_before_exec or done.error_in_exec
        if error is None:
            return {"outputs": outputs, "error": None}
        lines = self.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        name = type(error).__name__
        outputs.append({"output_type": "error", "ename": name, "evalue": str(error), "traceback": lines})
        return {"outputs": outputs, "error": name}


def call(channel: Channel, shell: Notebook, request: dict[str, Any]) -> dict[str, Any]:
    """Call a function of the student's on each case that is sent."""

    def remote(name: str, place: int) -> Any:
        def function(*args: Any, **named: Any) -> Any:
            given = {key: encode(arg) for key, arg in named.items()}
            channel.send({"function": place, "args": [encode(arg) for arg in args], "named": given})
            reply = channel.receive()
            if "types" in reply:
                raise error_of(reply["types"], reply["message"])
            return decode(reply["value"])

        function.__name__ = function.__qualname__ = name
        return function

    name, names = request["call"], request["names"]
    lends = {lent[1]: decode(lent, remote) for lent in request["lends"]}
    if name not in shell.user_ns:
        return {"missing": True}
    student = shell.user_ns[name]
    try:
        expect_function(name, names, student)
    except WrongForm as wrong:
        return {"unfit": str(wrong)}
    results: list[Any] = []
    try:
        with limited(request["seconds"]), muted():
            for case in request["cases"]:
                args = {key: decode(value, remote) for key, value in zip(names, case["args"], strict=True)}
                results.append(told(attempt(student, args, lends, untouched=case["untouched"]), case["untouched"]))
    except OutOfTime as late:
        unfinished = told(Result(None, Failure.of(late), {}), False)
        results += [unfinished] * (len(request["cases"]) - len(results))
    return {"results": results}


def told(result: Result, untouched: bool) -> dict[str, Any]:
    """A `Result` as a message; its arguments only if they must be as they were."""
    args = [encode(value) for value in result.args.values()] if untouched else []
    failure = result.failure and [list(result.failure.types), *result.failure[1:]]
    shared = [[str(key) if isinstance(key, str) else key, name] for key, name in result.shared]
    return {"value": encode(result.value), "failure": failure, "args": args, "shared": shared}


def error_of(types: list[str], message: str) -> Exception:
    """The error that a function outside raised: of its own type, or of the nearest above it that Python has."""
    found = (getattr(builtins, name, None) for name in types)
    kind = next((kind for kind in found if isinstance(kind, type) and issubclass(kind, Exception)), Exception)
    return kind(message)


def main(descriptor: str, memory: str) -> None:
    """Answer requests until the line is closed."""
    channel = Channel(socket.socket(fileno=int(descriptor)))
    limit(int(memory))
    shell = Notebook.instance(config=Config({"HistoryManager": {"enabled": False}, "Notebook": {"colors": "NoColor"}}))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    channel.send({"ready": True})
    while True:
        request = channel.receive()
        channel.send(shell.run(request["run"]) if "run" in request else call(channel, shell, request))
