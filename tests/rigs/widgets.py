from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.view import ViewState


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """The texts below are those of British English."""
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    yield
    QLocale.setDefault(before)


@pytest.fixture
def _kept() -> list[QWidget]:
    """What a test shows lives as long as the test."""
    return []


@pytest.fixture
def shown(qtbot: QtBot, _kept: list[QWidget]) -> Callable[[QWidget, int], None]:
    """Shows a widget by itself, so wide."""

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
    """What a control has asked for: connect `view_requested` to its `append`."""
    return []
