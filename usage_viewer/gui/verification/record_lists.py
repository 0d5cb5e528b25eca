"""The lists that speak for figures: what differs, contradicts itself, has changed; where a cell comes from."""

from collections.abc import Sequence
from datetime import UTC

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QComboBox, QWidget

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.figures import Number
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Granularity, Span
from usage_viewer.domain.verification import (
    BrokenIdentities,
    BrokenIdentity,
    BucketContribution,
    Change,
    Changes,
    Completeness,
    Difference,
)
from usage_viewer.gui.formatting.moments import bucket_text, counted, moment_text
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.formatting.periods import period_label
from usage_viewer.gui.verification.identity_badge import breach_text
from usage_viewer.gui.verification.record_dialog import Field, RecordDialog, RecordModel
from usage_viewer.gui.verification.verifier import BackgroundVerifier, Origins


class _Words:
    """How one dataset's figures and rows are written."""

    def __init__(self, dataset: Dataset, names: Names, locale: QLocale) -> None:
        self.dataset, self.names, self.locale = dataset, names, locale
        self._numbers = NumberFormat(locale)

    def figure(self, value: Number | None, metric: str) -> str:
        column = self.dataset.column(metric)
        return self._numbers.text(value, column.kind, column.unit)

    def label(self, metric: str) -> str:
        return self.dataset.column(metric).label

    def row(self, combination: Combination) -> str:
        """What is given of a combination; each dimension that has no name of its own is named."""
        told = []
        # Dimensions that this version doesn't know come last, and aren't part of a combination.
        for dimension, value in zip(self.dataset.dimensions, combination, strict=False):
            if value is not None:
                text = self.names.label(dimension, value)
                told.append(f"{dimension.label}: {text}" if dimension.boolean else text)
        return " · ".join(told) or "(none)"


def differences_list(completeness: Completeness, dataset: Dataset, names: Names, parent: QWidget) -> RecordDialog:
    """Each figure of each bucket that isn't what the server tells."""
    words = _Words(dataset, names, parent.locale())
    fields: list[Field[Difference]] = [
        Field("Bucket (UTC)", lambda item: bucket_text(item.bucket, words.locale)),
        Field("Width", lambda item: item.bucket.width.noun),
        Field("Figure", lambda item: words.label(item.metric)),
        Field("Held", lambda item: words.figure(item.held, item.metric), number=True),
        Field("Told", lambda item: words.figure(item.told, item.metric), number=True),
        Field("Too much", lambda item: words.figure(item.excess, item.metric), number=True),
        Field("Unit", lambda item: item.unit or dataset.column(item.metric).unit),
    ]
    listing = RecordDialog("What differs", RecordModel(fields, completeness.differences), parent)
    listing.intro.setText(
        "The sums of what is held beside what the server tells without any grouping. "
        "Fetching these buckets again replaces what is held of them."
    )
    return listing


def breaches_list(breaches: BrokenIdentities, dataset: Dataset, names: Names, parent: QWidget) -> RecordDialog:
    """Each row in which a whole isn't the sum of its parts."""
    words = _Words(dataset, names, parent.locale())
    fields: list[Field[BrokenIdentity]] = [
        Field("Bucket (UTC)", lambda item: bucket_text(item.bucket, words.locale)),
        Field("Figure", lambda item: words.label(item.identity.whole)),
        Field("Told", lambda item: words.figure(item.whole, item.identity.whole), number=True),
        Field("Sum of its parts", lambda item: words.figure(item.parts_sum, item.identity.whole), number=True),
        Field("Too much", lambda item: words.figure(item.whole - item.parts_sum, item.identity.whole), number=True),
        Field("Parts", lambda item: " + ".join(words.label(part) for part in item.identity.parts)),
        Field("Row", lambda item: words.row(item.combination)),
    ]
    listing = RecordDialog("Figures that contradict themselves", RecordModel(fields, breaches.listed), parent)
    more = breaches.count - len(breaches.listed)
    rest = f" The first {words.locale.toString(len(breaches.listed))} are listed." if more else ""
    listing.intro.setText(
        f"{breach_text(breaches, words.locale)}, though all of those are given. That is how they were told.{rest}"
    )
    return listing


