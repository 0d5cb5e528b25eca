"""Loads the program's line icons in the palette's colours, sharp at each pixel ratio of a screen."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from usage_viewer.resources import asset

SIZES = (16, 20, 24)
"""Side lengths of the drawn icons, in device-independent pixels."""

RATIOS = (1, 2, 3)
"""Pixel ratios of screens for which each size is drawn."""


def icon(name: str, widget: QWidget, find: Callable[[str], Path] = asset) -> QIcon:
    """Return `icons/actions/<name>.svg` in the colour of `widget`'s text, or an empty icon if the file is missing.

    `find` returns the path of a file of the resources.
    """
    svg = _read_svg(name, find)
    result = QIcon()
    if svg is None:
        return result
    palette = widget.palette()
    normal = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText)
    disabled = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText)
    for colour, mode in ((normal, QIcon.Mode.Normal), (disabled, QIcon.Mode.Disabled)):
        recoloured = recolour(svg, colour)
        for size in SIZES:
            for ratio in RATIOS:
                result.addPixmap(_render(recoloured, size, ratio), mode)
    return result


def recolour(svg: str, colour: QColor) -> str:
    """Replace black and `currentColor`, the only colours of the drawings, by `colour`."""
    for black in ("currentColor", '"#000000"', '"#000"', '"black"'):
        svg = svg.replace(black, f'"{colour.name()}"' if black.startswith('"') else colour.name())
    return svg


@cache
def _read_svg(name: str, find: Callable[[str], Path]) -> str | None:
    try:
        return find(f"icons/actions/{name}.svg").read_text(encoding="utf-8")
    except OSError:
        return None


def _render(svg: str, size: int, ratio: int) -> QPixmap:
    # Buttons share the pixmaps of a drawing: drawing them again took an eighth of the time to build a window.
    key = f"{svg}@{size}x{ratio}"
    pixmap = QPixmap()
    if QPixmapCache.find(key, pixmap):
        return pixmap
    pixmap = QPixmap(size * ratio, size * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    QPixmapCache.insert(key, pixmap)
    return pixmap
