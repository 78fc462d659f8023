# ruff: noqa: E501 (a cell reads as it is handed in)
"""Reading what is secret, and reaching out: probes, each a cell that prints what it got hold of.

All of a kind share one sandbox. A probe is stopped if what it prints matches its pattern from end to end.
`{port}`, `{abstract}` and `{path}` are where a server of the test waits on the machine: `placed` puts them in.
"""

import re
from dataclasses import dataclass

from rnncourse.grading.sandbox import visible

NOTHING = r"\[\]"
REFUSED = r"(PermissionError|FileNotFoundError|NotADirectoryError|ProcessLookupError|OSError|IsADirectoryError)"
UNREACHED = r"(ConnectionRefusedError|OSError|PermissionError|gaierror|TimeoutError|FileNotFoundError)"


@dataclass(frozen=True)
class Probe:
    """A cell that looks, what it must print at most, and which measure stops it."""

    source: str
    stopped: str
    measure: str


def tried(source: str, stopped: str = REFUSED, measure: str = "walls: mounts") -> Probe:
    """A probe that is stopped by an error, whose name it prints."""
    lines = "\n".join(f"    {line}" for line in source.strip().splitlines())
    return Probe(f"try:\n{lines}\nexcept Exception as error:\n    print(type(error).__name__)", stopped, measure)


def found(source: str, measure: str = "walls: mounts") -> Probe:
    """A probe that is stopped if it prints an empty list."""
    return Probe(source, NOTHING, measure)


WALK = """
names = set()
for root in os.listdir("/"):
    if root not in ("proc", "sys", "dev"):
        for folder, folders, files in os.walk("/" + root):
            names |= {folder + "/" + name for name in folders + files}
"""

