"""Every link within the built book leads to a page, and to a place on it, that exists."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sphinx_external_toc.parsing import parse_toc_yaml

from rnncourse.book import build

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build/html"
PAGES = sorted(parse_toc_yaml(ROOT / "_toc.yml"))


class Links(HTMLParser):
    """The places on a page, and where its links lead."""

    def __init__(self, page):
        super().__init__()
        self.places, self.links = set(), set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places.add(attributes.get("id"))
        if tag == "a" and attributes.get("href"):
            self.links.add(attributes["href"])


@cache
def read(page):
    return Links(page)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_book_leads_somewhere(page):
    if not build.is_current(ROOT):
        pytest.fail("the built book is not the one of these sources: run make book first")
    here, broken = HTML / f"{page}.html", []
    for link in read(here).links:
        address = urlsplit(link)
        if address.scheme or address.netloc:
            continue
        target = (here.parent / unquote(address.path)).resolve() if address.path else here
        place = unquote(address.fragment)
        if not target.exists() or (place and target.suffix == ".html" and place not in read(target).places):
            broken.append(link)
    assert not broken, f"links that lead nowhere: {sorted(broken)}"
