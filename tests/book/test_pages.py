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
from selenium.webdriver.remote.webelement import WebElement
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
        facts["requests"], facts["errors"] = self.requests(), self.errors()
        return facts

    def requests(self):
        """The addresses asked for since the last look at them, or since the page was opened."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [parameters["request"]["url"] for parameters in sent]

    def errors(self):
        """The console's errors since the last look at them, or since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def hands_on(self):
        """The hands-on figures of the open page."""
        figures = self.driver.find_elements(By.CSS_SELECTOR, "figure.hands-on")
        assert figures, "expected a hands-on figure in the chapter, got none"
        return figures


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
    for drawing in filter(WebElement.is_displayed, drawings):  # of a hands-on figure, the position it shows
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
    words = re.findall(r"\b[a-z]{5,}\b", reader.look(page)["text"])
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


def slider_of(figure):
    return figure.find_element(By.CSS_SELECTOR, "input[type=range]")


def shown(figure):
    """The one position that a hands-on figure shows."""
    frames = [frame for frame in figure.find_elements(By.TAG_NAME, "img") if frame.is_displayed()]
    assert len(frames) == 1, f"expected one position to be visible, got {[f.get_attribute('alt') for f in frames]}"
    return frames[0]


@every_chapter
def test_a_hands_on_figure_moves_with_the_arrow_keys(reader, page):
    reader.open(page)
    for figure in reader.hands_on():
        slider, count = slider_of(figure), len(figure.find_elements(By.TAG_NAME, "img"))
        slider.send_keys(Keys.HOME)
        positions = [shown(figure).get_attribute("data-position")]
        for _ in range(count - 1):
            reader.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
            positions.append(shown(figure).get_attribute("data-position"))
        assert positions == [str(k) for k in range(count)]
        reader.driver.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
        assert shown(figure).get_attribute("data-position") == str(count - 2)


@every_chapter
def test_a_hands_on_figure_says_what_it_shows(reader, page):
    reader.open(page)
    for figure in reader.hands_on():
        slider, label = slider_of(figure), figure.get_attribute("data-label")
        assert slider.accessible_name == label
        slider.send_keys(Keys.HOME)
        descriptions = []
        for _ in figure.find_elements(By.TAG_NAME, "img"):
            frame = shown(figure)
            value = frame.get_attribute("data-value").replace("-", "\N{MINUS SIGN}")
            assert slider.get_attribute("aria-valuetext") == value
            assert figure.find_element(By.CLASS_NAME, "hands-on-value").text == value
            assert slider.get_attribute("aria-describedby") == frame.get_attribute("id")
            descriptions.append(frame.get_attribute("alt"))
            slider.send_keys(Keys.ARROW_RIGHT)
        assert len(set(descriptions)) == len(descriptions), f"{label}: two positions have the same alternative text"


@every_chapter
def test_moving_a_hands_on_figure_asks_for_nothing_and_raises_no_error(reader, page):
    reader.open(page)
    reader.requests()
    for figure in reader.hands_on():
        slider = slider_of(figure)
        for key in (Keys.HOME, Keys.ARROW_RIGHT, Keys.END):
            slider.send_keys(key)
    assert ([url for url in reader.requests() if not url.startswith("data:")], reader.errors()) == ([], [])


@both_modes
@every_chapter
def test_every_position_of_a_hands_on_figure_follows_light_and_dark(reader, page, mode):
    reader.open(page, mode=mode)
    for figure in reader.hands_on():
        slider = slider_of(figure)
        slider.send_keys(Keys.HOME)
        for _ in figure.find_elements(By.TAG_NAME, "img"):
            pixels = Image.open(io.BytesIO(shown(figure).screenshot_as_png)).convert("L")
            ground, (darkest, lightest) = pixels.getpixel((2, 2)), pixels.getextrema()
            assert ground > 200 if mode == "light" else ground < 60
            assert lightest - darkest > 130, "expected ink that stands out from its ground"
            slider.send_keys(Keys.ARROW_RIGHT)


@every_chapter
def test_a_hands_on_figure_fits_a_narrow_page(reader, page):
    reader.open(page, width=360)
    for figure in reader.hands_on():
        for element in (slider_of(figure), shown(figure)):
            assert element.rect["x"] >= 0
            assert element.rect["x"] + element.rect["width"] <= 360
        assert slider_of(figure).rect["height"] >= 24, "too low for a finger"


@pytest.fixture
def scriptless(reader):
    """The browser with scripts switched off."""
    reader.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    yield reader
    reader.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@every_chapter
def test_a_hands_on_figure_reads_without_script(scriptless, page):
    scriptless.driver.get((HTML / f"{page}.html").as_uri())
    for figure in scriptless.hands_on():
        assert not figure.find_elements(By.TAG_NAME, "input")
        assert shown(figure).get_attribute("data-position")
        fold = figure.find_element(By.TAG_NAME, "details")
        others = fold.find_elements(By.TAG_NAME, "img")
        assert len(others) == len(figure.find_elements(By.TAG_NAME, "img")) - 1 >= 1
        fold.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
        assert all(frame.is_displayed() for frame in others), "the other positions stay folded away"
