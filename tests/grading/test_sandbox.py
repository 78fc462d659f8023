"""The walls stand: what a submission can see, do and take."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from rnncourse.grading.sandbox import visible
from rnncourse.grading.sandbox.bare import Folder
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.wire import decode, encode
from rnncourse.grading.sandbox.worker import FILES, Dead, Worker


def shown(worker, source):
    """The text of a cell's result, or the name of its error."""
    reply = worker.ask({"run": source}, 30)
    return reply["error"] or "".join(output["data"]["text/plain"] for output in reply["outputs"] if "data" in output)


def test_a_cell_runs_and_shows_what_it_prints_and_returns(worker):
    outputs = worker.ask({"run": "print('so')\n3 + 4"}, 30)["outputs"]
    assert outputs == [
        {"output_type": "stream", "name": "stdout", "text": "so\n"},
        {"output_type": "execute_result", "data": {"text/plain": "7"}},
    ]


@pytest.mark.parametrize("module", ["torch", "nbgrader", "pytest", "scipy", "rnncourse.cells", "rnncourse.gradcheck"])
def test_what_could_answer_for_the_student_is_not_there(worker, module):
    assert shown(worker, f"import {module}") == "ModuleNotFoundError"


def test_no_check_and_no_lent_function_is_there(worker):
    assert shown(worker, "from rnncourse.grading.checks import find") == "ImportError"
    assert shown(worker, "import rnncourse.grading.checks.lent") == "ModuleNotFoundError"
    assert shown(worker, "from rnncourse.grading import grade\ngrade.rnn_step(None)") == ""


def test_notebooks_work_inside(worker):
    source = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    assert "image/png" in worker.ask({"run": source}, 60)["outputs"][0]["data"]


WALLS = {
    "no host folder": ("import os\nsorted(os.listdir('/'))", lambda text: "home" not in text and "var" not in text),
    "no other process": (
        "import os\nsum(name.isdigit() for name in os.listdir('/proc')) < 8",
        lambda text: text == "True",
    ),
    "no environment": (
        "import os\n'RNNCOURSE_SEED' in os.environ, len(os.environ) < 12",
        lambda t: t == "(False, True)",
    ),
    "not root": ("import os\nos.getuid() == 0 or os.geteuid() == 0", lambda text: text == "False"),
    "no write": ("open('/course/rnncourse/x', 'w')", lambda text: text == "OSError"),
    "no write to the root": ("open('/x', 'w')", lambda text: text in ("OSError", "PermissionError")),
    "no network": ("import socket\nsocket.create_connection(('127.0.0.1', 9), 1)", lambda text: "Error" in text),
    "no interface": ("import socket\n[name for _, name in socket.if_nameindex()]", lambda text: text == "['lo']"),
    "no socket to the host of a virtual machine": (
        "import socket\nsocket.socket(socket.AF_VSOCK)",
        lambda text: text == "PermissionError",
    ),
    "no socket to any other machine": (
        "import socket\nsocket.socket(socket.AF_INET)",
        lambda text: text == "PermissionError",
    ),
    "as many open files as the watch counts with": (
        "import resource\nresource.getrlimit(resource.RLIMIT_NOFILE)[0]",
        lambda text: text == str(FILES),
    ),
    "no larger buffer": (
        "import socket\nsocket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**22)",
        lambda text: text == "PermissionError",
    ),
    "no larger buffer, by a number with more bits": (
        "import ctypes, os, socket\na, b = socket.socketpair()\nsize, more = ctypes.c_int(2**22), 1 << 32\n"
        "number, before = {'x86_64': 54, 'aarch64': 208}[os.uname().machine], a.getsockopt(1, 7)\n"
        "words = number, a.fileno(), more + 1, more + 7, ctypes.addressof(size), 4\n"
        "ctypes.CDLL(None).syscall(*map(ctypes.c_long, words))\na.getsockopt(1, 7) == before",
        lambda text: text == "True",
    ),
    "no memory that is no one's": ("import os\nos.memfd_create('x')", lambda text: text == "PermissionError"),
    "no memory that stays when its process has let it go": (
        "import mmap\nmmap.mmap(-1, 2**20)",
        lambda text: text == "PermissionError",
    ),
    "no such memory of a device": (
        "import mmap, os\nmmap.mmap(os.open('/dev/zero', os.O_RDWR), 2**20)",
        lambda text: text == "PermissionError",
    ),
    "memory of one process": (
        "import mmap\nlen(mmap.mmap(-1, 2**20, flags=mmap.MAP_PRIVATE))",
        lambda t: t == "1048576",
    ),
    "no memory that a pipe holds": (
        "import ctypes, os\nnumber = {'x86_64': 278, 'aarch64': 75}[os.uname().machine]\n"
        "word, end = ctypes.create_string_buffer(8), os.pipe()[1]\n"
        "part = (ctypes.c_size_t * 2)(ctypes.addressof(word), 8)\n"
        "ctypes.CDLL(None).syscall(number, end, part, ctypes.c_long(1), 0)",
        lambda text: text == "-1",
    ),
    "no namespace": ("import ctypes\nctypes.CDLL(None).unshare(0x10000000)", lambda text: text == "-1"),
    "no tracing": ("import ctypes\nctypes.CDLL(None).ptrace(0, 0, 0, 0)", lambda text: text == "-1"),
    "no privileges to gain": (
        "[row.split()[1] for row in open('/proc/self/status') if row.startswith(('CapEff', 'CapBnd', 'NoNew'))]",
        lambda text: text == "['0000000000000000', '0000000000000000', '1']",
    ),
}


