"""Measures and colours that the window's parts share; everything else is the system's own."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QLabel, QWidget

UNIT = 8
"""Pixels: all distances are multiples or halves of it."""

SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


def use_scheme(name: str) -> None:
    """Follows the system, or is light or dark as the user chose."""
    QGuiApplication.styleHints().setColorScheme(SCHEMES.get(name, Qt.ColorScheme.Unknown))


def is_dark(palette: QPalette) -> bool:
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """`share` of `second` in `first`."""
    return QColor.fromRgbF(
        first.redF() + (second.redF() - first.redF()) * share,
        first.greenF() + (second.greenF() - first.greenF()) * share,
        first.blueF() + (second.blueF() - first.blueF()) * share,
    )


def quiet(palette: QPalette) -> QColor:
    """For text that stands behind other text, still readable on the window's colour."""
    return mixed(palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window), 0.38)


def error_colour(palette: QPalette) -> QColor:
    return QColor("#ff8a80") if is_dark(palette) else QColor("#b3261e")


def warning_colour(palette: QPalette) -> QColor:
    return QColor("#ffc35c") if is_dark(palette) else QColor("#8a5300")


def plain_label(text: str = "", parent: QWidget | None = None, *, wrap: bool = False) -> QLabel:
    """A label that shows text as it is written: no markup, no links."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    return label


def scaled(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    changed = QFont(font)
    if font.pointSizeF() > 0:
        changed.setPointSizeF(font.pointSizeF() * factor)
    if bold:
        changed.setWeight(QFont.Weight.DemiBold)
    return changed
