"""Defines the badge in the status bar that shows whether totals are verified, and its popup with the details."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QToolButton, QWidget

from usage_viewer.domain.catalog import Dataset, dataset_named
from usage_viewer.domain.verification import Bucket, Difference, Verdict
from usage_viewer.gui.formatting.moments import bucket_text, common_noun, count_text, full_moment_text, moment_text
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.verification.verifier import VerificationState
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.plain_text import explain
from usage_viewer.gui.widgets.popup import Popup
from usage_viewer.gui.widgets.theme import UNIT, muted_colour, plain_label, scaled_font, warning_colour

MAX_LINES = 6
"""The number of differing buckets that the popup shows; the list of differences has all of them."""

_ICONS = {Verdict.NOT_VERIFIED: "unverified", Verdict.VERIFIED: "verified", Verdict.DIFFERS: "warning"}


class VerificationBadge(QToolButton):
    """Shows whether the totals are verified. A click verifies them; if there is a result, it opens the popup."""

    verify_requested = Signal()
    refetch_requested = Signal(object)  # tuple of Bucket
    differences_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = VerificationState()
        self.dataset = dataset_named("completions")
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.clicked.connect(self._on_clicked)
        self.show_state(self.state)

    def show_state(self, state: VerificationState) -> None:
        """Show a state of verification; set `dataset` to the dataset of this state before."""
        self.state = state
        verdict = state.completeness.verdict
        text = badge_text(state, self.locale())
        self.setText(text)
        self.setEnabled(state.verifying or state.can_verify or verdict is not Verdict.NOT_VERIFIED)
        details = state_text(state, self.dataset, self.locale())
        explain(self, details)
        self.setAccessibleName(text)
        self._apply_palette()

    def _apply_palette(self) -> None:
        verdict = Verdict.NOT_VERIFIED if self.state.verifying else self.state.completeness.verdict
        application_palette = QApplication.palette()
        differs = verdict is Verdict.DIFFERS
        colour = warning_colour(application_palette) if differs else muted_colour(application_palette)
        if self.palette().color(QPalette.ColorRole.ButtonText) != colour:
            palette = QPalette()
            for role in (QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
                palette.setColor(role, colour)
            self.setPalette(palette)
        self.setIcon(icon(_ICONS[verdict], self))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "state"):
            self._apply_palette()

    def _on_clicked(self) -> None:
        if self.state.verifying:
            return
        if self.state.completeness.verdict is Verdict.NOT_VERIFIED:
            self.verify_requested.emit()
        else:
            self.create_popup().open_under(self)

    def create_popup(self) -> "VerificationPopup":
        """Create the popup with the details of the present state."""
        popup = VerificationPopup(self.state, self.dataset, self)
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        popup.verify_button.clicked.connect(self.verify_requested)
        popup.refetch_button.clicked.connect(lambda: self.refetch_requested.emit(self.state.completeness.differing))
        popup.differences_button.clicked.connect(self.differences_requested)
        return popup


class VerificationPopup(Popup):
    """Shows the result of the verification, with buttons to verify again, list differences and download again."""

    def __init__(self, state: VerificationState, dataset: Dataset, parent: QWidget) -> None:
        super().__init__(parent, headline(state, parent.locale()))
        self.setPalette(QPalette())  # not the badge's palette, in which all text has the colour of the badge
        completeness = state.completeness
        differs = completeness.verdict is Verdict.DIFFERS
        title = plain_label(headline(state, parent.locale()), self)
        title.setFont(scaled_font(title.font(), 1.0, bold=True))
        self.column.addWidget(title)
        details = plain_label(state_text(state, dataset, parent.locale()), self, wrap=True)
        details.setMinimumWidth(52 * UNIT)
        details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(details)
        self.refetch_button = QPushButton("&Download again", self)
        self.differences_button = QPushButton("&Show differences…", self)
        self.verify_button = QPushButton("&Verify again", self)
        self.refetch_button.setVisible(differs and state.has_server)
        self.verify_button.setVisible(state.has_server)
        self.differences_button.setVisible(differs)
        row = QHBoxLayout()
        row.setSpacing(UNIT)
        row.addStretch(1)
        for button in (self.differences_button, self.verify_button, self.refetch_button):
            button.clicked.connect(self.close)
            row.addWidget(button)
        for button in (self.verify_button, self.refetch_button):
            button.setEnabled(state.can_verify)
        self.column.addLayout(row)
        (self.refetch_button if differs else self.verify_button).setFocus()


def badge_text(state: VerificationState, locale: QLocale) -> str:
    """Return the short text of the badge, such as "Verified 23:25"."""
    completeness = state.completeness
    if state.verifying:
        return "Verifying…"
    if completeness.verdict is Verdict.NOT_VERIFIED:
        if not state.has_server:
            return "Not verified"
        return "Partly verified" if 0 < completeness.pending < completeness.buckets else "Not verified yet"
    if completeness.verdict is Verdict.DIFFERS:
        return "Totals differ"
    return f"Verified {moment_text(completeness.checked_at or 0, locale)}"


def headline(state: VerificationState, locale: QLocale) -> str:
    """Return the title of the popup."""
    completeness = state.completeness
    buckets = completeness.differing
    if completeness.verdict is not Verdict.DIFFERS:
        return "All totals match"
    noun = common_noun(bucket.width for bucket in buckets)
    verb = "differs" if len(buckets) == 1 else "differ"
    count = count_text(len(buckets), noun, locale)
    if noun == "day" and state.extent.endswith("days"):
        count = f"{locale.toString(len(buckets))} of {state.extent}"
    return f"{count} {verb} from the totals that OpenAI reports"


def state_text(state: VerificationState, dataset: Dataset, locale: QLocale) -> str:
    """Return lines of plain text that explain a state of verification."""
    completeness = state.completeness
    if state.verifying:
        return "Comparing the downloaded totals with the totals that OpenAI reports, in the background."
    lines = [f"The last verification failed: {state.error_title}."] if state.error_title else []
    if completeness.verdict is Verdict.NOT_VERIFIED:
        return "\n".join([*lines, _not_verified_text(state, locale)])
    when = full_moment_text(completeness.checked_at or 0, locale)
    if completeness.verdict is Verdict.VERIFIED:
        every = "" if state.extent.startswith("1 ") else "all "
        lines += [
            f"Totals of {every}{state.extent} match the totals that OpenAI reports.",
            f"Verified {when}. Invoices are not part of this comparison.",
        ]
    else:
        lines += [f"Compared {when}."]
        lines += difference_lines(completeness.differences, dataset, locale)
        if completeness.pending:
            lines.append("The rest is not completely verified yet.")
    if completeness.growing:
        names = ", ".join(bucket_text(bucket, locale) for bucket in completeness.growing[:3])
        others = " and others" if len(completeness.growing) > 3 else ""
        lines.append(
            "Usage came in during the verification. "
            f"The downloaded totals lie between OpenAI's totals before and after: {names}{others}."
        )
    return "\n".join(lines)


def _not_verified_text(state: VerificationState, locale: QLocale) -> str:
    if not state.has_server:
        return "These totals were not verified when the snapshot was saved. A snapshot can't be verified later."
    if not state.can_verify:
        return "Totals can be verified when all data of this range is downloaded and there is an admin key."
    requests = count_text(state.requests, "request", locale)
    if state.completeness.pending < state.completeness.buckets:
        return f"Some data was loaded after the last verification. Click to verify all totals ({requests})."
    return f"Click to compare the downloaded totals with the totals that OpenAI reports ({requests})."


def difference_lines(differences: Sequence[Difference], dataset: Dataset, locale: QLocale) -> list[str]:
    """Return a line for each of the first differing buckets: by how much each total is too high or too low."""
    by_bucket: dict[Bucket, list[str]] = {}
    for item in differences:
        by_bucket.setdefault(item.bucket, []).append(excess_text(item, dataset, locale))
    lines = [
        f"{bucket_text(bucket, locale)}: {'; '.join(texts[:3])}{' …' if len(texts) > 3 else ''}"
        for bucket, texts in list(by_bucket.items())[:MAX_LINES]
    ]
    unlisted = len(by_bucket) - len(lines)
    return [*lines, f"and {locale.toString(unlisted)} more"] if unlisted else lines


def excess_text(item: Difference, dataset: Dataset, locale: QLocale) -> str:
    """Return a text such as "Input 1,234 too low"."""
    metric = dataset.metric(item.metric)
    size = NumberFormat(locale).text(abs(item.excess), metric.kind, metric.unit)
    unit = f" {metric.measure_text(item.unit)}" if item.unit else ""
    return f"{metric.label} {size}{unit} too {'high' if item.excess > 0 else 'low'}"
