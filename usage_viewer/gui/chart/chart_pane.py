"""Lays out the chart: the choice of its figure and its form, what it shows, and the chart itself."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from usage_viewer.app.chart import ChartFace
from usage_viewer.gui.chart.chart_texts import ChartTexts
from usage_viewer.gui.chart.chart_view import ChartView
from usage_viewer.gui.widgets.dropdown_button import DropdownButton
from usage_viewer.gui.widgets.mnemonics import with_letters
from usage_viewer.gui.widgets.plain_text import explain
from usage_viewer.gui.widgets.theme import UNIT, muted_colour

FIGURE_KEY, FACE_KEY = "Alt+F", "Alt+H"


class ChartPane(QWidget):
    """Asks for another figure or form and shows the chart that it is given."""

    figure_chosen = Signal(str)
    face_chosen = Signal(object)  # ChartFace
    hours_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.figure = DropdownButton(self, name="Charted figure", shortcut=FIGURE_KEY)
        self.figure.clicked.connect(self._open_figures)
        self.heat_map = QToolButton(self, autoRaise=True)
        self.heat_map.setText("Heat map")
        self.heat_map.setCheckable(True)
        self.heat_map.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.heat_map.setShortcut(FACE_KEY)
        self.heat_map.setToolTip(f"Shows the weekdays by the hours of the day ({FACE_KEY})")
        self.heat_map.setAccessibleDescription(f"Shows the weekdays by the hours of the day. {FACE_KEY}")
        self.heat_map.clicked.connect(self._on_face_clicked)
        self.hours = QPushButton("Show by hour", self)
        self.hours.clicked.connect(self.hours_requested)
        self.hours.hide()
        self.caption = Caption(self)
        self.view = ChartView(self)
        self._figures: Sequence[tuple[str, str]] = ()
        self._figure = ""
        self._lay_out()

    @property
    def controls(self) -> tuple[QWidget, ...]:
        """Returns the widgets that Tab goes to, in their order."""
        return self.figure, self.hours, self.heat_map, self.view

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(UNIT // 2, UNIT // 2, UNIT // 2, 0)
        header.setSpacing(UNIT // 2)
        header.addWidget(self.figure)
        header.addWidget(self.caption, 1)
        header.addWidget(self.hours)
        header.addWidget(self.heat_map)
        body = QHBoxLayout()
        body.setContentsMargins(UNIT, 0, UNIT, 0)
        body.addWidget(self.view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(header)
        column.addLayout(body, 1)

    def show_figures(self, figures: Sequence[tuple[str, str]], current: str) -> None:
        """Offer the figures of the table, by name and label; `current` is the charted one."""
        self._figures, self._figure = figures, current
        self.figure.show_choice(dict(figures).get(current, current))

    def show_face(self, face: ChartFace) -> None:
        """Show which form is asked for."""
        self.heat_map.setChecked(face is ChartFace.HEAT_MAP)

    def show_chart(self, texts: ChartTexts) -> None:
        """Show a chart and what it shows."""
        chart = texts.chart
        self.hours.setVisible(chart.lacks_hours)
        self.caption.show_text(" · ".join([texts.subtitle, *texts.notes]))
        if chart.lacks_hours:
            self.view.show_message("This range is not loaded by the hour.")
        elif chart.series is not None and not chart.series.totals:
            self.view.show_message("Nothing to draw")
        else:
            self.view.show_chart(texts)
        self.view.setAccessibleDescription(". ".join([*texts.notes, "Arrow keys read it, Enter filters."]))

    def show_message(self, text: str) -> None:
        """Show a text in place of a chart."""
        self.hours.hide()
        self.caption.show_text("")
        self.view.show_message(text)

    def _open_figures(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName("Charted figure")
        group = QActionGroup(menu)
        labels = with_letters([label for _, label in self._figures])
        for (name, _), label in zip(self._figures, labels, strict=True):
            action = QAction(label, menu, checkable=True, checked=name == self._figure)
            action.triggered.connect(lambda _checked=False, name=name: self.figure_chosen.emit(name))
            group.addAction(action)
            menu.addAction(action)
        menu.popup(self.figure.mapToGlobal(self.figure.rect().bottomLeft()))
        if group.checkedAction() is not None:
            menu.setActiveAction(group.checkedAction())

    def _on_face_clicked(self, checked: bool) -> None:
        self.face_chosen.emit(ChartFace.HEAT_MAP if checked else ChartFace.BARS)


class Caption(QLabel):
    """Shows a quiet text that is cut to its room; the tooltip has all of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Show a text."""
        self.setText(text)
        explain(self, text)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(muted_colour(self.palette()))
        text = QFontMetrics(self.font()).elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(self.rect(), flags, text)
        painter.end()
