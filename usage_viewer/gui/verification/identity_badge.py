"""Defines the badge in the totals row that counts figures whose parts don't add up to the total."""

from PySide6.QtCore import QEvent, QLocale, QObject, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QToolButton

from usage_viewer.domain.verification import BrokenIdentities
from usage_viewer.gui.formatting.moments import count_text
from usage_viewer.gui.table.totals_row import TotalsRow
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.plain_text import explain
from usage_viewer.gui.widgets.theme import UNIT, warning_colour


class IdentityBadge(QToolButton):
    """Shows the number of broken identities before the label of the totals row; hidden if there are none.

    A click should open the list of them. The totals row moves its label to the right of the badge.
    """

    def __init__(self, totals: TotalsRow) -> None:
        super().__init__(totals)
        self._totals = totals
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setVisible(False)
        totals.installEventFilter(self)

    def show_broken_identities(self, broken: BrokenIdentities) -> None:
        """Show the count, or hide the badge if it is 0."""
        text = broken_identities_text(broken, self.locale())
        self.setText(self.locale().toString(broken.count))
        explain(self, f"{text}.\nClick to list them.")
        self.setAccessibleName(text)
        self._apply_palette()
        self.setVisible(bool(broken.count))
        self._update_geometry()

    def _apply_palette(self) -> None:
        colour = warning_colour(QApplication.palette())
        if self.palette().color(QPalette.ColorRole.WindowText) != colour:
            palette = QPalette()
            for role in (QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
                palette.setColor(role, colour)
            self.setPalette(palette)
        self.setIcon(icon("warning", self))

    def _update_geometry(self) -> None:
        width = self.sizeHint().width() if not self.isHidden() else 0
        self.setGeometry(UNIT // 2, 2, width, self._totals.height() - 3)
        self._totals.set_indent(width)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_totals"):
            self._apply_palette()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the height of the totals row."""
        if event.type() == QEvent.Type.Resize:
            self._update_geometry()
        return False


def broken_identities_text(broken: BrokenIdentities, locale: QLocale) -> str:
    """Return a text such as "Parts don't add up to the total in 3 figures"."""
    return f"Parts don't add up to the total in {count_text(broken.count, 'figure', locale)}"
