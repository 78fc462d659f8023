"""Every page of the built book, opened from its folder in a headless browser: what a reader sees on it."""

import re
from itertools import pairwise

import pytest
from browser import HTML, NARROW, PAGES, both_modes, every_chapter, every_content_page, every_page
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.browser


def test_the_folder_holds_the_pages_of_the_table_of_contents_and_no_others():
    built = {path.relative_to(HTML).with_suffix("").as_posix() for path in HTML.rglob("*.html")}
    built = {name for name in built if not name.startswith("_static/")}
    assert built == set(PAGES)


@every_page
def test_no_request_leaves_the_books_folder(reader, page):
    inside = (HTML.as_uri() + "/", "data:")
    requests = reader.look(page)["requests"]
    assert requests, "no request was recorded, not even the page's own"
    assert [url for url in requests if not url.startswith(inside)] == []


@every_page
def test_the_console_has_no_error(reader, page):
    assert reader.look(page)["errors"] == []


@every_content_page
def test_a_page_loads_no_script_it_does_not_need(reader, page):
    heavy = ("fontawesome.js", "thebe", "searchindex.js", "require")
    assert [url for url in reader.look(page)["light"]["scripts"] if any(name in url for name in heavy)] == []


@every_content_page
def test_every_formula_is_typeset(reader, page):
    facts = reader.look(page)["light"]
    assert (facts["untypeset"], facts["mathErrors"], facts["rawMath"]) == ([], [], [])


@every_content_page
def test_a_formula_in_a_line_has_no_scrollbar(reader, page):
    assert reader.look(page)["light"]["scrollbars"] == []


@every_chapter
def test_a_chapter_has_formulas(reader, page):
    assert reader.look(page)["light"]["formulas"] > 0


@every_page
def test_every_image_shows_and_has_alternative_text(reader, page):
    facts = reader.look(page)["light"]
    assert (facts["withoutAlt"], facts["broken"]) == ([], [])


@every_content_page
def test_every_figure_drawn_by_a_cell_has_a_caption(reader, page):
    assert reader.look(page)["light"]["withoutCaption"] == []


@both_modes
@every_page
def test_a_page_is_light_or_dark_as_the_reader_has_set(reader, page, mode):
    assert reader.look(page)[mode]["theme"] == mode


@both_modes
@every_page
def test_text_stands_out_from_its_ground(reader, page, mode):
    assert reader.look(page)[mode]["faint"] == []


@both_modes
@every_chapter
def test_figures_follow_light_and_dark(reader, page, mode):
    drawn = reader.look(page)["drawn"][mode]
    assert drawn, "expected a figure in the chapter, got none"
    for drawing in drawn:
        assert drawing["ground"] > 200 if mode == "light" else drawing["ground"] < 60, drawing["alt"]


@both_modes
@every_chapter
def test_figures_stand_out_from_their_ground(reader, page, mode):
    for drawing in reader.look(page)["drawn"][mode]:
        darkest, lightest = drawing["greys"]
        assert lightest - darkest > 130, drawing["alt"]


@every_page
def test_nothing_moves_for_who_asked_for_less_motion(reader, page):
    assert reader.look(page)["still"]["moving"] == []


@every_page
def test_a_narrow_page_does_not_scroll_sideways(reader, page):
    assert reader.look(page)["narrow"]["width"] <= NARROW


@every_chapter
def test_a_hands_on_figure_fits_a_narrow_page(reader, page):
    for figure in reader.look(page)["narrow"]["handsOn"]:
        assert len(figure["sliders"]) == len(figure["shown"]) == 1, f"expected one slider and one drawing: {figure}"
        for left, _, right, _ in (*figure["sliders"], *figure["shown"]):
            assert 0 <= left < right <= NARROW


@every_chapter
def test_the_slider_of_a_hands_on_figure_is_high_enough_for_a_finger(reader, page):
    for figure in reader.look(page)["narrow"]["handsOn"]:
        assert all(bottom - top >= 24 for _, top, _, bottom in figure["sliders"]), figure["sliders"]


@every_content_page
def test_headings_begin_with_one_title_and_skip_no_level(reader, page):
    levels = reader.look(page)["light"]["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels)), levels


@every_page
def test_everything_that_can_be_pressed_has_a_name(reader, page):
    assert reader.look(page)["light"]["unnamed"] == []


@every_content_page
def test_a_page_describes_itself(reader, page):
    assert len(reader.look(page)["light"]["description"]) > 20


@every_content_page
def test_search_finds_a_word_of_the_page(reader, page):
    words = re.findall(r"\b[a-z]{5,}\b", reader.look(page)["light"]["text"])
    word = max(words, key=lambda word: (len(word), word))
    reader.driver.get((HTML / "search.html").as_uri() + f"?q={word}")
    summary = "#search-results .search-summary"
    WebDriverWait(reader.driver, 20, 0.05).until(
        lambda driver: any(status.text for status in driver.find_elements(By.CSS_SELECTOR, summary))
    )
    found = [link.get_attribute("href") for link in reader.driver.find_elements(By.CSS_SELECTOR, "ul.search a")]
    assert any(url.startswith((HTML / f"{page}.html").as_uri()) for url in found), f"{word} found on {found}"
