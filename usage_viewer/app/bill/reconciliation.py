"""Compares the billed quantities of a range with the tokens used, and explains what has no usage."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from usage_viewer.app.session.session import Session
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.figures import EXACT
from usage_viewer.domain.period import BucketWidth, Span
from usage_viewer.domain.spend import Target
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.query.spend.billed_lines import BilledLine, LineKey
from usage_viewer.query.spend.quantity_differences import DifferenceReason, QuantityDifference
from usage_viewer.query.spend.reconcile import BilledAmounts, FetchState, reconcile
from usage_viewer.store.spend.bill_reader import BilledSum, StoredBill

ONE_ORGANIZATION: Final = (
    "Several organizations are open. Open one of them alone to compare its bill with its usage."
)
NO_COSTS: Final = "No costs of these days are downloaded, so there is no bill to compare."
AGREES: Final = "Bill and usage agree: every billed quantity is the usage of its day."
NOT_PROVEN: Final = (
    "The API does not report the invoice, taxes, refunds, prepaid credits and commitments, so they can't be "
    "compared with usage. OpenAI restates days for some time: a difference of the last days may go away by itself."
)

_DAY: Final = BucketWidth.DAY.seconds


@dataclass(frozen=True, slots=True)
class BillDifference:
    """A difference between bill and usage, with the billed amount in each currency and the usage that is billed."""

    difference: QuantityDifference
    amounts: tuple[tuple[str, Decimal], ...]
    target: Target | None = None

    @property
    def start(self) -> int:
        """The start of the day, epoch seconds."""
        return self.difference.day * _DAY

    @property
    def line_items(self) -> tuple[str, ...]:
        """The texts of the line items."""
        return tuple(dict.fromkeys(text for text, _ in self.difference.lines))


@dataclass(frozen=True, slots=True)
class Residual:
    """An amount without usage, with its reason in words."""

    reason: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Reconciliation:
    """The differences of the UTC days in `span`, by day and line item.

    `days` is the number of days with downloaded costs. `residuals` are what spend shows without usage. `problem`
    says why there is no list, `error` what stopped the loading.
    """

    span: Span
    differences: Sequence[BillDifference] = ()
    days: int = 0
    line_items: int = 0
    residuals: Sequence[Residual] = ()
    problem: str = ""
    error: UsageViewerError | None = None

    @property
    def agrees(self) -> bool:
        """Whether there is a bill, and all of it agrees with the usage."""
        return not (self.problem or self.differences)


def residual_view(view: ViewState, now: int, week_start: int = 0) -> ViewState:
    """Return the view of spend by reason, in the UTC days that a view's range touches."""
    span = view.periods(now, week_start).span
    first, last = span.start // _DAY, -(-span.end // _DAY)
    start, end = (datetime.fromtimestamp(day * _DAY, UTC).replace(tzinfo=None) for day in (first, last))
    return ViewState(SPEND.name, DateRange(None, start, end), grouping=("reason",), columns=("amount",), zone="UTC")


def load_bill(
    session: Session, view: ViewState, cancellation: Cancellation | None = None, week_start: int = 0
) -> UsageViewerError | None:
    """Load what a view's range lacks of costs and usage; return the error that stopped it. Raises Cancelled."""
    try:
        for _ in (
            session.fetch(residual_view(view, session.now, week_start), cancellation) if session.connected else ()
        ):
            pass
    except Cancelled:
        raise
    except UsageViewerError as error:
        return error
    return None


def load_reconciliation(
    session: Session, view: ViewState, cancellation: Cancellation | None = None, week_start: int = 0
) -> Reconciliation:
    """Load what a view's range lacks of costs and usage, then compare them.

    An error of the server is kept in the result: the list is made of what is stored. Raises Cancelled, StoreError.
    """
    error = load_bill(session, view, cancellation, week_start)
    return reconcile_stored(session, residual_view(view, session.now, week_start), cancellation, error)


