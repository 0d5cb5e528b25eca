"""Shows whether the totals are verified; its popup lists differences and actions."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QToolButton, QWidget

from usage_viewer.domain.catalog import Dataset, dataset_named
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict
from usage_viewer.gui.formatting.moments import bucket_text, counted, moment_text
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.verification.verifier import VerificationState
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.plain_text import tip
from usage_viewer.gui.widgets.popup import Popup
from usage_viewer.gui.widgets.theme import UNIT, plain_label, quiet, scaled, warning_colour

MOST_LINES = 6
"""Differing buckets that the popup names; all are in the list."""

_WORDS = {
    Verdict.NOT_VERIFIED: "Not yet checked",
    Verdict.VERIFIED: "Proven",
    Verdict.DIFFERS: "Differs",
}
_ICONS = {Verdict.NOT_VERIFIED: "unproven", Verdict.VERIFIED: "proven", Verdict.DIFFERS: "warning"}


class VerificationBadge(QToolButton):
    """A click checks what was not checked yet, and else opens what is known."""

    check_requested = Signal()
    refetch_requested = Signal(object)  # tuple of Bucket
    list_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.standing = VerificationState()
        self.dataset = dataset_named("completions")
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.clicked.connect(self._on_clicked)
        self.show_standing(self.standing)

    def show_standing(self, standing: VerificationState) -> None:
        self.standing = standing
        verdict = standing.completeness.verdict
        word = "Checking…" if standing.checking else _WORDS[verdict]
        self.setText(word)
        self.setEnabled(standing.checking or standing.can_ask or verdict is not Verdict.NOT_VERIFIED)
        told = explained(standing, self.dataset, self.locale())
        self.setToolTip(tip(told))
        self.setAccessibleName(f"{word}. {told}")
        self._draw()

    def _draw(self) -> None:
        verdict = Verdict.NOT_VERIFIED if self.standing.checking else self.standing.completeness.verdict
        around = QApplication.palette()
        colour = warning_colour(around) if verdict is Verdict.DIFFERS else quiet(around)
        if self.palette().color(QPalette.ColorRole.ButtonText) != colour:
            own = QPalette()
            for role in (QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
                own.setColor(role, colour)
            self.setPalette(own)
        self.setIcon(icon(_ICONS[verdict], self))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "standing"):
            self._draw()

    def _on_clicked(self) -> None:
        if self.standing.checking:
            return
        if self.standing.completeness.verdict is Verdict.NOT_VERIFIED:
            self.check_requested.emit()
        else:
            self.popup().open_under(self)

    def popup(self) -> "VerificationPopup":
        popup = VerificationPopup(self.standing, self.dataset, self)
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        popup.check.clicked.connect(self.check_requested)
        popup.refetch.clicked.connect(lambda: self.refetch_requested.emit(self.standing.completeness.differing))
        popup.all.clicked.connect(self.list_requested)
        return popup


class VerificationPopup(Popup):
    """What was compared and when; where it differs; buttons to fetch that again, to list it, to check again."""

    def __init__(self, standing: VerificationState, dataset: Dataset, parent: QWidget) -> None:
        super().__init__(parent)
        self.setPalette(QPalette())  # the seal's colour is its own
        completeness = standing.completeness
        differs = completeness.verdict is Verdict.DIFFERS
        title = plain_label(headline(completeness, parent.locale()), self)
        title.setFont(scaled(title.font(), 1.0, bold=True))
        self.column.addWidget(title)
        text = plain_label(explained(standing, dataset, parent.locale()), self, wrap=True)
        text.setMinimumWidth(52 * UNIT)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(text)
        self.refetch = QPushButton("&Refetch those", self)
        self.all = QPushButton("&List all…", self)
        self.check = QPushButton("Check &again", self)
        self.refetch.setVisible(differs)
        self.all.setVisible(differs)
        row = QHBoxLayout()
        row.setSpacing(UNIT)
        row.addStretch(1)
        for button in (self.all, self.check, self.refetch):
            button.clicked.connect(self.close)
            row.addWidget(button)
        for button in (self.check, self.refetch):
            button.setEnabled(standing.can_ask)
        self.column.addLayout(row)
        (self.refetch if differs else self.check).setFocus()


def headline(completeness: Completeness, locale: QLocale) -> str:
    if completeness.verdict is Verdict.DIFFERS:
        verb = "differs" if len(completeness.differing) == 1 else "differ"
        return f"{_of(completeness.differing, completeness.buckets, locale)} {verb} from what the server tells"
    return "All of it is there"


def explained(standing: VerificationState, dataset: Dataset, locale: QLocale) -> str:
    """Lines of plain text."""
    completeness = standing.completeness
    if standing.checking:
        return "Comparing the sums of what is held with what the server tells without any grouping."
    lines = [f"The last check failed: {standing.problem}."] if standing.problem else []
    if completeness.verdict is Verdict.NOT_VERIFIED:
        return "\n".join([*lines, _unasked(standing, locale)])
    when = moment_text(completeness.checked_at or 0, locale)
    if completeness.verdict is Verdict.VERIFIED:
        buckets = counted(completeness.buckets, "bucket", locale)
        lines.append(f"The sums of {buckets} equal what the server tells without any grouping, checked {when}.")
    else:
        lines += [f"Checked {when}."]
        lines += difference_lines(completeness.differences, dataset, locale)
    if completeness.growing:
        grown = ", ".join(bucket_text(bucket, locale) for bucket in completeness.growing[:3])
        more = " and others" if len(completeness.growing) > 3 else ""
        lines.append(
            f"Still growing while it was checked, what is held lies between what was told before and after: "
            f"{grown}{more}."
        )
    return "\n".join(lines)


def _unasked(standing: VerificationState, locale: QLocale) -> str:
    if not standing.can_ask:
        return "It can be checked once all of it is held, and with a key."
    calls = counted(standing.calls, "call", locale)
    return f"Click to compare what is held with what the server tells without any grouping ({calls})."


def _of(buckets: Sequence[Bucket], total: int, locale: QLocale) -> str:
    noun = buckets[0].width.noun if len({bucket.width for bucket in buckets}) == 1 else "bucket"
    return f"{locale.toString(len(buckets))} of {counted(total, noun, locale)}"


def difference_lines(found: Sequence[Difference], dataset: Dataset, locale: QLocale) -> list[str]:
    """A line for each of the first buckets: how much is missing of each figure, or too much."""
    lines: dict[Bucket, list[str]] = {}
    for item in found:
        lines.setdefault(item.bucket, []).append(excess_text(item, dataset, locale))
    told = [
        f"{bucket_text(bucket, locale)}: {'; '.join(parts[:3])}{' …' if len(parts) > 3 else ''}"
        for bucket, parts in list(lines.items())[:MOST_LINES]
    ]
    left = len(lines) - len(told)
    return [*told, f"and {locale.toString(left)} more"] if left else told


def excess_text(item: Difference, dataset: Dataset, locale: QLocale) -> str:
    """As "Input 1,234 too little"."""
    metric = dataset.column(item.metric)
    size = NumberFormat(locale).text(abs(item.excess), metric.kind, metric.unit)
    unit = f" {item.unit}" if item.unit else ""
    return f"{metric.label} {size}{unit} too {'much' if item.excess > 0 else 'little'}"
