# ruff: noqa: E501 (a cell reads as it is handed in)
"""Exhausting and crashing: what takes time, memory, processes, files, room on the line; what kills, stops, garbles.

Each has a sandbox of its own with low limits. The function behind it is right: what the attack breaks is its own, and
the notebook goes on to its mark, unless the attack is in the function itself.
"""

from grading.attacks.harness import STUB, Attack, armed

from rnncourse.grading.sandbox.bubblewrap import Limits

LOW = Limits(memory=400 * 2**20, cell=1.0, function=1.0, submission=20.0)
RIGHT = {"rnn_step": armed("import numpy as np\n" + STUB["right rnn_step"])}
NAMES = "x, h, W_x, W_h, b"


def alone(source: str) -> Attack:
    """The same without another function behind it: it breaks its own line to the grader for good."""
    lines = "\n".join(f"    {line}" for line in source.strip().splitlines())
    return Attack("limits", (), {"rnn_step": armed(f"def rnn_step({NAMES}):\n{lines}")}, limits=LOW)


def cell(name: str, source: str, measure: str = "limits") -> Attack:
    """A cell that does harm, before an answer that is right."""
    points = 0 if name in FOR_GOOD else 4
    return Attack(measure, (source,), RIGHT, points=points, limits=LOW)


def function(source: str, measure: str = "limits") -> Attack:
    """The lines of a function that does harm, between others that are right: count_parameters is behind it."""
    lines = "\n".join(f"    {line}" for line in source.strip().splitlines())
    answers = {"rnn_step": armed(f"def rnn_step({NAMES}):\n{lines}"), "count_parameters": armed(COUNTED)}
    return Attack(measure, (), answers, points=2, limits=LOW)


COUNTED = """
def count_parameters(D, H, Q):
    counts = dict(W_xh=D * H, W_hh=H * H, b_h=H, W_hq=H * Q, b_q=Q)
    return {**counts, "total": sum(counts.values())}
"""

FOR_GOOD = (
    "starts threads without end",
    "sends messages without end",
    "sends outputs that are none",
    "never reads",
)
"""Cells that break the process for good, and their own notebook with it: their function is not reached."""

PATIENT = (
    *("sleeps", "stops itself", "becomes another program", "searches a text for ever", "never ends, in C"),
    *("prints one line without end", "calls itself until the stack ends", "shows a hundred thousand outputs"),
    *("sends a message byte by byte", "never reads", "raises an error of many megabytes"),
    *("never returns", "is stopped in the middle", "calls the grader back without end", "returns a million texts"),
)
"""Those that take all the time there is, and are stopped as others are: `make proof` runs them."""

LINE = """
import ctypes, json, signal, struct, threading, time
def lines():
    for fd in range(3, 256):
        try: yield socket.socket(fileno=os.dup(fd))
        except OSError: pass
def raw(data):
    for line in lines():
        try: line.sendall(data)
        except OSError: pass
"""

