"""Defines `FormDialog`, a small dialog with a title, a sentence and fields that shows input errors in place."""

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from usage_viewer.domain.errors import InputError
from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.plain_text import menu_text
from usage_viewer.gui.widgets.theme import UNIT, error_colour, plain_label, scaled_font


class FormDialog(QDialog):
    """Asks for input and calls `act` when the user accepts; an `InputError` of `act` is shown above the buttons.

    Show the dialog with `open()`. The first field has the focus. If accepting removes something, `to_type` is the
    text, a word or a name, that the user must type to confirm. Until `typed` has that text, `button` is disabled
    and *Cancel* is the default, so that no Enter, Space or typed sentence can confirm. `cancel_is_default` makes
    it the default for a removal that can be undone.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        button: str,
        act: Callable[[], None],
        *,
        to_type: str = "",
        cancel_is_default: bool = False,
    ) -> None:
        super().__init__(parent)
        self.to_type = to_type
        self._act = act
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        heading = plain_label(title, self)
        heading.setFont(scaled_font(self.font(), 1.3, bold=True))
        self.body = QVBoxLayout()
        self.body.setSpacing(UNIT)
        self._problem = plain_label("", self, wrap=True)
        self._problem.setVisible(False)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.button = QPushButton(button, self)
        self._buttons.addButton(self.button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.cancel = self._buttons.button(QDialogButtonBox.StandardButton.Cancel)
        (self.cancel if to_type or cancel_is_default else self.button).setDefault(True)
        self._buttons.accepted.connect(self._on_accepted)
        self._buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        column.addWidget(heading)
        column.addWidget(plain_label(text, self, wrap=True))
        column.addLayout(self.body)
        if to_type:
            column.addLayout(self._typed_field(to_type))
        column.addWidget(self._problem)
        column.addStretch(1)
        column.addWidget(self._buttons)
        self.setMinimumWidth(52 * UNIT)

    def _typed_field(self, to_type: str) -> QVBoxLayout:
        self.typed = LineEdit(self)
        self.typed.setAccessibleName(f"Type {to_type} to confirm")
        self.typed.textChanged.connect(self._on_typed)
        label = plain_label(f"&To confirm, type “{menu_text(to_type)}”", self, wrap=True)
        label.setBuddy(self.typed)
        self.button.setEnabled(False)
        field = QVBoxLayout()
        field.setSpacing(UNIT // 2)
        field.addWidget(label)
        field.addWidget(self.typed)
        return field

    def _on_typed(self, text: str) -> None:
        confirmed = _plain(text) == _plain(self.to_type)
        self.button.setEnabled(confirmed)
        (self.button if confirmed else self.cancel).setDefault(True)

    @property
    def problem_text(self) -> str:
        """Return the input error that is shown; empty if there is none."""
        return self._problem.text()

    def showEvent(self, event: QShowEvent) -> None:
        # The fields are added after the buttons. Without this, the tab order would begin at the buttons.
        fields = [
            widget
            for widget in self.findChildren(QWidget)
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and not self._buttons.isAncestorOf(widget)
            and widget.window() is self  # the list of a combo box is a window of its own
        ]
        if self.to_type:  # built before the fields of a subclass, but below them
            fields = [*(field for field in fields if field is not self.typed), self.typed]
        for before, after in pairwise([*fields, self.cancel, self.button]):
            QWidget.setTabOrder(before, after)
        first = fields[0] if fields else self.cancel
        (self.typed if self.to_type else first).setFocus()
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
            self.adjustSize()  # otherwise the message would take its space from the fields
        else:
            self.accept()


def _plain(text: str) -> str:
    """Return the text without differences of case and spaces."""
    return " ".join(text.split()).casefold()
