"""What a submission may import: Python, NumPy, IPython, matplotlib, what these need, and a few files of this package.

No torch, no nbgrader, no cell, no check, no reference: what is not there cannot be called in the student's name.
"""

import site
import sys
import sysconfig
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

import rnncourse

PACKAGES = ("numpy", "ipython", "matplotlib", "matplotlib-inline")
"""With all that these require."""

MODULES = (
    "__init__",
    "arrays",
    "grading/checks/attempt",
    "grading/checks/drawing",
    "grading/checks/wrong",
    "grading/sandbox/inside",
    "grading/sandbox/wire",
)
"""What a submission sees of `rnncourse`."""


@cache
def packages() -> dict[str, Path]:
    """The files and folders of `PACKAGES` and of what they require, by the name under which Python looks for them."""
    found: dict[str, Path] = {}
    waiting, seen = list(PACKAGES), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            installed = distribution(name)
        except PackageNotFoundError:  # required on other systems only
            continue
        for line in installed.requires or ():
            required = Requirement(line)
            if required.marker is None or required.marker.evaluate({"extra": ""}):
                waiting.append(required.name)
        for name in top_level(installed):
            found.setdefault(name, Path(str(installed.locate_file(name))))
    return {name: path for name, path in sorted(found.items()) if path.exists()}


def top_level(installed: Distribution) -> set[str]:
    """The names of what a distribution put beside others: the first part of the path of each of its files.

    `installed.files` makes an object of every path, which takes three times as long.
    """
    record = installed.read_text("RECORD")
    paths = record.splitlines() if record else map(str, installed.files or ())
    return {path.lstrip('"').split(",")[0].split("/")[0] for path in paths} - {"..", "__pycache__"}


def base() -> Path:
    """The folder of the Python that this environment was made with."""
    return Path(sys.base_prefix).resolve()


def interpreter() -> Path:
    """The program that runs inside: that Python, without the environment."""
    return base() / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def hidden() -> list[Path]:
    """Folders of which a submission sees none, though they lie where it may look.

    They are those of this machine's Pythons with packages, and the course: in /usr/src/app, for one.
    """
    base = {"base": sys.base_prefix, "platbase": sys.base_prefix}
    own = [Path(sysconfig.get_path(kind, vars=base)) for kind in ("purelib", "platlib")]
    debian = [Path("/usr/lib/python3/dist-packages"), *Path("/usr/local/lib").glob("python3*")]
    found = {path.resolve() for path in [*own, *debian, Path(site.getusersitepackages())] if path.is_dir()}
    return sorted(found | set(filter(in_sight, (Path.cwd(), Path(rnncourse.__file__).resolve().parents[1]))))


def in_sight(folder: Path) -> bool:
    """Whether a folder lies within what a submission sees of the machine, and does not hold what Python needs."""
    seen = Path("/usr"), base()
    return any(place in folder.parents for place in seen) and not base().is_relative_to(folder)


def modules() -> dict[str, Path]:
    """The files of `rnncourse` that a submission sees, by their place in it; `check` is silent there.

    Folders without `__init__.py` are packages all the same, and empty: ours would import the rest.
    """
    source = Path(rnncourse.__file__).parent
    found = {f"{name}.py": source / f"{name}.py" for name in MODULES}
    return {**found, "grading/__init__.py": source / "grading" / "sandbox" / "silent.py"}


def everything() -> dict[str, Path]:
    """All that can be imported, by its place in the one folder where Python looks for it."""
    return packages() | {f"rnncourse/{place}": path for place, path in modules().items()}
