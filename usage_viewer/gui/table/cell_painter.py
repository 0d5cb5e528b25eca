"""Defines `CellPainter`, which draws all visible cells in one pass from the model's texts."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QTableView

from usage_viewer.domain.table import Alignment, Column, FigureColumn
from usage_viewer.gui.formatting.numbers import MISSING
from usage_viewer.gui.table.frozen_columns import FrozenColumns
from usage_viewer.gui.table.heat_shades import STEPS
from usage_viewer.gui.table.table_format import split_mark
from usage_viewer.gui.table.table_model import TableModel
from usage_viewer.gui.widgets.contrast import SHAPE, TEXT, nearest
from usage_viewer.gui.widgets.theme import UNIT, blend

LIGHTEST, DARKEST = 0.05, 0.55
"""The part of the accent in the shades of the smallest and of the largest cells."""
PADDING = UNIT
"""Pixels between a cell's edge and its text, on either side."""
_MOST_WIDTHS = 20_000
_Option = QStyleOptionViewItem


@dataclass(frozen=True, slots=True)
class _Rows:
    """Holds the rows from `first` on: the top of each in the viewport (pixels), and whether it is selected."""

    first: int
    height: int
    tops: Sequence[int]
    selected: Sequence[bool]
    on_selection: QColor  # a selected row's text
    bar_on_selection: QColor


