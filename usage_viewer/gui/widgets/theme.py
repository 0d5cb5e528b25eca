"""Provides the colours, fonts and labels that the widgets share; everything else comes from the system."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from usage_viewer.gui.widgets.contrast import SHAPE, TEXT, nearest, over
from usage_viewer.gui.widgets.contrast import blend as blend
from usage_viewer.gui.widgets.spacing import UNIT as UNIT

SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


_OUTLINED = ("QMenu", "QComboBox", "QCheckBox", "QRadioButton")
"""Widgets with outlines that fill nothing with the window colour."""

_LIGHTER_WINDOW = 160
"""The Fusion style draws outlines darker than the window colour, as 100 is to 140; the rest is for rounding."""


def use_scheme(name: str) -> None:
    """Apply a colour scheme of `SCHEMES`; "system", or any unknown name, follows the system."""
    requested = SCHEMES.get(name, Qt.ColorScheme.Unknown)
    QGuiApplication.styleHints().setColorScheme(requested)
    # Some platforms ignore the request. There the palette is set instead.
    dark_requested = requested is Qt.ColorScheme.Dark
    dark_applied = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
    if dark_requested and not dark_applied:
        QApplication.setPalette(dark_palette())
    elif is_dark(QApplication.palette()) and not dark_requested and not dark_applied:
        QApplication.setPalette(QApplication.style().standardPalette())
    raise_contrast()


def raise_contrast() -> None:
    """Replace the selection and placeholder colours of the application's palette that can't be read well."""
    palette = QApplication.palette()
    changed = QPalette() if not palette.resolveMask() else QPalette(palette)
    role = QPalette.ColorRole
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
        base, ground, text = (
            palette.color(group, one) for one in (role.Base, role.Highlight, role.HighlightedText)
        )
        changed.setColor(group, role.Highlight, nearest(ground, [(text, TEXT), (base, SHAPE / 2)]))
        placeholder = over(palette.color(group, role.PlaceholderText), base)
        changed.setColor(group, role.PlaceholderText, nearest(placeholder, [(base, TEXT)]))
    if any(
        changed.color(group, one) != palette.color(group, one)
        for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive)
        for one in (role.Highlight, role.PlaceholderText)
    ):
        QApplication.setPalette(changed)
    outlined = outlined_palette(QApplication.palette())
    for kind in _OUTLINED:  # the stubs want bytes, but PySide takes text only
        if QApplication.palette(kind) != outlined:  # type: ignore[call-overload]
            QApplication.setPalette(outlined, kind)  # type: ignore[arg-type]


def outlined_palette(palette: QPalette) -> QPalette:
    """Return a palette with which the Fusion style draws outlines that can be seen.

    It draws them darker than the window colour: invisible on a dark window.
    """
    changed = QPalette(palette)
    if is_dark(palette):
        changed.setColor(QPalette.ColorRole.Window, edge_colour(palette).lighter(_LIGHTER_WINDOW))
    return changed


def edge_colour(palette: QPalette) -> QColor:
    """Return the colour of the edges of chips and fields: its contrast with window and fields is at least 3."""
    window, base = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.Base)
    wanted = blend(window, palette.color(QPalette.ColorRole.WindowText), 0.4)
    return nearest(wanted, [(window, SHAPE), (base, SHAPE)])


def dark_palette() -> QPalette:
    """Return the palette of the dark scheme, for platforms that have none."""
    role = QPalette.ColorRole
    palette = QPalette()
    for colour, roles in (
        ("#202124", (role.Window,)),
        ("#17181a", (role.Base,)),
        ("#1d1e21", (role.AlternateBase,)),
        ("#2c2d31", (role.Button, role.ToolTipBase)),
        ("#ededef", (role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.BrightText)),
        ("#8f9096", (role.PlaceholderText,)),
        ("#3a7bd5", (role.Highlight, role.Accent)),
        ("#ffffff", (role.HighlightedText,)),
        ("#6ea8fe", (role.Link,)),
        ("#3c3d42", (role.Light, role.Midlight)),
        ("#131416", (role.Dark, role.Shadow)),
        ("#34353a", (role.Mid,)),
    ):
        for colour_role in roles:
            palette.setColor(colour_role, QColor(colour))
    for text_role in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, text_role, QColor("#6c6d73"))
    return palette


def is_dark(palette: QPalette) -> bool:
    """Return whether the window colour of the palette is darker than medium grey."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def muted_colour(palette: QPalette) -> QColor:
    """Return the colour of less important text. Its contrast with the window colour is at least 4.5 (WCAG AA)."""
    return blend(palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window), 0.38)


def error_colour(palette: QPalette) -> QColor:
    """Return the red of error messages; its contrast with the window colour is at least 4.5 (WCAG AA)."""
    return QColor("#ff8a80") if is_dark(palette) else QColor("#b3261e")


def warning_colour(palette: QPalette) -> QColor:
    """Return the amber of warnings; its contrast with the window colour is at least 4.5 (WCAG AA)."""
    return QColor("#ffc35c") if is_dark(palette) else QColor("#8a5300")


def note_colour(palette: QPalette) -> QColor:
    """Return the blue of notes about a mode; its contrast with the window colour is at least 4.5 (WCAG AA)."""
    return QColor("#8ab4f8") if is_dark(palette) else QColor("#1a56a8")


def plain_label(text: str = "", parent: QWidget | None = None, *, wrap: bool = False) -> QLabel:
    """Create a label that shows its text as written: no markup, no links."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    return label


def scaled_font(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """Return a copy of `font` with its point size multiplied by `factor`."""
    changed = QFont(font)
    if font.pointSizeF() > 0:
        changed.setPointSizeF(font.pointSizeF() * factor)
    if bold:
        changed.setWeight(QFont.Weight.DemiBold)
    return changed
