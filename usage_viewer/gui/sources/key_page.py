"""The page that asks for the admin key: which one, where to make it, what is wrong with it, where it is kept."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette, QShowEvent
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
from usage_viewer.gui.widgets.theme import UNIT, error_colour, muted_colour, plain_label, scaled_font

WIDTH = 68 * UNIT
ADMIN_KEYS_PAGE = "platform.openai.com/settings/organization/admin-keys"
INTRODUCTION = (
    "Usage Viewer reads your organization's usage with an admin key. A project key or a service account's key "
    "can't read usage."
)
STEPS = (
    f"An owner of the organization makes one at {ADMIN_KEYS_PAGE}",
    "Permissions: Restricted, with Usage: Read. To see names instead of ids, also "
    "Organization administration: Read.",
    "Copy it (its text begins with sk-admin-) and paste it here.",
)


class KeyPage(QWidget):
    """Emits what the user wants; whoever owns the page checks and keeps the key and tells the page how it went."""

    key_entered = Signal(object)  # AdminKey
    demo_requested = Signal()
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = plain_label("Connect your organization", self)
        self._title.setFont(scaled_font(self.font(), 1.7, bold=True))
        self._field = QLineEdit(self, echoMode=QLineEdit.EchoMode.Password, placeholderText="sk-admin-…")
        self._field.setAccessibleName("Admin key")
        self._field.setAccessibleDescription("Paste the admin key of your organization. It is shown as dots.")
        self._field.setMaxLength(4096)
        self._connect = QPushButton("&Connect", self)
        self._connect.setDefault(True)
        self._connect.setAutoDefault(True)
        self._connect.setAccessibleDescription("Checks the key with one small request, then keeps it.")
        self._demo = QPushButton("Try the &demo", self)
        self._demo.setAccessibleDescription("Looks at a synthetic organization; no key is needed.")
        self._back = QPushButton("&Back", self)
        self._back.setVisible(False)
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
        self._demo.clicked.connect(self.demo_requested)
        self._back.clicked.connect(self.cancelled)
        self.show_idle()

    def _lay_out(self) -> None:
        column = QFrame(self)
        column.setMaximumWidth(WIDTH)
        inside = QVBoxLayout(column)
        inside.setSpacing(UNIT)
        inside.addWidget(self._title)
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
        """The numbers stand by themselves, beside text that may take several lines."""
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
        """What is wrong and what to do, as shown."""
        return f"{self._problem.text()} {self._hint.text()}".strip()

    @property
    def place_text(self) -> str:
        return self._place.text()

    # What the owner says

    def set_place(self, text: str) -> None:
        """Where the key will be kept, in a sentence."""
        self._place.setText(text)
        palette = self._place.palette()
        palette.setColor(QPalette.ColorRole.WindowText, muted_colour(self.palette()))
        self._place.setPalette(palette)

    def set_replacing(self, replacing: bool, organization: str = "") -> None:
        """Whether there is a key already; `organization`: whose key it is, where there are several."""
        if organization:
            self._title.setText(f"Change admin key of {organization}" if replacing else f"Connect {organization}")
        else:
            self._title.setText("Change admin key" if replacing else "Connect your organization")
        self._back.setVisible(replacing or bool(organization))

    def show_idle(self) -> None:
        self._set_busy(False)
        self._say("", "")

    def show_checking(self) -> None:
        self._set_busy(True)
        self._say("", "Checking the key…")

    def show_error(self, error: UsageViewerError) -> None:
        """What is wrong and what to do; the field keeps what was typed, so that it can be mended."""
        self._set_busy(False)
        # That the key is of the wrong kind is all there is to know: what the server says of it leads astray.
        detail = "" if isinstance(error, NotAnAdminKey) else visible(error.detail)
        self._say(error.title, f"{error.hint}\n{detail}".strip())
        self._field.setFocus()
        self._field.selectAll()

    def clear(self) -> None:
        """Forgets what was typed."""
        self._field.clear()
        self.show_idle()

    # What the user does

    def _on_entered(self) -> None:
        if self._busy.isVisibleTo(self):
            return
        try:
            key = AdminKey.parse(self._field.text())
        except InputError as error:
            self.show_error(error)
        else:
            self.key_entered.emit(key)

    def _on_edited(self, text: str) -> None:
        """Says at once when a key of the wrong kind was pasted."""
        self._say("", "")
        try:
            key = AdminKey.parse(text)
        except InputError:
            return
        if not key.looks_like_admin and len(text) > 20:
            self._say("", "This doesn't look like an admin key: those begin with sk-admin-.")

    def _set_busy(self, busy: bool) -> None:
        self._busy.setVisible(busy)
        self._field.setReadOnly(busy)
        self._connect.setEnabled(not busy)
        self._demo.setEnabled(not busy)

    def _say(self, problem: str, hint: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        palette = self._problem.palette()
        palette.setColor(QPalette.ColorRole.WindowText, error_colour(self.palette()))
        self._problem.setPalette(palette)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._field.setFocus()
