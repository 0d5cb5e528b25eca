"""Fixtures of the table pane."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QLocale
from pytestqt.qtbot import QtBot

from tests.rigs.tables import models, pivot, table_of, view_of
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_pane import TablePane


@pytest.fixture
def pane(qtbot: QtBot) -> TablePane:
    """A visible, empty pane with English numbers."""
    shown = TablePane(QLocale("en_US"))
    qtbot.addWidget(shown)
    shown.resize(900, 400)
    with qtbot.waitExposed(shown):
        shown.show()
    return shown


@pytest.fixture
def full(pane: TablePane, models: Table, view_of: Callable[..., ViewState]) -> TablePane:
    """The pane with `models`, sorted by input tokens, largest first."""
    view = view_of(models, "-input_tokens")
    pane.set_table(models, models.ordered(view.order), view)
    return pane
