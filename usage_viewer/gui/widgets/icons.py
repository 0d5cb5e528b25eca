"""The program's line icons in the palette's colours, sharp at any pixel ratio."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from usage_viewer.resources import asset

SIZES = (16, 20, 24)
RATIOS = (1, 2, 3)


def icon(name: str, widget: QWidget, find: Callable[[str], Path] = asset) -> QIcon:
    """`resources/icons/actions/<name>.svg` in the colour of `widget`'s text; an empty icon where there is none."""
    text = _drawing(name, find)
    drawn = QIcon()
    if text is None:
        return drawn
    palette = widget.palette()
    front = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText)
    faint = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText)
    for colour, mode in ((front, QIcon.Mode.Normal), (faint, QIcon.Mode.Disabled)):
        recoloured = recolour(text, colour)
        for size in SIZES:
            for ratio in RATIOS:
                drawn.addPixmap(_rendered(recoloured, size, ratio), mode)
    return drawn


def recolour(svg: str, colour: QColor) -> str:
    """Drawings are black, or in `currentColor`; both become `colour`."""
    for black in ("currentColor", '"#000000"', '"#000"', '"black"'):
        svg = svg.replace(black, f'"{colour.name()}"' if black.startswith('"') else colour.name())
    return svg


@cache
def _drawing(name: str, find: Callable[[str], Path]) -> str | None:
    try:
        return find(f"icons/actions/{name}.svg").read_text(encoding="utf-8")
    except OSError:
        return None


def _rendered(svg: str, size: int, ratio: int) -> QPixmap:
    pixmap = QPixmap(size * ratio, size * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
