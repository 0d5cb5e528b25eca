"""Tests the contrast of painted pixels in the window, in light and dark."""

from collections import Counter
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.gui.widgets.contrast import SHAPE, TEXT, contrast
from usage_viewer.gui.widgets.theme import use_scheme


@pytest.fixture(params=["light", "dark"])
def window(request: pytest.FixtureRequest, rig: WindowRig) -> Iterator[WindowUnderTest]:
    """Open the window on the demo in a colour scheme; bars are shown in the sorted column."""
    window = rig.start()
    window.commands.scheme[request.param].setChecked(True)
    QApplication.processEvents()
    yield window
    use_scheme("light")


def _image(widget: QWidget) -> QImage:
    QApplication.processEvents()
    return widget.grab().toImage()


def _colours(image: QImage, rect: QRect) -> Counter[str]:
    return Counter(
        image.pixelColor(x, y).name()
        for x in range(rect.left(), rect.right() + 1)
        for y in range(rect.top(), rect.bottom() + 1)
    )


def _most_different(colours: Counter[str], ground: QColor) -> float:
    """Return the best contrast of any pixel with the ground: the middle of a text's strokes."""
    return max(contrast(QColor(name), ground) for name in colours)


def _row(window: WindowUnderTest, row: int, name: str) -> QRect:
    model = window.page.model
    return window.page.table.visualRect(model.index(row, model.section(name)))


def test_text_on_selected_rows_can_be_read(window: WindowUnderTest) -> None:
    table = window.page.table
    table.selectAll()
    image = _image(table.viewport())
    for row in (1, 2):
        for name in ("model", "output_tokens"):
            colours = _colours(image, _row(window, row, name).adjusted(3, 3, -3, -3))
            ground = QColor(colours.most_common(1)[0][0])
            assert _most_different(colours, ground) >= TEXT


@pytest.mark.parametrize("selected", [False, True])
def test_bars_differ_from_their_cells_and_text_over_them_can_be_read(
    window: WindowUnderTest, selected: bool
) -> None:
    table = window.page.table
    table.clearSelection()
    if selected:
        table.selectAll()
    image = _image(table.viewport())
    for row in (0, 1):
        cell = _row(window, row, "input_tokens")
        ground = image.pixelColor(cell.topRight() - QPoint(2, -2))
        bar = image.pixelColor(cell.left() + 6, cell.center().y())
        assert contrast(bar, ground) >= SHAPE
        full = QRect(cell.left() + cell.width() // 4, cell.top() + 5, cell.width() // 3, cell.height() - 10)
        text = table.palette().color(
            QPalette.ColorGroup.Active, QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        )
        assert contrast(text, bar) >= TEXT
        assert bar.name() in _colours(image, full)


def test_quiet_texts_of_the_table_can_be_read(window: WindowUnderTest) -> None:
    cells, palette = window.page.table.cells, window.page.table.palette()
    for role in (QPalette.ColorRole.Base, QPalette.ColorRole.AlternateBase):
        assert contrast(cells.faint, palette.color(role)) >= TEXT


def test_placeholder_can_be_read_and_edges_can_be_seen(window: WindowUnderTest) -> None:
    search = window.page.filters.search
    base = search.palette().color(QPalette.ColorRole.Base)
    assert contrast(search.palette().color(QPalette.ColorRole.PlaceholderText), base) >= TEXT
    window.page.table.setFocus()
    bars = _image(window.page)
    edge = search.mapTo(window.page, QPoint(0, search.height() // 2))
    outside = bars.pixelColor(edge - QPoint(3, 0))
    assert max(contrast(bars.pixelColor(edge + QPoint(x, 0)), outside) for x in (0, 1)) >= SHAPE
    for chip in window.page.grouping.chips.values():
        top = chip.mapTo(window.page, QPoint(chip.width() // 2, 0))
        ground = bars.pixelColor(top - QPoint(0, 2))
        assert max(contrast(bars.pixelColor(top + QPoint(0, y)), ground) for y in range(4)) >= SHAPE


def test_stripes_and_selection_reach_the_edge(window: WindowUnderTest) -> None:
    table = window.page.table
    table.clearSelection()
    window.resize(1400, 600)
    image = _image(table.viewport())
    right = table.viewport().width() - 2
    assert table.header.length() < right
    rows = [_row(window, row, "model") for row in range(3)]
    stripes = [image.pixelColor(right, row.center().y()) for row in rows]
    assert stripes[0] == stripes[2] != stripes[1]
    assert stripes[1] == image.pixelColor(rows[1].left() + 2, rows[1].top() + 2)
    table.selectRow(1)
    image = _image(table.viewport())
    assert image.pixelColor(right, rows[1].center().y()) == image.pixelColor(rows[1].right() - 2, rows[1].top() + 3)
    assert image.pixelColor(right, rows[1].center().y()) != stripes[1]
