"""Attacks on the grader, as a student out for more than points would hand them in: what each must not achieve.

They run inside the sandbox only, and refuse anywhere else: see `attacks/harness.py`.
"""

import os
import re
import resource
import socket
import time
from contextlib import closing, suppress
from pathlib import Path

import nbformat
import pytest
from grading.attacks import forge, leave, look, overdo
from grading.attacks.harness import SEED, armed, hand_in

from rnncourse.grading.marking import TOO_LONG, Marking
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.worker import Worker

pytestmark = pytest.mark.usefixtures("walls")


@pytest.mark.parametrize("name", forge.WHOLE)
def test_no_mark_is_forged(name, tmp_path):
    attack = forge.WHOLE[name]
    marked = hand_in(attack, tmp_path)
    assert "armed" in marked.all_said, "the attack did not run"
    assert sum(marked.points.values()) == attack.points, marked.all_said


@pytest.fixture(scope="module")
def room():
    """A notebook's sandbox, for functions that do no harm to each other."""
    with_walls = Marking({}, SEED, Limits())
    with_walls.deadline = float("inf")
    yield with_walls
    with_walls.stop()


@pytest.mark.parametrize("name", forge.ANSWERS)
def test_no_answer_is_right_but_the_right_one(name, room):
    attack = forge.ANSWERS[name]
    outputs = room.run(armed(attack.source))
    assert not outputs, f"the attack did not run: {outputs}"
    report = room.judge(attack.name)
    assert report.points == attack.points, report


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Servers on the machine, which a submission must not reach: where they wait, and what has come in."""
    path = str(tmp_path_factory.mktemp("server") / "line")
    abstract = f"rnncourse-attacks-{os.getpid()}"
    came = []
    with socket.create_server(("127.0.0.1", 0)) as tcp, closing(socket.socket(type=socket.SOCK_DGRAM)) as udp:
        port = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        local = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for line, address in zip(local, (f"\0{abstract}", path), strict=True):
            line.bind(address)
            line.listen()
        servers = [tcp, udp, *local]
        for server in servers:
            server.setblocking(False)

        def arrived():
            for server in servers:
                with suppress(BlockingIOError):
                    came.append(server.recv(99) if server is udp else server.accept()[1])
            return came

        yield {"{port}": str(port), "{abstract}": abstract, "{path}": path}, arrived
        for line in local:
            line.close()


@pytest.fixture(scope="module")
def probed(machine):
    """What each probe printed. One sandbox for all."""
    places, _ = machine
    with Worker(Limits(), walls=True) as worker:
        assert worker.ask({"run": armed("print('armed')")}, 30)["outputs"][0]["text"] == "armed\n"
        printed = {}
        for name, probe in (look.READ | look.NETWORK).items():
            source = probe.source
            for place, where in places.items():
                source = source.replace(place, where)
            outputs = worker.ask({"run": armed(source)}, 30)["outputs"]
            printed[name] = "".join(output.get("text", str(output.get("evalue"))) for output in outputs).strip()
    return printed


@pytest.mark.parametrize("name", look.READ)
def test_nothing_secret_is_read(name, probed):
    assert re.fullmatch(look.READ[name].stopped, probed[name], re.DOTALL), probed[name]


@pytest.mark.parametrize("name", look.NETWORK)
def test_nothing_goes_out(name, probed, machine):
    assert re.fullmatch(look.NETWORK[name].stopped, probed[name], re.DOTALL), probed[name]
    _, arrived = machine
    assert not arrived()


def test_the_servers_of_the_test_can_be_reached(machine):
    places, arrived = machine
    before = len(arrived())
    with socket.create_connection(("127.0.0.1", int(places["{port}"]))), closing(socket.socket(socket.AF_UNIX)) as line:
        line.connect(f"\0{places['{abstract}']}")
    assert len(arrived()) == before + 2
    arrived().clear()


def marked_processes():
    """The command lines of this machine that hold the mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes())
    return [line for line in found if leave.MARK.encode() in line and b"sleep" in line]