def test_a_course_within_what_is_seen_of_the_machine_is_hidden(tmp_path, monkeypatch):
    (tmp_path / "base" / "course").mkdir(parents=True)
    monkeypatch.setattr(visible, "base", lambda: tmp_path / "base")
    for folder, is_hidden in {"base/course": True, "base": False, ".": False}.items():
        monkeypatch.chdir(tmp_path / folder)
        assert (Path.cwd() in visible.hidden()) is is_hidden, folder


@pytest.mark.parametrize(("source", "right"), WALLS.values(), ids=WALLS)
def test_the_walls(worker, source, right):
    text = shown(worker, source)
    assert right(text), text


def test_a_function_is_called_on_what_is_sent(worker):
    worker.ask({"run": "def double(x, f):\n    return f(x), x"}, 30)
    functions = []
    request = {"call": "double", "names": ["x", "f"], "lends": [], "seconds": 5}
    request["cases"] = [{"args": [encode(np.ones(2)), encode(np.exp, functions)], "untouched": True}]
    asked = []

    def serve(message):
        asked.append(message["function"])
        return {"value": encode(decode(message["args"][0]) * 2)}

    (row,) = worker.ask(request, 10, serve)["results"]
    once, same = decode(row["value"])
    np.testing.assert_array_equal(once, [2, 2])
    np.testing.assert_array_equal(same, [1, 1])
    assert asked == [0] and row["shared"] == [[1, "x"]] and row["failure"] is None


TO_ALL = "import os\nfor fd in range(3, 256):\n    try: os.write(fd, {message})\n    except OSError: pass"

