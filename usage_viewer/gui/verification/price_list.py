"""Builds the dialog that lists the prices of line items, with their changes."""

from collections.abc import Collection
from decimal import Decimal

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QWidget

from usage_viewer.app.bill.price_table import NO_CHANGES, NO_PRICE, price_lines, units_text
from usage_viewer.app.bill.prices import Price, PriceList, day_start, price_view
from usage_viewer.domain.catalog import MONEY, Kind
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.formatting.periods import day_text
from usage_viewer.gui.verification.record_dialog import Field, RecordDialog, RecordModel
from usage_viewer.gui.widgets.theme import UNIT

TITLE = "Prices"
NO_LINES = "No line item of this cell has a price. Tick “All line items” to see the others."


class PriceDialog(RecordDialog):
    """Lists prices by line item and day, of `chosen` line items at first (None: of all). Enter opens their days."""

    view_requested = Signal(object)  # ViewState of the days of a price

    def __init__(self, found: PriceList, chosen: Collection[str] | None, parent: QWidget) -> None:
        texts = _Texts(parent.locale())
        fields: list[Field[Price]] = [
            Field("Line item", lambda item: item.line_item),
            Field("From (UTC)", lambda item: texts.day(item.first_day)),
            Field("Until", lambda item: texts.day(item.last_day)),
            Field("Price", texts.price, number=True),
            Field("For", lambda item: units_text(item.units, item.counts)),
            Field("Before", lambda item: texts.number(item.before), number=True),
            Field("Change", texts.change, number=True),
            Field("Cost of the change since", texts.cost, number=True),
        ]
        self._found, self._chosen = found, chosen
        self._records: RecordModel[Price] = RecordModel(fields, found.prices)
        super().__init__(TITLE, self._records, parent)
        self.changed_only = QCheckBox("Only &changed prices", self)
        self.all_lines = QCheckBox("&All line items", self)
        self.all_lines.setVisible(chosen is not None)
        for box in (self.changed_only, self.all_lines):
            box.toggled.connect(self._show_chosen)
            self.controls.addWidget(box)
        self.controls.addStretch(1)
        self.days_button = self.buttons.addButton("Show &days", QDialogButtonBox.ButtonRole.ActionRole)
        self.days_button.setToolTip("Shows the spend of this line item by day, with the price of each day (Enter)")
        self.days_button.clicked.connect(self.table.open_row)
        self.table.opens_rows = True
        self.table.row_opened.connect(lambda row: self._open(self._records.rows[row]))
        self.resize(150 * UNIT, self.height())
        self._show_chosen()

    def _show_chosen(self) -> None:
        listed = self._found
        if self._chosen is not None and not self.all_lines.isChecked():
            listed = listed.of(self._chosen)
        if self.changed_only.isChecked():
            listed = listed.changed
        self._records.set_rows(listed.prices)
        self.intro.setText("\n".join(price_lines(listed)))
        empty = NO_CHANGES if self.changed_only.isChecked() else NO_LINES
        self.set_empty_text(self._found.problem or empty)
        self.days_button.setEnabled(bool(listed.prices))
        if listed.prices:
            self.table.make_current(0)

    def _open(self, price: Price) -> None:
        self.accept()
        self.view_requested.emit(price_view(price))


class _Texts:
    """Writes days, prices and amounts in a locale."""

    def __init__(self, locale: QLocale) -> None:
        self._locale, self._numbers = locale, NumberFormat(locale)

    def day(self, day: int) -> str:
        return day_text(day_start(day), self._locale)

    def price(self, item: Price) -> str:
        return NO_PRICE if item.price is None else f"{self.number(item.price)} {item.currency}".strip()

    def number(self, value: Decimal | None) -> str:
        return "" if value is None else self._numbers.text(value, Kind.DECIMAL)

    def change(self, item: Price) -> str:
        if item.change is None:
            return ""
        return f"{'+' if item.change > 0 else ''}{self.number(item.change)} %"

    def cost(self, item: Price) -> str:
        if item.cost is None:
            return ""
        text = self._numbers.rounded(item.cost, Kind.DECIMAL, MONEY, 2)
        return f"{'+' if item.cost > 0 else ''}{text} {item.currency}".strip()