def reconcile_stored(
    session: Session,
    of_range: ViewState,
    cancellation: Cancellation | None = None,
    error: UsageViewerError | None = None,
) -> Reconciliation:
    """Compare what is stored of a `residual_view`. Raises Cancelled, StoreError."""
    now, store = session.now, session.store_session
    span = of_range.periods(now).span
    if store is None:
        return Reconciliation(span, problem=ONE_ORGANIZATION, error=error)
    bill, unsettled = store.bill(span, cancellation)
    if not bill.days:
        return Reconciliation(span, problem=NO_COSTS, error=error)
    state = FetchState(now // _DAY, unsettled, bill.missing_usage, bill.days)
    found = reconcile(_bills(bill), bill.meanings, bill.usage, state)
    amounts = _amounts(bill.sums)
    listed = [BillDifference(one, _amounts_of(one, amounts), _target(one, bill)) for one in found]
    residuals = _residuals(session, of_range, cancellation)
    return Reconciliation(span, listed, len(bill.days), len(bill.lines), residuals, error=error)


def bill_view(difference: BillDifference) -> ViewState:
    """Return the view of the rows of spend that a difference is about."""
    lines = Filter("line_item", frozenset(text or None for text in difference.line_items))
    return ViewState(
        SPEND.name,
        _day_range(difference.start),
        grouping=("line_item", "model", "project_id", "reason"),
        filters=(lines,),
        columns=("amount", "quantity"),
        zone="UTC",
    )


def usage_view(difference: BillDifference) -> ViewState | None:
    """Return the view of the usage that the line items bill; None if they bill no known usage."""
    target = difference.target
    if target is None:
        return None
    view = ViewState(target.service, _day_range(difference.start), grouping=(), zone="UTC")
    data = view.dataset
    names = [name for name in ("model", "project_id", "batch", "service_tier") if data.has_dimension(name)]
    models = frozenset({target.model, difference.difference.other_model} - {None})
    view = view.with_grouping(names)
    return view.with_filter(Filter("model", models)) if models and data.has_dimension("model") else view


def _day_range(start: int) -> DateRange:
    day = datetime.fromtimestamp(start, UTC).date()
    return DateRange.days(day, day)


def _bills(bill: StoredBill) -> Iterator[BilledAmounts]:
    """Yield each line item with its quantities and amounts by day; rows without a line item are one."""
    amounts = defaultdict[LineKey, dict[int, Decimal]](dict)
    unknown = set[tuple[LineKey, int]]()
    for one in bill.sums:
        of_line = amounts[one.key]
        of_line[one.day] = EXACT.add(of_line.get(one.day, Decimal()), one.amount)
        if one.quantity is None:
            unknown.add((one.key, one.day))
    quantities = {line.key: line.quantities for line in bill.lines}
    for (text, unit), by_day in amounts.items():
        key = (text, unit)
        known = {day: number for day, number in quantities.get(key, {}).items() if (key, day) not in unknown}
        yield BilledAmounts(BilledLine(text, unit, known), by_day)


_Amounts = dict[tuple[LineKey, int], dict[str, Decimal]]


def _amounts(sums: Iterable[BilledSum]) -> _Amounts:
    amounts: _Amounts = defaultdict(dict)
    for one in sums:
        amounts[one.key, one.day][(one.currency or "").upper()] = one.amount
    return amounts


def _amounts_of(one: QuantityDifference, amounts: _Amounts) -> tuple[tuple[str, Decimal], ...]:
    total: dict[str, Decimal] = {}
    for key in one.lines:
        for currency, amount in amounts.get((key, one.day), {}).items():
            total[currency] = EXACT.add(total.get(currency, Decimal()), amount)
    return tuple(sorted(total.items()))


def _target(one: QuantityDifference, bill: StoredBill) -> Target | None:
    meaning = bill.meanings.get(one.lines[0])
    is_without = one.reason in (DifferenceReason.EVALS, DifferenceReason.NO_COUNTERPART)
    return None if meaning is None or is_without else meaning.target


def _residuals(session: Session, of_range: ViewState, cancellation: Cancellation | None) -> list[Residual]:
    """Return what the shown days of spend have without usage, by reason and currency."""
    by_currency = of_range.with_grouping(("reason", "currency"))
    table = session.look(by_currency, cancellation, named=False).table
    reason, currency = table.groups
    amount = table.figure("amount")
    assert isinstance(amount, FigureColumn)
    found = []
    for row in range(table.rows):
        number = amount.figures.at(row)
        if reason.value(row) is not None and isinstance(number, Decimal) and number:
            label = reason.labels[reason.code(row)]
            found.append(Residual(label, number, str(currency.value(row) or "").upper()))
    return sorted(found, key=lambda one: (-abs(one.amount), one.reason))
