"""Builds the dialogs that list differences, broken identities, restated figures and the sources of a cell."""

from collections.abc import Sequence
from datetime import UTC

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QComboBox, QWidget

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.cost_figures import without_costs
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.figures import Number
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Granularity, Span
from usage_viewer.domain.period_status import PeriodStatus, bucket_status
from usage_viewer.domain.verification import (
    BrokenIdentities,
    BrokenIdentity,
    BucketContribution,
    Change,
    Changes,
    Completeness,
    Difference,
)
from usage_viewer.gui.formatting.moments import bucket_text, common_noun, count_text, moment_text
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.formatting.periods import period_label
from usage_viewer.gui.verification.identity_badge import broken_identities_text
from usage_viewer.gui.verification.record_dialog import Field, RecordDialog, RecordModel
from usage_viewer.gui.verification.verifier import BackgroundVerifier, CellSources


class _RecordTexts:
    """Formats the figures and records of one dataset."""

    def __init__(self, dataset: Dataset, names: Names, locale: QLocale) -> None:
        self.dataset, self.names, self.locale = dataset, names, locale
        self._numbers = NumberFormat(locale)

    def figure(self, value: Number | None, metric: str) -> str:
        column = self.dataset.column(metric)
        return self._numbers.text(value, column.kind, column.unit)

    def unit(self, difference: Difference) -> str:
        metric = self.dataset.metric(difference.metric)
        return metric.measure_text(difference.unit) or metric.unit

    def label(self, metric: str) -> str:
        return self.dataset.column(metric).label

    def record(self, combination: Combination) -> str:
        """Return the values of a record's dimensions; yes or no follows the name of its dimension."""
        texts = []
        # Dimensions that this version of the program does not know are at the end and not part of a combination.
        for dimension, value in zip(self.dataset.dimensions, combination, strict=False):
            if value is not None:
                label = self.names.label(dimension, value)
                texts.append(f"{dimension.label}: {label}" if dimension.boolean else label)
        return " · ".join(texts) or "(none)"


def differences_dialog(completeness: Completeness, dataset: Dataset, names: Names, parent: QWidget) -> RecordDialog:
    """Build the dialog that lists downloaded totals of a bucket that differ from the server's totals."""
    texts = _RecordTexts(dataset, names, parent.locale())
    fields: list[Field[Difference]] = [
        Field("Period (UTC)", lambda item: bucket_text(item.bucket, texts.locale)),
        Field("Length", lambda item: item.bucket.width.noun),
        Field("Figure", lambda item: texts.label(item.metric)),
        Field("Downloaded", lambda item: texts.figure(item.local_value, item.metric), number=True),
        Field("OpenAI's total", lambda item: texts.figure(item.server_value, item.metric), number=True),
        Field("Difference", lambda item: texts.figure(item.excess, item.metric), number=True),
        Field("Unit", lambda item: texts.unit(item)),
    ]
    dialog = RecordDialog("Differences", RecordModel(fields, completeness.differences), parent)
    dialog.intro.setText(
        "Downloaded totals that differ from the totals that OpenAI reports. "
        "Downloading these periods again replaces their data on this computer."
    )
    return dialog


def broken_identities_dialog(
    broken: BrokenIdentities, dataset: Dataset, names: Names, parent: QWidget
) -> RecordDialog:
    """Build the dialog that lists records in which the parts of a figure don't add up to its total."""
    texts = _RecordTexts(dataset, names, parent.locale())
    fields: list[Field[BrokenIdentity]] = [
        Field("Period (UTC)", lambda item: bucket_text(item.bucket, texts.locale)),
        Field("Figure", lambda item: texts.label(item.identity.whole)),
        Field("Total", lambda item: texts.figure(item.whole, item.identity.whole), number=True),
        Field("Sum of parts", lambda item: texts.figure(item.parts_sum, item.identity.whole), number=True),
        Field(
            "Difference", lambda item: texts.figure(item.whole - item.parts_sum, item.identity.whole), number=True
        ),
        Field("Parts", lambda item: " + ".join(texts.label(part) for part in item.identity.parts)),
        Field("Record", lambda item: texts.record(item.combination)),
    ]
    dialog = RecordDialog("Parts don't add up", RecordModel(fields, broken.listed), parent)
    unlisted = broken.count - len(broken.listed)
    limit_text = f" The first {texts.locale.toString(len(broken.listed))} are listed." if unlisted else ""
    dialog.intro.setText(
        f"{broken_identities_text(broken, texts.locale)}. This is how OpenAI reported them.{limit_text}"
    )
    return dialog


