"""Attacks on the grader, as a student out for more than points would hand them in: what each must not achieve.

They run inside the sandbox only, and refuse anywhere else: see `attacks/harness.py`.
"""

import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import nbformat
import pytest
from grading.attacks import forge, leave, look, overdo, show
from grading.attacks.alive import Alive
from grading.attacks.harness import ROOT, SEED, armed, hand_in

from rnncourse.grading import hidden
from rnncourse.grading.batch import Batch, Scheduler
from rnncourse.grading.checks import find, sets
from rnncourse.grading.checks.attempt import Result
from rnncourse.grading.checks.drawing import copied
from rnncourse.grading.checks.judge import Sitting
from rnncourse.grading.course import Course
from rnncourse.grading.feedback import generate
from rnncourse.grading.marking import TOO_LONG, Marking
from rnncourse.grading.rebuild import grade_id
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


@pytest.mark.parametrize(("seed", "points"), [("0", 4), (SEED, 0)])
def test_answers_learnt_by_heart_are_right_for_the_public_seed_only(seed, points):
    public = Sitting(find("rnn_step"), hidden("0"))
    table = {case.args["h"].tobytes(): public.wanted[k]["h_next"].tolist() for k, case in enumerate(public.cases)}
    source = f"import numpy as np\ntable = {table!r}\ndef rnn_step(x, h, W_x, W_h, b):\n"
    source += "    return np.array(table.get(h.tobytes(), np.zeros_like(h)), dtype=float)"
    marking = Marking({}, seed)
    marking.deadline = float("inf")
    assert not marking.run(armed(source))
    try:
        assert marking.judge("rnn_step").points == points
    finally:
        marking.stop()


@pytest.mark.parametrize("name", [name for names in sets().values() for name in names])
def test_answers_learnt_in_their_order_are_worth_nothing_for_other_seeds(name):
    """The cases are drawn in a way that everybody can read, so what they come to must hang on the seed."""
    problem = find(name)
    public = [problem.reference(*copied(list(case.args.values()))) for case in Sitting(problem, hidden("0")).cases]
    points = []
    for seed in (SEED, "plum", "quince"):
        sitting = Sitting(problem, hidden(seed))
        cases = zip(public, sitting.cases, strict=True)
        answers = sitting.answers(Result(answer, None, dict(case.args)) for answer, case in cases)
        points.append(sitting.report(answers).points)
    assert 0 in points, points


def test_a_lie_about_what_became_of_the_inputs_is_worth_their_points_only(room):
    """The process alone can say whether an input was changed: a limit of judging from outside, and how far it goes."""
    spoils = "import numpy as np\ndef rnn_step(x, h, W_x, W_h, b):\n    y = np.tanh(x @ W_x + h @ W_h + b)\n"
    spoils += "    h[:] = 0\n    return y\n"
    assert not room.run(armed(spoils))
    assert room.judge("rnn_step").points == 3
    lies = "import rnncourse.grading.sandbox.inside as inside\ntold, before = inside.told, []\n"
    lies += "inside.told = lambda result, untouched: told(result._replace(args=before.pop(0)), untouched)\n"
    keeps = "import copy\nspoils = rnn_step\ndef rnn_step(x, h, W_x, W_h, b):\n"
    keeps += "    before.append(copy.deepcopy(dict(x=x, h=h, W_x=W_x, W_h=W_h, b=b)))\n"
    keeps += "    return spoils(x, h, W_x, W_h, b)"
    assert not room.run(armed(lies + spoils + keeps))
    assert room.judge("rnn_step").points == 4
    room.stop()


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
    return printed, during


@pytest.fixture(scope="module")
def next_one(left):
    """The sandbox of whoever comes next."""
    with Worker(Limits(), walls=True) as worker:
        yield worker