class ChangesList(RecordDialog):
    """What changed, in the range shown or in all."""

    def __init__(
        self, dataset: Dataset, names: Names, span: Span | None, proofs: BackgroundVerifier, parent: QWidget
    ) -> None:
        words = _Words(dataset, names, parent.locale())
        fields: list[Field[Change]] = [
            Field("Seen", lambda item: moment_text(item.seen_at, words.locale)),
            Field("Bucket (UTC)", lambda item: bucket_text(item.bucket, words.locale)),
            Field("Figure", lambda item: words.label(item.metric)),
            Field("Before", lambda item: words.figure(item.before, item.metric), number=True),
            Field("After", lambda item: words.figure(item.after, item.metric), number=True),
            Field("Bucket was", lambda item: "settled" if item.settled else "still open"),
            Field("Row", lambda item: words.row(item.combination)),
        ]
        self._changes: RecordModel[Change] = RecordModel(fields, ())
        super().__init__("What changed", self._changes, parent)
        self._span, self._proofs, self._label = span, proofs, dataset.label
        self._found = Changes()
        self.where = QComboBox(self)
        self.where.addItems(["In the range shown", "In all that is held"])
        self.where.setAccessibleName("Where")
        self.which = QComboBox(self)
        self.which.addItems(["All changes", "Only of settled buckets"])
        self.which.setAccessibleName("Which")
        for choice in (self.where, self.which):
            self.controls.addWidget(choice)
        self.controls.addStretch(1)
        self.where.currentIndexChanged.connect(lambda _: self._look())
        self.which.currentIndexChanged.connect(lambda _: self._show())
        proofs.changes_found.connect(self._on_found)
        self._look()

    def _look(self) -> None:
        self.intro.setText("Looking…")
        self._proofs.find_changes(None if self.where.currentIndex() else self._span)

    def _on_found(self, found: Changes) -> None:
        self._found = found
        self._show()

    def _show(self) -> None:
        found, only_settled = self._found, bool(self.which.currentIndex())
        shown = [item for item in found.listed if item.settled] if only_settled else found.listed
        self._changes.set_rows(shown)
        count = found.count if shown is found.listed else len(shown)
        rest = f" The newest {self.locale().toString(len(shown))} are listed." if count > len(shown) else ""
        self.intro.setText(
            f"{self._label}: {counted(count, 'figure', self.locale())} that a later fetch told otherwise, "
            f"in the last 30 days.{rest} Open buckets still grow; settled ones should not change any more."
        )
        self.say_when_empty("Nothing has changed")


def origins_list(origins: Origins, names: Names, parent: QWidget) -> RecordDialog:
    """The buckets of a cell: how many rows each adds, their sums, and when it was fetched."""
    dataset = origins.shown.view.dataset
    words = _Words(dataset, names, parent.locale())
    locale = words.locale

    def figure(place: int, metric: str) -> Field[BucketContribution]:
        return Field(words.label(metric), lambda item: words.figure(item.figures[place], metric), number=True)

    fields: list[Field[BucketContribution]] = [
        Field("Bucket (UTC)", lambda item: bucket_text(item.bucket, locale)),
        Field("Width", lambda item: item.bucket.width.noun),
        Field("Rows", lambda item: locale.toString(item.rows), number=True),
        *(figure(place, metric) for place, metric in enumerate(origins.metrics)),
        Field("Fetched", lambda item: moment_text(item.fetched_at, locale)),
        Field("Bucket is", lambda item: "still open" if item.open else "settled"),
    ]
    listing = RecordDialog("Where does this come from?", RecordModel(fields, origins.listed), parent)
    listing.intro.setText(origins_text(origins, names, locale))
    listing.say_when_empty("Nothing is held of it")
    return listing


def origins_text(origins: Origins, names: Names, locale: QLocale) -> str:
    """What the cell is about and shows, and how many rows of how many buckets make it up."""
    view, table = origins.shown.view, origins.shown.table
    about = [names.label(view.dataset.dimension(name), value) for name, value in origins.cell.groups]
    periods = None if table.period is None else table.period.periods
    if periods is not None and origins.cell.period is not None:
        about.insert(0, period_label(periods, origins.cell.period, locale))
    rows = counted(sum(item.rows for item in origins.listed), "row", locale)
    buckets = counted(len(origins.listed), "bucket", locale)
    lines = [" · ".join(about) or "The whole range"]
    column = table.find_figure(origins.column)
    if column is not None:
        formula = view.dataset.column(column.name).formula(view.dataset)
        how = f" = {formula}" if formula else ""
        lines.append(f"{column.label}{how}: from {rows} in {buckets}.")
    else:
        lines.append(f"From {rows} in {buckets}.")
    if view.per is not Granularity.TOTAL and periods is not None and periods.zone is not UTC:
        lines.append("Periods are of the view's time zone; buckets are of UTC.")
    return "\n".join(lines)


def metrics_of(column: str, dataset: Dataset, shown: Sequence[str]) -> tuple[str, ...]:
    """The stored metrics that a cell's figure is made of; of a cell without one, those of all that is shown."""
    wanted: list[str] = []
    for name in (column,) if dataset.has_column(column) else shown:
        wanted += dataset.column(name).needs()
    return tuple(dict.fromkeys(wanted))
