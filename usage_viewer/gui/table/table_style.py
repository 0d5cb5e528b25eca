"""Sets up the appearance and the behaviour of the table's view."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView

from usage_viewer.gui.table.cell_painter import row_height
from usage_viewer.gui.widgets.theme import blend

SIDE_BUTTONS: Final = (Qt.MouseButton.BackButton, Qt.MouseButton.ForwardButton)
"""Buttons of the mouse that go back and forward on the whole page."""


def set_up_table(view: QTableView) -> None:
    """Select whole rows, scrolls by pixels, and uses digits of one width."""
    font = QFont(view.font())
    font.setFeature(QFont.Tag("tnum"), 1)  # digits of equal width line up in columns
    view.setFont(font)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setFrameShape(QFrame.Shape.NoFrame)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setCornerButtonEnabled(False)
    view.setTabKeyNavigation(False)  # Tab leaves the table; arrow keys move within it
    rows = view.verticalHeader()
    rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    rows.setHighlightSections(False)
    rows.hide()
    view.setAccessibleName("Usage")
    view.setAccessibleDescription("Rows of the view; Enter on a group filters to it")


def restyle_table(view: QTableView) -> None:
    """Derive the colour of stripes from the palette, and the height of rows from the font."""
    palette = view.palette()
    stripe = blend(palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text), 0.03)
    if palette.color(QPalette.ColorRole.AlternateBase) != stripe:
        own = QPalette()
        own.setColor(QPalette.ColorRole.AlternateBase, stripe)
        view.setPalette(own)  # only this role; the others keep following the system
    height = row_height(view.font())
    if view.verticalHeader().defaultSectionSize() != height:
        view.verticalHeader().setMinimumSectionSize(height)
        view.verticalHeader().setDefaultSectionSize(height)
