"""What a measurement depends on, in two lines: the date, the machine and the versions."""

import platform
from datetime import date
from importlib.metadata import version


def made_with(*packages: str) -> str:
    """The heading of a committed output: today's date, the machine, and the versions of Python and of `packages`."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{date.today()}, {platform.machine()}, {platform.system()}\nPython {platform.python_version()}, {versions}\n"
    )
