"""Defines `TableHeader`, which shows, sorts, moves and resizes columns and paints without asking the selection."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPolygonF,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.table import Alignment, Column
from usage_viewer.gui.table.cell_painter import PADDING
from usage_viewer.gui.table.frozen_columns import FrozenColumns
from usage_viewer.gui.table.frozen_header_mouse import FrozenHeaderMouse
from usage_viewer.gui.table.table_model import SORT_ROLE, TableModel
from usage_viewer.gui.table.table_style import SIDE_BUTTONS
from usage_viewer.gui.widgets.theme import UNIT, blend

MINIMUM = 5 * UNIT
LARGEST_FITTED = 45 * UNIT
"""Pixels: the largest width that a column of texts gets by fitting."""
_ARROW = 2 * UNIT + UNIT // 2
_SETTLE_MS = 150
"""Milliseconds after the last step of a resize until `widths_changed` is emitted."""
_RESTYLING = (
    QEvent.Type.FontChange,
    QEvent.Type.PaletteChange,
    QEvent.Type.StyleChange,
    QEvent.Type.EnabledChange,
)


@dataclass(frozen=True)
class _Looks:
    """Holds the font and the colours of the sections."""

    font: QFont
    metrics: QFontMetrics
    text: QColor
    quiet: QColor
    accent: QColor
    background: tuple[QColor, QColor, QColor]  # normal, hovered, pressed
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
    """Emits signals for sorting and moving; the view state changes the order.

    Qt's own sections ask the selection about each row of the table on every repaint: 16 s for a million selected
    rows. This header paints its sections from the model's columns alone.
    """

    sort_requested = Signal(object, bool)  # ColumnKey, whether to add it to the sort keys
    column_moved = Signal(object, object)  # ColumnKey, the one that it was dropped before (None: at the end)
    menu_requested = Signal(object, object)  # ColumnKey, QPoint on the screen
    widths_changed = Signal()  # the user has finished resizing

    def __init__(self, model: TableModel, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._model = model
        self.frozen = FrozenColumns(self, model)
        self._frozen_mouse = FrozenHeaderMouse(self, self.frozen)
        self._user_widths: dict[ColumnKey, int] = {}
        self._modifiers = Qt.KeyboardModifier.NoModifier
        self._hover = self._pressed = -1
        self._resizing_itself = False
        self._looks = _looks(self.font(), self.palette())
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
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
        self._frozen_mouse.pressed.connect(self._on_pressed)
        self._frozen_mouse.clicked.connect(self._on_frozen_clicked)
        self._frozen_mouse.moved.connect(self._on_frozen_moved)
        self._frozen_mouse.edge_double_clicked.connect(self.sectionHandleDoubleClicked)

    # Widths

    def widths(self) -> dict[str, int]:
        """Return the widths that the user has set, in pixels, by the text of the column's key.

        Columns that the table doesn't have now are included.
        """
        return {key.text: width for key, width in self._user_widths.items()}

    def set_widths(self, widths: Mapping[str, int]) -> None:
        """Set the user's widths, in the form that `widths` returns."""
        self._user_widths = {ColumnKey.parse(text): max(width, MINIMUM) for text, width in widths.items()}
        self.apply_widths({})

    def forget_width(self, column: ColumnKey) -> None:
        """Forgets the width that the user has set."""
        if self._user_widths.pop(column, None) is not None:
            self._settle.start()

    def apply_widths(self, fitted: Mapping[ColumnKey, int], *, silently: bool = False) -> None:
        """Resizes the sections to the user's widths, else to `fitted`; others keep their width.

        `silently` emits no signal; use it while a reset lays out and paints everything anyway.
        """
        self._resizing_itself = True
        blocked = self.blockSignals(silently)
        for place, column in enumerate(self._columns()):
            width = self._user_widths.get(column.key) or fitted.get(column.key)
            if width is not None and place < self.count():
                self.resizeSection(place, width)
        self.blockSignals(blocked)
        self._resizing_itself = False

    def label_width(self, column: Column) -> int:
        """Return the width of a section's contents in pixels, including the sort mark."""
        return self._looks.metrics.horizontalAdvance(column.label) + 2 * PADDING + _ARROW + UNIT // 2

    def _on_resized(self, place: int, _before: int, width: int) -> None:
        columns = self._columns()
        if not self._resizing_itself and place < len(columns) and width:
            self._user_widths[columns[place].key] = width
            self._settle.start()

    # Mouse

    def _columns(self) -> tuple[Column, ...]:
        return self._model.columns

    def viewportEvent(self, event: QEvent) -> bool:
        """Let frozen sections have the mouse and the tooltip at the place where they are shown.

        The side buttons of the mouse are left to the page.
        """
        if isinstance(event, QMouseEvent) and event.button() in SIDE_BUTTONS:
            event.ignore()
            return False
        if isinstance(event, QMouseEvent) and self._frozen_mouse.handle(event):
            return True
        if isinstance(event, QHelpEvent) and (shift := self.frozen.shift(event.pos().x())):
            return super().viewportEvent(
                QHelpEvent(event.type(), event.pos() + QPoint(shift, 0), event.globalPos())
            )
        return super().viewportEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Finish a click or a drag."""
        self._modifiers = event.modifiers()
        dragged, self._pressed = self._pressed, -1
        super().mouseReleaseEvent(event)
        if 0 <= dragged < self.count() and self.visualIndex(dragged) != dragged:
            self._undo_move(dragged)
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the section under the pointer."""
        super().mouseMoveEvent(event)
        self._set_hover(self.frozen.section_at(int(event.position().x())))

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        super().leaveEvent(event)
        self._set_hover(-1)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the menu of the section."""
        place = self.frozen.section_at(event.pos().x())
        if 0 <= place < len(self._columns()):
            self.menu_requested.emit(self._columns()[place].key, event.globalPos())

    def _set_hover(self, place: int) -> None:
        if place != self._hover:
            self._hover = place
            self.viewport().update()

    def _on_pressed(self, place: int) -> None:
        self._pressed = place
        self.viewport().update()

    def _on_clicked(self, place: int) -> None:
        add = bool(self._modifiers & Qt.KeyboardModifier.ControlModifier)
        self.sort_requested.emit(self._columns()[place].key, add)

    def _on_frozen_clicked(self, place: int, modifiers: Qt.KeyboardModifier) -> None:
        self._modifiers = modifiers
        self._on_clicked(place)

    def _on_frozen_moved(self, dragged: int, target: int) -> None:
        """Request that a column moves to the place of another one, as a drag of Qt's sections does."""
        keys = [column.key for column in self._columns()]
        after = target + (target > dragged)
        self.column_moved.emit(keys[dragged], keys[after] if after < len(keys) else None)

    def _undo_move(self, dragged: int) -> None:
        """Put a dragged section back and emits the move: the view decides whether the column may move."""
        visual = self.visualIndex(dragged)
        keys = [column.key for column in self._columns()]
        before = keys[self.logicalIndex(visual + 1)] if visual + 1 < self.count() else None
        self.moveSection(visual, dragged)
        self.column_moved.emit(keys[dragged], before)

    # Painting

    def sizeHint(self) -> QSize:
        """Return the length of all sections and the height of a label."""
        return QSize(self.length(), self._looks.metrics.height() + 2 * UNIT)

    def changeEvent(self, event: QEvent) -> None:
        """Follow changes of font and colours."""
        if event.type() in _RESTYLING:
            self._looks = _looks(self.font(), self.palette())
        super().changeEvent(event)

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:
        """Paint one section from the model's columns."""
        columns = self._columns()
        if not rect.isValid() or logicalIndex >= len(columns):
            return
        looks = self._looks
        if self.isRightToLeft() and rect.left() - 1 == self.frozen.left(logicalIndex):  # Qt is one pixel off
            rect = rect.translated(-1, 0)
        painter.save()
        pressed, hovered = logicalIndex == self._pressed, logicalIndex == self._hover
        painter.fillRect(rect, looks.background[2 if pressed else 1 if hovered else 0])
        sort = self._model.headerData(logicalIndex, Qt.Orientation.Horizontal, SORT_ROLE)
        self._draw_label(painter, rect, columns[logicalIndex], sort)
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, looks.line)
        end = rect.left() if self.isRightToLeft() else rect.right()
        painter.fillRect(end, rect.top() + UNIT, 1, rect.height() - 2 * UNIT, looks.edge)
        painter.restore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the sections and the area after the last one."""
        super().paintEvent(event)
        area = self.viewport().rect()
        painter = QPainter(self.viewport())
        for section in range(self.frozen.count):
            place = QRect(self.frozen.left(section), 0, self.sectionSize(section), area.height())
            self.paintSection(painter, place, section)
        self.frozen.paint_edge(painter, area.height())
        if self.isRightToLeft():
            area.setRight(area.width() - self.length() + self.offset() - 1)
        else:
            area.setLeft(self.length() - self.offset())
        if area.width() > 0:  # after the last section
            painter.fillRect(area, self._looks.background[0])
            painter.fillRect(area.left(), area.bottom(), area.width(), 1, self._looks.line)
        painter.end()

    def _draw_label(
        self, painter: QPainter, rect: QRect, column: Column, sort: tuple[bool, int, int] | None
    ) -> None:
        looks, metrics = self._looks, self._looks.metrics
        right = column.alignment is Alignment.RIGHT
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        if sort is not None:
            # The arrow is next to the text, on the side away from the edge of the figures.
            mark = QRect(inner.left() if right else inner.right() - _ARROW, rect.top(), _ARROW, rect.height())
            inner.adjust(_ARROW if right else 0, 0, 0 if right else -_ARROW, 0)
        painter.setFont(looks.font)
        label = metrics.elidedText(column.label, Qt.TextElideMode.ElideRight, inner.width())
        painter.setPen(looks.text if sort is not None else looks.quiet)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter, label)
        if sort is not None:
            width = metrics.horizontalAdvance(label)
            if right:
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
            place_rect = rect.adjusted(_ARROW // 2, 0, 0, 0)
            painter.drawText(place_rect, Qt.AlignmentFlag.AlignCenter, str(place))
