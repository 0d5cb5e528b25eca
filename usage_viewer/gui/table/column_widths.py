"""Defines `ColumnWidths`, which fits columns to their contents unless the user has resized them."""

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.table import Column
from usage_viewer.gui.table.cell_painter import PADDING, CellPainter
from usage_viewer.gui.table.table_format import split_mark
from usage_viewer.gui.table.table_header import LARGEST_FITTED, MINIMUM, TableHeader
from usage_viewer.gui.table.table_model import TableModel

_SMALLEST_FITTED = 2 * MINIMUM
_SLACK = 2
_TOTAL_FACTOR = 1.15
"""Totals are drawn in a heavier weight."""


class ColumnWidths:
    """Measures the first screenful and the totals, never all rows.

    While the columns stay the same, widths only grow: arriving figures don't make the table jitter.
    """

    def __init__(self, model: TableModel, header: TableHeader, cells: CellPainter) -> None:
        self._model = model
        self._header = header
        self._cells = cells
        self._fitted: dict[ColumnKey, int] = {}
        self.heads_text = ""  # the text below all head columns, which must not be cut
        self.heads_indent = 0  # pixels before this text

    def fit(self, *, silently: bool = False) -> None:
        """Fits all columns after a new table; `silently`: see `TableHeader.apply_widths`."""
        columns = self._model.columns
        if [column.key for column in columns] != list(self._fitted):
            self._fitted = {}
        self._fitted = {column.key: max(self._fitted.get(column.key, 0), self._width(column)) for column in columns}
        self._widen_heads()
        self._header.apply_widths(self._fitted, silently=silently)

    def _widen_heads(self) -> None:
        heads = [head.key for head in self._model.table.heads]
        if heads:
            needed = int(self._cells.text_width(self.heads_text) * _TOTAL_FACTOR) + 2 * PADDING + _SLACK
            needed += self.heads_indent
            self._fitted[heads[-1]] += max(0, needed - sum(self._fitted[key] for key in heads))

    @property
    def fitted(self) -> dict[ColumnKey, int]:
        """Returns the widths in pixels that the columns were fitted to."""
        return dict(self._fitted)

    def fit_from(self, widths: dict[ColumnKey, int]) -> None:
        """Fits all columns after a new table that once had these widths; no column is narrower."""
        self._fitted = dict(widths)
        self.fit()

    def refit(self) -> None:
        """Fits all columns from scratch, after a change of the font or of the number format."""
        self._fitted = {}
        self.fit()

    def fit_one(self, column: ColumnKey) -> None:
        """Fits one column and forgets the user's width of it."""
        self._header.forget_width(column)
        self._fitted[column] = self._width(self._model.table.by_key[column])
        self._header.apply_widths({column: self._fitted[column]})

    def _width(self, column: Column) -> int:
        model, place = self._model, self._model.section(column.key)
        texts = model.texts(0, place) if len(model.rows) else []
        if column is model.table.period and (marks := model.periods.marks):
            # The marked periods may be further down.
            texts = [f"{label}{mark}" for label in {split_mark(text)[0] for text in texts} for mark in marks]
        widths = [self._cells.cell_width(text, column) for text in set(texts)]
        total = column.total_text(model.form)
        widths.append(int(self._cells.text_width(total) * _TOTAL_FACTOR) + self._cells.room_beyond(total, column))
        width = max(max(widths) + 2 * PADDING + _SLACK, self._header.label_width(column), _SMALLEST_FITTED)
        return min(width, LARGEST_FITTED) if column.can_elide else width
