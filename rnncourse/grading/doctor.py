"""What grading needs of this machine and of this course, and what of it is missing: in plain words, with the cure."""

import shutil
import subprocess

from rnncourse.grading.sandbox import seccomp
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.sandbox.worker import Dead, Worker


def walls_missing() -> list[str]:
    """What keeps a sandbox from standing on this machine; an empty list if one stood just now."""
    missing = [f"{name} is not installed" for name in ("bwrap", "setpriv") if shutil.which(name) is None]
    try:
        seccomp.library()
    except OSError:
        missing.append("libseccomp is not installed")
    if missing:
        return missing
    try:
        Worker(Limits(), walls=True).close()
    except (Dead, OSError, subprocess.SubprocessError) as error:
        return [f"bubblewrap does not start here ({error})"]
    return []