READ = {
    "the seed in its environment": found(
        "print([v for k, v in os.environ.items() if 'SEED' in k or 'sour' in v])", "walls: environment"
    ),
    "the seed in others' environments": found(
        """
got = []
for pid in os.listdir("/proc"):
    try: got += [pid] * (b"SEED" in open(f"/proc/{pid}/environ", "rb").read()) * pid.isdigit()
    except OSError: pass
print(got)
""",
        "walls: pid",
    ),
    "the seed in its memory": found(
        r"""
import re
got = []
for line in open("/proc/self/maps"):
    low, high = (int(end, 16) for end in line.split()[0].split("-"))
    if line.split()[1].startswith("rw") and "[v" not in line:
        with open("/proc/self/mem", "rb") as memory:
            memory.seek(low)
            got += re.findall(rb"s[o]ur cherri[e]s 471[1]", memory.read(high - low))
print(got)
""",
        "score outside",
    ),
    "the seed on a command line": found(
        """
print([pid for pid in os.listdir("/proc") if pid.isdigit() and b"4711" in open(f"/proc/{pid}/cmdline", "rb").read()])
""",
        "walls: pid",
    ),
    "other processes": Probe("print(sum(name.isdigit() for name in os.listdir('/proc')) < 8)", "True", "walls: pid"),
    "the memory of its parent": tried("open(f'/proc/{os.getppid()}/mem', 'rb').read(1)", measure="walls: uid"),
    "the files of its parents": found(
        """
got = []
for pid in {1, os.getppid()}:
    for fd in range(30):
        path = f"/proc/{pid}/fd/{fd}"
        try: got += [os.readlink(path)] * (os.path.isfile(path) or os.path.isdir(path))
        except OSError: pass
print(got)
""",
        "walls: uid",
    ),
    "the root of its parents": found(
        """
got = []
for pid in {1, os.getppid()}:
    theirs = os.path.join("/proc", str(pid), "root")
    try: got += [name for name in os.listdir(theirs) if name not in os.listdir("/")]
    except OSError: pass
print(got)
""",
        "walls: mounts",
    ),
    "the folder of its parents": found(
        """
got = []
for pid in {1, os.getppid()}:
    try: got += [name for name in os.listdir(f"/proc/{pid}/cwd/") if name not in os.listdir("/tmp")]
    except OSError: pass
print(got)
""",
        "walls: mounts",
    ),
    "files that were open": found(
        """
got = []
for fd in range(60):
    try: name = os.readlink(f"/proc/self/fd/{fd}")
    except OSError: continue
    got += [name] * (name != "/dev/null" and not name.startswith("socket:"))
print(got)
"""
    ),
    "more than one line to the grader": Probe(
        "names = [os.readlink(f'/proc/self/fd/{fd}') for fd in range(256) if os.path.lexists(f'/proc/self/fd/{fd}')]\n"
        "print(len({name for name in names if name.startswith('socket:')}))",
        "1",
        "walls: mounts",
    ),
    "the gradebook": found(WALK + "print([n for n in names if n.endswith('gradebook.db')])"),
    "solutions and submissions": found(
        WALK
        + "print([n for n in names if n.rsplit('/')[-1] in ('solutions', 'submitted', 'autograded', 'nbgrader_config.py', 'ps2-rnn')])"
    ),
    "notebooks": found(WALK + "print([n for n in names if n.endswith('.ipynb')])"),
    "libraries that could answer": found(
        WALK
        + "print([n for n in names if n.rsplit('/')[-1] in ('torch', 'nbgrader', 'scipy', 'jax') and 'typeshed' not in n])"
    ),
    "more of the package than it needs": Probe(
        """
print(sorted(os.path.relpath(os.path.join(folder, name), "/course/rnncourse")
             for folder, _, files in os.walk("/course/rnncourse") for name in files if name.endswith(".py")))
""",
        re.escape(str(sorted(visible.modules()))),
        "walls: mounts",
    ),
    "the text of an answer": found(
        """
import re
print([name for folder, _, files in os.walk("/course/rnncourse") for name in files
       if re.search("def (rnn|lstm|gru)_(step|forward)|PROBLEM|BEGIN SOLUTION", open(os.path.join(folder, name), errors="replace").read())])
"""
    ),
    "the environment's programs": found(
        "print([p for p in (sys.prefix, sys.base_prefix) if os.path.exists(p + '/lib/python3.11/site-packages/nbgrader')]"
        " + [p for p in sys.path if 'site-packages' in p])"
    ),
    "home folders": found(
        "print([d for d in ('/home', '/Users', '/srv', '/mnt', '/media', '/opt', '/var', '/run') if os.path.exists(d)])"
    ),
    "keys and settings at home": found(
        WALK
        + "print([n for n in names if n.rsplit('/')[-1] in ('.ssh', '.jupyter', '.bashrc', '.netrc', '.gitconfig')])"
    ),
    "passwords": tried("print(open('/etc/shadow').read())"),
    "who uses the machine": tried("print(open('/etc/passwd').read())"),
    "the name of the machine": Probe("import platform\nprint(platform.node())", "sandbox", "walls: uts"),
    "its folder on the machine": tried(
        "print(os.listdir(os.path.join('/proc/self', 'root', '..')).index('home'))", "ValueError"
    ),
    "the memory of the machine": tried("open('/proc/kcore', 'rb').read(1)", measure="walls: uid"),
    "disks": found(
        "print([name for name in os.listdir('/dev') if name.startswith(('sd', 'nvme', 'vd', 'mem', 'kmsg', 'loop', 'dm'))])"
    ),
    "what others left to share": Probe(
        "print(os.listdir('/dev/shm'), os.path.exists('/dev/mqueue'))", r"\[\] False", "walls: ipc"
    ),
    "memory segments of others": Probe("print(len(open('/proc/sysvipc/shm').readlines()))", "1", "walls: ipc"),
    "keys of the kernel": tried(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "print([os.strerror(ctypes.get_errno()) for _ in [libc.syscall(250, 0, -3, 1)]][0])",
        r"Operation not permitted",
        "walls: seccomp",
    ),
    "messages of the kernel": tried(
        "import ctypes\nlibc = ctypes.CDLL(None)\nprint(libc.klogctl(3, ctypes.create_string_buffer(99), 99))",
        "-1",
        "walls: seccomp",
    ),
    "the memory of a process, by its number": tried(
        "import ctypes\nlibc = ctypes.CDLL(None)\nprint(libc.ptrace(16, os.getppid(), 0, 0), libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0))",
        "-1 -1",
        "walls: seccomp",
    ),
    "a namespace of its own, and root in it": tried(
        "import ctypes\nlibc = ctypes.CDLL(None)\nprint(libc.unshare(0x10000000), libc.mount(b'x', b'/tmp', b'tmpfs', 0, 0))",
        "-1 -1",
        "walls: seccomp",
    ),
    "root, by a program that gives it": tried(
        """
import shutil, subprocess
tries = [[name, *rest] for name, *rest in (["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"], ["pkexec", "id", "-u"]) if shutil.which(name)]
print([done for one in tries if (done := subprocess.run(one, capture_output=True, stdin=subprocess.DEVNULL).stdout)])
""",
        NOTHING,
        "walls: uid",
    ),
}