@pytest.mark.parametrize("name", leave.FILES)
def test_no_file_is_left(name, left, next_one):
    printed, _ = left
    path = Path(leave.FILES[name])
    inside = "/tmp" + leave.FILES[name][1:] if leave.FILES[name].startswith("~") else str(path)
    writable = inside.startswith(("/tmp", "/dev/shm"))
    assert printed[name] == f"open {inside}" if writable else re.fullmatch(r"OSError|PermissionError", printed[name])
    assert not path.expanduser().exists()
    (found,) = next_one.ask({"run": f"import os\nos.path.exists({inside!r})"}, 30)["outputs"]
    assert found["data"]["text/plain"] == "False"


@pytest.mark.parametrize("name", [name for name in leave.CELLS if name not in leave.FILES | leave.PROCESSES])
def test_nothing_of_the_machine_is_opened_for_writing(name, left):
    assert not re.search("open|Traceback", left[0][name]), left[0][name]


@pytest.mark.parametrize("name", leave.PROCESSES)
def test_no_process_outlives_its_submission(name, left):
    _, during = left
    number = re.search(r"sleep (\d+)", leave.PROCESSES[name])[1].encode()
    assert any(number in line for line in during) or "atexit" in leave.PROCESSES[name], "the attack did not run"
    assert not any(number in line for line in marked_processes())


def in_their_time(names):
    """The names of attacks; those that take long are for `make proof`."""
    patient = [pytest.param(name, marks=pytest.mark.proof) for name in names if name in overdo.PATIENT]
    return [name for name in names if name not in overdo.PATIENT] + patient


@pytest.mark.parametrize("name", in_their_time(overdo.CELLS))
def test_a_cell_costs_no_more_than_itself(name, tmp_path):
    before = peak()
    files = len(list(Path("/proc/self/fd").iterdir()))
    attack = overdo.cell(name, overdo.CELLS[name])
    marked = hand_in(attack, tmp_path)
    assert "armed" in marked.all_said, "the attack did not run"
    assert sum(marked.points.values()) == attack.points, marked.all_said[:2000]
    assert_bounded(marked, before)
    assert len(list(Path("/proc/self/fd").iterdir())) == files


FUNCTIONS = {name: overdo.function(source) for name, source in overdo.FUNCTIONS.items()}
FUNCTIONS |= {name: overdo.alone(source) for name, source in overdo.ALONE.items()} | overdo.CALLS


@pytest.mark.parametrize("name", in_their_time(FUNCTIONS))
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
        "data = b'\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\rIHDR' + b'\\0\\0\\1\\0' * 2 + bytes(3 * 10**6)\n"
        "for _ in range(3): display(Image(data, format='png'))"
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


@pytest.fixture(scope="module")
def course(walls, tmp_path_factory):
    """A course in which every strange folder was handed in, besides an honest one; graded, with feedback."""
    root = tmp_path_factory.mktemp("course")
    for folder in ("solutions", "exercises"):
        shutil.copytree(ROOT / folder / "ps2-rnn", root / folder / "ps2-rnn")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    nbgrader, own = Path(sys.executable).parent, {"HOME": str(root), "JUPYTER_CONFIG_DIR": str(root / ".config")}
    environment = os.environ | own | {"PATH": f"{nbgrader}{os.pathsep}{os.environ['PATH']}"}
    command = [nbgrader / "nbgrader", "generate_assignment", "ps2-rnn"]
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)

    released = root / "exercises" / "ps2-rnn" / "rnn.ipynb"
    stub = nbformat.read(released, as_version=4)
    stub.cells = [cell for cell in stub.cells if grade_id(cell)]
    short = tmp_path_factory.mktemp("stub") / "rnn.ipynb"
    nbformat.write(stub, short)
    (root / "submitted").mkdir()
    for student, make, _ in show.STRANGE.values():
        make(root / "submitted" / student, short)
    for student in show.NAMES.values():
        show.stub(root / "submitted" / student, short)
    show.stub(root / "submitted" / "plain", short)
    honest = nbformat.read(ROOT / "solutions" / "ps2-rnn" / "rnn.ipynb", as_version=4)
    for name, text in (("ada", nbformat.writes(honest)), ("eve", json.dumps(show.page(stub)))):
        show.notebook(lambda path, _, text=text: path.write_text(text, encoding="utf-8"))(
            root / "submitted" / name, short
        )
    course = Course(root)
    before = peak()
    with Scheduler(2) as scheduler:
        outcome = Batch(course, "ps2-rnn", seed=SEED, walls=True, limits=Limits(cell=5.0)).run(scheduler)
    for name in ("eve", "plain", "student0", "student2"):
        generate(course, "ps2-rnn", name, root / "feedback" / name / "ps2-rnn")
    with course.gradebook() as gradebook:
        scores = {one.student_id: one.score for one in gradebook.assignment_submissions("ps2-rnn")}
    return root, outcome, scores, peak() - before


