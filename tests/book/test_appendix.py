"""The appendix's pages that are written by hand: what their chapters can be held to."""

import re
from pathlib import Path

import pytest

APPENDIX = Path(__file__).parents[2] / "chapters/appendix"
ASKED = re.split(r"^### ", (APPENDIX / "interview.md").read_text(encoding="utf-8"), flags=re.M)[1:]
QUESTIONS = [re.split(r"^## ", text, flags=re.M)[0] for text in ASKED]
EVIDENCE = re.compile(r"^- (\{claim\}|[^`]+: (\{numref\}|\{doc\}|\{ref\}))`[^`]+`$")

each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda text: text.split("\n")[0])


def test_there_are_at_least_thirty_questions_each_asked_once():
    names = [question.split("\n")[0] for question in QUESTIONS]
    assert len(names) >= 30
    assert len(set(names)) == len(names)


@each_question
def test_a_question_has_a_short_answer_and_a_link_to_its_evidence(question):
    heading, answer, evidence = question.strip().split("\n\n")
    sentences = re.findall(r"[.?!](?:\s|$)", answer)
    assert heading.endswith(("?", "."))
    assert 2 <= len(sentences) <= 5, f"expected an answer of 2 to 5 sentences, got {len(sentences)}"
    lines = evidence.split("\n")
    assert all(EVIDENCE.match(line) for line in lines), f"expected a list of links, got {lines}"


@each_question
def test_an_answer_types_no_measured_number(question):
    """A number that a chapter measured is quoted by a claim's link, where it cannot grow old."""
    assert not re.search(r"\d\.\d|\d ?%", re.sub(r"\$[^$]+\$", "", question))
