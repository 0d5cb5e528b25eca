"""Tests the contrast of the light and dark colours."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.popup import Popup
from usage_viewer.gui.widgets.theme import (
    blend,
    dark_palette,
    error_colour,
    is_dark,
    muted_colour,
    plain_label,
    raise_contrast,
    warning_colour,
)


def _luminance(colour: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def _contrast(one: QColor, other: QColor) -> float:
    """Return the contrast ratio as WCAG defines it: 1 to 21; text needs 4.5."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(params=["light", "dark"])
def palette(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[QPalette]:
    qapp.setPalette(dark_palette() if request.param == "dark" else qapp.style().standardPalette())
    raise_contrast()
    yield QApplication.palette()
    qapp.setPalette(qapp.style().standardPalette())
    raise_contrast()


def test_text_has_enough_contrast(palette: QPalette) -> None:
    window = palette.color(QPalette.ColorRole.Window)
    for colour in (muted_colour(palette), error_colour(palette), warning_colour(palette)):
        assert _contrast(colour, window) >= 4.5
    banner = blend(window, error_colour(palette), 0.12)
    assert _contrast(palette.color(QPalette.ColorRole.WindowText), banner) >= 7
    text, base = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base)
    assert _contrast(text, base) >= 7
    selected = palette.color(QPalette.ColorRole.HighlightedText), palette.color(QPalette.ColorRole.Highlight)
    assert _contrast(*selected) >= 4.5


def test_dark_palette_is_dark(qapp: QApplication) -> None:
    assert is_dark(dark_palette())
    assert not is_dark(qapp.style().standardPalette())


def test_plain_label_renders_no_markup(qapp: QApplication) -> None:
    label = plain_label("<h1>big</h1>")
    assert label.sizeHint().height() < 2 * label.fontMetrics().height()


def _edge_contrasts(widget: QWidget, window: QColor) -> list[float]:
    """Return the contrast of the upper and the lower edge with the window around."""
    picture = widget.grab().toImage()
    height, middle = picture.height(), picture.width() // 2
    columns = [[picture.pixelColor(middle, y) for y in ys] for ys in (range(3), range(height - 1, height - 4, -1))]
    return [max(_contrast(pixel, window) for pixel in column) for column in columns]


@pytest.mark.parametrize("dark", [False, True])
def test_edges_of_fields_menus_and_popups_can_be_seen(qtbot: QtBot, dark: bool) -> None:
    QApplication.setPalette(dark_palette() if dark else QApplication.style().standardPalette())
    raise_contrast()
    try:
        window = QWidget()
        qtbot.addWidget(window)
        window.resize(600, 400)
        window.show()
        around = window.palette().color(QPalette.ColorRole.Window)
        menu, popup, field = QMenu(window), Popup(window, "Popup"), LineEdit(window)
        menu.addAction("One")
        menu.addAction("Two")
        popup.resize(100, 60)
        menu.popup(QPoint(0, 0))
        for widget in (menu, popup, field):
            widget.show()
            assert min(_edge_contrasts(widget, around)) >= (1.5 if widget is menu and not dark else 3), widget
    finally:
        QApplication.setPalette(QApplication.style().standardPalette())
        raise_contrast()
