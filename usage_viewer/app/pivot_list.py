"""Lists the cells of a pivot one below the other: the rows that the flat table has for some of its rows."""

import numpy as np

from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.session import Session
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.row_order import RowOrder, stable_order
from usage_viewer.domain.table import Table


def list_cells(
    session: Session, result: ViewResult, rows: RowOrder, cancellation: Cancellation | None = None
) -> tuple[ViewResult, RowOrder]:
    """Return the flat view of a pivot, and its rows that belong to `rows` of the pivot, in their order.

    All values are listed, also those that a pivot sums up as *Others*. Reads what is stored. Raises Cancelled,
    StoreError.
    """
    flat = session.look(result.effective_view.flat, cancellation)
    names = [head.name for head in result.table.heads]
    rank = {key: place for place, key in enumerate(_keys(result.table, names, rows))}
    natural = flat.table.ordered(())
    places = np.array([rank.get(key, -1) for key in _keys(flat.table, names, natural)], np.int64)
    chosen = natural[places >= 0]
    return flat, chosen[stable_order(places[places >= 0])]


def _keys(table: Table, names: list[str], rows: RowOrder) -> list[tuple[object, ...]]:
    """Return the period and the values of some rows in these head columns."""
    parts = [head.parts(head.codes_at(rows)) for name in names for head in table.heads if head.name == name]
    return list(zip(*parts, strict=True)) if parts else [()] * len(rows)
