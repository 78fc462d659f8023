"""The pieces of the Sphinx extension that work on text."""

import pytest
from docutils.core import publish_doctree

from rnncourse.book import extension, mathjax


@pytest.mark.parametrize(
    "element",
    [
        '<script src="../_static/scripts/heavy.js"></script>',
        '<script defer src="_static/scripts/heavy.js?digest=12"></script>',
        '<link rel="preload" as="script" href="_static/scripts/heavy.js?v=1" />',
    ],
)
def test_an_element_that_loads_a_dropped_asset_goes_and_nothing_else(element):
    kept = '<script src="_static/other.js"></script>\n<p>scripts/heavy.js</p>'
    assert extension.without(f"{kept}\n  {element}", "scripts/heavy.js") == kept


def test_an_asset_whose_name_only_ends_alike_stays():
    element = '<script src="_static/not-heavy.js"></script>'
    assert extension.without(element, "heavy.js") == element


def test_a_page_is_described_by_its_first_telling_paragraph():
    doctree = publish_doctree("Title\n=====\n\nShort.\n\nThis paragraph says what the page is about.\n")
    assert extension.description(doctree) == "This paragraph says what the page is about."


def test_a_long_description_is_cut_at_a_word():
    doctree = publish_doctree("recurrent " * 40)
    cut = extension.description(doctree, longest=45)
    assert cut == "recurrent recurrent recurrent recurrent…"


def test_a_page_without_text_has_no_description():
    assert extension.description(publish_doctree("")) == ""


def test_a_formula_and_the_stop_after_it_stay_on_one_line():
    formula = r'<span class="math notranslate nohighlight">\(x_t\)</span>'
    assert extension.INLINE_MATH.sub(r"[\1\2]", f"{formula}, {formula} and {formula}).") == (
        f"[{formula},] {formula} and [{formula}).]"
    )


def test_mathjax_is_installed_with_all_that_is_shipped():
    missing = [part for part in mathjax.SHIPPED if not (mathjax.source() / part).exists()]
    assert not missing, f"not in the installed MathJax: {missing}"
