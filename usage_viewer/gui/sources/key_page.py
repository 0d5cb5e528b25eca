"""Asks for the admin key and explains which key is needed, how to create it and where it is kept."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import InputError, NotAnAdminKey, UsageViewerError
from usage_viewer.domain.network_errors import WrongServer
from usage_viewer.domain.origin import origin_of
from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.theme import UNIT, error_colour, muted_colour, plain_label, scaled_font

WIDTH = 68 * UNIT
ADMIN_KEYS_PAGE = "platform.openai.com/settings/organization/admin-keys"
INTRODUCTION = (
    "Usage Viewer reads your organization's usage with an admin key. A project key or a service account's key "
    "can't read usage."
)
STEPS = (
    f"Ask an organization owner to create an admin key at {ADMIN_KEYS_PAGE}",
    "Permissions: Restricted, with Usage: Read. To see names instead of ids, add "
    "Organization administration: Read.",
    "Copy the key (it begins with sk-admin-) and paste it here.",
)


class KeyPage(QWidget):
    """Emits the typed key; `KeyController` checks and stores it and calls the `show_…` methods."""

    key_entered = Signal(object)  # AdminKey
    server_chosen = Signal(str, object)  # base URL of the server that the typed AdminKey is for
    demo_requested = Signal()
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = plain_label("Connect your organization", self)
        self._title.setFont(scaled_font(self.font(), 1.7, bold=True))
        self._field = LineEdit(self, echoMode=QLineEdit.EchoMode.Password, placeholderText="sk-admin-…")
        self._field.setAccessibleName("Admin key")
        self._field.setAccessibleDescription("Paste the admin key of your organization. It is shown as dots.")
        self._field.setMaxLength(4096)
        self._connect = QPushButton("&Connect", self)
        self._connect.setDefault(True)
        self._connect.setAutoDefault(True)
        self._connect.setAccessibleDescription("Checks the key with one small request, then stores it.")
        self._use_server = QPushButton("", self)
        self._use_server.setAccessibleDescription("Sets the organization's server and checks the key there.")
        self._server = ""
        self._demo = QPushButton("Try the &demo", self)
        self._demo.setAccessibleDescription("Opens a sample organization; no key is needed.")
        self._back = QPushButton("&Back", self)
        self._back.setVisible(False)
        self._use = plain_label("", self, wrap=True)
        self._busy = QProgressBar(self, textVisible=False)
        self._busy.setRange(0, 0)
        self._busy.setFixedHeight(UNIT // 2)
        self._busy.setAccessibleName("Checking the key")
        self._problem = plain_label("", self, wrap=True)
        self._problem.setFont(scaled_font(self.font(), 1.0, bold=True))
        self._hint = plain_label("", self, wrap=True)
        self._place = plain_label("", self, wrap=True)
        self._lay_out()
        self._field.returnPressed.connect(self._on_entered)
        self._field.textEdited.connect(self._on_edited)
        self._connect.clicked.connect(self._on_entered)
        self._use_server.clicked.connect(self._on_server_chosen)
        self._demo.clicked.connect(self.demo_requested)
        self._back.clicked.connect(self.cancelled)
        self.show_idle()

    def _lay_out(self) -> None:
        column = QFrame(self)
        column.setMaximumWidth(WIDTH)
        inside = QVBoxLayout(column)
        inside.setSpacing(UNIT)
        inside.addWidget(self._title)
        inside.addWidget(self._use)
        inside.addWidget(plain_label(INTRODUCTION, wrap=True))
        inside.addSpacing(UNIT)
        inside.addLayout(self._steps())
        inside.addSpacing(UNIT)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(self._labelled("Admin &key", self._field), self._field)
        inside.addLayout(form)
        inside.addWidget(self._busy)
        inside.addWidget(self._problem)
        inside.addWidget(self._hint)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        buttons.addWidget(self._use_server)
        buttons.addWidget(self._connect)
        buttons.addWidget(self._demo)
        buttons.addStretch(1)
        buttons.addWidget(self._back)
        inside.addLayout(buttons)
        inside.addSpacing(UNIT)
        inside.addWidget(self._place)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 3 * UNIT)
        outside.addStretch(2)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(column, 100)
        row.addStretch(1)
        outside.addLayout(row)
        outside.addStretch(3)

    def _steps(self) -> QGridLayout:
        """Return the steps with their numbers in a column of their own, since a step may take several lines."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(UNIT)
        grid.setVerticalSpacing(UNIT)
        for number, step in enumerate(STEPS, 1):
            text = plain_label(step, wrap=True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(plain_label(f"{number}."), number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(text, number, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _labelled(self, text: str, buddy: QWidget) -> QLabel:
        label = plain_label(text, self)
        label.setBuddy(buddy)
        return label

    @property
    def problem_text(self) -> str:
        """Returns the visible problem and hint."""
        return f"{self._problem.text()} {self._hint.text()}".strip()

    @property
    def place_text(self) -> str:
        """Returns the visible sentence about where the key is kept."""
        return self._place.text()

    @property
    def title(self) -> str:
        """Returns the visible title."""
        return self._title.text()

    @property
    def use_text(self) -> str:
        """Returns the visible sentence about the server of the key, and the key that is replaced."""
        return self._use.text()

    @property
    def checking(self) -> bool:
        """Returns whether a key is being checked."""
        return self._busy.isVisibleTo(self)

    # State

    def set_place(self, text: str) -> None:
        """Show a sentence about where the key is kept."""
        self._place.setText(text)
        palette = self._place.palette()
        palette.setColor(QPalette.ColorRole.WindowText, muted_colour(self.palette()))
        self._place.setPalette(palette)

    def set_request(self, organization: str, server: str, replaced: str = "", *, can_go_back: bool) -> None:
        """Set whose key is asked for, the only server (an origin) that gets it, and the masked key it replaces.

        `organization` "" has no name yet. `can_go_back` says whether there is a page to go back to.
        """
        whose = visible(organization) or "your organization"
        self._title.setText(f"Change admin key of {whose}" if replaced else f"Connect {whose}")
        use = f"The key is sent to {server} only."
        self._use.setText(f"The new key replaces {replaced}. {use}" if replaced else use)
        self._back.setVisible(can_go_back)

    def show_note(self, text: str) -> None:
        """Show a sentence that is no problem."""
        self._set_busy(False)
        self._show_text("", text)
        self._field.setFocus()

    def show_idle(self) -> None:
        """Wait for a key, without any problem."""
        self._set_busy(False)
        self._show_text("", "")

    def show_checking(self) -> None:
        """Show that the key is being checked, and accept no other one meanwhile."""
        self._set_busy(True)
        self._show_text("", "Checking the key…")

    def show_error(self, error: UsageViewerError) -> None:
        """Show a problem and its hint; the typed key stays in the field for correction.

        If the organization has another server, a button offers to use that server with the typed key.
        """
        self._set_busy(False)
        # The server's message about a key of the wrong kind names missing scopes, which is misleading.
        detail = "" if isinstance(error, NotAnAdminKey) else visible(error.detail)
        self._show_text(error.title, f"{error.hint}\n{detail}".strip())
        self._offer_server(error.server if isinstance(error, WrongServer) else "")
        self._field.setFocus()
        self._field.selectAll()

    def clear(self) -> None:
        """Empty the field and hide the problem."""
        self._field.clear()
        self.show_idle()

    # Input

    def _on_entered(self) -> None:
        if self.checking:
            return
        try:
            key = AdminKey.parse(self._field.text())
        except InputError as error:
            self.show_error(error)
        else:
            self.key_entered.emit(key)

    def _on_server_chosen(self) -> None:
        server = self._server
        try:
            key = AdminKey.parse(self._field.text())
        except InputError as error:
            self.show_error(error)
        else:
            self.server_chosen.emit(server, key)

    def _on_edited(self, text: str) -> None:
        """Report a pasted key of the wrong kind at once."""
        self._show_text("", "")
        try:
            key = AdminKey.parse(text)
        except InputError:
            return
        if not key.looks_like_admin and len(text) > 20:
            self._show_text("", "This doesn't look like an admin key: admin keys begin with sk-admin-.")

    def _set_busy(self, busy: bool) -> None:
        self._busy.setVisible(busy)
        self._field.setReadOnly(busy)
        self._connect.setEnabled(not busy)
        self._demo.setEnabled(not busy)

    def _offer_server(self, server: str) -> None:
        """Offer to use another server of the vendor (a base URL); "" offers none."""
        self._server = server
        self._use_server.setText(f"&Use {origin_of(server).partition('://')[2]}" if server else "")
        self._use_server.setVisible(bool(server))

    def _show_text(self, problem: str, hint: str) -> None:
        self._offer_server("")
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        palette = self._problem.palette()
        palette.setColor(QPalette.ColorRole.WindowText, error_colour(self.palette()))
        self._problem.setPalette(palette)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Goes back with Esc, if there is a page to go back to."""
        if event.key() == Qt.Key.Key_Escape and self._back.isVisibleTo(self):
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Give the focus to the field."""
        super().showEvent(event)
        self._field.setFocus()