class CellPainter:
    """Draws without roles and delegates: with hundreds of cells in a frame, each call from C++ to Python counts.

    The mark of a period that is not final follows its label in a fainter colour.
    """

    def __init__(self, model: TableModel, view: QTableView, frozen: FrozenColumns) -> None:
        self._model, self._view, self._frozen = model, view, frozen
        self._widths: dict[str, int] = {}
        self.restyle()

    def restyle(self) -> None:
        """Read the view's font and palette; call it when they change."""
        palette = self._view.palette()
        role, group = QPalette.ColorRole, QPalette.ColorGroup
        self._metrics = QFontMetrics(self._view.font())
        self._widths.clear()
        text, base = palette.color(role.Text), palette.color(role.Base)
        self._text = text
        stripe, accent = palette.color(role.AlternateBase), palette.color(group.Active, role.Highlight)
        self.faint = nearest(blend(text, base, 0.5), [(base, TEXT), (stripe, TEXT)])
        self._on_active = palette.color(group.Active, role.HighlightedText)
        self._on_inactive = palette.color(group.Inactive, role.HighlightedText)
        self._frame = accent
        self._bar = nearest(blend(accent, base, 0.3), [(base, SHAPE), (stripe, SHAPE), (text, TEXT)])
        self._shades = [
            nearest(blend(base, accent, LIGHTEST + (DARKEST - LIGHTEST) * step / STEPS), [(text, TEXT)])
            for step in range(1, STEPS + 1)
        ]
        self._bars_selected = tuple(
            nearest(ground, [(ground, SHAPE), (palette.color(one, role.HighlightedText), TEXT)])
            for one in (group.Active, group.Inactive)
            for ground in (palette.color(one, role.Highlight),)
        )

    def cell_width(self, text: str, column: Column) -> int:
        """Return the width of a cell's text in pixels, with the room that its alignment at the point needs."""
        return self.text_width(text) + self.room_beyond(text, column)

    def room_beyond(self, text: str, column: Column) -> int:
        """Return the pixels after an amount's text that align its point with those of longer amounts."""
        form = self._model.form
        more = form.more_decimals(column)
        if not more or not isinstance(column, FigureColumn):
            return 0
        return (more - form.beyond_cents(text, column)) * self.text_width("0")

    def text_width(self, text: str) -> int:
        """Return the width of a text in pixels; widths are kept, since frames repeat the same few texts."""
        width = self._widths.get(text)
        if width is None:
            if len(self._widths) > _MOST_WIDTHS:
                self._widths.clear()
            width = self._widths[text] = self._metrics.horizontalAdvance(text)
        return width

    def paint(self, area: QRect, option: _Option) -> None:
        """Draws the cells that `area` of the viewport touches; call it in a paint event."""
        places = self._places(area)
        rows = self._rows(area, option)
        if not rows.tops:
            return
        painter = QPainter(self._view.viewport())
        self._paint_panels(painter, option, rows, area)
        frozen, height = self._frozen, self._view.viewport().height()
        count = frozen.count
        for clip, part in (
            (frozen.scrolled_area(height), [item for item in places if item[0] >= count]),
            (frozen.frozen_area(height), [item for item in places if item[0] < count]),
        ):
            if count:
                painter.setClipRect(clip)
            for section, place in part:
                self._paint_shades(painter, section, place, rows)
                self._paint_bars(painter, section, place, rows)
                self._paint_texts(painter, section, place, rows)
            self._paint_focus(painter, part, rows)
        frozen.paint_edge(painter, height)
        painter.end()

    def _places(self, area: QRect) -> list[tuple[int, QRect]]:
        """Return the visible columns and the rectangle of each: its width, the height of `area`."""
        header = self._view.horizontalHeader()
        places = []
        for section in range(min(header.count(), len(self._model.columns))):
            width = header.sectionSize(section)  # 0 of a hidden one
            place = QRect(self._frozen.left(section), area.top(), width, area.height())
            if width and place.intersects(area):
                places.append((section, place))
        return places

    def _rows(self, area: QRect, option: _Option) -> _Rows:
        view, model = self._view, self._model
        first, last = view.rowAt(area.top()), view.rowAt(area.bottom())
        rows = range(max(first, 0), (last if last >= 0 else len(model.rows) - 1) + 1) if first >= 0 else range(0)
        height = view.verticalHeader().defaultSectionSize()
        top = view.rowViewportPosition(rows.start)
        selection = view.selectionModel()
        picked = selection.hasSelection()
        active = bool(option.state & QStyle.StateFlag.State_Active)
        return _Rows(
            rows.start,
            height,
            [top + height * number for number in range(len(rows))],
            [picked and selection.isSelected(model.index(row, 0)) for row in rows],
            self._on_active if active else self._on_inactive,
            self._bars_selected[0 if active else 1],
        )

    def _paint_panels(self, painter: QPainter, option: _Option, rows: _Rows, area: QRect) -> None:
        """Draw stripes, and the selection as the style does, up to both edges of the table."""
        style, view, primitive = self._view.style(), self._view, QStyle.PrimitiveElement
        features = (option.features, option.features | _Option.ViewItemFeature.Alternate)
        group = QPalette.ColorGroup
        active = bool(option.state & QStyle.StateFlag.State_Active)
        highlight = view.palette().color(group.Active if active else group.Inactive, QPalette.ColorRole.Highlight)
        states = (option.state, option.state | QStyle.StateFlag.State_Selected)
        for number, (top, selected) in enumerate(zip(rows.tops, rows.selected, strict=True), rows.first):
            option.features = features[number % 2]
            option.state = states[selected]
            option.rect = QRect(area.left(), top, area.width(), rows.height)
            style.drawPrimitive(primitive.PE_PanelItemViewRow, option, painter, view)
            if selected:
                painter.fillRect(option.rect, highlight)

    def _paint_shades(self, painter: QPainter, section: int, place: QRect, rows: _Rows) -> None:
        """Fill the cells of a pivot by their size, except in selected rows."""
        shades = self._model.shades
        if shades is None:
            return
        shown = self._model.rows[rows.first : rows.first + len(rows.tops)]
        steps = shades.steps(self._model.columns[section].key, shown)
        for step, top, selected in zip(steps, rows.tops, rows.selected, strict=bool(steps)):
            if step and not selected:
                painter.fillRect(QRect(place.left(), top, place.width(), rows.height), self._shades[step - 1])

    def _paint_bars(self, painter: QPainter, section: int, place: QRect, rows: _Rows) -> None:
        bars = self._model.bars
        if bars is None or bars.key != self._model.columns[section].key:
            return
        room, height = place.width() - PADDING, rows.height - 8
        shown = self._model.rows[rows.first : rows.first + len(rows.tops)].tolist()
        for row, top, selected in zip(shown, rows.tops, rows.selected, strict=True):
            share = bars.length(row)
            if share > 0:
                bar = QRect(place.left() + PADDING // 2, top + 4, max(1, round(room * share)), height)
                painter.fillRect(bar, rows.bar_on_selection if selected else self._bar)

    def _paint_texts(self, painter: QPainter, section: int, place: QRect, rows: _Rows) -> None:
        column = self._model.columns[section]
        right, period = column.alignment is Alignment.RIGHT, column is self._model.table.period
        left, room = place.left() + PADDING, place.width() - 2 * PADDING
        form = self._model.form
        if isinstance(column, FigureColumn) and form.more_decimals(column):
            self._paint_amounts(painter, section, place, rows)
            return
        drop = (rows.height + self._metrics.ascent() - self._metrics.descent()) // 2
        pen: QColor | None = None
        texts = self._model.texts_of(rows.first, len(rows.tops), section)
        for text, top, selected in zip(texts, rows.tops, rows.selected, strict=True):
            colour = rows.on_selection if selected else self.faint if text == MISSING else self._text
            if colour is not pen:
                painter.setPen(colour)
                pen = colour
            width = self.text_width(text)
            label, mark = split_mark(text) if period else (text, "")
            if mark:
                pen = self._paint_marked(painter, (label, mark), QPoint(left, top + drop), room, colour)
            elif width > room:
                text = self._metrics.elidedText(text, self._view.textElideMode(), room) if column.can_elide else "…"
                painter.drawText(left + room - self.text_width(text) if right else left, top + drop, text)
            else:
                painter.drawText(left + room - width if right else left, top + drop, text)

    def _paint_amounts(self, painter: QPainter, section: int, place: QRect, rows: _Rows) -> None:
        """Draw amounts aligned at the point; digits beyond the cents, which the total leaves out, are fainter."""
        column = self._model.columns[section]
        assert isinstance(column, FigureColumn)
        edge, room = place.right() + 1 - PADDING, place.width() - 2 * PADDING
        drop = (rows.height + self._metrics.ascent() - self._metrics.descent()) // 2
        texts = self._model.texts_of(rows.first, len(rows.tops), section)
        for text, top, selected in zip(texts, rows.tops, rows.selected, strict=True):
            faint = (
                self.faint if self._model.shades is None or text == MISSING else self._text
            )  # on a shade: readable
            quiet = rows.on_selection if selected else faint
            beyond = self._model.form.beyond_cents(text, column)
            if self.cell_width(text, column) > room:
                text, beyond = "…", 0
            left = edge - self.cell_width(text, column)
            cents = text[: len(text) - beyond]
            painter.setPen(quiet if text == MISSING or selected else self._text)
            painter.drawText(left, top + drop, cents)
            if beyond:
                painter.setPen(quiet)
                painter.drawText(left + self.text_width(cents), top + drop, text[-beyond:])

    def _paint_marked(
        self, painter: QPainter, texts: tuple[str, str], start: QPoint, room: int, colour: QColor
    ) -> QColor:
        """Draws the label and mark of a period, without the mark if only the label has room.

        Returns the pen's colour.
        """
        label, mark = texts
        if self.text_width(label) > room:
            label = self._metrics.elidedText(label, self._view.textElideMode(), room)
        painter.drawText(start, label)
        if self.text_width(label + mark) > room:
            return colour
        faint = self.faint if colour is self._text else colour
        painter.setPen(faint)
        painter.drawText(start + QPoint(self.text_width(label), 0), mark)
        return faint

    def _paint_focus(self, painter: QPainter, places: Sequence[tuple[int, QRect]], rows: _Rows) -> None:
        """Frames the current cell: a style's own frame is invisible on a selected row."""
        view = self._view
        current = view.currentIndex()
        number = current.row() - rows.first
        place = next((place for section, place in places if section == current.column()), None)
        if place is None or not 0 <= number < len(rows.tops) or not (view.hasFocus() or view.viewport().hasFocus()):
            return
        painter.setPen(self._on_active if rows.selected[number] else self._frame)
        painter.drawRect(place.left() + 1, rows.tops[number] + 1, place.width() - 3, rows.height - 3)


def row_height(font: QFont) -> int:
    """Return the height of a row in pixels: a text and half of its height around it, in steps of 4."""
    return -(-(QFontMetrics(font).height() + UNIT) // 4) * 4
