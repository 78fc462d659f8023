"""nbgrader's commands, each in a fork of one process: importing nbgrader takes longer than most of them.

For each line of its input, [folder, words, log] in JSON, it does what typing `nbgrader words…` in that folder does,
writes all that is printed to the file `log`, and prints the command's exit status.
"""

import gc
import json
import os
import signal
import sys

from nbgrader.apps.nbgraderapp import main

SECONDS = 600
"""What a command may take before it is killed."""

if __name__ == "__main__":
    gc.freeze()  # a fork that ends would else look at every object there is, and so copy it
    for line in sys.stdin:
        folder, words, log = json.loads(line)
        command = os.fork()
        if not command:
            signal.alarm(SECONDS)
            os.chdir(folder)
            file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (sys.stdout, sys.stderr):
                os.dup2(file, stream.fileno())
            sys.argv = ["nbgrader", *words]
            sys.exit(main())
        print(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]), flush=True)
