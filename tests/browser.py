"""A headless browser that opens the pages of the built book, and what it sees on each."""

import base64
import io
import json
import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build/html"
CONTENT = sorted(parse_toc_yaml(ROOT / "_toc.yml"))
PAGES = [*CONTENT, "search"]
CHAPTERS = [page for page in CONTENT if re.match(r"chapters/\d", page)]
FACTS = (Path(__file__).parent / "book/facts.js").read_text(encoding="utf-8")
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
WIDE, NARROW = 1280, 360
# In the first frame the page hears of a new setting, in the second what it changed is drawn, or begins to move.
REST = """
const done = arguments[0];
const moving = () => document.getAnimations().filter((animation) => animation.playState === "running");
const rest = async () => {
  await window.MathJax?.startup?.promise;
  do {
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    await Promise.allSettled(moving().map((animation) => animation.finished));
  } while (moving().length);
};
rest().then(done);
"""
# Drawings are looked at in half their size: a quarter of the pixels, still with the ink of every line.
SCALE = 0.5

# What is looked at in each state of a page. From the second on nothing moves, so that there is nothing to wait for;
# less motion and another mode in one step would set every letter moving.
AT_REST = (
    *("text", "description", "scripts", "headings", "formulas", "untypeset", "mathErrors", "rawMath", "scrollbars"),
    *("withoutAlt", "broken", "withoutCaption", "drawings", "unnamed", "theme", "faint"),
)
STATES = (
    ("light", {}, AT_REST),
    ("still", {"motion": "reduce"}, ("moving",)),
    ("dark", {"mode": "dark", "motion": "reduce"}, ("theme", "faint")),
    ("narrow", {"width": NARROW, "motion": "reduce"}, ("width", "handsOn")),
)

every_page = pytest.mark.parametrize("page", PAGES)
every_content_page = pytest.mark.parametrize("page", CONTENT)
every_chapter = pytest.mark.parametrize("page", CHAPTERS)
both_modes = pytest.mark.parametrize("mode", ["light", "dark"])


class Reader:
    """A browser that opens pages of the book and reports what a reader meets there.

    To open a page is what costs time, its formulas are many: `look` opens it once and then has it follow the
    reader's settings, as it does on their screen, and remembers what it saw.
    """

    def __init__(self, driver):
        self.driver = driver
        self.look = cache(self._look)

    @classmethod
    def start(cls, profile):
        """Start the browser with a profile of its own; skip the test where there is no browser."""
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        chromedriver = shutil.which("chromedriver")
        if not (chromium and chromedriver):
            pytest.skip("needs chromium and chromedriver on the PATH; on Debian, .ci/run installs them")
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
        driver.set_script_timeout(60)
        return cls(driver)

    def open(self, page):
        """Open a page, wide and in light mode, and wait until it is at rest."""
        self.driver.get("about:blank")  # else the page before is laid out once more, for nobody
        self.requests()
        self.errors()
        self.set()
        self.driver.get((HTML / f"{page}.html").as_uri())
        self.rest()

    def set(self, mode="light", width=WIDE, motion="no-preference"):
        """Set what a reader sets: light or dark, the width of the window, whether things may move."""
        features = [
            {"name": "prefers-color-scheme", "value": mode},
            {"name": "prefers-reduced-motion", "value": motion},
        ]
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def rest(self):
        """Wait until the open page's formulas are typeset and nothing moves."""
        self.driver.execute_async_script(REST)

    def facts(self, *names):
        """Facts of facts.js about the open page as it is now, by their names."""
        return self.driver.execute_script(FACTS, names)

    def _look(self, page):
        """Open a page; return its facts as it is opened, for who wants less motion, in dark mode, on a narrow screen.

        Beside these: "requests" and "errors", the addresses asked for and the console's errors in all of them, and
        "drawn", the drawings in light and in dark mode.
        """
        self.open(page)
        seen = {}
        for name, settings, wanted in STATES:
            self.set(**settings)
            self.rest()
            seen[name] = self.facts(*wanted)
        seen["drawn"] = self.drawn() if seen["light"]["drawings"] else {"light": [], "dark": []}
        return seen | {"requests": self.requests(), "errors": self.errors()}

    def drawn(self):
        """The drawings of the open page in either mode, from a picture of them; they are all it shows afterwards."""
        self.facts("onlyDrawings")
        drawn = {}
        for mode in ("light", "dark"):
            self.set(mode, motion="reduce")
            self.rest()
            facts = self.facts("drawings", "size")
            clip = {"x": 0, "y": 0, **facts["size"], "scale": SCALE}
            shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
            sheet = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("L")
            drawn[mode] = [
                {"alt": drawing["alt"], "ground": pixels.getpixel((2, 2)), "greys": pixels.getextrema()}
                for drawing in facts["drawings"]
                for pixels in [sheet.crop([round(edge * SCALE) for edge in drawing["box"]])]
            ]
        return drawn

    def requests(self):
        """The addresses asked for since the last look at them, or since the page was opened."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [parameters["request"]["url"] for parameters in sent]

    def errors(self):
        """The console's errors since the last look at them, or since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