def test_the_batch_goes_on_past_all_of_them(course):
    _, outcome, scores, taken = course
    assert outcome.failed == {}
    assert {name for name, score in scores.items() if score} == {"ada"} and scores["ada"] == 16
    assert taken < 400


@pytest.mark.parametrize("what", show.STRANGE)
def test_what_is_handed_in_is_graded_or_refused_with_a_sentence(what, course):
    root, outcome, scores, _ = course
    student, _, sentence = show.STRANGE[what]
    assert scores.get(student, 0) == 0
    if sentence is None:
        assert student in outcome.recorded
    else:
        assert sentence in outcome.refused[student]
    for page in (root / "feedback" / student).rglob("*"):
        if page.is_file():
            content = page.read_bytes()
            assert b"root:x:0" not in content and b"SQLite format" not in content and b"evil ran" not in content


@pytest.mark.parametrize("what", show.NAMES)
def test_a_name_that_is_none_is_refused(what, course):
    root, outcome, scores, _ = course
    assert "the folder's name is no name of a student" in outcome.refused[ascii(show.NAMES[what])]
    assert show.NAMES[what] not in scores
    assert not any(show.NAMES[what] == path.name for path in root.rglob("*") if "submitted" not in path.parts)


@pytest.fixture(scope="module")
def pages(course):
    """The feedback of the hostile student, and that of one who handed in a stub."""
    root = course[0]
    return [
        Alive((root / "feedback" / student / "ps2-rnn" / "rnn.html").read_text(encoding="utf-8"))
        for student in ("eve", "plain")
    ]


@pytest.mark.parametrize("name", show.SHOWN)
def test_nothing_comes_alive_in_the_feedback(name, pages, course):
    page, _ = pages
    token = show.token(name)
    alive = page.parts_with(token)
    assert not alive, alive[0][:300]


def test_the_feedback_loads_and_runs_what_that_of_others_does(pages):
    page, plain = pages
    assert page.programs == plain.programs
    assert page.loaded == plain.loaded
    assert page.handlers == plain.handlers
    assert not any("javascript:" in value for _, value in page.attributes)


def test_the_attacks_on_the_feedback_ran(course):
    text = (course[0] / "feedback" / "eve" / "ps2-rnn" / "rnn.html").read_text(encoding="utf-8")
    missing = [name for name in show.SHOWN if show.token(name) not in text]
    assert len(missing) < 5, missing


def test_those_for_the_proof_are_among_them():
    assert set(overdo.PATIENT) <= overdo.CELLS.keys() | FUNCTIONS.keys()


def test_the_table_of_attacks_lists_them_all():
    table = (ROOT / "benchmarks" / "attacks.txt").read_text(encoding="utf-8")
    functions = overdo.FUNCTIONS | overdo.ALONE | overdo.CALLS
    every = [forge.WHOLE, forge.ANSWERS, look.READ, look.NETWORK, leave.CELLS, overdo.CELLS, functions, show.SHOWN]
    missing = [name for kind in (*every, show.STRANGE) for name in kind if f"  {name}  " not in table]
    assert not missing, f"{missing}: to mend it, run python benchmarks/attacks.py > benchmarks/attacks.txt"
