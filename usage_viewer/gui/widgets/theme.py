"""Measures and colours that the window's parts share; everything else is the system's own."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from usage_viewer.gui.widgets.spacing import UNIT as UNIT

SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


def use_scheme(name: str) -> None:
    """Follows the system, or is light or dark as the user chose."""
    wanted = SCHEMES.get(name, Qt.ColorScheme.Unknown)
    QGuiApplication.styleHints().setColorScheme(wanted)
    # Not every platform can be asked for a scheme: there the palette is set by hand.
    told = QGuiApplication.styleHints().colorScheme()
    if wanted is Qt.ColorScheme.Dark and told is not wanted:
        QApplication.setPalette(dark_palette())
    elif is_dark(QApplication.palette()) and wanted is not Qt.ColorScheme.Dark and told is not Qt.ColorScheme.Dark:
        QApplication.setPalette(QApplication.style().standardPalette())


def dark_palette() -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for colour, roles in (
        ("#202124", (role.Window,)),
        ("#17181a", (role.Base,)),
        ("#1d1e21", (role.AlternateBase,)),
        ("#2c2d31", (role.Button, role.ToolTipBase)),
        ("#e6e6e8", (role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.BrightText)),
        ("#8f9096", (role.PlaceholderText,)),
        ("#3a7bd5", (role.Highlight, role.Accent)),
        ("#ffffff", (role.HighlightedText,)),
        ("#6ea8fe", (role.Link,)),
        ("#3c3d42", (role.Light, role.Midlight)),
        ("#131416", (role.Dark, role.Shadow)),
        ("#34353a", (role.Mid,)),
    ):
        for one in roles:
            palette.setColor(one, QColor(colour))
    for one in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, one, QColor("#6c6d73"))
    return palette


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
