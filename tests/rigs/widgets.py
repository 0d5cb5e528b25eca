"""Shows a widget alone in a window. Real: the widget and Qt on the offscreen platform."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.view import ViewState


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Set the locale to British English, which the expected texts are in."""
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    yield
    QLocale.setDefault(before)


@pytest.fixture
def _kept() -> list[QWidget]:
    """Keep shown widgets alive until the test ends."""
    return []


@pytest.fixture
def shown(qtbot: QtBot, _kept: list[QWidget]) -> Callable[[QWidget, int], None]:
    """`shown(widget, width)`: shows a widget in a window of that width in pixels."""

    def show(widget: QWidget, width: int) -> None:
        _kept.append(widget)
        qtbot.addWidget(widget)
        widget.resize(width, 120)
        with qtbot.waitActive(widget):
            widget.show()
            widget.activateWindow()

    return show


@pytest.fixture
def wanted() -> list[ViewState]:
    """A list of requested views: connect `view_requested` to its `append`."""
    return []