class ChangesDialog(RecordDialog):
    """Lists figures that a later download changed, within `span` or in all downloaded data."""

    def __init__(
        self, dataset: Dataset, names: Names, span: Span | None, verifier: BackgroundVerifier, parent: QWidget
    ) -> None:
        texts = _RecordTexts(dataset, names, parent.locale())
        fields: list[Field[Change]] = [
            Field("Noticed", lambda item: moment_text(item.seen_at, texts.locale)),
            Field("Period (UTC)", lambda item: bucket_text(item.bucket, texts.locale)),
            Field("Figure", lambda item: texts.label(item.metric)),
            Field("Before", lambda item: texts.figure(item.before, item.metric), number=True),
            Field("After", lambda item: texts.figure(item.after, item.metric), number=True),
            Field(
                "Status before",
                lambda item: _STATUS_TEXTS[PeriodStatus.FINAL if item.settled else PeriodStatus.MAY_CHANGE],
            ),
            Field("Record", lambda item: texts.record(item.combination)),
        ]
        self._records: RecordModel[Change] = RecordModel(fields, ())
        super().__init__("Restated figures", self._records, parent)
        self._span, self._verifier, self._dataset = span, verifier, dataset
        self._changes = Changes()
        self.range_choice = QComboBox(self)
        self.range_choice.addItems(["Selected range", "All downloaded data"])
        self.range_choice.setAccessibleName("Range")
        self.status_choice = QComboBox(self)
        self.status_choice.addItems(["All changes", "Final figures only"])
        self.status_choice.setAccessibleName("Changes")
        for choice in (self.range_choice, self.status_choice):
            self.controls.addWidget(choice)
        self.controls.addStretch(1)
        self.range_choice.currentIndexChanged.connect(lambda _: self._find())
        self.status_choice.currentIndexChanged.connect(lambda _: self._show())
        verifier.changes_found.connect(self._on_changes_found)
        self._find()

    def _find(self) -> None:
        self.intro.setText("Searching…")
        self._verifier.find_changes(self._dataset.name, None if self.range_choice.currentIndex() else self._span)

    def _on_changes_found(self, dataset: str, changes: Changes) -> None:
        if dataset == self._dataset.name:  # another list may have asked
            self._changes = changes
            self._show()

    def _show(self) -> None:
        changes, final_only = self._changes, bool(self.status_choice.currentIndex())
        listed = [item for item in changes.listed if item.settled] if final_only else changes.listed
        self._records.set_rows(listed)
        count = len(listed) if final_only else changes.count
        noun = "final figure" if final_only else "figure"
        if count:
            limit_text = (
                f" The newest {self.locale().toString(len(listed))} are listed." if count > len(listed) else ""
            )
            verb = "has changed since it was" if count == 1 else "have changed since they were"
            summary = f"{count_text(count, noun, self.locale())} {verb} loaded (last 30 days).{limit_text}"
        else:
            summary = f"no {noun} has changed since it was loaded."
        self.intro.setText(
            f"{self._dataset.label}: {summary}"
            " Figures of the last 3 days can still grow; older ones should not change."
        )
        self.set_empty_text("No changes")


def sources_dialog(sources: CellSources, names: Names, parent: QWidget) -> RecordDialog:
    """Build the dialog that lists the buckets of a cell, each with its records, sums and time of download."""
    dataset = sources.result.look.effective_view.dataset
    texts = _RecordTexts(dataset, names, parent.locale())
    locale = texts.locale

    def status_text(item: BucketContribution) -> str:
        return _STATUS_TEXTS[bucket_status(item.bucket, sources.result.look.now, may_grow=item.open)]

    def metric_field(index: int, metric: str) -> Field[BucketContribution]:
        return Field(texts.label(metric), lambda item: texts.figure(item.figures[index], metric), number=True)

    fields: list[Field[BucketContribution]] = [
        Field("Period (UTC)", lambda item: bucket_text(item.bucket, locale)),
        Field("Length", lambda item: item.bucket.width.noun),
        Field("Records", lambda item: locale.toString(item.rows), number=True),
        *(metric_field(index, metric) for index, metric in enumerate(sources.metrics)),
        Field("Downloaded", lambda item: moment_text(item.fetched_at, locale)),
        Field("Status", status_text),
    ]
    dialog = RecordDialog("Sources", RecordModel(fields, sources.contributions), parent)
    dialog.intro.setText(sources_text(sources, names, locale))
    dialog.set_empty_text("No downloaded data for this cell")
    return dialog


_STATUS_TEXTS = {
    PeriodStatus.FINAL: "final",
    PeriodStatus.MAY_CHANGE: "may still change",
    PeriodStatus.IN_PROGRESS: "in progress",
}


def sources_text(sources: CellSources, names: Names, locale: QLocale) -> str:
    """Return the labels of a cell's row and column, and the number of its records and buckets."""
    view, table = sources.result.look.effective_view, sources.result.table
    row_labels = [names.label(view.dataset.dimension(name), value) for name, value in sources.cell.groups]
    is_by_period = view.per is not Granularity.TOTAL  # in rows, or across
    periods = sources.result.look.coverage.periods if is_by_period else None
    if periods is not None and sources.cell.period is not None:
        row_labels.insert(0, period_label(periods, sources.cell.period, locale))
    records = count_text(sum(item.rows for item in sources.contributions), "record", locale)
    noun = common_noun(item.bucket.width for item in sources.contributions)
    origin = f"{records} from {count_text(len(sources.contributions), noun, locale)}"
    lines = [" · ".join(row_labels) or "Total"]
    column = table.find_figure(sources.column)
    if column is not None:
        formula = view.dataset.column(column.name).formula(view.dataset)
        equation = f" = {formula}" if formula else ""
        label = column.label if view.pivot is None else view.dataset.column(column.name).label
        lines.append(f"{label}{equation}: {origin}")
    else:
        lines.append(origin)
    if periods is not None and periods.zone is not UTC:
        lines.append("The table uses the selected time zone; this list uses UTC.")
    return "\n".join(lines)


def metrics_of(column: str, dataset: Dataset, shown: Sequence[str]) -> tuple[str, ...]:
    """Return the stored metrics from which a column is computed.

    For a column without figures, such as a dimension, the result has the metrics of all columns in `shown` that the
    dataset has: a field of a later version is none of its columns. So it has for cost, which no record states.
    """
    dataset = without_costs(dataset)
    names = (column,) if dataset.has_column(column) else [name for name in shown if dataset.has_column(name)]
    return tuple(dict.fromkeys(metric for name in names for metric in dataset.column(name).needs()))
