"""Builds the list of keyboard shortcuts and the About dialog."""

import platform
from collections.abc import Sequence

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QScrollArea,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from usage_viewer import __version__
from usage_viewer.domain.display_text import visible
from usage_viewer.gui.widgets.theme import UNIT, plain_label, scaled_font
from usage_viewer.gui.window.shortcut_groups import ShortcutGroup


def shortcut_dialog(groups: Sequence[ShortcutGroup], parent: QWidget) -> QDialog:
    """Build the dialog that lists the keys in groups."""
    inside = QWidget()
    grid = QGridLayout(inside)
    grid.setHorizontalSpacing(4 * UNIT)
    grid.setVerticalSpacing(UNIT)
    for title, rows in groups:
        heading = plain_label(title)
        heading.setFont(scaled_font(heading.font(), 1.15, bold=True))
        heading.setContentsMargins(0, UNIT if grid.count() else 0, 0, 0)
        grid.addWidget(heading, grid.rowCount(), 0, 1, 2)
        for what, keys in rows:
            line = grid.rowCount()
            grid.addWidget(plain_label(what), line, 0)
            shown = plain_label(keys)
            shown.setFont(scaled_font(shown.font(), 1.0, bold=True))
            grid.addWidget(shown, line, 1)
    grid.setColumnStretch(0, 1)
    return _dialog("Keyboard shortcuts", _scrolled(inside, "Keyboard shortcuts"), parent, 64 * UNIT, 70 * UNIT)


def about_dialog(facts: Sequence[tuple[str, str]], parent: QWidget) -> QDialog:
    """Build the dialog with version, licences and `facts`, names and values such as the place of the data."""
    # Late: reading packages' metadata takes longer than the first paint.
    from usage_viewer.app.licences import list_components

    inside = QWidget()
    column = QVBoxLayout(inside)
    column.setSpacing(UNIT)
    title = plain_label(f"Usage Viewer {__version__}")
    title.setFont(scaled_font(title.font(), 1.4, bold=True))
    column.addWidget(title)
    column.addWidget(plain_label("See, filter, regroup, sort and copy your organization's usage.", wrap=True))
    grid = QGridLayout()
    grid.setHorizontalSpacing(2 * UNIT)
    software = [f"Python {platform.python_version()} (PSF), Qt {PySide6.__version__} (LGPL-3.0)"]
    software += [f"{part.name} {part.version}: {part.licence}" for part in list_components()]
    rows = [*((name, [text]) for name, text in facts), ("Licence", ["MIT"]), ("Third-party software", software)]
    for row, (name, lines) in enumerate(rows):
        grid.addWidget(plain_label(name), row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(_selectable(lines), row, 1)
    grid.setColumnStretch(1, 1)
    column.addLayout(grid)
    column.addStretch(1)
    return _dialog("About Usage Viewer", _scrolled(inside, "About"), parent, 72 * UNIT, 60 * UNIT)


def _scrolled(inside: QWidget, name: str) -> QScrollArea:
    area = QScrollArea()
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setAccessibleName(name)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    extent = area.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
    area.setMinimumWidth(inside.minimumSizeHint().width() + extent)
    return area


def _selectable(lines: Sequence[str]) -> QLabel:
    label = plain_label("\n".join(map(visible, lines)), wrap=True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label


def _dialog(title: str, inside: QWidget, parent: QWidget, width: int, height: int) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column = QVBoxLayout(dialog)
    column.addWidget(inside)
    column.addWidget(buttons)
    dialog.resize(width, height)
    return dialog
