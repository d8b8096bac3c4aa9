"""Charts as SVG, made on the server: shapes without colours (the style sheet has them), for the eye alone; a table with
the same numbers stands beside each."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 640, 180
LEFT, TOP, BOTTOM = 8, 10, 24


class Dot(NamedTuple):
    """One period: `x` and `y` in the chart's own units; None where there was nothing to draw."""

    x: float
    y: float | None
    low: float | None
    high: float | None
    label: str


class Trend(NamedTuple):
    """A line with its intervals. `band` and `line` are SVG paths."""

    dots: tuple[Dot, ...]
    line: str
    band: str
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - BOTTOM


def trend(points: Sequence[tuple[str, float | None, float | None, float | None]], *, top: float, floor: float) -> Trend:
    """`points` are (label, value, low, high), the oldest first; `floor` to `top` is the scale. What lies outside of it
    is drawn at its edge."""
    step = (WIDTH - 2 * LEFT) / max(1, len(points))
    tall = HEIGHT - TOP - BOTTOM

    def y(value: float | None) -> float | None:
        if value is None:
            return None
        within = min(1.0, max(0.0, (value - floor) / ((top - floor) or 1)))
        return round(TOP + tall * (1 - within), 1)

    dots = tuple(
        Dot(round(LEFT + step * (n + 0.5), 1), y(value), y(low), y(high), label)
        for n, (label, value, low, high) in enumerate(points)
    )
    return Trend(dots, _line(dots), _band(dots))


def _line(dots: Sequence[Dot]) -> str:
    """Broken where a period has no value: nothing is drawn between what was not measured."""
    path, pen_down = [], False
    for dot in dots:
        if dot.y is not None:
            path.append(f"{'L' if pen_down else 'M'}{dot.x} {dot.y}")
        pen_down = dot.y is not None
    return "".join(path)


def _band(dots: Sequence[Dot]) -> str:
    """One upright stroke an interval."""
    return "".join(f"M{dot.x} {dot.low}V{dot.high}" for dot in dots if dot.low is not None and dot.high is not None)
