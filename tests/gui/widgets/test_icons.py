from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.icons import icon, recolour

SQUARE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect width="16" height="16" fill="#000"/></svg>'
)  # fmt: skip


@pytest.fixture
def find(tmp_path: Path) -> Callable[[str], Path]:
    drawing = tmp_path / "square.svg"
    drawing.write_text(SQUARE, encoding="utf-8")
    return lambda name: drawing if name == "icons/actions/square.svg" else tmp_path / "missing"


@pytest.fixture
def red(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    palette = widget.palette()
    palette.setColor(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText, QColor("#cc1122"))
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText, QColor("#998877"))
    widget.setPalette(palette)
    return widget


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_icon_has_text_colour_at_each_pixel_ratio(red: QWidget, find: Callable[[str], Path], ratio: int) -> None:
    pixmap = icon("square", red, find).pixmap(QSize(16, 16), ratio)
    assert pixmap.width() == 16 * ratio
    assert QColor(pixmap.toImage().pixel(8, 8)) == QColor("#cc1122")


def test_disabled_icon_has_colour_of_disabled_text(red: QWidget, find: Callable[[str], Path]) -> None:
    pixmap = icon("square", red, find).pixmap(QSize(16, 16), 1, QIcon.Mode.Disabled)
    assert QColor(pixmap.toImage().pixel(8, 8)) == QColor("#998877")


def test_icon_without_file_is_empty(red: QWidget, find: Callable[[str], Path]) -> None:
    assert icon("nothing", red, find).isNull()


@pytest.mark.parametrize("name", ["search", "refresh", "close", "chevron-left", "chevron-right", "more"])
def test_icon_files_of_the_program_exist(red: QWidget, name: str) -> None:
    assert not icon(name, red).isNull()


def test_every_spelling_of_black_is_recoloured() -> None:
    svg = 'a="#000" b="#000000" c="black" d="currentColor" e="none"'
    assert recolour(svg, QColor("#abcdef")) == 'a="#abcdef" b="#abcdef" c="#abcdef" d="#abcdef" e="none"'
