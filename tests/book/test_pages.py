"""Every page of the built book, opened from its folder in a headless browser."""

import io
import json
import re
import shutil
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from sphinx_external_toc.parsing import parse_toc_yaml

from rnncourse.book import build

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build/html"
CONTENT = sorted(parse_toc_yaml(ROOT / "_toc.yml"))
PAGES = [*CONTENT, "search"]
CHAPTERS = [page for page in CONTENT if re.match(r"chapters/\d", page)]
FACTS = (Path(__file__).parent / "facts.js").read_text(encoding="utf-8")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

pytestmark = pytest.mark.browser
every_page = pytest.mark.parametrize("page", PAGES)
every_content_page = pytest.mark.parametrize("page", CONTENT)
every_chapter = pytest.mark.parametrize("page", CHAPTERS)
both_modes = pytest.mark.parametrize("mode", ["light", "dark"])


class Reader:
    """A browser that opens pages of the book and reports what a reader meets there."""

    def __init__(self, driver):
        self.driver = driver
        self.look = cache(self._look)

    def open(self, page, mode="light", width=1280, motion="no-preference", query=""):
        """Open a page and wait until its formulas are typeset and nothing moves."""
        features = [
            {"name": "prefers-color-scheme", "value": mode},
            {"name": "prefers-reduced-motion", "value": motion},
        ]
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.driver.get((HTML / f"{page}.html").as_uri() + query)
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "Promise.resolve(window.MathJax?.startup?.promise)"
            ".then(() => new Promise(requestAnimationFrame))"
            ".then(() => Promise.allSettled(document.getAnimations().map((a) => a.finished)))"
            ".then(() => done())"
        )

    def _look(self, page, mode="light", width=1280, motion="no-preference"):
        """Open a page and return the facts about it, with its requests and the console's errors."""
        self.open(page, mode, width, motion)
        facts = self.driver.execute_script(FACTS)
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        facts["requests"] = [parameters["request"]["url"] for parameters in sent]
        facts["errors"] = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return facts


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """One browser for all pages, with a profile of its own."""
    chromium, chromedriver = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
    if not (chromium and chromedriver):
        pytest.skip("needs chromium and chromedriver on the PATH; on Debian, .ci/run installs them")
    if not build.is_current(ROOT):
        pytest.fail("the built book is not the one of these sources: run make book first")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    driver.set_script_timeout(60)
    yield Reader(driver)
    driver.quit()


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
    assert [url for url in reader.look(page)["scripts"] if any(name in url for name in heavy)] == []


@every_content_page
def test_every_formula_is_typeset(reader, page):
    facts = reader.look(page)
    assert (facts["untypeset"], facts["mathErrors"], facts["rawMath"]) == ([], [], [])


@every_content_page
def test_a_formula_in_a_line_has_no_scrollbar(reader, page):
    reader.open(page)
    inline = "[...document.querySelectorAll('span.math')]"
    script = f"return {inline}.filter(m => m.clientHeight > 0 && m.offsetHeight > m.clientHeight).length"
    assert reader.driver.execute_script(script) == 0


@every_chapter
def test_a_chapter_has_formulas(reader, page):
    assert reader.look(page)["formulas"] > 0


@every_page
def test_every_image_shows_and_has_alternative_text(reader, page):
    facts = reader.look(page)
    assert (facts["withoutAlt"], facts["broken"]) == ([], [])


@every_content_page
def test_every_figure_drawn_by_a_cell_has_a_caption(reader, page):
    assert reader.look(page)["withoutCaption"] == []


@both_modes
@every_page
def test_text_stands_out_from_its_ground(reader, page, mode):
    assert reader.look(page, mode=mode)["faint"] == []


@both_modes
@every_chapter
def test_figures_follow_light_and_dark(reader, page, mode):
    reader.open(page, mode=mode)
    drawings = reader.driver.find_elements(By.CSS_SELECTOR, "article .cell_output img, article figure img")
    assert drawings, "expected a figure in the chapter, got none"
    for drawing in drawings:
        corner = Image.open(io.BytesIO(drawing.screenshot_as_png)).convert("L").getpixel((2, 2))
        assert corner > 200 if mode == "light" else corner < 60, drawing.get_attribute("alt")


@every_page
def test_nothing_moves_for_who_asked_for_less_motion(reader, page):
    assert reader.look(page, motion="reduce")["moving"] == []


@every_page
def test_a_narrow_page_does_not_scroll_sideways(reader, page):
    assert reader.look(page, width=360)["width"] <= 360


@every_content_page
def test_headings_begin_with_one_title_and_skip_no_level(reader, page):
    levels = reader.look(page)["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels)), levels


@every_page
def test_everything_that_can_be_pressed_has_a_name(reader, page):
    assert reader.look(page)["unnamed"] == []


@every_content_page
def test_a_page_describes_itself(reader, page):
    assert len(reader.look(page)["description"]) > 20


@every_content_page
def test_search_finds_a_word_of_the_page(reader, page):
    words = re.findall(r"[a-z]{5,}", reader.look(page)["text"])
    word = max(words, key=lambda word: (len(word), word))
    reader.open("search", query=f"?q={word}")
    status = WebDriverWait(reader.driver, 20).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "#search-results .search-summary")
    )
    WebDriverWait(reader.driver, 20).until(lambda driver: status[0].text)
    found = [link.get_attribute("href") for link in reader.driver.find_elements(By.CSS_SELECTOR, "ul.search a")]
    assert any(url.startswith((HTML / f"{page}.html").as_uri()) for url in found), f"{word} found on {found}"


@every_chapter
def test_self_tests_answer_the_keyboard(reader, page):
    reader.open(page)
    tests = reader.driver.find_elements(By.CSS_SELECTOR, ".selftest")
    assert tests, "expected self-tests in the chapter, got none"
    for test in tests:
        group = test.find_element(By.CSS_SELECTOR, "[role=radiogroup]")
        question = group.accessible_name
        radios = group.find_elements(By.CSS_SELECTOR, "input[type=radio]")
        status = test.find_element(By.CSS_SELECTOR, "[role=status]")
        assert question, "a self-test has no question"
        assert status.text == "", f"{question}: answered before it was asked"
        radios[0].send_keys(Keys.SPACE)
        answers = [status.text]
        for _ in radios[1:]:
            reader.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
            answers.append(status.text)
        verdicts = [answer.split(".")[0] for answer in answers]
        assert sorted(verdicts) == ["Not this one"] * (len(radios) - 1) + ["Right"], f"{question}: {answers}"
        assert all(len(answer) > 20 for answer in answers), f"{question}: an answer gives no reason: {answers}"
        assert len(set(answers)) == len(answers), f"{question}: two answers give the same reason"
        assert all(radio.accessible_name for radio in radios), f"{question}: an option has no label"
