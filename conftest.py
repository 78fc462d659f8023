"""What every test run shares: which notebooks are compared cell by cell, and that CI skips no browser test."""

import gc
import os
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import nbval.kernel
import pytest
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel

CHAPTERS = Path(__file__).parent / "chapters"

# Nothing is garbage while tests are collected: to look for some took half of the time.
gc.disable()

# The build draws these again; a committed notebook, in its normal form, does not hold them.
DRAWN_BY_THE_BUILD = ("application/vnd.rnncourse.claim+json", "image/svg+xml", "stderr", "text/html", "text/latex")

UNDRAWN = """
from matplotlib.backend_bases import FigureCanvasBase
FigureCanvasBase.print_figure = lambda *args, **kwargs: None
"""
"""What the kernels run first: they draw no figure, for none is compared, and drawing took a sixth of their time."""

skipped: list[str] = []


def execute_as_notebooks_do(kernel, cell_input, allow_stdin=None):
    """Execute a cell with history, which nbval leaves out: IPython needs it to see the semicolon that ends a cell."""
    return kernel.kc.execute(cell_input, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = execute_as_notebooks_do


def reached_over_files(**named):
    """The manager of a kernel with sockets in a folder of its own.

    Ports that are free when they are chosen may be another kernel's when this one starts; then it dies.
    """
    return KernelManager(transport="ipc", ip=f"{mkdtemp(dir=os.environ['IPYTHONDIR'])}/kernel", **named)


if os.name != "nt":  # where there are only ports
    nbval.kernel.KernelManager = reached_over_files


def pytest_configure(config):
    """Give the kernels an IPython folder of their own: no startup file of the user's, no history left behind."""
    folder = TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    os.environ["IPYTHONDIR"] = folder.name
    startup = Path(folder.name, "profile_default", "startup")
    startup.mkdir(parents=True)
    (startup / "undrawn.py").write_text(UNDRAWN)


def pytest_ignore_collect(collection_path):
    """Only the chapters' notebooks are executed by nbval: exercises, solutions and submissions are not."""
    if collection_path.suffix == ".ipynb" and CHAPTERS not in collection_path.parents:
        return True
    return None


def pytest_collection_finish():
    """Collect garbage again, and leave alone all that stays: see above."""
    gc.freeze()
    gc.enable()


def pytest_collectstart(collector):
    """Compare what a notebook holds in its normal form, strictly, and nothing else."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += DRAWN_BY_THE_BUILD


def pytest_runtest_logreport(report):
    """Note which browser tests are skipped."""
    if report.skipped and "browser" in report.keywords:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        skipped.append(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """In CI the browser is installed, so a browser test that was skipped fails the run."""
    if os.environ.get("CI") and skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    """Say which tests made the run fail by being skipped."""
    if os.environ.get("CI") and skipped:
        terminalreporter.section("browser tests skipped, which CI does not allow")
        for line in skipped:
            terminalreporter.line(line)
