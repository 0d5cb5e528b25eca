"""Builds the dialog that compares the bill with the usage."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QWidget

from usage_viewer.app.bill.reconciliation import BillDifference, Reconciliation, bill_view, usage_view
from usage_viewer.app.bill.reconciliation_table import LINE_JOINT, NO_LINE_ITEM, empty_text, summary_lines
from usage_viewer.domain.catalog import MONEY, Kind
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.formatting.periods import day_text
from usage_viewer.gui.verification.record_dialog import Field, RecordDialog, RecordModel
from usage_viewer.gui.widgets.theme import UNIT
from usage_viewer.query.spend.quantity_differences import DifferenceReason

TITLE = "Bill and usage"
ALL_REASONS = "All reasons"
MAP_BY_HAND = "In Bill → Line items (Ctrl+Shift+I), you can map it by hand."


class ReconcileDialog(RecordDialog):
    """Lists the differences of a range. Enter opens the rows of the bill, a button those of the usage."""

    view_requested = Signal(object)  # ViewState of the rows of a difference

    def __init__(self, found: Reconciliation, parent: QWidget) -> None:
        texts = _Texts(parent.locale())
        fields: list[Field[BillDifference]] = [
            Field("Day (UTC)", texts.day),
            Field("Line item", texts.line_items),
            Field("Reason", lambda item: item.difference.reason.words),
            Field("Amount", texts.amounts, number=True),
            Field("Billed", lambda item: texts.count(item.difference.billed), number=True),
            Field("Used", lambda item: texts.count(item.difference.used), number=True),
            Field("Difference", lambda item: texts.count(item.difference.excess), number=True),
        ]
        self._found = found
        self._records: RecordModel[BillDifference] = RecordModel(fields, found.differences)
        super().__init__(TITLE, self._records, parent)
        self.intro.setText("\n".join(summary_lines(found, texts.amount)))
        self.reasons = QComboBox(self)
        self.reasons.setAccessibleName("Reason of the differences")
        self._list_reasons(parent.locale())
        self.reasons.currentIndexChanged.connect(self._show_chosen)
        self.controls.addWidget(self.reasons)
        self.controls.addStretch(1)
        action = QDialogButtonBox.ButtonRole.ActionRole
        self.bill_button = self.buttons.addButton("Show &bill", action)
        self.bill_button.setToolTip("Shows the rows of spend of this day and line item (Enter)")
        self.usage_button = self.buttons.addButton("Show &usage", action)
        self.usage_button.setToolTip("Shows the usage of this day that the line item bills")
        self.bill_button.clicked.connect(self.table.open_row)
        self.usage_button.clicked.connect(self._open_usage)
        self.table.opens_rows = True
        self.table.row_opened.connect(lambda row: self._open(bill_view(self._records.rows[row])))
        self.table.selectionModel().currentChanged.connect(lambda *_: self._show_details())
        self.details.setVisible(bool(found.differences))
        self.resize(144 * UNIT, self.height())
        self._show_chosen()

    def _list_reasons(self, locale: QLocale) -> None:
        """Offer each reason that occurs, the most frequent first."""
        counts = Counter(item.difference.reason for item in self._found.differences)
        self.reasons.addItem(f"{ALL_REASONS} ({locale.toString(counts.total())})", None)
        for reason, number in sorted(counts.items(), key=lambda item: (-item[1], item[0].words)):
            self.reasons.addItem(f"{reason.words} ({locale.toString(number)})", reason.value)
        self.reasons.setVisible(len(counts) > 1)

    def _show_chosen(self) -> None:
        chosen = self.reasons.currentData()
        listed = [item for item in self._found.differences if chosen in (None, item.difference.reason)]
        self._records.set_rows(listed)
        self.set_empty_text(empty_text(self._found))
        if listed:
            self.table.make_current(0)
        self._show_details()

    @property
    def _current(self) -> BillDifference | None:
        row = self.table.currentIndex().row()
        return self._records.rows[row] if 0 <= row < len(self._records.rows) else None

    def _show_details(self) -> None:
        """Explain the reason of the current row, and offer its rows."""
        current = self._current
        self.bill_button.setEnabled(current is not None)
        self.usage_button.setEnabled(current is not None and usage_view(current) is not None)
        if current is None:
            self.details.setText("")
            return
        difference = current.difference
        text = difference.reason.explanation
        if difference.reason is DifferenceReason.RENAMED_MODEL and difference.other_model is not None:
            text += f" The other model is {difference.other_model}."
        if difference.reason is DifferenceReason.UNRECOGNISED:
            text += f" {MAP_BY_HAND}"
        self.details.setText(text)
        self.table.setAccessibleDescription(text)

    def _open_usage(self) -> None:
        current = self._current
        view = None if current is None else usage_view(current)
        if view is not None:
            self._open(view)

    def _open(self, view: object) -> None:
        self.accept()
        self.view_requested.emit(view)


class _Texts:
    """Writes days, amounts and quantities in a locale."""

    def __init__(self, locale: QLocale) -> None:
        self._locale, self._numbers = locale, NumberFormat(locale)

    def day(self, item: BillDifference) -> str:
        return day_text(datetime.fromtimestamp(item.start, UTC), self._locale)

    @staticmethod
    def line_items(item: BillDifference) -> str:
        return LINE_JOINT.join(text or NO_LINE_ITEM for text in item.line_items)

    def amounts(self, item: BillDifference) -> str:
        return ", ".join(self.amount(amount, currency) for currency, amount in item.amounts)

    def amount(self, amount: Decimal, currency: str) -> str:
        return f"{self._numbers.text(amount, Kind.DECIMAL, MONEY)} {currency}".strip()

    def count(self, number: int | None) -> str:
        return self._numbers.text(number, Kind.COUNT)
