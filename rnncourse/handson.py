"""Figures that the reader of a static page can move: every position drawn in advance, one shown at a time.

The page's script (`book/static/handson.js`) makes a slider of them. Without it, in JupyterLab for one, the figure shows
the position it starts with and keeps the others in a fold.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO

from matplotlib import rc_context
from matplotlib.figure import Figure


class HandsOn:
    """A figure with a slider: `draw(figure, value)` draws each of `values` on an empty matplotlib Figure.

    `label` names what the slider changes, with its unit. `alt(value)` says in a sentence what is seen at that value,
    for whoever does not see it, and `caption` what to try. `start` is the position shown first, counted from 0. As the
    last expression of a cell it shows itself. Every position is in the page, at some 20 kB each: a dozen will do.
    Raises ValueError unless there are at least two values and `start` is one of their positions.

    >>> def draw(figure, slope):
    ...     figure.subplots().plot([0, 1], [0, slope])
    >>> HandsOn(draw, [0.5, 1, 2], "slope", alt="A line of slope {}.".format, caption="Make it steeper.")
    HandsOn: slope, 3 positions from 0.5 to 2
    """

    def __init__(
        self,
        draw: Callable[[Figure, float], object],
        values: Sequence[float],
        label: str,
        *,
        alt: Callable[[float], str],
        caption: str,
        start: int = 0,
        size: tuple[float, float] = (5.6, 3.2),
    ) -> None:
        if len(values) < 2:
            raise ValueError(f"expected values to be at least two, got {len(values)}")
        if not 0 <= start < len(values):
            raise ValueError(f"expected start between 0 and {len(values) - 1}, got {start}")
        self.draw, self.values, self.label = draw, values, label
        self.alt, self.caption, self.start, self.size = alt, caption, start, size

    def __repr__(self) -> str:
        return f"HandsOn: {self.label}, {len(self.values)} positions from {self.values[0]:g} to {self.values[-1]:g}"

    def _repr_html_(self) -> str:
        frames = [self._frame(k) for k in range(len(self.values))]
        others = "".join(frame for k, frame in enumerate(frames) if k != self.start)
        return (
            f'<figure class="hands-on" data-label="{escape(self.label)}">{frames[self.start]}'
            f"<details><summary>{escape(self.label)}: the other positions</summary>{others}</details>"
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )

    def _frame(self, k: int) -> str:
        value = self.values[k]
        drawing = BytesIO()
        with rc_context({"svg.hashsalt": "rnncourse"}):  # the same drawing, the same text
            figure = Figure(figsize=self.size, layout="constrained")
            self.draw(figure, value)
            figure.savefig(drawing, format="svg", metadata={"Date": None})
        source = b64encode(drawing.getvalue()).decode()
        return (
            f'<img src="data:image/svg+xml;base64,{source}" alt="{escape(self.alt(value))}"'
            f' data-position="{k}" data-value="{value:g}">'
        )
