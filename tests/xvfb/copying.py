"""Copies a synthetic table of `rows` rows (the argument), prints "copied", and stays until its input ends."""

import sys
import threading
from decimal import Decimal

import numpy as np
from PySide6.QtCore import QMetaObject, Qt
from PySide6.QtGui import QGuiApplication

from usage_viewer.app.export import Export, Provenance
from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.table import ColumnKey, FigureColumn, GroupColumn, Table
from usage_viewer.gui.clipboard.clipboard import prepare, put


def table(rows: int) -> Table:
    """Return a table with names that need escaping, and numbers that don't fit a float."""
    names = ("gpt-6-astra", "=1+1", 'größe "L"\t<b>', "two\nlines")
    money = np.array([Decimal(f"{row}.10") for row in range(rows)], object)
    return Table(
        (
            GroupColumn(
                DATASETS["completions"].dimension("model"), np.arange(rows, dtype=np.int32) % 4, names, names
            ),
            FigureColumn(ColumnKey("count"), "Count", "", Kind.COUNT, NumberColumn(np.arange(rows) + 2**60), None),
            FigureColumn(ColumnKey("money"), "Money", "", Kind.DECIMAL, NumberColumn(money), None),
        ),
        rows,
    )


def main() -> None:
    rows = int(sys.argv[1])
    app = QGuiApplication([])
    provenance = Provenance("Completions", "2026-11-03", "UTC", "per day")
    rendered = prepare(Export(table(rows), np.arange(rows, dtype=np.int64), provenance))
    put(rendered, app.clipboard())
    app.processEvents()
    print("copied", rendered.note, flush=True)

    def wait() -> None:
        sys.stdin.read()
        QMetaObject.invokeMethod(app, "quit", Qt.ConnectionType.QueuedConnection)

    threading.Thread(target=wait, daemon=True).start()
    app.exec()


if __name__ == "__main__":
    main()
