"""One figure style for the whole book, and the drawings that chapters share.

Lines are told apart by more than colour, the colours are safe for colour-blind readers (Okabe & Ito), and the face is
white: the book's style sheet turns lightness round in dark mode, so that one figure serves both.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from rnncourse.evidence import in_notebook

BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#595959"
"""Colours that colour-blind readers can tell apart (Okabe & Ito), and a grey."""

CYCLE = cycler(color=[BLUE, ORANGE, GREEN, PINK, GREY]) + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1))])
"""How the lines of a figure differ, one after another: in colour and in dashes."""

SEQUENTIAL = "Blues"
"""The colours of amounts: the more, the darker."""

Point: TypeAlias = tuple[float, float]
"""Where something stands: (x, y), in the axes' units."""


def use_style() -> None:
    """Set matplotlib's defaults, and SVG as what notebooks show.

    >>> with mpl.rc_context():  # which puts the defaults back
    ...     use_style()
    ...     print(mpl.rcParams["image.cmap"])
    Blues
    """
    mpl.rcParams.update(
        {
            "axes.prop_cycle": CYCLE,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.figsize": (5.6, 3.2),
            "font.size": 11,
            "image.cmap": SEQUENTIAL,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "savefig.facecolor": "white",
            "svg.hashsalt": "rnncourse",
        }
    )
    if in_notebook():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg")


def dots(ax: Axes, groups: Sequence[str], values: Sequence[Sequence[float]]) -> None:
    """Every single result as a dot, a row a group, so that the spread over seeds is seen and not summarized.

    `groups` are the rows' names, `values` one sequence of results for each. Raises ValueError unless they are as many.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> dots(ax, ["RNN", "LSTM"], [[0.6, 0.7, 0.5], [0.9, 0.9, 0.8]])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['RNN', 'LSTM']
    """
    for row, results in enumerate(values):
        y = row + np.linspace(-0.12, 0.12, len(results))
        ax.plot(results, y, "o", color=BLUE, markersize=6, alpha=0.85)
    ax.set_yticks(range(len(groups)), groups)
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)


def box(ax: Axes, x: float, y: float, text: str, color: str, width: float = 0.52, height: float = 0.5) -> None:
    """A rounded box with text, centred at (x, y).

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> box(ax, 0.5, 0.5, "h", ORANGE)
    >>> ax.texts[0].get_position()
    (0.5, 0.5)
    """
    corner = (x - width / 2, y - height / 2)
    ax.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.02,rounding_size=0.1", fc="white", ec=color, lw=1.8)
    )
    ax.text(x, y, text, ha="center", va="center")


def arrow(
    ax: Axes, start: Point, end: Point, text: str = "", color: str = GREY, style: str = "-", offset: Point = (0.0, 0.0)
) -> None:
    """An arrow from `start` to `end`, labelled at its middle (moved by `offset`).

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> arrow(ax, (0, 0), (1, 2), "W", offset=(0.25, 0))
    >>> x, y = ax.texts[0].get_position()
    >>> float(x), float(y)
    (0.75, 1.0)
    """
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=13,
            color=color,
            lw=1.6,
            linestyle=style,
        )
    )
    x, y = (np.array(start) + end) / 2 + offset
    ax.text(x, y, text, ha="center", va="center", color=color, bbox={"fc": "white", "ec": "none", "pad": 1})


def unrolled(ax: Axes, T: int = 3) -> None:
    """The recurrent network unrolled over T steps: one box a step, the same three weight matrices on every copy.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> unrolled(ax, T=4)
    >>> sum(text.get_text() == "$W_{hh}$" for text in ax.texts)
    4
    """
    _columns(ax, T, "o")
    for t in range(1, T + 1):
        arrow(ax, (t, -0.68), (t, -0.3), r"$W_{xh}$", BLUE, offset=(0.24, 0))
        arrow(ax, (t, 0.3), (t, 0.68), r"$W_{hq}$", GREEN, offset=(0.24, 0))
        arrow(ax, (t - 0.72, 0), (t - 0.28, 0), r"$W_{hh}$", ORANGE, offset=(0, 0.2))
    ax.text(T + 0.55, 0, "…", ha="center", va="center", fontsize=16)


