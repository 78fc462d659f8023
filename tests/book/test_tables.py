"""The tables that the build fills, in a book of two chapters: what is in them, and when there is none."""

import re
import shutil
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rnncourse.book import build, notebooks, tables
from rnncourse.book.executed import Executed

ROOT = Path(__file__).parents[2]
IMPORT = "from rnncourse.evidence import claim, measured"
CONTENTS = """\
format: jb-book
root: index
chapters:
- file: chapters/02-b
- file: chapters/01-a
- file: chapters/appendix/claims
- file: chapters/appendix/run-times
"""

in_a_book = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def course(tmp_path):
    """A book whose two chapters each publish a claim, with the course's own pages for the tables."""
    for name in ("_config.yml", "references.bib", "favicon.svg"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for name in ("claims.md", "run-times.md"):
        (tmp_path / "chapters/appendix").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "chapters/appendix" / name, tmp_path / "chapters/appendix" / name)
    (tmp_path / "_toc.yml").write_text(CONTENTS)
    (tmp_path / "index.md").write_text("# The book\n\nA book that cites {claim}`holding`\n")
    write_chapter(tmp_path, "01-a", 'claim("holding", "x < y holds.", "holds", "share", 0.75, at_least=0.5)')
    write_chapter(tmp_path, "02-b", 'claim("refuted", "Always.", "false", "error", 0.2, at_most=0.3)', clock="41")
    return tmp_path


def write_chapter(course, name, source, clock="7"):
    cells = [new_markdown_cell(f"# Chapter {name[1]}\n\nSome text about nothing in particular.")]
    cells += map(new_code_cell, (IMPORT, source, f"measured('run_time_{name[:2]}', '{clock}')"))
    notebooks.save(course / f"chapters/{name}.ipynb", new_notebook(cells=cells))


def rows(page):
    """The cells of a page's table rows, as text."""
    found = re.findall(r"<tr[^>]*>(.+?)</tr>", page.read_text(encoding="utf-8"), re.S)
    return [re.findall(r"<t[hd][^>]*>(?:<a [^>]*>)?(.*?)(?:</a>)?</t[hd]>", row, re.S) for row in found]


@in_a_book
def test_the_tables_hold_what_the_chapters_published_in_the_order_of_the_contents(course):
    assert build.build(course)
    page = course / "_build/html/chapters/appendix/claims.html"
    heads = ["claim", "verdict", "what was measured", "margin"]
    assert rows(page) == [
        heads,
        ["Always.", "false", "error: <strong>0.2</strong>, asserted at most 0.3", "0.1"],
        heads,
        ["x &lt; y holds.", "holds", "share: <strong>0.75</strong>, asserted at least 0.5", "0.25"],
    ]
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"<h2>(.+?)<a", text) == ["Chapter 2", "Chapter 1"]
    assert re.findall(r"(all|holds|false|depends) \((\d)\)</label>", text) == [
        ("all", "2"),
        ("holds", "1"),
        ("false", "1"),
        ("depends", "0"),
    ]
    links = re.findall(r'href="(\S+)#(claim-\S+)"', text)
    assert links == [("../02-b.html", "claim-refuted"), ("../01-a.html", "claim-holding")]
    for address, anchor in links:
        assert f'id="{anchor}"' in (page.parent / address).resolve().read_text(encoding="utf-8")

    index = (course / "_build/html/index.html").read_text(encoding="utf-8")
    assert re.search(r'href="chapters/01-a\.html#claim-holding">x &lt; y holds\.</a>.* holds</span>', index)

    heads, two, one, together = rows(course / "_build/html/chapters/appendix/run-times.html")
    assert heads == ["notebook", "seconds in the build", "by its own clock", "code cells"]
    assert (two[0], two[2:], one[0], one[2:]) == ("Chapter 2", ["41", "3"], "Chapter 1", ["7", "3"])
    assert int(two[1]) > 0 and int(one[1]) > 0
    assert abs(int(together[1]) - int(one[1]) - int(two[1])) <= 1
    assert together[3] == "6"


@in_a_book
def test_claims_that_are_no_table_fail_the_build_and_each_fault_is_named(course, capfd):
    """One build for all faults, because a build takes seconds."""
    (course / "index.md").write_text("# The book\n\nA book that cites {claim}`nowhere`.\n")
    write_chapter(course, "01-a", 'claim("refuted", "Another.", "holds", "share", 0.75, at_least=0.5)')
    write_chapter(course, "03-c", "1")
    (course / "_toc.yml").write_text(
        CONTENTS.replace("- file: chapters/01-a\n", "- file: chapters/01-a\n- file: chapters/03-c\n")
    )
    assert not build.build(course)
    said = capfd.readouterr().err
    assert "chapters/03-c publishes no claim" in said
    assert "two claims have the id refuted: in chapters/02-b, chapters/01-a" in said
    assert "claims.md" in said
    assert re.search(r"index\.md.*no chapter publishes the claim nowhere", said)


@in_a_book
def test_a_claim_that_stops_holding_fails_the_build_before_any_page_is_written(course, capsys):
    write_chapter(course, "01-a", 'claim("holding", "It holds.", "holds", "share", 0.25, at_least=0.5)')
    assert not build.build(course)
    assert "claim holding: share is 0.25, expected at least 0.5" in capsys.readouterr().out
    assert not (course / "_build/html").exists()


def test_text_is_escaped_in_every_column():
    claim = {
        "id": 'a"b',
        "statement": "|h| < 1 & more",
        "verdict": "holds",
        "evidence": "<x>",
        "value": 1.0,
        "margin": 0.0,
    }
    table = tables.claims_table(Executed("p", "P", [{**claim, "at_most": 1}], {}, 1.0, 1), "p.html?a&b")
    assert 'href="p.html?a&amp;b#claim-a&quot;b">|h| &lt; 1 &amp; more</a>' in table
    assert "<td>&lt;x&gt;: <strong>1</strong>, asserted at most 1</td>" in table


def test_a_notebook_without_a_clock_of_its_own_has_a_dash():
    table = tables.run_times_table([(Executed("p", "P", [], {"share": "0.4"}, 2.4, 5), "p.html")])
    assert "<td>2</td><td>–</td><td>5</td>" in table


def test_the_machine_is_named_without_a_name_of_its_own():
    assert re.fullmatch(r"\w+ on \w+, \d+ processors, Python 3\.\d+\.\d+", tables.machine())
