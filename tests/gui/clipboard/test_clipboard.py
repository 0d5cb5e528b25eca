"""Tests the flavours of a clipboard entry."""

from collections.abc import Callable
from datetime import UTC

import numpy as np
import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QApplication

from usage_viewer.app.export import Export, Format, render
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.errors import Cancelled
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import Granularity, Span, periods
from usage_viewer.domain.table import ColumnKey, FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.gui.clipboard.clipboard import prepare, prepare_as, put


@pytest.fixture
def export() -> Export:
    """Return 6,000 rows in reverse order, with a period, a group and a share."""
    rows = 6_000
    names = ("größe", "=1+1")
    days = periods(Span(0, rows * 86400), Granularity.DAY, UTC)
    table = Table(
        (
            PeriodColumn(np.arange(rows, dtype=np.int32), days),
            GroupColumn(
                DATASETS["completions"].dimension("model"), np.arange(rows, dtype=np.int32) % 2, names, names
            ),
            FigureColumn(ColumnKey("share"), "Share", "%", Kind.SHARE, NumberColumn(np.arange(rows) / rows), None),
        ),
        rows,
    )
    return Export(table, np.arange(rows, dtype=np.int64)[::-1], decimal_point=",")


def pasted(kind: str) -> str:
    """Return the clipboard's text of a MIME type."""
    return bytes(QApplication.clipboard().mimeData().data(kind).data()).decode()


def test_entry_has_all_flavours(qapp: QApplication, export: Export) -> None:
    rendered = prepare(export)
    assert rendered.note == ""
    assert rendered.rows == 6_000
    put(rendered, qapp.clipboard())
    assert set(qapp.clipboard().mimeData().formats()) == {
        "text/plain",
        "text/tab-separated-values",
        "text/html",
        "text/csv",
    }
    assert qapp.clipboard().text() == pasted("text/tab-separated-values") == render(export, Format.TSV)
    assert qapp.clipboard().mimeData().html() == pasted("text/html") == render(export, Format.HTML)
    assert pasted("text/csv") == render(export, Format.CSV)


def test_large_copy_is_plain_text_only_and_says_so(qapp: QApplication, export: Export) -> None:
    put(prepare(export), qapp.clipboard())
    rendered = prepare(export, largest=1_000)
    assert "plain text" in rendered.note
    put(rendered, qapp.clipboard())
    assert set(qapp.clipboard().mimeData().formats()) == {"text/plain", "text/tab-separated-values"}
    assert qapp.clipboard().text() == render(export, Format.TSV)


@pytest.mark.parametrize(
    ("form", "kind"),
    [(Format.CSV, "text/csv"), (Format.MARKDOWN, "text/markdown"), (Format.JSON, "application/json")],
)
def test_single_format_is_also_plain_text(qapp: QApplication, export: Export, form: Format, kind: str) -> None:
    put(prepare_as(export, form), qapp.clipboard())
    assert set(qapp.clipboard().mimeData().formats()) == {"text/plain", kind}
    assert qapp.clipboard().text() == pasted(kind) == render(export, form)


@pytest.mark.parametrize("render_copy", [prepare, lambda export, stop: prepare_as(export, Format.JSON, stop)])
def test_rendering_can_be_stopped(export: Export, render_copy: Callable[[Export, Cancellation], object]) -> None:
    stop = Cancellation()
    stop.cancel()
    with pytest.raises(Cancelled):
        render_copy(export, stop)


def test_flavours_are_byte_arrays_that_share_memory(export: Export) -> None:
    flavours = prepare(export).flavours
    assert all(isinstance(content, QByteArray) for content in flavours.values())
    assert flavours["text/plain"].isSharedWith(flavours["text/tab-separated-values"])