CELLS = {
    "never ends": "while True: pass",
    "sleeps": "import time\ntime.sleep(100)",
    "sleeps through every interrupt": (
        "import signal, time\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\n"
        "while True:\n    try: time.sleep(100)\n    except BaseException: pass"
    ),
    "never ends, in C": "sum(iter(int, 1))",
    "searches a text for ever": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "takes memory": "kept = [bytearray(2**24) for _ in range(10**4)]",
    "takes memory in its children": (
        "import time\nfor _ in range(20):\n    if not os.fork():\n        kept = b'x' * 2**26\n        time.sleep(60)\ntime.sleep(60)"
    ),
    "takes memory that belongs to no process": (
        "kept = []\nfor k in range(200):\n    fd = os.memfd_create(str(k))\n    kept.append(fd)\n    os.write(fd, b'x' * 2**24)"
    ),
    "takes memory that belongs to no process, as System V had it": (
        "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.shmat.restype = ctypes.c_void_p\n"
        "for _ in range(100):\n    place = libc.shmat(libc.shmget(0, 2**24, 0o1600), None, 0)\n"
        "    if place in (None, 2**64 - 1): raise OSError('refused')\n"
        "    ctypes.memset(place, 1, 2**24)\n    libc.shmdt(ctypes.c_void_p(place))"
    ),
    "takes memory in the buffers of sockets": (
        "import subprocess, time\nsource = '''import socket, time\nkept = []\nwhile True:\n"
        "    try:\n        a, b = socket.socketpair()\n        kept += [a, b]\n        a.setblocking(False)\n"
        "        a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**22)\n    except OSError: pass\n"
        "    try: a.send(b'x' * 2**22)\n    except OSError: time.sleep(60)'''\n"
        "for _ in range(8): subprocess.Popen([sys.executable, '-I', '-S', '-c', source])\ntime.sleep(60)"
    ),
    "fills the disk": "for k in range(10**4): open(f'/tmp/{k}', 'wb').write(b'x' * 2**20)",
    "fills shared memory": "for k in range(10**4): open(f'/dev/shm/{k}', 'wb').write(b'x' * 2**20)",
    "makes files without end": "for k in range(10**7): open(f'/tmp/{k}', 'w').close()",
    "opens files without end": "kept = [open('/dev/null') for _ in range(10**6)]",
    "forks without end": "while True:\n    try: os.fork()\n    except OSError: pass",
    "starts threads without end": (
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    ),
    "prints without end": "while True: print('x' * 1000)",
    "prints one line without end": "print('x' * 10**8)",
    "prints so much that no message holds it": "sys.stdout.write('x' * 30_000_000)",
    "shows a hundred thousand outputs": "from IPython.display import display\nfor k in range(10**5): display(k)",
    "shows a picture of a hundred thousand times as many dots": (
        "import struct, zlib\nfrom IPython.display import Image, display\n"
        "def part(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))\n"
        "head = part(b'IHDR', struct.pack('>IIBBBBB', 50000, 50000, 1, 0, 0, 0, 0))\n"
        "row = zlib.compressobj(9)\ndots = b''.join(row.compress(b'\\0' * 6251) for _ in range(50000)) + row.flush()\n"
        "display(Image(b'\\x89PNG\\r\\n\\x1a\\n' + head + part(b'IDAT', dots) + part(b'IEND', b''), format='png'))"
    ),
    "raises an error of many megabytes": "raise ValueError('x' * 5 * 10**7)",
    "raises an error behind a thousand calls": ("def down(n): return down(n + 1) if n < 900 else 1 / 0\ndown(0)"),
    "calls itself until the stack ends": "sys.setrecursionlimit(10**9)\ndef down(): return down()\ndown()",
    "waits for input": "input()",
    "exits": "exit()",
    "kills itself": "os.kill(os.getpid(), 9)",
    "stops itself": "import signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "kills what started it": "os.kill(os.getppid(), 9)\nos.kill(1, 9)",
    "stops what started it": "import signal\nfor pid in (1, os.getppid()):\n    os.kill(pid, signal.SIGSTOP)",
    "kills all it can": "os.kill(-1, 9)",
    "kills processes by guessing": "for pid in range(2, 40000):\n    try: os.kill(pid, 9)\n    except OSError: pass",
    "aborts": "os.abort()",
    "reads where no memory is": "import ctypes\nctypes.string_at(0)",
    "writes over its own memory": "import ctypes\nctypes.memset(id(int), 255, 4096)\nint('5') + 1",
    "becomes another program": "os.execv('/bin/sh', ['sh', '-c', 'sleep 100'])",
    "ends a little later": "import threading\nthreading.Timer(0.2, os._exit, (0,)).start()",
    "closes the line": LINE + "for fd in range(3, 256):\n    try: os.close(fd)\n    except OSError: pass",
    "shuts the line": LINE + "for line in lines(): line.shutdown(socket.SHUT_RDWR)",
    "sends garbage": LINE + "raw(b'\\0\\0\\0\\4{{{{')",
    "sends bytes that are no text": LINE + "raw(struct.pack('>I', 4) + b'\\xff\\xfe\\xff\\xfe')",
    "sends a message of two gigabytes": LINE + "raw(b'\\x80\\0\\0\\0' + b'x' * 10**6)",
    "sends messages without end": LINE + "while True: raw(struct.pack('>I', 2) + b'{}')",
    "sends half a message, and no more": LINE + "raw(struct.pack('>I', 100) + b'{')\ntime.sleep(60)",
    "sends a message byte by byte": LINE
    + "raw(struct.pack('>I', 100))\nwhile True:\n    raw(b' ')\n    time.sleep(0.1)",
    "sends brackets in brackets": LINE + "raw(struct.pack('>I', 10**6) + b'[' * 10**6)",
    "sends a number of a million digits": LINE
    + "raw(struct.pack('>I', 10**6 + 5) + b'{\"a\":' + b'9' * (10**6 - 1) + b'}')",
    "sends outputs that are none": LINE
    + (
        "data = json.dumps({'outputs': [[], 5, None, {'output_type': {}}, {'output_type': 'stream', 'text': {'a': 1}},"
        " {'output_type': 'display_data', 'data': {'text/plain': [[1]], 'image/png': {}}}]}).encode()\n"
        "raw(struct.pack('>I', len(data)) + data)"
    ),
    "sends open files along": LINE
    + (
        "data = struct.pack('>I', 13) + b'{\"outputs\":[]'\n"
        "for line in lines():\n    try: line.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('200i', *[0] * 200))])\n"
        "    except OSError: pass\nraw(b'}')"
    ),
    "never reads": "import threading, time\nfrom rnncourse.grading.sandbox import inside\ninside.Channel.receive = lambda self: time.sleep(60)",
}

