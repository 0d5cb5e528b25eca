"""`IdentityBadge`: a mark at the totals that says how many rows contradict themselves; hidden while none do."""

from PySide6.QtCore import QEvent, QLocale, QObject, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QToolButton

from usage_viewer.domain.verification import BrokenIdentities
from usage_viewer.gui.table.totals_row import TotalsRow
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.plain_text import tip
from usage_viewer.gui.widgets.theme import UNIT, warning_colour


class IdentityBadge(QToolButton):
    """Stands before the label of the totals row, which makes room for it. A click lists the breaches."""

    def __init__(self, totals: TotalsRow) -> None:
        super().__init__(totals)
        self._totals = totals
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setVisible(False)
        totals.installEventFilter(self)

    def show_breaches(self, breaches: BrokenIdentities) -> None:
        text = breach_text(breaches, self.locale())
        self.setText(self.locale().toString(breaches.count))
        self.setToolTip(tip(f"{text}.\nClick to list them."))
        self.setAccessibleName(text)
        self._draw()
        self.setVisible(bool(breaches.count))
        self._place()

    def _draw(self) -> None:
        colour = warning_colour(QApplication.palette())
        if self.palette().color(QPalette.ColorRole.WindowText) != colour:
            own = QPalette()
            for role in (QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
                own.setColor(role, colour)
            self.setPalette(own)
        self.setIcon(icon("warning", self))

    def _place(self) -> None:
        width = self.sizeHint().width() if not self.isHidden() else 0
        self.setGeometry(UNIT // 2, 2, width, self._totals.height() - 3)
        self._totals.set_indent(width)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_totals"):
            self._draw()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False


def breach_text(breaches: BrokenIdentities, locale: QLocale) -> str:
    """As "3 figures aren't the sum of their parts"."""
    noun = "figure isn't the sum of its" if breaches.count == 1 else "figures aren't the sum of their"
    return f"{locale.toString(breaches.count)} {noun} parts"
