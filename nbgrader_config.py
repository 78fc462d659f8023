"""How nbgrader finds and grades this course. Its commands work from this folder, once the environment is active
(`source .venv/bin/activate`; nbgrader itself calls another program of the environment by name):

    nbgrader generate_assignment ps2-rnn    solutions/ -> exercises/, and the cells into gradebook.db
    nbgrader release_assignment ps2-rnn     exercises/ -> the exchange
    nbgrader collect ps2-rnn                the exchange -> submitted/
    nbgrader autograde ps2-rnn              submitted/ -> autograded/, and the marks into gradebook.db
    nbgrader generate_feedback ps2-rnn      autograded/ -> feedback/
    nbgrader export                         the marks as grades.csv

`python -m rnncourse.grading grade ps2` takes the place of `autograde`: it runs what was handed in inside a sandbox,
side by side. The page "For instructors", chapters/appendix/instructors.md, says how, from an empty machine to feedback.

What differs from one installation to the next belongs into your own configuration, ~/.jupyter/nbgrader_config.py, which
nbgrader reads too:

    c.Exchange.root = "/srv/exchange"               a folder that all users can write to, where there is an exchange
    import os
    os.environ["RNNCOURSE_SEED"] = "long text"      what the hidden cases are drawn from; keep it to yourself
"""

c = get_config()  # noqa: F821, which nbgrader provides

c.CourseDirectory.course_id = "rnncourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"

# exercises/ is never edited by hand. Without this, nbgrader keeps a release that exists and forgets the gradebook.
c.GenerateAssignment.force = True

# A warning is not a wrong answer: without this, anything on stderr makes a graded cell worth 0.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s)."

# Deleted, copied, moved and retyped cells are put right first: on some of these nbgrader stops, for the whole class.
c.Autograde.sanitize_preprocessors = [
    "rnncourse.grading.preprocessor.Rebuild",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
