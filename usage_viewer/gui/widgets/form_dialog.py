"""`FormDialog`: a small dialog with a title, a sentence and fields; it shows input errors in place."""

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from usage_viewer.domain.errors import InputError
from usage_viewer.gui.widgets.theme import UNIT, error_colour, plain_label, scaled


class FormDialog(QDialog):
    """Opened with `open()`. `act` is called when it is accepted; an InputError that it raises is shown in place.

    The first field has the focus. With `removes`, accepting deletes something: then *Cancel* is the default button
    and has the focus, so that neither Enter nor Space nor a typed sentence can confirm it.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        button: str,
        act: Callable[[], None],
        *,
        removes: bool = False,
    ) -> None:
        super().__init__(parent)
        self._removes = removes
        self._act = act
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        heading = plain_label(title, self)
        heading.setFont(scaled(self.font(), 1.3, bold=True))
        self.body = QVBoxLayout()
        self.body.setSpacing(UNIT)
        self._problem = plain_label("", self, wrap=True)
        self._problem.setVisible(False)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.button = QPushButton(button, self)
        self._buttons.addButton(self.button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.cancel = self._buttons.button(QDialogButtonBox.StandardButton.Cancel)
        (self.cancel if removes else self.button).setDefault(True)
        self._buttons.accepted.connect(self._on_accepted)
        self._buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        column.addWidget(heading)
        column.addWidget(plain_label(text, self, wrap=True))
        column.addLayout(self.body)
        column.addWidget(self._problem)
        column.addStretch(1)
        column.addWidget(self._buttons)
        self.setMinimumWidth(52 * UNIT)

    @property
    def problem_text(self) -> str:
        return self._problem.text()

    def showEvent(self, event: QShowEvent) -> None:
        # The fields are added after the buttons: without this, the focus would begin at the buttons.
        fields = [
            one
            for one in self.findChildren(QWidget)
            if one.focusPolicy() & Qt.FocusPolicy.TabFocus and not self._buttons.isAncestorOf(one)
        ]
        for before, after in pairwise([*fields, self.cancel, self.button]):
            QWidget.setTabOrder(before, after)
        (self.cancel if self._removes or not fields else fields[0]).setFocus()
        super().showEvent(event)

    def _on_accepted(self) -> None:
        try:
            self._act()
        except InputError as error:
            self._problem.setText(f"{error.title}. {error.hint}")
            palette = self._problem.palette()
            palette.setColor(QPalette.ColorRole.WindowText, error_colour(self.palette()))
            self._problem.setPalette(palette)
            self._problem.setVisible(True)
            self.adjustSize()  # else the fields would give way to it
        else:
            self.accept()
