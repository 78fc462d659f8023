"""What grading needs of this machine and of this course, and what of it is missing: in plain words, with the cure."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from nbgrader.exchange.default import Exchange

from rnncourse.grading.course import Course
from rnncourse.grading.machine import MISSING, NOTE, OK, Finding, machine, walls
from rnncourse.grading.release import ReleaseError, out_of_step

FREE = 2**30
"""Bytes of disk that grading a class should find free."""


def examined(course: Course) -> Iterator[Finding]:
    """All there is to say of this machine and of a course. Grading can go on if nothing is `MISSING`."""
    yield from machine()
    yield from course_of(course)


def walls_missing() -> list[str]:
    """What keeps a sandbox from standing on this machine; an empty list if one stood just now."""
    return [finding.says for finding in walls(Path("/")) if finding.state == MISSING]


def course_of(course: Course) -> Iterator[Finding]:
    """What there is to say of the course."""
    name = course.directory.course_id
    yield (
        Finding(OK, f"the course's id is {name}")
        if name
        else Finding(MISSING, "the course has no id", "c.CourseDirectory.course_id in nbgrader_config.py")
    )
    try:
        wrong = out_of_step(course.root)
    except (ReleaseError, OSError) as error:
        wrong = [str(error)]
    if wrong:
        cure = "python -m rnncourse.grading release"
        yield Finding(MISSING, f"exercises/ is not what solutions/ gives: {'; '.join(wrong[:3])}", cure)
    else:
        yield Finding(OK, "exercises/ is what solutions/ gives")
    yield from gradebook(course)
    if course.seed is None:
        cure = "export RNNCOURSE_SEED, or set it in your own nbgrader_config.py, to a long text you tell nobody"
        yield Finding(NOTE, "RNNCOURSE_SEED is not set: students can draw the hidden cases themselves", cure)
    else:
        yield Finding(OK, "RNNCOURSE_SEED is set")
    exchange = Path(Exchange(config=course.config).root)
    if os.access(exchange, os.W_OK | os.X_OK):
        yield Finding(OK, f"the exchange {exchange} can be written to")
    else:
        cure = "only if students hand in through it: c.Exchange.root in your own nbgrader_config.py names another"
        yield Finding(NOTE, f"there is no exchange at {exchange}, or you cannot write to it", cure)
    free = shutil.disk_usage(course.root).free
    state = OK if free >= FREE else MISSING
    yield Finding(state, f"{free / 2**30:.1f} GiB of disk are free", "" if state == OK else "make room for 1 GiB")


def gradebook(course: Course) -> Iterator[Finding]:
    """Whether the gradebook knows the problem sets. Which ones it must know is the instructor's affair."""
    there, known = course.assignments(), course.known()
    lacking = [name for name in there if name not in known]
    if not there or len(lacking) == len(there):
        cure = f"nbgrader generate_assignment {there[0] if there else 'SET'}, and so for each set that you give"
        yield Finding(MISSING, "the gradebook knows no problem set of this course", cure)
        return
    yield Finding(OK, f"the gradebook knows {', '.join(sorted(known.intersection(there)))}")
    if lacking:
        cure = f"before you grade one: nbgrader generate_assignment {lacking[0]}"
        yield Finding(NOTE, f"the gradebook does not know {', '.join(lacking)}", cure)
