"""`CellDelegate`: draws a cell's text and bar straight from the model's ready texts."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from usage_viewer.domain.tables import FigureColumn
from usage_viewer.gui.numbers import MISSING
from usage_viewer.gui.theme import UNIT, is_dark, mixed
from usage_viewer.gui.usage_model import BLOCK, SO_FAR, UsageModel

PADDING = UNIT
"""Pixels between a cell's edge and its text, on either side."""
_SELECTED = QStyle.StateFlag.State_Selected.value
_ACTIVE = QStyle.StateFlag.State_Active.value
_FOCUS = QStyle.StateFlag.State_HasFocus.value
_KEPT_WIDTHS = 20_000


class CellDelegate(QStyledItemDelegate):
    """Asks no roles: at hundreds of cells a frame, each question counts.

    That a period is still open stands behind its label, fainter.
    """

    def __init__(self, model: UsageModel, view: QTableView) -> None:
        super().__init__(view)
        self._model = model
        self._view = view
        self._widths: dict[str, int] = {}
        self._metrics = QFontMetrics(view.font())
        self.restyle()

    def restyle(self) -> None:
        """Takes over the view's font and palette; to be called when they change."""
        palette = self._view.palette()
        role, group = QPalette.ColorRole, QPalette.ColorGroup
        self._metrics = QFontMetrics(self._view.font())
        self._widths.clear()
        text, base = palette.color(role.Text), palette.color(role.Base)
        self._text = text
        self._faint = mixed(text, base, 0.5)
        self._on_active = palette.color(group.Active, role.HighlightedText)
        self._on_inactive = palette.color(group.Inactive, role.HighlightedText)
        self._frame = palette.color(group.Active, role.Highlight)
        bar = QColor(palette.color(group.Active, role.Highlight))
        bar.setAlphaF(0.34 if is_dark(palette) else 0.20)
        self._bar = bar
        on_selection = QColor(self._on_active)
        on_selection.setAlphaF(0.22)
        self._bar_selected = on_selection

    def text_width(self, text: str) -> int:
        """Pixels, remembered: the same few texts are drawn in frame after frame."""
        width = self._widths.get(text)
        if width is None:
            if len(self._widths) > _KEPT_WIDTHS:
                self._widths.clear()
            width = self._widths[text] = self._metrics.horizontalAdvance(text)
        return width

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row, place = index.row(), index.column()
        model = self._model
        column = model.columns[place]
        text = model.texts(row // BLOCK, place)[row % BLOCK]
        rect: QRect = option.rect
        state = option.state.value
        selected = state & _SELECTED
        if selected:
            style = self._view.style()
            style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, self._view)
        bars = model.bars
        if bars is not None and bars.name == column.name:
            self._draw_bar(painter, rect, bars.length(int(model.rows[row])), bool(selected))
        if selected:
            painter.setPen(self._on_active if state & _ACTIVE else self._on_inactive)
        else:
            painter.setPen(self._faint if text == MISSING else self._text)
        number = isinstance(column, FigureColumn)
        label = text if number else text.removesuffix(SO_FAR)
        self._draw_text(painter, rect, label, number)
        if label is not text and self.text_width(text) <= rect.width() - 2 * PADDING:
            self._draw_so_far(painter, rect, label, bool(selected))
        if state & _FOCUS:
            self._draw_focus(painter, rect, bool(selected))

    def _draw_text(self, painter: QPainter, rect: QRect, text: str, number: bool) -> None:
        metrics = self._metrics
        room = rect.width() - 2 * PADDING
        width = self.text_width(text)
        left = rect.left() + PADDING
        if width > room:
            # A number cut short would read as another number.
            text = "…" if number else metrics.elidedText(text, self._view.textElideMode(), room)
            width = metrics.horizontalAdvance(text)
        if number:
            left = rect.left() + rect.width() - PADDING - width
        baseline = rect.top() + (rect.height() + metrics.ascent() - metrics.descent()) // 2
        painter.drawText(left, baseline, text)

    def _draw_so_far(self, painter: QPainter, rect: QRect, label: str, selected: bool) -> None:
        if not selected:
            painter.setPen(self._faint)
        self._draw_text(painter, rect.adjusted(self.text_width(label), 0, 0, 0), SO_FAR, False)

    def _draw_bar(self, painter: QPainter, rect: QRect, share: float, selected: bool) -> None:
        if share > 0:
            room = rect.width() - PADDING
            bar = QRect(rect.left() + PADDING // 2, rect.top() + 4, max(1, round(room * share)), rect.height() - 8)
            painter.fillRect(bar, self._bar_selected if selected else self._bar)

    def _draw_focus(self, painter: QPainter, rect: QRect, selected: bool) -> None:
        """The current cell, plain to see on any row: a style's own frame is lost on a selected one."""
        painter.setPen(self._on_active if selected else self._frame)
        painter.drawRect(rect.adjusted(1, 1, -2, -2))

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        row, place = index.row(), index.column()
        text = self._model.texts(row // BLOCK, place)[row % BLOCK]
        return QSize(self.text_width(text) + 2 * PADDING + 1, row_height(self._view.font()))


def row_height(font: QFont) -> int:
    """Pixels: a text with half of its height around it, in steps of 4."""
    return -(-(QFontMetrics(font).height() + UNIT) // 4) * 4
