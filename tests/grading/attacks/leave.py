# ruff: noqa: E501 (a cell reads as it is handed in)
"""Leaving something behind for the next submission, for the grader, or for the instructor.

Each is a cell; all share one sandbox, one after the other. `MARK` is in the name, or the command line, of all they
leave. What must not exist afterwards is looked for on the machine.
"""

MARK = "left-behind-by-a-student"

PUT = """
import subprocess
from pathlib import Path
def put(path, text="x"):
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a") as file: file.write(text)
        print("open", path)
    except OSError as error: print(type(error).__name__)
"""

FILES = {
    "a file in /tmp": f"/tmp/{MARK}",
    "a file in shared memory": f"/dev/shm/{MARK}",
    "a file at home": f"~/{MARK}",
    "a file in the course": f"/course/{MARK}",
    "a module in the course": f"/course/rnncourse/{MARK}.py",
    "bytecode in the place of a module's": f"/course/rnncourse/__pycache__/{MARK}.pyc",
    "a .pth that Python runs at its start": f"/course/{MARK}.pth",
    "a start-up file of IPython": f"~/.ipython/profile_default/startup/{MARK}.py",
    "a setting of matplotlib": f"~/.config/matplotlib/{MARK}",
    "a job for cron": f"/var/spool/cron/crontabs/{MARK}",
    "a job for cron, of the system": f"/etc/cron.d/{MARK}",
    "a library that all programs load": f"/etc/{MARK}.so",
    "a program": f"/usr/bin/{MARK}",
    "a device": f"/dev/{MARK}",
    "a file in the machine's root": f"/{MARK}",
}


def file(path: str) -> str:
    """A cell that writes a file."""
    return f"{PUT}put(os.path.expanduser({path!r}))"


PROCESSES = {
    "a process": "subprocess.Popen(['sh', '-c', 'sleep 300; : left-behind-by-a-student'])",
    "a process in a session of its own": "subprocess.Popen(['sh', '-c', 'sleep 301; : left-behind-by-a-student'], start_new_session=True)",
    "a process whose parents are gone": (
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        os.execlp('sh', 'sh', '-c', 'sleep 302; : left-behind-by-a-student')\n    os._exit(0)\nos.wait()"
    ),
    "a process that ignores signals": (
        "subprocess.Popen(['sh', '-c', 'trap \"\" TERM INT HUP QUIT; sleep 303; : left-behind-by-a-student'])"
    ),
    "a process that waits for the end": (
        "import atexit\natexit.register(lambda: subprocess.Popen(['sh', '-c', 'sleep 304; : left-behind-by-a-student']))"
    ),
}

CELLS = {name: file(path) for name, path in FILES.items()}
CELLS |= {name: PUT + source for name, source in PROCESSES.items()}
CELLS |= {
    "another module for all to come": PUT
    + "import numpy\nput(numpy.__file__, '')\nput(os.path.dirname(numpy.__file__) + '/__pycache__/__init__.cpython-311.pyc', '')",
    "another interpreter for all to come": PUT
    + "put(sys.executable, '')\nput(os.path.realpath('/proc/self/exe'), '')\nput(os.__file__, '')",
    "a file through the grader's own folder": PUT
    + "[put(f'/proc/{pid}/cwd/../left-behind-by-a-student') for pid in ('1', os.getppid())]\n"
    "[put(path, '') for pid in ('1', os.getppid()) for fd in range(9) if os.path.isfile(path := f'/proc/{pid}/fd/{fd}')]",
    "more in memory than its folders may hold": PUT
    + "import sysconfig\n[put(f'{path}/left-behind-by-a-student') for path in ('/dev', '/dev/pts', '/course', '/', sysconfig.get_path('purelib'))]",
}