@pytest.fixture(scope="module")
def left():
    """What the cells that leave something printed, and the command lines that were alive meanwhile. One sandbox."""
    with Worker(Limits(), walls=True) as worker:
        printed = {}
        for name, source in leave.CELLS.items():
            outputs = worker.ask({"run": armed(source)}, 30)["outputs"]
            printed[name] = "".join(output.get("text", str(output.get("evalue"))) for output in outputs).strip()
        time.sleep(0.5)  # the last of them are still starting
        during = marked_processes()
        folder = worker.folder
    return printed, during, folder


@pytest.mark.parametrize("name", leave.FILES)
def test_no_file_is_left(name, left):
    printed, _, _ = left
    path = Path(leave.FILES[name])
    inside = "/tmp" + leave.FILES[name][1:] if leave.FILES[name].startswith("~") else str(path)
    writable = inside.startswith(("/tmp", "/dev/shm"))
    assert printed[name] == f"open {inside}" if writable else re.fullmatch(r"OSError|PermissionError", printed[name])
    assert not path.expanduser().exists()
    with Worker(Limits(), walls=True) as worker:
        assert (
            worker.ask({"run": f"import os\nos.path.exists({inside!r})"}, 30)["outputs"][0]["data"]["text/plain"]
            == "False"
        )


@pytest.mark.parametrize("name", [name for name in leave.CELLS if name not in leave.FILES | leave.PROCESSES])
def test_nothing_of_the_machine_is_opened_for_writing(name, left):
    assert not re.search("open|Traceback", left[0][name]), left[0][name]


@pytest.mark.parametrize("name", leave.PROCESSES)
def test_no_process_outlives_its_submission(name, left):
    _, during, folder = left
    number = re.search(r"sleep (\d+)", leave.PROCESSES[name])[1].encode()
    assert any(number in line for line in during) or "atexit" in leave.PROCESSES[name], "the attack did not run"
    assert not any(number in line for line in marked_processes())
    assert not folder.exists()


@pytest.mark.parametrize("name", overdo.CELLS)
def test_a_cell_costs_no_more_than_itself(name, tmp_path):
    before = peak()
    files = len(os.listdir("/proc/self/fd"))
    attack = overdo.cell(name, overdo.CELLS[name])
    marked = hand_in(attack, tmp_path)
    assert "armed" in marked.all_said, "the attack did not run"
    assert sum(marked.points.values()) == attack.points, marked.all_said[:2000]
    assert_bounded(marked, before)
    assert len(os.listdir("/proc/self/fd")) == files


FUNCTIONS = {name: overdo.function(source) for name, source in overdo.FUNCTIONS.items()}
FUNCTIONS |= {name: overdo.alone(source) for name, source in overdo.ALONE.items()} | overdo.CALLS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_costs_no_more_than_itself(name, tmp_path):
    before = peak()
    attack = FUNCTIONS[name]
    marked = hand_in(attack, tmp_path)
    assert "armed" in marked.all_said, "the attack did not run"
    assert sum(marked.points.values()) == attack.points, marked.all_said[:2000]
    assert_bounded(marked, before)


def test_pictures_in_every_cell_have_a_bound_together(tmp_path):
    picture = (
        "from IPython.display import Image, display\n"
        "for _ in range(3): display(Image(b'\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\rIHDR' + b'\\0\\0\\1\\0' * 2 + bytes(3 * 10**6), format='png'))"
    )
    marked = hand_in(overdo.Attack("limits", (picture,) * 5, overdo.RIGHT, points=4), tmp_path)
    assert len(nbformat.writes(marked.notebook)) < 40 * 2**20
    shown = [len(cell.outputs) for cell in marked.notebook.cells if "Image" in cell.source]
    assert shown == [3, 3, 1, 1, 1] and TOO_LONG in marked.all_said
    assert sum(marked.points.values()) == 4


def peak():
    """The most memory that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def assert_bounded(marked, before):
    """The grader took about as long as the limits allow, little memory, and wrote little."""
    assert marked.seconds < 2 * overdo.LOW.submission
    assert peak() - before < 400
    assert len(nbformat.writes(marked.notebook)) < 2**21