ENDS = {
    "it leaves": ("import os\nos._exit(0)", "the process ended"),
    "its children take memory": (
        "import os, time\nfor _ in range(8):\n    if not os.fork(): a = b'x' * 2**25; time.sleep(20)\ntime.sleep(20)",
        "MiB of memory",
    ),
    "its sockets take memory": (
        "import subprocess, sys, time\nsource = '''import socket, time\nkept = []\ntry:\n    while True:\n"
        "        kept += socket.socketpair()\n        kept[-1].setblocking(False)\n"
        "        kept[-1].send(b'x' * 2**20)\nexcept OSError: time.sleep(20)'''\n"
        "for _ in range(6): subprocess.Popen([sys.executable, '-I', '-S', '-c', source])\ntime.sleep(20)",
        "MiB of memory",
    ),
    "it makes files": ("for k in range(10**6): open(f'/tmp/{k}', 'w').close()", "more than 50000 files"),
    "it takes time": ("while True: pass", "it took too long"),
    "it forks": ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", "took too long|MiB of memory"),
    "it sends garbage": (TO_ALL.format(message=r"b'\0\0\0\4xxxx'"), "could not be read: it is not JSON"),
    "it sends a long message": (TO_ALL.format(message=r"b'\x80\0\0\0'"), "could not be read: a message of 2147483648"),
    "it sends lists without end": (TO_ALL.format(message=r"b'\0\x20\0\0' + b'[]' * 2**20"), "of too many parts"),
    "it sends a number": (TO_ALL.format(message=r"b'\0\0\0\x011'"), "could not be read: it is not a reply"),
}


@pytest.mark.parametrize(("source", "reason"), ENDS.values(), ids=ENDS)
def test_what_ends_a_process_is_told(walls, source, reason):
    with Worker(Limits(memory=200 * 2**20), walls=True) as worker, pytest.raises(Dead, match=reason):
        worker.ask({"run": source}, 5)


def test_one_process_alone_runs_out_of_memory_by_itself(walls):
    with Worker(Limits(memory=200 * 2**20), walls=True) as worker:
        assert shown(worker, "kept = bytearray(2**28)") == "MemoryError"


def test_nothing_is_left_of_it(walls):
    worker = Worker(Limits(), walls=True)
    worker.ask({"run": "import subprocess\nsubprocess.Popen(['sleep', '1000'])"}, 10)
    worker.close()
    time.sleep(0.2)
    assert not any(b"sleep\x001000" in line for line in command_lines())


KILLED = """
import os, sys
from rnncourse.grading.sandbox.worker import Limits, Worker
worker = Worker(Limits(), walls=sys.argv[1] == "walls")
print(worker.ask({"run": sys.argv[2]}, 10)["error"])
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""


def killed(kind, source, folder):
    """Start a sandbox in another process, whose temporary files go into `folder`, run a cell, and kill it with -9."""
    command = [sys.executable, "-c", KILLED, kind, source]
    done = subprocess.run(command, env=os.environ | {"TMPDIR": str(folder)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-9, "None\n"), done.stderr


def test_nothing_is_left_of_it_where_the_grader_is_killed(walls, tmp_path):
    killed("walls", "import subprocess\nsubprocess.Popen(['sleep', '1001'])\nopen('x', 'w')", tmp_path)
    assert list(tmp_path.iterdir()) == []
    deadline = time.monotonic() + 5
    while any(b"sleep\x001001" in line for line in command_lines()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(b"sleep\x001001" in line for line in command_lines())


def test_without_walls_the_next_one_removes_what_a_killed_grader_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    another = tmp_path / "rnncourse-book"
    another.mkdir()
    killed("bare", "open('x', 'w')", tmp_path)
    (left,) = set(tmp_path.iterdir()) - {another}
    first = Folder()
    assert not left.exists() and first.path.parent == tmp_path
    second = Folder()
    assert first.path.exists(), "its owner lives"
    for folder in (first, second):
        folder.remove()
    assert list(tmp_path.iterdir()) == [another]


def command_lines():
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue


def test_only_what_a_set_needs_can_be_imported():
    names = {name.split(".")[0].split("-")[0].lower() for name in visible.packages()}
    assert {"numpy", "ipython", "matplotlib"} <= names
    assert not names & {"torch", "nbgrader", "rnncourse", "jupyter_client", "pytest", "scipy"}


def test_without_walls_the_same_process_answers():
    with Worker(Limits(), walls=False) as worker:
        assert shown(worker, "import os\nos.getpid()") == str(worker.process.pid)
    assert not Path(f"/proc/{worker.process.pid}").exists() or os.name != "posix"