NETWORK = {
    "TCP to the machine": tried(
        "s = socket.create_connection(('127.0.0.1', {port}), 1)\ns.sendall(b'out')\nprint('out')",
        UNREACHED,
        "walls: network",
    ),
    "TCP to the machine, by version 6": tried(
        "s = socket.create_connection(('::1', {port}), 1)\ns.sendall(b'out')\nprint('out')", UNREACHED, "walls: network"
    ),
    "UDP to the machine": tried(
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(0.3)\ns.connect(('127.0.0.1', {port}))\n"
        "s.send(b'out')\nprint(s.recv(9))",
        UNREACHED,
        "walls: network",
    ),
    "TCP to the world": tried(
        "socket.create_connection(('192.0.2.1', 80), 1)\nprint('out')", UNREACHED, "walls: network"
    ),
    "a name of the world": tried("print(socket.getaddrinfo('example.org', 80))", UNREACHED, "walls: network"),
    "a name server": tried(
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(0.3)\ns.sendto(b'out', ('192.0.2.53', 53))\nprint(s.recv(9))",
        UNREACHED,
        "walls: network",
    ),
    "an abstract socket of the machine": tried(
        "s = socket.socket(socket.AF_UNIX)\ns.connect('\\0{abstract}')\ns.sendall(b'out')\nprint('out')",
        UNREACHED,
        "walls: network",
    ),
    "a socket in a folder": tried(
        "s = socket.socket(socket.AF_UNIX)\ns.connect('{path}')\nprint('out')", UNREACHED, "walls: mounts"
    ),
    "the sockets of the machine's services": tried(
        "print([p for p in ('/run/docker.sock', '/run/dbus/system_bus_socket', '/run/systemd/private') if os.path.exists(p)])",
        NOTHING,
        "walls: mounts",
    ),
    "raw packets": tried("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\nprint('out')", UNREACHED, "walls: uid"),
    "packets of the line": tried(
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\nprint('out')", UNREACHED, "walls: uid"
    ),
    "the host of a virtual machine": tried(
        "socket.socket(40, socket.SOCK_STREAM)\nprint('made')", UNREACHED, "walls: seccomp"
    ),
    "ciphers of the kernel": tried(
        "socket.socket(38, socket.SOCK_SEQPACKET)\nprint('made')", UNREACHED, "walls: seccomp"
    ),
    "radio": tried("socket.socket(31, socket.SOCK_STREAM)\nprint('made')", UNREACHED, "walls: seccomp"),
    "interfaces": Probe("print([name for _, name in socket.if_nameindex()])", r"\['lo'\]", "walls: network"),
    "another interface": tried(
        "import subprocess\nprint(subprocess.run(['/bin/sh', '-c', 'ip link add x type dummy 2>&1 || echo no'], capture_output=True, text=True).stdout[-3:-1])",
        "no",
        "walls: uid",
    ),
}
