"""A hands-on figure's HTML, as it is without script; the slider itself is tested in the built book."""

import re
from base64 import b64decode

import pytest

from rnncourse.handson import HandsOn


def draw(figure, slope):
    figure.subplots().set_title(f"slope {slope:g}")


def figure(**changed):
    arguments = {"values": [-1, 0.5, 2], "label": "slope <1>", "caption": "Move & see.", "start": 1}
    return HandsOn(draw, **{**arguments, "alt": "A line of slope {}.".format, **changed})


def test_every_position_is_there_once_and_the_first_to_show_comes_first():
    html = figure()._repr_html_()
    images = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)" data-position="(\d)"', html)
    assert [(alt, position) for _, alt, position in images] == [
        ("A line of slope 0.5.", "1"),
        ("A line of slope -1.", "0"),
        ("A line of slope 2.", "2"),
    ]
    assert html.index("<details>") > html.index(images[0][0])
    assert all(b64decode(source).strip().endswith(b"</svg>") for source, _, _ in images)


def test_text_is_escaped():
    html = figure()._repr_html_()
    assert 'data-label="slope &lt;1&gt;"' in html
    assert "<figcaption>Move &amp; see.</figcaption>" in html


def test_the_same_figure_twice_is_the_same_text():
    assert figure()._repr_html_() == figure()._repr_html_()


@pytest.mark.parametrize("changed", [{"values": [1]}, {"start": 3}, {"start": -1}])
def test_wrong_calls(changed):
    with pytest.raises(ValueError, match=r"^expected (values to be at least two|start between 0 and 2), got"):
        figure(**changed)
