"""Every chapter follows the template and is stored in its normal form."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from sphinx_external_toc.parsing import parse_toc_yaml

from rnncourse.book import files, notebooks

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rnncourse"
ARCHITECTURE = ROOT / "chapters/appendix/architecture.ipynb"
GLOSSARY = ROOT / "chapters/appendix/glossary.md"
CHAPTERS = [path for path in files.chapters(ROOT) if path.parent.name == "chapters"]
NOTEBOOKS = files.chapters(ROOT)
# "How every chapter is built": what the reader finds in each of them, in this order.
SECTIONS = (
    "What you will be able to do",
    "Where it breaks",
    "Check yourself",
    "Exercises",
    "Recap",
    "References",
)
HEADED = re.compile(r"^(?:#+ |(?::{3,}|`{3,})\{admonition\} )(.+?)\s*$", re.M)

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def prose(path):
    return "\n\n".join(cell.source for cell in notebooks.read(path).cells if cell.cell_type == "markdown")


def listed():
    return set(parse_toc_yaml(ROOT / "_toc.yml"))


def test_there_are_chapters():
    assert CHAPTERS, "expected notebooks in chapters/, got none"


@each_notebook
def test_the_notebook_is_in_its_normal_form(path):
    assert notebooks.is_normal(path), f"{path.relative_to(ROOT)} is not in its normal form. To mend it: make notebooks"


@each_chapter
def test_the_chapter_has_the_templates_sections_in_order(path):
    headings = HEADED.findall(prose(path))
    assert [name for name in headings if name in SECTIONS] == list(SECTIONS)
    assert headings[-1] == SECTIONS[-1]


@each_chapter
def test_the_chapters_title_carries_the_files_number(path):
    title = HEADED.search(prose(path)).group(1)
    assert re.match(rf"(Chapter )?{int(path.stem[:2])}\b", title), f"{path.name} is titled {title!r}"


@each_chapter
def test_the_chapter_has_four_to_eight_self_tests(path):
    count = len(re.findall(r"^:class: .*\bselftest\b", prose(path), re.M))
    assert 4 <= count <= 8, f"expected 4 to 8 self-tests, got {count}"


@each_chapter
def test_every_option_of_a_self_test_ends_in_a_reason(path):
    options = re.findall(r"^[-*] \[[ xX]\] (.+(?:\n[ \t]+\S.*)*)", prose(path), re.M)
    bare = [option for option in options if not re.search(r"(\*[^*]+\*|_[^_]+_)\s*$", option)]
    assert options, "expected task lists in the self-tests, got none"
    assert not bare, f"options without an emphasised reason at their end: {bare}"


@each_notebook
def test_every_figure_has_alternative_text_and_a_caption(path):
    bare = []
    for position, cell in enumerate(notebooks.read(path).cells, start=1):
        drawn = any("<Figure" in out.get("data", {}).get("text/plain", "") for out in cell.get("outputs", []))
        said = cell.metadata.get("mystnb", {})
        if drawn and not (said.get("image", {}).get("alt") and said.get("figure", {}).get("caption")):
            bare.append(f"cell {position} (id {cell.id})")
    assert not bare, f"{path.name}: figures without mystnb image alt and figure caption: {bare}"


def test_a_label_names_one_thing_in_the_whole_book():
    """Figures, equations, exercises and glued numbers are found by name from any page."""
    owners = defaultdict(list)
    for path in NOTEBOOKS:
        for cell in notebooks.read(path).cells:
            names = re.findall(r"^:label: (\S+)", cell.source, re.M) + re.findall(
                r"^\$\$ *\((\S+)\)", cell.source, re.M
            )
            names += [cell.metadata.get("mystnb", {}).get("figure", {}).get("name")]
            names += re.findall(r'\bmeasured\(\s*"(\w+)"', cell.source)
            for name in filter(None, names):
                owners[name].append(path.name)
    twice = {name: places for name, places in owners.items() if len(places) > 1}
    assert owners and not twice, f"one name for two things: {twice}"


def test_the_table_of_contents_lists_every_page_there_is():
    pages = files.tree(ROOT / "chapters", ROOT / "exercises")
    there = {path.relative_to(ROOT).with_suffix("").as_posix() for path in pages if path.suffix in {".ipynb", ".md"}}
    assert there <= listed(), f"not in _toc.yml: {sorted(there - listed())}"


def test_every_page_in_the_table_of_contents_exists():
    missing = [name for name in listed() if not list(ROOT.glob(f"{name}.*"))]
    assert not missing, f"in _toc.yml, but no file: {missing}"


def modules():
    """The package's modules and subpackages, by name; a problem set counts as one, whatever functions it asks for."""
    for path in files.tree(PACKAGE):
        if path.suffix == ".py":
            name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
            yield re.sub(r"\.?__(init|main)__$|(?<=\.ps\d)\..*", "", name)


def test_the_architecture_page_says_where_every_module_is():
    table = set(re.findall(r"^\| `([\w.]+)` \| \S", prose(ARCHITECTURE), re.M))
    there = set(modules()) - {""}
    assert {"recurrence", "layers", "layers.contract", "grading.checks.ps2"} <= there
    assert not there - table, f"modules not in the architecture page's table: {sorted(there - table)}"
    contract = {"params"}  # rows of the page's other tables
    assert not table - there - contract, f"in the architecture page, but no module: {sorted(table - there - contract)}"


def glossary():
    """Each term's name, or names, in lower case, and the chapter that its row gives as the first."""
    rows = re.findall(r"^\| (.+?) \|.*\| \{doc\}`\.\./(.+?)` \|$", GLOSSARY.read_text(encoding="utf-8"), re.M)
    for names, chapter in rows:
        yield [name.strip().lower() for name in re.split(r"[,()]", names) if name.strip()], chapter


def in_italics(path):
    """What a chapter sets in italics, as it does with a term where it defines it; a plural counts as its singular."""
    found = {text.lower() for text in re.findall(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", prose(path))}
    return found | {text.removesuffix("s") for text in found}


def test_the_glossary_names_the_first_chapter_that_defines_a_term():
    defined = {path.stem: in_italics(path) for path in CHAPTERS}
    defined["01-why-recurrence"] -= {"sampling"}  # of examples, stressed; not yet of tokens
    wrong, checked = [], 0
    for names, chapter in glossary():
        first = next((stem for stem, terms in defined.items() if terms & set(names)), None)
        checked += first is not None
        if first not in (None, chapter):
            wrong.append(f"{names[0]}: {chapter}, but {first} has it in italics")
    assert checked >= 60, f"expected at least 60 terms in italics in the chapters, got {checked}"
    assert not wrong, "\n".join(wrong)
