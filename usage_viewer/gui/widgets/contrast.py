"""Measures the contrast of colours (WCAG 2) and finds colours that can be told apart or read."""

from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtGui import QColor

TEXT = 4.5
"""Least contrast of a text with its ground (WCAG AA)."""
SHAPE = 3.0
"""Least contrast of an edge or a bar with its ground (WCAG 1.4.11)."""

Grounds = Sequence[tuple[QColor, float]]
"""Colours, each with the least contrast that another colour must have with it."""

_STEPS = 200
_BLACK, _WHITE = QColor("black"), QColor("white")


def blend(first: QColor, second: QColor, share: float) -> QColor:
    """Blend two colours: a `share` of 0 returns `first`, a `share` of 1 returns `second`."""
    return QColor.fromRgbF(
        first.redF() + (second.redF() - first.redF()) * share,
        first.greenF() + (second.greenF() - first.greenF()) * share,
        first.blueF() + (second.blueF() - first.blueF()) * share,
    )


def luminance(colour: QColor) -> float:
    """Return the relative luminance, 0 of black to 1 of white; the alpha channel is ignored."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in (colour.red(), colour.green(), colour.blue()))
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(first: QColor, second: QColor) -> float:
    """Return the contrast of two opaque colours, 1 to 21."""
    return _ratio(luminance(first), luminance(second))


def nearest(wanted: QColor, grounds: Grounds) -> QColor:
    """Return the lighter or darker shade of a colour that differs least from it and has all contrasts.

    If there is none, the shade comes as close to the contrasts as possible.
    """
    return QColor(_nearest(wanted.rgb(), tuple((ground.rgb(), least) for ground, least in grounds)))


@lru_cache(maxsize=256)  # a palette has few colours, and each widget asks for the same ones
def _nearest(wanted: int, grounds: tuple[tuple[int, float], ...]) -> int:
    colour, levels = QColor(wanted), [(luminance(QColor(ground)), least) for ground, least in grounds]
    best, best_share = wanted, 0.0
    for step in range(_STEPS + 1):
        for end in (_BLACK, _WHITE):
            shade = blend(colour, end, step / _STEPS).rgb()
            level = luminance(QColor(shade))
            share = min(_ratio(level, ground) / least for ground, least in levels)
            if share >= 1:
                return shade
            if share > best_share:
                best, best_share = shade, share
    return best


def _ratio(first: float, second: float) -> float:
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def over(colour: QColor, ground: QColor) -> QColor:
    """Return a translucent colour as it looks on an opaque ground."""
    opaque = QColor(colour.rgb())
    return blend(ground, opaque, colour.alphaF())