def gradient_paths(ax: Axes, T: int = 3) -> None:
    """The same graph with gradients: down from each loss, and back from each step to the one before.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> gradient_paths(ax, T=4)
    >>> len(ax.patches)  # 4 columns of 3 boxes, 3 arrows each
    24
    """
    _columns(ax, T, "L")
    for t in range(1, T + 1):
        arrow(ax, (t, -0.3), (t, -0.68), "", BLUE)
        arrow(ax, (t, 0.68), (t, 0.3), rf"$\frac{{\partial L_{t}}}{{\partial h_{t}}}$", GREEN, offset=(0.24, 0))
        arrow(ax, (t - 0.28, 0), (t - 0.72, 0), "", ORANGE, style="--")
        jacobian = rf"$\left(\frac{{\partial h_{t}}}{{\partial h_{t - 1}}}\right)^{{\!\top}}$"
        ax.text(t - 0.5, -0.52, jacobian, ha="center", color=ORANGE, fontsize=12)


def lstm_cell(ax: Axes, numbers: Mapping[str, float], places: int = 3) -> None:
    """One step of a one-unit LSTM with its numbers: along the top the cell state, below it the gates.

    `numbers` holds x, h, c (before the step), f, i, g, o, "new c" and "new h"; they are shown to `places`.
    Raises KeyError if one is missing.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> lstm_cell(ax, dict.fromkeys(["x", "h", "c", "f", "i", "g", "o", "new c", "new h"], 0.5), places=1)
    >>> ax.texts[0].get_text()
    'c\\n0.5'
    """

    def shown(name: str) -> str:
        return f"{numbers[name] + 0.0:.{places}f}"

    gates, way = {"f": 1.3, "i": 2.5, "g": 3.5, "o": 4.7}, 2.3
    states = {"c": (0.1, way, BLUE), "new c": (6.1, way, BLUE), "new h": (6.1, 0.2, ORANGE)}
    layers = {name: (x, 0.9, PINK if name == "g" else GREEN) for name, x in gates.items()}
    for name, (x, y, color) in {**states, **layers}.items():
        box(ax, x, y, f"{name}\n{shown(name)}", color, width=0.76, height=0.62)
    for x, y, sign in (1.3, way, "×"), (3.0, way, "+"), (3.0, 1.6, "×"), (5.3, 1.5, "×"):
        ax.text(x, y, sign, ha="center", va="center", fontsize=14)
    for start, end in ((0.5, 1.15), (1.45, 2.85), (3.15, 5.65)):
        arrow(ax, (start, way), (end, way))
    arrow(ax, (1.3, 1.25), (1.3, 2.15))
    arrow(ax, (2.55, 1.25), (2.9, 1.5))
    arrow(ax, (3.45, 1.25), (3.1, 1.5))
    arrow(ax, (3.0, 1.72), (3.0, 2.18))
    arrow(ax, (4.8, 1.25), (5.15, 1.45))
    arrow(ax, (5.3, way), (5.3, 1.65))
    arrow(ax, (5.35, 1.35), (5.7, 0.55))
    for x in gates.values():
        arrow(ax, (3.0, -0.05), (x, 0.55))
    ax.text(5.2, 1.95, "tanh", ha="right", color=GREY)
    ax.text(3.0, -0.35, f"x = {shown('x')}     h = {shown('h')}", ha="center")
    ax.set(xlim=(-0.4, 6.6), ylim=(-0.55, 2.75))
    ax.axis("off")


def _columns(ax: Axes, T: int, top: str) -> None:
    ax.text(0.1, 0, r"$h_0$", ha="center", va="center")
    for t in range(1, T + 1):
        box(ax, t, -0.95, rf"$x_{t}$", BLUE)
        box(ax, t, 0, rf"$h_{t}$", ORANGE)
        box(ax, t, 0.95, rf"${top}_{t}$", GREEN)
    ax.set_xlim(-0.1, T + 0.8)
    ax.set_ylim(-1.3, 1.3)
    ax.set_aspect("equal")
    ax.axis("off")
