"""Defines the areas of a chart: the plot, the axis and the legend, without Qt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Box:
    """Describes a rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of the right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of the lower edge."""
        return self.y + self.height

    def contains(self, x: float, y: float) -> bool:
        """Report whether a point lies inside; the right and the lower edge do not."""
        return self.x <= x < self.right and self.y <= y < self.bottom

    def mirrored(self, width: float) -> "Box":
        """Return the rectangle mirrored within an area that is `width` pixels wide."""
        return Box(width - self.right, self.y, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Tick:
    """Holds the place of a tick along its axis (pixels) and its label."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """Describes an entry of the legend: its place among the labels, its text and its area."""

    index: int
    text: str
    box: Box


@dataclass(frozen=True)
class Frame:
    """Holds the areas of a chart of `width` × `height` pixels.

    `text_width` measures a text and `line_height` is the height of one, both in pixels of the font.
    """

    width: float
    height: float
    line_height: float
    text_width: Callable[[str], float]
    plot: Box
    legend: tuple[LegendEntry, ...] = ()
    mirrored: bool = False

    @classmethod
    def of(
        cls, width: float, height: float, line_height: float, text_width: Callable[[str], float], *, mirrored: bool
    ) -> "Frame":
        """Return a frame without a legend, with room for the labels of the time below the plot."""
        top, below = line_height * 0.6, line_height * 1.4
        plot = Box(0, top, width, max(height - top - below, 1))
        return cls(width, height, line_height, text_width, plot, mirrored=mirrored)

    def with_axis(self, labels: Sequence[str]) -> "Frame":
        """Return the frame with room for the labels of the figure before the plot."""
        room = max(map(self.text_width, labels), default=0.0) + self.line_height * 0.5
        room = min(float(round(room)), self.plot.width / 2)
        plot = self.plot
        return replace(
            self, plot=Box(plot.x + room, round(plot.y), max(int(plot.width - room), 1), max(round(plot.height), 1))
        )

    def mirror(self) -> "Frame":
        """Return the frame mirrored from left to right."""
        legend = tuple(replace(entry, box=entry.box.mirrored(self.width)) for entry in self.legend)
        return replace(self, plot=self.plot.mirrored(self.width), legend=legend)

    def legend_at(self, x: float, y: float) -> int | None:
        """Return the place of the legend's entry at a point."""
        return next((entry.index for entry in self.legend if entry.box.contains(x, y)), None)
