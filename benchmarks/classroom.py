"""A class of 200 students, from release to feedback: does each get the mark that was earned, and how long does it take?

    python benchmarks/classroom.py > benchmarks/classroom.txt

The students are those of tests/students.py: most of them right or nearly so, some wrong, late, empty-handed, a few
hostile. One in five hands in through the exchange, the others' files come in a zip of downloads. Then come the commands
of the page "For instructors".
"""

import os
import sys
import tempfile
from pathlib import Path

from versions import made_with

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from students import KINDS, a_class
from term import Term


def main():
    """Print the report. Returns 1 if somebody's mark or page is wrong."""
    students = a_class()
    with tempfile.TemporaryDirectory() as folder:
        term = Term(Path(folder), students)
        os.environ["JUPYTER_CONFIG_DIR"] = str(term.root / ".config")
        taken = term.whole()
        again = term.run("grade", "ps2", "-j", "2", expect=(3,))
        wrong = term.wrong_marks(), term.wrong_pages()
        size = (term.root / "gradebook.db").stat().st_size / 2**20
    files = len(term.by_exchange) + len(term.by_zip)
    verdicts = {
        "every mark, and every mark after its late penalty, is what the student earned": not wrong[0],
        "every page of feedback says it, and none runs a script": not wrong[1],
        "a second run finds nothing to do": f"0 graded, {files} as before" in again.text,
    }
    print(made_with("numpy", "nbgrader", "ipython"))
    print(f"{len(students)} students; {len(term.by_exchange)} files by the exchange, {len(term.by_zip)} by a zip\n")
    print(f"{'':<34}students  earn  after penalty")
    for kind in KINDS:
        there = [one for one in students if one.kind == kind]
        earned, mark = sum(there[0].points.values()), there[0].mark
        print(f"{kind:<34}{len(there):8d}{earned:6d}{'–' if mark is None else mark:>15}")
    print(f"\n{'step':<34} seconds")
    for step, seconds in term.seconds.items():
        print(f"{step:<34}{seconds:8.1f}")
    print(f"{'together':<34}{sum(term.seconds.values()):8.1f}")
    rate, peak = 60 * files / taken["grade"].seconds, taken["grade"].peak
    print(
        f"\n{rate:.0f} a minute with 2 workers; the command itself at most {peak:.0f} MiB; gradebook {size:.1f} MiB\n"
    )
    for sentence, true in verdicts.items():
        print(f"{'yes' if true else 'NO '}  {sentence}")
    for line in [*wrong[0], *wrong[1]]:
        print(f"     {line}")
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
