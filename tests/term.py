"""A class goes through a problem set by the instructor's commands: from release to feedback."""

import csv
import html
import re
import sys
import time
import zipfile
from contextlib import contextmanager

from courses import NOTEBOOK, SET, environment, made, nbgrader, typed
from students import DUE, FULL, KINDS

from rnncourse.grading.course import Course

EXCHANGE = 5
"""One student in so many hands in through the exchange, if in time; the others' files come in a zip of Moodle's."""

CONFIG = """
from math import ceil
from nbgrader.plugins import BasePlugin

class Late(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return ceil(total_seconds_late / 86400)

c = get_config()
c.Exchange.root = {exchange!r}
c.AssignLatePenalties.plugin_class = Late
"""
"""What the instructor's own configuration holds: an exchange, and a point off for each day begun after the due date."""


class Term:
    """A course in a folder, its exchange, and its students. Each step says in `seconds` how long it took."""

    def __init__(self, folder, students):
        self.root, self.homes, self.students = folder / "course", folder / "homes", students
        self.seconds: dict[str, float] = {}
        exchange, config = folder / "exchange", self.root / ".config"
        for path in (self.root, self.homes, exchange, config):
            path.mkdir()
        exchange.chmod(0o777)
        (config / "nbgrader_config.py").write_text(CONFIG.format(exchange=str(exchange)))
        handing_in = [one for one in students if one.content is not None]
        timely = [one for one in handing_in if not one.penalty]
        self.by_exchange = timely[::EXCHANGE]
        self.by_zip = [one for one in handing_in if one not in self.by_exchange]

    def nbgrader(self):
        """type(folder, *words): type a command of nbgrader's in a folder."""
        return nbgrader(environment(self.root), self.root.parent / "log")

    @contextmanager
    def timed(self, step):
        """Note a step's seconds."""
        start = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - start

    def run(self, *words, expect=(0,)):
        """Type `python -m rnncourse.grading` with these words: what it prints, and what it takes."""
        done = typed(self.root, [sys.executable, "-m", "rnncourse.grading", *words], expect)
        self.seconds[f"{words[0]}, again" if words[0] in self.seconds else words[0]] = done.seconds
        return done

    def release(self):
        """Give the problem set out, with its date due."""
        with self.timed("release"), self.nbgrader() as type_:
            made(self.root)
            type_(self.root, "db", "assignment", "add", SET, "--duedate", DUE.strftime("%Y-%m-%d %H:%M:%S UTC"))
            type_(self.root, "release_assignment", SET)
            roll = "".join(f"{line}\n" for line in ("id", *(one.name for one in self.students)))
            (self.root / "students.csv").write_text(roll, encoding="utf-8")
            type_(self.root, "db", "student", "import", "students.csv")

    def hand_in(self):
        """Each hands in, and what came through the exchange is taken in."""
        with self.timed("submit and nbgrader collect"), self.nbgrader() as type_:
            for one in self.by_exchange:
                folder = self.homes / one.name / SET
                folder.mkdir(parents=True)
                (folder / NOTEBOOK).write_bytes(one.content)
                type_(folder.parent, "submit", SET, "--course=rnncourse", f"--student={one.name}")
            if self.by_exchange:
                type_(self.root, "collect", SET)
        with zipfile.ZipFile(self.root / "class.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for k, one in enumerate(self.by_zip):
                when = one.when.astimezone().timetuple()[:6]
                name = f"{one.name}_{k}_assignsubmission_file_/{NOTEBOOK}"
                archive.writestr(zipfile.ZipInfo(name, when), one.content)

    def whole(self):
        """From release to feedback and export. Returns what each command printed and took, by its name."""
        self.release()
        self.hand_in()
        return {
            "collect": self.run("collect", "ps2", "class.zip"),
            "grade": self.run("grade", "ps2", "-j", "2", expect=(0, 3)),
            "status": self.run("status", "ps2"),
            "feedback": self.run("feedback", "ps2"),
            "export": self.run("export", "-o", "grades.csv"),
        }

    def points(self):
        """What the gradebook holds for each function, by student."""
        with Course(self.root).gradebook() as gradebook:
            return {
                one.student_id: {grade.name.removeprefix("grade_"): grade.score for grade in one.notebooks[0].grades}
                for one in gradebook.assignment_submissions(SET)
            }

    def rows(self):
        """The rows of the export, by student."""
        with (self.root / "grades.csv").open(encoding="utf-8", newline="") as file:
            return {row["student_id"]: row for row in csv.DictReader(file)}

    def page(self, name):
        """A student's feedback: its source, and what is read in it."""
        source = (self.root / "feedback" / name / SET / NOTEBOOK).with_suffix(".html").read_text(encoding="utf-8")
        bare = re.sub(r"<(script|style).*?</\1>", "", source, flags=re.DOTALL)
        return source, " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())

    def wrong_marks(self):
        """Where the gradebook or the export has something else than what a student earned: a line each."""
        points, rows, lines = self.points(), self.rows(), []
        for one in self.students:
            found = points.pop(one.name, None)
            if found != (None if one.content is None else one.points):
                lines.append(f"{one.name} ({one.kind}) earned {one.points}, the gradebook has {found}")
            row = rows.pop(one.name, {})
            expected = [sum(one.points.values()), one.penalty, one.mark or 0, sum(FULL.values())]
            there = [row.get(name) for name in ("raw_score", "late_submission_penalty", "score", "max_score")]
            if [float(value or "nan") for value in there] != expected:
                lines.append(f"{one.name} ({one.kind}) earned {expected}, the export has {there}")
        return lines + [f"nobody is called {name}" for name in points | rows]

    def wrong_pages(self):
        """What a student's feedback lacks, or should not have: a line each."""
        lines = []
        for one in self.students:
            if one.content is None:
                if (self.root / "feedback" / one.name).exists():
                    lines.append(f"{one.name} handed nothing in and has feedback")
                continue
            source, text = self.page(one.name)
            wanted = [f"{name}: {points} of {FULL[name]} points" for name, points in one.points.items()]
            wanted = ["This notebook could not be graded"] if KINDS[one.kind].cut else wanted
            lines += [f"{one.name} ({one.kind}) does not read: {words}" for words in wanted if words not in text]
            if "<script>alert" in source:
                lines.append(f"{one.name} ({one.kind}) runs a script")
        return lines
