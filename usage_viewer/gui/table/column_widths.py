"""`ColumnWidths`: columns as wide as what is in them, as far as a user hasn't decided otherwise."""

from usage_viewer.domain.table import Column, FigureColumn, PeriodColumn
from usage_viewer.gui.table.cell_painter import PADDING, CellPainter
from usage_viewer.gui.table.table_header import MINIMUM, WIDEST_BY_ITSELF, TableHeader
from usage_viewer.gui.table.table_model import SO_FAR, TableModel

_NARROWEST = 2 * MINIMUM
_SLACK = 2
_TOTAL_FACTOR = 1.15
"""Totals are set in a heavier weight."""


class ColumnWidths:
    """Looks at the first screenful and the totals, never at all rows.

    While the columns stay the same they only grow: figures that arrive don't make the table wobble.
    """

    def __init__(self, model: TableModel, header: TableHeader, cells: CellPainter) -> None:
        self._model = model
        self._header = header
        self._cells = cells
        self._fitted: dict[str, int] = {}
        self._names: tuple[str, ...] = ()
        self.heads_text = ""  # what stands below all heads together, and must not be cut
        self.heads_room = 0  # pixels before it

    def fit(self, *, silently: bool = False) -> None:
        """After a new table; `silently`: see `apply_widths`."""
        names = tuple(column.name for column in self._model.columns)
        if names != self._names:
            self._names, self._fitted = names, {}
        for column in self._model.columns:
            self._fitted[column.name] = max(self._fitted.get(column.name, 0), self._width(column))
        self._widen_heads()
        self._header.apply_widths(self._fitted, silently=silently)

    def _widen_heads(self) -> None:
        heads = [head.name for head in self._model.table.heads]
        if heads:
            wanted = int(self._cells.text_width(self.heads_text) * _TOTAL_FACTOR) + 2 * PADDING + _SLACK
            wanted += self.heads_room
            self._fitted[heads[-1]] += max(0, wanted - sum(self._fitted[name] for name in heads))

    def fit_anew(self) -> None:
        """After a change of font or of how figures are written."""
        self._names = ()
        self.fit()

    def fit_one(self, name: str) -> None:
        """*Size to contents*: the column follows its contents again."""
        self._header.forget_width(name)
        self._fitted[name] = self._width(self._model.table.by_name[name])
        self._header.apply_widths({name: self._fitted[name]})

    def _width(self, column: Column) -> int:
        place = self._model.section(column.name)
        texts = self._model.texts(0, place) if len(self._model.rows) else []
        if isinstance(column, PeriodColumn) and self._model.still_open is not None and self._model.still_open.any():
            texts = [
                f"{text.removesuffix(SO_FAR)}{SO_FAR}" for text in texts
            ]  # the open ones may stand further down
        widths = [self._cells.text_width(text) for text in set(texts)]
        if isinstance(column, FigureColumn):
            total = self._model.numbers.text(column.total, column.kind, column.unit)
            widths.append(int(self._cells.text_width(total) * _TOTAL_FACTOR))
        width = max(max(widths, default=0) + 2 * PADDING + _SLACK, self._header.label_width(column), _NARROWEST)
        return width if isinstance(column, FigureColumn) else min(width, WIDEST_BY_ITSELF)
