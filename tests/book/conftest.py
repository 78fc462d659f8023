"""What the tests of the built pages share: the browser."""

import pytest
from browser import ROOT, Reader

from rnncourse.book import build


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """One browser for all tests of a file, with a profile of its own."""
    reader = Reader.start(tmp_path_factory.mktemp("profile"))
    if not build.is_current(ROOT):
        pytest.fail("the built book is not the one of these sources: run make book first")
    yield reader
    reader.driver.quit()
