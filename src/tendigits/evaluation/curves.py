"""Learning curves as the geometry of a small drawing; the report's template gives it colours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tendigits.errors import ExtraMissingError

try:
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ExtraMissingError("drawing", "train") from error

# The drawing's own units: about a pixel each on a phone.
WIDTH, HEIGHT = 380, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 14, 12, 28  # room around the curves, for the scales
STEPS = (1, 2, 5, 10)  # between marks, times a power of ten
INSET = 12  # between the scale on the left and the first epoch

Points = Sequence[tuple[float, float]]  # epoch and value


class Tick(NamedTuple):
    """A mark on a scale: where it is, in the drawing's units, and what is written beside it."""

    place: float
    text: str


class Dot(NamedTuple):
    """A value on a curve: where it is, from the left and from the top, and its words."""

    x: float
    y: float
    text: str


class Curve(NamedTuple):
    """A curve: what it shows, its values from left to right, and the last one in words."""

    name: str
    dots: list[Dot]
    last: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves over epochs, with their scales.

    Attributes:
        title: What is drawn.
        curves: At least one.
        x_ticks: Epochs, from the first.
        y_ticks: Values, from the lowest.
        width: Of the drawing.
        height: Of the drawing.
        left: Where the scale of values stands.
        right: Where the lines of the grid end.
        bottom: Where the scale of epochs lies.
    """

    title: str
    curves: list[Curve]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM

    def describe(self) -> str:
        """Return in words what the chart shows."""
        ends = "; ".join(f"{curve.name} ends at {curve.last}" for curve in self.curves)
        return f"{self.title} by epoch: {ends}"


def draw_chart(title: str, series: Mapping[str, Points], say: Callable[[float], str]) -> Chart:
    """Lay out curves over epochs.

    Args:
        title: What is drawn.
        series: The values of each curve, at least one, by the curve's name.
        say: Puts a value into words.
    """
    epochs = [epoch for points in series.values() for epoch, _ in points]
    values = [value for points in series.values() for _, value in points]
    first, last = min(epochs), max(epochs)
    marks = MaxNLocator(8, steps=STEPS, integer=True).tick_values(first, last)
    middle = (min(values) + max(values)) / 2
    reach = max(max(values) - middle, abs(middle) / 200, 1e-3)  # not 0 where all values are one
    levels = MaxNLocator(5, steps=STEPS).tick_values(middle - reach, middle + reach)
    lowest, highest = min(levels), max(levels)

    def place_epoch(epoch: float) -> float:
        return _scale(epoch, first, last, LEFT + INSET, WIDTH - RIGHT)

    def place_value(value: float) -> float:
        return _scale(value, lowest, highest, HEIGHT - BOTTOM, TOP)

    def draw_dot(name: str, epoch: float, value: float) -> Dot:
        return Dot(place_epoch(epoch), place_value(value), f"Epoch {epoch:g}, {name}: {say(value)}")

    return Chart(
        title=title,
        curves=[
            Curve(name, [draw_dot(name, *point) for point in points], say(points[-1][1]))
            for name, points in series.items()
        ],
        x_ticks=[Tick(place_epoch(mark), f"{mark:g}") for mark in marks if first <= mark <= last],
        y_ticks=[Tick(place_value(level), f"{level:g}") for level in levels],
    )


def _scale(value: float, low: float, high: float, start: float, end: float) -> float:
    """Map `value` from `low` ... `high` to `start` ... `end`; where those are one, to `start`."""
    share = (value - low) / (high - low) if high > low else 0.0
    return round(start + share * (end - start), 1)
