"""The chapters' self-tests and hands-on figures under the keyboard, and what they are without script."""

from functools import cache

import pytest
from browser import HTML, every_chapter
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

# Writes down what a part of the page says when a key goes down in it: what the keys before it have done.
LISTEN = """
const [part] = arguments;
const seen = (element) => element.checkVisibility({ visibilityProperty: true });
const record = [];
const say = () => record.push((%s)(part));
part.addEventListener("keydown", say, { capture: true });
window.heard = () => (say(), record);
"""
ANSWER = "(test) => test.querySelector('[role=status]').innerText"
POSITION = """(figure) => ({
  shown: [...figure.querySelectorAll("img")].filter(seen).map(({ id, alt, dataset }) => ({ id, alt, ...dataset })),
  value: figure.querySelector(".hands-on-value").innerText,
  valueText: figure.querySelector("input").ariaValueText,
  describedBy: figure.querySelector("input").getAttribute("aria-describedby"),
})"""

SCRIPTLESS = """
const seen = (element) => element.checkVisibility({ visibilityProperty: true });
const positions = (images) => images.map((image) => image.dataset.position);
return [...document.querySelectorAll("figure.hands-on")].map((figure) => ({
  inputs: figure.querySelectorAll("input").length,
  positions: positions([...figure.querySelectorAll("img")]),
  shown: positions([...figure.querySelectorAll("img")].filter(seen)),
  folded: positions([...figure.querySelectorAll("details img")]),
}));
"""


def pressed(driver, part, control, keys, say):
    """What `part` of the page says before and after each of the keys, the first of them pressed in `control`."""
    driver.execute_script(LISTEN % say, part)
    control.send_keys(keys)
    return driver.execute_script("return window.heard()")


def answer_all(driver):
    """Answer every self-test of the open page, option after option."""
    answered = []
    for test in driver.find_elements(By.CSS_SELECTOR, ".selftest"):
        group = test.find_element(By.CSS_SELECTOR, "[role=radiogroup]")
        radios = group.find_elements(By.CSS_SELECTOR, "input[type=radio]")
        keys = Keys.SPACE + Keys.ARROW_DOWN * (len(radios) - 1)
        before, *answers = pressed(driver, test, radios[0], keys, ANSWER)
        labels = [radio.accessible_name for radio in radios]
        answered.append({"question": group.accessible_name, "labels": labels, "before": before, "answers": answers})
    return answered


def move_all(driver):
    """Move every hands-on figure of the open page to its first position, through all, one back, and to the last."""
    moved = []
    for figure in driver.find_elements(By.CSS_SELECTOR, "figure.hands-on"):
        slider, count = figure.find_element(By.CSS_SELECTOR, "input"), len(figure.find_elements(By.TAG_NAME, "img"))
        keys = Keys.HOME + Keys.ARROW_RIGHT * (count - 1) + Keys.ARROW_LEFT + Keys.END
        label, name = figure.get_attribute("data-label"), slider.accessible_name
        states = pressed(driver, figure, slider, keys, POSITION)
        moved.append({"label": label, "name": name, "count": count, "states": states})
    return moved


@pytest.fixture(scope="module")
def use(reader):
    """use(page): open a page, use all that can be used with the keyboard, return what happened; once for each page."""

    @cache
    def use(page):
        reader.open(page)
        reader.requests()
        used = {"figures": move_all(reader.driver), "tests": answer_all(reader.driver)}
        return used | {"requests": reader.requests(), "errors": reader.errors()}

    return use


@every_chapter
def test_a_chapter_has_self_tests(use, page):
    assert use(page)["tests"]


@every_chapter
def test_a_self_test_has_a_question_and_labels(use, page):
    for test in use(page)["tests"]:
        assert test["question"], f"a self-test has no question: {test}"
        assert all(test["labels"]), f"{test['question']}: an option has no label"


@every_chapter
def test_a_self_test_says_nothing_before_it_is_answered(use, page):
    assert [test["question"] for test in use(page)["tests"] if test["before"]] == []


@every_chapter
def test_the_arrow_keys_reach_every_answer_and_one_is_right(use, page):
    for test in use(page)["tests"]:
        verdicts = [answer.split(".")[0] for answer in test["answers"]]
        expected = ["Not this one"] * (len(test["labels"]) - 1) + ["Right"]
        assert sorted(verdicts) == expected, f"{test['question']}: {test['answers']}"


@every_chapter
def test_every_answer_gives_a_reason_of_its_own(use, page):
    for test in use(page)["tests"]:
        answers = test["answers"]
        assert all(len(answer) > 20 for answer in answers), f"{test['question']}: an answer gives no reason: {answers}"
        assert len(set(answers)) == len(answers), f"{test['question']}: two answers give the same reason"


@every_chapter
def test_a_chapter_has_hands_on_figures(use, page):
    assert use(page)["figures"]


@every_chapter
def test_a_hands_on_figure_moves_with_the_arrow_keys(use, page):
    for figure in use(page)["figures"]:
        positions = [[frame["position"] for frame in state["shown"]] for state in figure["states"][1:]]
        last = figure["count"] - 1
        assert positions == [[str(k)] for k in (*range(last + 1), last - 1, last)], figure["label"]


@every_chapter
def test_a_hands_on_figure_says_what_it_shows(use, page):
    for figure in use(page)["figures"]:
        assert figure["name"] == figure["label"]
        for state in figure["states"]:
            [frame] = state["shown"]
            value = frame["value"].replace("-", "\N{MINUS SIGN}")
            assert (state["valueText"], state["value"], state["describedBy"]) == (value, value, frame["id"])


@every_chapter
def test_every_position_of_a_hands_on_figure_has_an_alternative_text_of_its_own(use, page):
    for figure in use(page)["figures"]:
        alts = {frame["position"]: frame["alt"] for state in figure["states"] for frame in state["shown"]}
        assert len(set(alts.values())) == figure["count"], f"{figure['label']}: {alts}"


@every_chapter
def test_what_is_used_asks_for_nothing(use, page):
    assert [url for url in use(page)["requests"] if not url.startswith("data:")] == []


@every_chapter
def test_what_is_used_raises_no_error(use, page):
    assert use(page)["errors"] == []


@pytest.fixture(scope="module")
def unfold(reader):
    """unfold(page): open a page without scripts, open the folds of its hands-on figures with the keyboard.

    Returns for each figure what it holds, and what it showed before and after; once for each page.
    """

    @cache
    def unfold(page):
        driver = reader.driver
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        driver.get((HTML / f"{page}.html").as_uri())
        before = driver.execute_script(SCRIPTLESS)
        for fold in driver.find_elements(By.CSS_SELECTOR, "figure.hands-on summary"):
            fold.send_keys(Keys.ENTER)
        after = driver.execute_script(SCRIPTLESS)
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        return [then | {"unfolded": now["shown"]} for then, now in zip(before, after, strict=True)]

    return unfold


@every_chapter
def test_without_script_a_hands_on_figure_shows_one_position_and_folds_the_others_away(unfold, page):
    assert unfold(page), "expected a hands-on figure in the chapter, got none"
    for figure in unfold(page):
        assert figure["inputs"] == 0
        assert len(figure["shown"]) == 1
        assert len(figure["folded"]) >= 1
        assert sorted(figure["shown"] + figure["folded"]) == sorted(figure["positions"])


@every_chapter
def test_without_script_the_keyboard_opens_the_fold(unfold, page):
    for figure in unfold(page):
        assert figure["unfolded"] == figure["positions"], "the other positions stay folded away"
