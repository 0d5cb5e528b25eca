"""Builds the dialogs that list what line items mean, and map one by hand."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialogButtonBox, QFormLayout, QWidget

from usage_viewer.app.bill.line_items import LineItem, LineItems, kinds
from usage_viewer.app.spend.line_mappings import by_hand
from usage_viewer.domain.catalog import API_DATASETS, MONEY, Kind
from usage_viewer.domain.spend import Target
from usage_viewer.gui.formatting.moments import count_text
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.verification.record_dialog import Field, RecordDialog, RecordModel
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.widgets.theme import UNIT, plain_label

TITLE = "Line items"
INTRO = (
    "What each line item of the bill is attributed to, and how it is known. If one is not recognized, or wrongly, "
    "you can map it by hand; only this organization on this computer is affected, and it can be undone."
)
ALL_RECOGNIZED = "All line items are recognized."
ALL_TIERS = "All service tiers"
NO_USAGE = "No usage (storage, evals, …)"


class LineItemsDialog(RecordDialog):
    """Lists line items. Enter maps the current one by hand, Delete removes its mapping."""

    map_requested = Signal(object)  # LineItem
    undo_requested = Signal(object)  # LineItem

    def __init__(self, found: LineItems, parent: QWidget) -> None:
        numbers = NumberFormat(parent.locale())

        def amounts(item: LineItem) -> str:
            texts = (f"{numbers.text(amount, Kind.DECIMAL, MONEY)} {currency}" for currency, amount in item.amounts)
            return ", ".join(texts).strip()

        fields: list[Field[LineItem]] = [
            Field("Line item", lambda item: item.meaning.text),
            Field("Unit", lambda item: (item.meaning.unit or "").replace("_", " ")),
            Field("Amount", amounts, number=True),
            Field("Attributed to", lambda item: item.target_text),
            Field("Known by", lambda item: item.known_by),
        ]
        self.found = found
        self._records: RecordModel[LineItem] = RecordModel(fields, found.items)
        super().__init__(TITLE, self._records, parent)
        self.intro.setText(INTRO)
        self.unrecognized = QCheckBox("Only &unrecognized ones and those mapped by hand", self)
        self.unrecognized.toggled.connect(self._show_chosen)
        self.controls.addWidget(self.unrecognized)
        self.controls.addStretch(1)
        action = QDialogButtonBox.ButtonRole.ActionRole
        self.map_button = self.buttons.addButton("&Map by hand…", action)
        self.map_button.setToolTip("Chooses what the current line item is attributed to (Enter)")
        self.undo_button = self.buttons.addButton("Remo&ve mapping", action)
        self.undo_button.setToolTip("The program decides again what the current line item means (Delete)")
        self.map_button.clicked.connect(self.table.open_row)
        self.undo_button.clicked.connect(self._undo)
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._undo)
        self.table.opens_rows = True
        self.table.row_opened.connect(lambda row: self.map_requested.emit(self._records.rows[row]))
        self.table.selectionModel().currentChanged.connect(lambda *_: self._enable())
        self.resize(150 * UNIT, self.height())
        self._show_chosen()

    def show_items(self, found: LineItems) -> None:
        """Show the line items after one was mapped; the current one stays the current one."""
        self.found = found
        self._show_chosen()

    def _show_chosen(self) -> None:
        current = self.current
        listed = [
            item
            for item in self.found.items
            if not self.unrecognized.isChecked() or item.is_by_hand or not item.is_recognized
        ]
        self._records.set_rows(listed)
        self.set_empty_text(self.found.problem or ALL_RECOGNIZED)
        if listed:
            places = {item.key: place for place, item in enumerate(listed)}
            self.table.make_current(0 if current is None else places.get(current.key, 0))
        self._enable()

    @property
    def current(self) -> LineItem | None:
        """The line item in the current row."""
        row = self.table.currentIndex().row()
        return self._records.rows[row] if 0 <= row < len(self._records.rows) else None

    def _enable(self) -> None:
        current = self.current
        self.map_button.setEnabled(current is not None)
        self.undo_button.setEnabled(current is not None and current.is_by_hand)

    def _undo(self) -> None:
        current = self.current
        if current is not None and current.is_by_hand:
            self.undo_requested.emit(current)


class MapDialog(FormDialog):
    """Asks which usage a line item bills, and gives it to `act`: dataset, model, kind and service tier."""

    def __init__(
        self, item: LineItem, found: LineItems, parent: QWidget, act: Callable[[Target | None], None]
    ) -> None:
        super().__init__(
            parent,
            "Map by hand",
            f"What does “{item.meaning.text}” bill?",
            "&Map",
            lambda: act(self.target),
        )
        self._item, self._found = item, found
        self.service, self.model = QComboBox(self), QComboBox(self)
        self.kind, self.tier = QComboBox(self), QComboBox(self)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        labels = ("&Usage of", "Mo&del", "&Kind", "&Service tier")
        for label, box in zip(labels, (self.service, self.model, self.kind, self.tier), strict=True):
            box.setAccessibleName(label.replace("&", ""))
            form.addRow(label, box)
        self.body.addLayout(form)
        self.agreement = plain_label("", self, wrap=True)
        self.body.addWidget(self.agreement)
        for name in found.services(item.meaning.unit):
            self.service.addItem(API_DATASETS[name].label, name)
        self.service.addItem(NO_USAGE, None)
        self.service.currentIndexChanged.connect(self._list_models)
        self.model.currentIndexChanged.connect(self._list_tiers)
        self.kind.currentIndexChanged.connect(self._show_agreement)
        self.tier.currentIndexChanged.connect(self._show_agreement)
        self._list_models()
        self._choose(item.meaning.target)

    def _choose(self, target: Target | None) -> None:
        """Choose what the line item means now."""
        if target is not None:
            boxes = (self.service, self.model, self.kind, self.tier)
            values = (target.service, target.model, target.measure, target.tier)
            for box, value in zip(boxes, values, strict=True):
                box.setCurrentIndex(max(0, box.findData(value)))

    def _list_models(self) -> None:
        service = self.service.currentData()
        self.model.clear()
        self.kind.clear()
        if service is not None:
            models = self._found.models(service)
            for model in models:
                self.model.addItem(model, model)
            for measure, text in kinds(service, self._item.meaning.unit):
                self.kind.addItem(text, measure)
            named = max((model for model in models if model in self._item.meaning.text), key=len, default=None)
            self.model.setCurrentIndex(max(0, self.model.findData(named)))
        self.kind.setEnabled(self.kind.count() > 0)
        self.model.setEnabled(self.model.count() > 0)
        self._list_tiers()

    def _list_tiers(self) -> None:
        """Offer the service tiers of the chosen model."""
        service, model = self.service.currentData(), self.model.currentData()
        self.tier.clear()
        self.tier.addItem(ALL_TIERS, None)
        for tier in self._found.tiers(service, model) if service is not None else ():
            self.tier.addItem(tier, tier)
        self.tier.setEnabled(self.tier.count() > 1)
        self._show_agreement()

    @property
    def target(self) -> Target | None:
        """The chosen usage; None for no usage."""
        service, measure = self.service.currentData(), self.kind.currentData()
        if service is None or measure is None:
            return None
        return by_hand(service, self.model.currentData(), measure, self.tier.currentData())

    def _show_agreement(self) -> None:
        """Say on how many days the quantities are equal to the chosen usage."""
        target = self.target
        if target is None:
            self.agreement.setText("Its amount stays a row of its own, without usage.")
            return
        equal, days = self._found.equal_days(self._item.key, target)
        days_text = count_text(days, "day", self.locale())
        self.agreement.setText(
            f"The billed quantity is equal to this usage on {self.locale().toString(equal)} of {days_text}."
        )
