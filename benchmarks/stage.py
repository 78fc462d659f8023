"""A machine to attack: an outer sandbox with secrets, servers and processes to be found, and room to leave things in.

In it the grader's sandbox is built with a wall missing, or with one alone, and each attack of
tests/grading/attacks/look.py and leave.py is tried: see `matrix`.
"""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "outer"
"""The name of that machine: nothing here attacks any other."""

TOOLS = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")
COPIED = ("rnncourse", "solutions", "exercises", "tests", "benchmarks")


def outer(argument: str, host: str = HOST, seconds: float = 3000) -> str:
    """What `attacks.py` prints inside the outer sandbox, whose machine has this name, with an argument."""
    from grading.attacks.harness import SEED

    places = [Path(sys.base_prefix).resolve(), Path(sys.prefix)]
    command = ["bwrap", "--unshare-all", "--uid", "1000", "--gid", "1000", "--die-with-parent", "--new-session"]
    command += ["--hostname", host, "--clearenv", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in map(Path, TOOLS):
        command += ["--symlink", str(path.readlink())] if path.is_symlink() else ["--ro-bind-try", str(path)]
        command += [str(path)]
    for path in (*places, ROOT):
        where = path if path != ROOT else Path("/project")
        command += ["--ro-bind", str(path), str(where)]
    settings = {"PATH": "/usr/bin:/bin", "HOME": "/home/ada", "PYTHONPATH": "/course", "RNNCOURSE_SEED": SEED}
    settings |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    for name, value in settings.items():
        command += ["--setenv", name, value]
    copies = " ".join(f"/project/{name}" for name in COPIED)
    script = f'mkdir -p /course /home/ada && cp -r {copies} /course && exec "$@"'
    command += ["--", "sh", "-c", script, "sh", sys.executable, "/course/benchmarks/attacks.py", argument]
    if os.getuid() == 0:  # become someone first, who may read what lies below /root
        drop = ["setpriv", "--reuid=1000000", "--regid=1000000", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
        first = ["bwrap", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--bind", "/proc", "/proc"]
        first += ["--dev", "/dev"]
        first += [flag for name in ("SETUID", "SETGID", "SETPCAP") for flag in ("--cap-add", f"CAP_{name}")]
        closed = [path for path in (*places, ROOT) if any(above.stat().st_mode & 1 == 0 for above in path.parents)]
        for top in {path.parents[-2] for path in closed}:
            first += ["--perms", "0755", "--tmpfs", str(top)]
        for path in closed:
            for above in reversed(path.parents[:-2]):
                first += ["--perms", "0755", "--dir", str(above)]
            first += ["--ro-bind", str(path), str(path)]
        command = [*first, "--", *drop, *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds)
    if done.returncode:
        raise RuntimeError("the outer sandbox failed")
    return done.stdout


WALLS = ("mounts", "pid", "network", "ipc", "uts", "seccomp", "nesting", "rights", "environment", "killing")
"""What can be taken away: the folders, the namespaces of processes, network, memory segments and names; the filter of
system calls; that no namespace can be made inside; that all rights are dropped; the empty environment; that the grader
kills what a sandbox started. The user namespace stays: nobody but root could make the others without it."""

SINGLE = "bwrap --unshare-pid --unshare-ipc --unshare-uts --unshare-net --unshare-cgroup-try --unshare-user"
ARITY = dict.fromkeys((*SINGLE.split(), "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"), 0)
ARITY |= dict.fromkeys(("--ro-bind", "--ro-bind-try", "--symlink", "--setenv"), 2)
"""How many words follow an option; one, where it is not said here."""

MOUNTING = ("--ro-bind", "--ro-bind-try", "--symlink", "--dir", "--perms", "--size", "--tmpfs", "--remount-ro", "--dev")
GONE = {
    "pid": ("--unshare-pid",),
    "network": ("--unshare-net",),
    "ipc": ("--unshare-ipc",),
    "uts": ("--unshare-uts", "--hostname"),
    "seccomp": ("--seccomp",),
    "nesting": ("--disable-userns",),
    "rights": ("--cap-drop",),
    "environment": ("--clearenv",),
    "mounts": (*MOUNTING, "--proc"),
    "killing": (),
}
"""The options of bubblewrap that make each wall."""


def without(command: list[str], off: set[str], folder: str) -> list[str]:
    """The command of a sandbox without these walls. What it imports is then in `folder`, if the mounts are gone."""
    end = command.index("--")
    options, place = [], 0
    while place < end:
        size = 1 + ARITY.get(command[place], 1)
        options.append(command[place : place + size])
        place += size
    gone = {option for wall in off for option in GONE[wall]}
    kept = [option for option in options if option[0] not in gone]
    assert gone <= {"--proc", *(word[0] for word in options)}, "an option of a wall is not there"
    rest = command[end:]
    if "mounts" in off:
        kept.insert(1, ["--dev-bind", "/", "/"])
        kept.append(["--proc", "/proc"])
        rest = [word.replace("'/course'", repr(folder)) for word in rest]
    if "pid" in off:
        kept = [["--bind", "/proc", "/proc"] if option[0] == "--proc" else option for option in kept]
    if "rights" in off:
        kept = [[option[0], "0"] if option[0] in ("--uid", "--gid") else option for option in kept]
        kept.append(["--cap-add", "ALL"])
    given = ["env", f"RNNCOURSE_SEED={os.environ['RNNCOURSE_SEED']}"] if "environment" in off else []
    return given + [word for option in kept for word in option] + rest


def only_inside() -> None:
    """Raise SystemExit anywhere but in the outer sandbox."""
    if socket.gethostname() not in (HOST, "sandbox") or os.getuid() == 0 or not Path("/project").is_dir():
        raise SystemExit("this runs inside the outer sandbox only")


def furnish() -> tuple[dict[str, str], list[subprocess.Popen]]:
    """Put there what attacks look for: where servers wait, and processes."""
    only_inside()
    files = ("gradebook.db", "nbgrader_config.py", "submitted/ada/ps2-rnn/rnn.ipynb", "solutions/ps2-rnn/rnn.ipynb")
    places = [Path("/srv/class", name) for name in files]
    places += [Path("/home/ada", name) for name in (".ssh/id", ".jupyter/x", ".netrc", ".gitconfig", ".bashrc")]
    places += [Path(name) for name in ("/etc/shadow", "/etc/passwd", "/run/docker.sock", "/dev/shm/theirs")]
    for path in places:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("root:x:0")
    import ctypes

    ctypes.CDLL(None).shmget(4711, 4096, 0o1666)
    tcp, six = socket.create_server(("127.0.0.1", 0)), None
    port = tcp.getsockname()[1]
    with suppress(OSError):
        six = socket.create_server(("::1", port), family=socket.AF_INET6)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    local, path = [socket.socket(socket.AF_UNIX) for _ in range(2)], "/run/waiting"
    local[0].bind("\0waiting")
    local[1].bind(path)

    def serve(line: socket.socket) -> None:
        while True:
            line.accept()

    def echo() -> None:
        while True:
            said, whose = udp.recvfrom(99)
            udp.sendto(said, whose)

    for line in (tcp, six, *local):
        if line is not None:
            line.listen()
            threading.Thread(target=serve, args=(line,), daemon=True).start()
    threading.Thread(target=echo, daemon=True).start()
    others = [subprocess.Popen(["sh", "-c", "sleep 3000; : 4711"]) for _ in range(6)]
    return {"{port}": str(port), "{abstract}": "waiting", "{path}": path}, others


def tried(off: set[str], places: dict[str, str]) -> dict[str, bool]:
    """Which attacks get through without these walls; the sandbox is of its usual make but for them."""
    from grading.attacks import leave, look
    from grading.attacks.harness import armed

    from rnncourse.grading.sandbox import bubblewrap, worker
    from rnncourse.grading.sandbox.bare import Folder
    from rnncourse.grading.sandbox.bubblewrap import Limits

    usual, family, folder = bubblewrap.walled, worker.family, Folder()
    worker.family = family if "killing" not in off else lambda pid: []
    bubblewrap.walled = lambda *given: without(usual(*given), off, str(folder.path))
    through: dict[str, bool] = {}

    def said(process: "worker.Worker", source: str) -> str:
        outputs = process.ask({"run": armed(source)}, 60)["outputs"]
        return "".join(output.get("text", str(output.get("evalue"))) for output in outputs).strip()

    try:
        with worker.Worker(Limits(memory=2**32), walls=True) as process:
            assert said(process, "print('armed')") == "armed", "no attack ran"
            for name, probe in (look.READ | look.NETWORK).items():
                source = probe.source
                for place, where in places.items():
                    source = source.replace(place, where)
                through[name] = not re.fullmatch(probe.stopped, said(process, source), re.DOTALL)
        with worker.Worker(Limits(memory=2**32), walls=True) as process:
            printed = {name: said(process, source) for name, source in leave.CELLS.items()}
            time.sleep(0.5)
        time.sleep(0.5)
        alive = marked(leave.MARK)
    finally:
        bubblewrap.walled, worker.family = usual, family
        folder.remove()
    for name in leave.CELLS:
        if name in leave.PROCESSES:
            number = re.search(r"sleep (\d+)", leave.PROCESSES[name])[1]
            through[name] = any(f"sleep {number}" in line for line in alive.values())
        elif name in leave.FILES:
            through[name] = Path(leave.FILES[name].replace("~", "/tmp")).exists()
        else:
            through[name] = bool(re.search("open", printed[name]))
    for name in leave.FILES:
        if through[name]:
            Path(leave.FILES[name].replace("~", "/tmp")).unlink(missing_ok=True)
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    return through


def marked(mark: str) -> dict[int, str]:
    """The processes of this machine whose command line holds a word."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = path.read_bytes().decode(errors="replace")
            if mark in line:
                found[int(path.parent.name)] = line
    return found


def matrix() -> dict[str, dict[str, bool]]:
    """Runs in the outer sandbox: which attacks get through with all walls, with none, without one, with one alone."""
    from grading.attacks import harness

    harness.ONLY_INSIDE = f"""
import os, socket, sys
if socket.gethostname() not in ("sandbox", {HOST!r}) or not os.path.isdir("/course"):
    raise SystemExit("this attack runs inside the sandbox only")
"""
    places, others = furnish()
    every = set(WALLS)
    cases = {"all": set(), "none": every}
    cases |= {f"without {wall}": {wall} for wall in WALLS} | {f"{wall} alone": every - {wall} for wall in WALLS}
    found = {}
    for name, off in cases.items():
        begin = time.monotonic()
        found[name] = tried(off, places)
        print(f"{name}: {sum(found[name].values())} get through, {time.monotonic() - begin:.0f} s", file=sys.stderr)
    for other in others:
        other.kill()
    return found
