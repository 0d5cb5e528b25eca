"""`TableHeader`: the columns' heads: sorting, order and widths, and a way of painting that asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPolygonF,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from usage_viewer.domain.table import Column, FigureColumn
from usage_viewer.gui.table.cell_painter import PADDING
from usage_viewer.gui.table.table_model import SORT_ROLE, TableModel
from usage_viewer.gui.widgets.theme import UNIT, blend

MINIMUM = 5 * UNIT
WIDEST_BY_ITSELF = 45 * UNIT
"""Pixels: a column that nobody has made wider."""
_ARROW = 2 * UNIT + UNIT // 2
_SETTLES_MS = 150
_RESTYLING = (
    QEvent.Type.FontChange,
    QEvent.Type.PaletteChange,
    QEvent.Type.StyleChange,
    QEvent.Type.EnabledChange,
)


@dataclass(frozen=True)
class _Looks:
    """What the heads are drawn with."""

    font: QFont
    metrics: QFontMetrics
    text: QColor
    quiet: QColor
    accent: QColor
    ground: tuple[QColor, QColor, QColor]  # plain, under the mouse, held
    line: QColor
    edge: QColor


def _looks(font: QFont, palette: QPalette) -> _Looks:
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    base, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
    return _Looks(
        bold,
        QFontMetrics(bold),
        text,
        blend(text, base, 0.25),
        palette.color(QPalette.ColorRole.Highlight),
        (blend(base, text, 0.0), blend(base, text, 0.07), blend(base, text, 0.14)),
        blend(base, text, 0.22),
        blend(base, text, 0.14),
    )


class TableHeader(QHeaderView):
    """Horizontal. The view state decides order and sorting: what a user does here is said, not done.

    Qt's own sections ask the selection about each row of the table whenever they are painted: 16 s a repaint for
    a million selected rows. These are painted from the model's columns alone.
    """

    sort_requested = Signal(str, bool)  # column, whether as a further key
    column_moved = Signal(str, str)  # column, the one that it was dropped before ("" at the end)
    menu_requested = Signal(str, object)  # column, QPoint on the screen
    widths_changed = Signal()  # by the user, and settled

    def __init__(self, model: TableModel, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._model = model
        self._chosen: dict[str, int] = {}
        self._modifiers = Qt.KeyboardModifier.NoModifier
        self._hover = self._pressed = -1
        self._own_doing = False
        self._looks = _looks(self.font(), self.palette())
        self._settle = QTimer(self, singleShot=True, interval=_SETTLES_MS)
        self._settle.timeout.connect(self.widths_changed)
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(MINIMUM)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setAccessibleName("Columns")
        self.sectionClicked.connect(self._on_clicked)
        self.sectionPressed.connect(self._on_pressed)
        self.sectionResized.connect(self._on_resized)

    # Widths

    def widths(self) -> dict[str, int]:
        """Pixels of the columns that the user has resized, by name, shown now or not."""
        return dict(self._chosen)

    def set_widths(self, widths: Mapping[str, int]) -> None:
        """Takes over remembered widths; the columns take them at once."""
        self._chosen = {name: max(width, MINIMUM) for name, width in widths.items()}
        self.apply_widths({})

    def forget_width(self, name: str) -> None:
        """The column's width follows its contents again."""
        if self._chosen.pop(name, None) is not None:
            self._settle.start()

    def apply_widths(self, fitting: Mapping[str, int], *, silently: bool = False) -> None:
        """Resizes the sections: as chosen, else as `fitting` says, else not at all.

        `silently`: for when all is laid out and painted anyway; the table would do so a second time.
        """
        self._own_doing = True
        blocked = self.blockSignals(silently)
        for place, column in enumerate(self._columns()):
            width = self._chosen.get(column.name) or fitting.get(column.name)
            if width is not None and place < self.count():
                self.resizeSection(place, width)
        self.blockSignals(blocked)
        self._own_doing = False

    def label_width(self, column: Column) -> int:
        """Pixels that a column's head takes, its sort mark included."""
        return self._looks.metrics.horizontalAdvance(column.label) + 2 * PADDING + _ARROW + UNIT // 2

    def _on_resized(self, place: int, _before: int, width: int) -> None:
        columns = self._columns()
        if not self._own_doing and place < len(columns) and width:
            self._chosen[columns[place].name] = width
            self._settle.start()

    # Mouse

    def _columns(self) -> tuple[Column, ...]:
        return self._model.columns

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._modifiers = event.modifiers()
        dragged, self._pressed = self._pressed, -1
        super().mouseReleaseEvent(event)
        if 0 <= dragged < self.count() and self.visualIndex(dragged) != dragged:
            self._take_back_move(dragged)
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._set_hover(self.logicalIndexAt(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._set_hover(-1)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        place = self.logicalIndexAt(event.pos())
        if 0 <= place < len(self._columns()):
            self.menu_requested.emit(self._columns()[place].name, event.globalPos())

    def _set_hover(self, place: int) -> None:
        if place != self._hover:
            self._hover = place
            self.viewport().update()

    def _on_pressed(self, place: int) -> None:
        self._pressed = place
        self.viewport().update()

    def _on_clicked(self, place: int) -> None:
        add = bool(self._modifiers & Qt.KeyboardModifier.ControlModifier)
        self.sort_requested.emit(self._columns()[place].name, add)

    def _take_back_move(self, dragged: int) -> None:
        """A dragged section goes back to where it was; whether it may move is not for the header to say."""
        visual = self.visualIndex(dragged)
        names = [column.name for column in self._columns()]
        before = names[self.logicalIndex(visual + 1)] if visual + 1 < self.count() else ""
        self.moveSection(visual, dragged)
        self.column_moved.emit(names[dragged], before)

    # Painting

    def sizeHint(self) -> QSize:
        return QSize(self.length(), self._looks.metrics.height() + 2 * UNIT)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in _RESTYLING:
            self._looks = _looks(self.font(), self.palette())
        super().changeEvent(event)

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:
        columns = self._columns()
        if not rect.isValid() or logicalIndex >= len(columns):
            return
        looks = self._looks
        painter.save()
        held, hovered = logicalIndex == self._pressed, logicalIndex == self._hover
        painter.fillRect(rect, looks.ground[2 if held else 1 if hovered else 0])
        sort = self._model.headerData(logicalIndex, Qt.Orientation.Horizontal, SORT_ROLE)
        self._draw_label(painter, rect, columns[logicalIndex], sort)
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, looks.line)
        painter.fillRect(rect.right(), rect.top() + UNIT, 1, rect.height() - 2 * UNIT, looks.edge)
        painter.restore()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        area = self.viewport().rect()
        area.setLeft(self.length() - self.offset())
        if area.width() > 0:  # beyond the last section
            painter = QPainter(self.viewport())
            painter.fillRect(area, self._looks.ground[0])
            painter.fillRect(area.left(), area.bottom(), area.width(), 1, self._looks.line)
            painter.end()

    def _draw_label(
        self, painter: QPainter, rect: QRect, column: Column, sort: tuple[bool, int, int] | None
    ) -> None:
        looks, metrics = self._looks, self._looks.metrics
        number = isinstance(column, FigureColumn)
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        if sort is not None:
            # The arrow stands beside the text, on the side away from the figures' edge.
            mark = QRect(inner.left() if number else inner.right() - _ARROW, rect.top(), _ARROW, rect.height())
            inner.adjust(_ARROW if number else 0, 0, 0 if number else -_ARROW, 0)
        painter.setFont(looks.font)
        label = metrics.elidedText(column.label, Qt.TextElideMode.ElideRight, inner.width())
        painter.setPen(looks.text if sort is not None else looks.quiet)
        side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter, label)
        if sort is not None:
            width = metrics.horizontalAdvance(label)
            if number:
                mark.moveRight(inner.right() - width)
            else:
                mark.moveLeft(inner.left() + width)
            self._draw_arrow(painter, mark, sort, looks.accent)

    def _draw_arrow(self, painter: QPainter, rect: QRect, sort: tuple[bool, int, int], colour: QColor) -> None:
        descending, place, count = sort
        middle = QPointF(rect.center()) + QPointF(-3.5 if count > 1 else 0.5, 0.5)
        tip, wing = (3.0, 3.5) if descending else (-3.0, 3.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(
            QPolygonF(
                [middle + QPointF(-wing, -tip / 1.5), middle + QPointF(wing, -tip / 1.5), middle + QPointF(0, tip)]
            )
        )
        if count > 1:
            font = QFont(self.font())
            font.setPointSizeF(max(font.pointSizeF() * 0.75, 6))
            painter.setFont(font)
            painter.setPen(colour)
            right = rect.adjusted(_ARROW // 2, 0, 0, 0)
            painter.drawText(right, Qt.AlignmentFlag.AlignCenter, str(place))