FUNCTIONS = {
    "never returns": "while True: pass",
    "catches every interrupt": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "returns more than a message holds": "return np.zeros((3, 10**6))",
    "returns a list without end": "return iter(int, 1)",
    "returns itself in itself": "kept = []\nkept.append(kept)\nreturn kept",
    "returns a dict that is deep": "kept = {}\nfor _ in range(900): kept = {0: kept}\nreturn kept",
    "returns a text of many megabytes": "return 'x' * 10**7",
    "returns a million texts": "return [str(k) for k in range(10**6)]",
    "fails with a message of many megabytes": "raise ValueError('x' * 10**8)",
    "fails with an error whose message fails": "class Bad(Exception):\n    def __str__(self): raise self\nraise Bad()",
    "fails as if its time was up": "from rnncourse.grading.checks.attempt import OutOfTime\nraise OutOfTime('-' * 20000)",
    "is stopped in the middle": "import signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "crashes in C": "import ctypes\nctypes.string_at(0)",
}


def sent(value: str) -> str:
    """The lines of a function whose result is told in these words, once."""
    return f"import rnncourse.grading.sandbox.inside as inside\ninside.encode = lambda *a: {value}\nreturn 0"


ALONE = {
    "sends texts that blow up as an array": sent("['strings', [20000], ['x' * 20000] + [''] * 19999]"),
    "sends types without end": sent("['list', [['other', 'T%d' % k] for k in range(15000)]]"),
    "sends keys that all collide": sent("['dict', [[['int', str(k * (2**61 - 1))], ['none']] for k in range(15000)]]"),
    "sends a shape without numbers": sent("['objects', [1000, 1000]]"),
    "sends a dict of long keys": sent("['dict', [[['str', '-' * 19000 + str(k)], ['none']] for k in range(30)]]"),
    "sends values in values": sent("eval('[\"list\", [' * 40 + '[\"none\"]' + ']]' * 40)"),
}

ASKING = """
def rnn_forward(X, h0, W_x, W_h, b):
    {}
"""


def asking(source: str) -> Attack:
    """rnn_forward, which calls the grader back for the steps it is lent."""
    answers = {"rnn_forward": armed(ASKING.format(source)), "count_parameters": armed(COUNTED)}
    return Attack("limits", (), answers, points=2, limits=LOW)


CALLS = {
    "calls the grader back without end": asking("while True: rnn_step(X[0], h0, W_x, W_h, b)"),
    "asks for a product of twenty thousand squared": asking(
        "return rnn_step(np.ones((20000, 1)), np.ones((20000, 1)), np.ones((1, 20000)), np.ones((1, 20000)), b[0])"
    ),
    "asks for a sum over eight axes": asking(
        "return rnn_step(*[np.ones([90 if k in (a, a + 1) else 1 for k in range(8)]) for a in (0, 2)], 1.0, 1.0, 1.0)"
    ),
    "asks with more numbers than are taken": asking("return rnn_step(np.ones((3000, 3000)), h0, W_x, W_h, b)"),
    "asks with more arguments than are taken": asking("return rnn_step(*range(10**5))"),
    "asks with texts and objects": asking("return rnn_step('x' * 9999, [{}], {1: 2}, object(), print)"),
}
CALLS["asks for rows of a hundred million"] = Attack(
    "limits",
    answers={
        "embedding_lookup": armed("def embedding_lookup(ids, E):\n    return one_hot(np.zeros(15000, int), 30000)"),
    },
    problem_set="ps1-text",
    limits=LOW,
)
