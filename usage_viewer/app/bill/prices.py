"""Finds the prices that each line item had, the days on which they changed, and what the changes have cost."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

from usage_viewer.app.session.session import Session
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.cost_figures import has_costs
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.figures import EXACT
from usage_viewer.domain.period import BucketWidth, Granularity, Span
from usage_viewer.domain.spend import Target
from usage_viewer.domain.verification import Cell
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.query.spend.billed_lines import LineKey
from usage_viewer.query.spend.daily_factors import are_steady, daily_mean_factors, measured_factors
from usage_viewer.query.spend.prices import DailyBill, PricePeriod, price_changes, price_periods, shown_units
from usage_viewer.query.spend.proposals import counted, per_unit
from usage_viewer.store.spend.bill_reader import BilledSum, StoredBill

ONE_ORGANIZATION: Final = "Several organizations are open. Open one of them alone to see its prices."
NO_COSTS: Final = "No final costs are downloaded yet, so no price is known. Load a longer range."

_DAY: Final = BucketWidth.DAY.seconds
_DIGITS: Final = Context(prec=10)  # of a price: amounts may be rounded, and then not all digits are exact


@dataclass(frozen=True, slots=True)
class Price:
    """A price of a line item, from `first_day` to `last_day`, both with usage (day numbers since the epoch, UTC).

    `price` is in the currency for `units` of `counts` (tokens, images, …); None: no price is known. `before` is the
    price until then, and `cost` what the change has cost since; None for the first price.
    """

    line_item: str
    currency: str
    units: int
    counts: str
    first_day: int
    last_day: int
    price: Decimal | None = None
    before: Decimal | None = None
    cost: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        """The change of the price in per cent, None without a price before."""
        if self.price is None or not self.before:
            return None
        return Decimal(f"{(100 * (self.price / self.before - 1)).quantize(Decimal('0.01')).normalize():f}")


@dataclass(frozen=True)
class PriceList:
    """The prices of all line items, by line item and day.

    `first_day` and `last_day` are the first and the last of `days` final days. `problem` says why there is none.
    """

    prices: Sequence[Price] = ()
    days: int = 0
    first_day: int = 0
    last_day: int = 0
    problem: str = ""

    @property
    def changes(self) -> int:
        """The number of changed prices."""
        return sum(one.before is not None for one in self.prices)

    def of(self, line_items: Collection[str]) -> "PriceList":
        """Return the prices of some line items."""
        return replace(self, prices=[one for one in self.prices if one.line_item in line_items])

    @property
    def changed(self) -> "PriceList":
        """The prices of those line items whose price has changed."""
        names = {(one.line_item, one.currency, one.counts) for one in self.prices if one.before is not None}
        listed = [one for one in self.prices if (one.line_item, one.currency, one.counts) in names]
        return replace(self, prices=listed)


def day_start(day: int) -> datetime:
    """Return the begin of a day (day number since the epoch, UTC)."""
    return datetime.fromtimestamp(day * _DAY, UTC)


def price_view(price: Price) -> ViewState:
    """Return the view of spend on the days of a price, with the price of each day."""
    first, last = (day_start(day).date() for day in (price.first_day, price.last_day))
    return ViewState(
        SPEND.name,
        DateRange.days(first, last),
        Granularity.DAY,
        ("batch", "service_tier"),
        (Filter("line_item", frozenset([price.line_item])),),
        columns=("price", "amount", "quantity"),
        zone="UTC",
    )


def lines_of_cell(
    session: Session, view: ViewState, cell: Cell, cancellation: Cancellation | None = None
) -> frozenset[str]:
    """Return the line items that a row of `view` was billed in; of usage, of what its spend has of the row.

    Raises Cancelled, StoreError.
    """
    spend = ViewState(SPEND.name, view.range, grouping=("line_item",), columns=("amount",), zone=view.zone)
    for item in view.filters:
        spend = spend.with_filter(item) if SPEND.has_dimension(item.dimension) else spend
    if has_costs(view.dataset):
        spend = spend.only("service", view.dataset_name)
    for dimension, value in cell.groups:
        spend = spend.only(dimension, value) if SPEND.has_dimension(dimension) else spend
    groups = session.look(spend, cancellation, named=False).table.groups
    return frozenset(value for value in groups[0].values if value is not None) if groups else frozenset()


def list_prices(session: Session, span: Span | None = None, cancellation: Cancellation | None = None) -> PriceList:
    """Return the prices on the final days in `span` (None: all) that are stored. Raises Cancelled, StoreError."""
    store = session.store_session
    if store is None:
        return PriceList(problem=ONE_ORGANIZATION)
    bill, unsettled = store.bill(span, cancellation, with_factors=True)
    today = session.now // _DAY
    days = sorted(day for day in bill.days if day not in unsettled and day < today)
    if not days:
        return PriceList(problem=NO_COSTS)
    by_line = defaultdict[tuple[LineKey, str], list[BilledSum]](list)
    final = frozenset(days)
    for one in sorted(bill.sums, key=lambda item: item.day):
        if one.day in final and one.key[0]:
            by_line[one.key, (one.currency or "").upper()].append(one)
    quantities = _Quantities(bill)
    prices = list[Price]()
    for (key, currency), sums in sorted(by_line.items(), key=str):
        if cancellation is not None:
            cancellation.check()
        if any(one.quantity is not None for one in sums):
            prices += _prices(key, currency, sums, bill, quantities)
    return PriceList(prices, len(days), days[0], days[-1])


class _Quantities:
    """Compares the quantities that several line items bill of the same usage with that usage."""

    def __init__(self, bill: StoredBill) -> None:
        self._bill = bill
        self._sums = defaultdict[tuple[Target, int], Decimal](Decimal)
        self._unknown = set[tuple[Target, int]]()
        self._users = defaultdict[tuple[Target, int], int](int)
        for one in bill.sums:
            target = _usage_of(bill, one.key)
            if target is None:
                continue
            self._users[target, one.day] += 1
            if one.quantity is None:
                self._unknown.add((target, one.day))
            else:
                single = EXACT.multiply(one.quantity, per_unit(one.key[1]))
                self._sums[target, one.day] = EXACT.add(self._sums[target, one.day], single)

    def are_alone(self, key: LineKey, days: Sequence[int]) -> list[bool]:
        """Return whether a line item is the only one, in one currency, that bills its usage on each day, (n,)."""
        target = _usage_of(self._bill, key)
        return [target is None or self._users[target, day] == 1 for day in days]

    def are_whole(self, key: LineKey, days: Sequence[int]) -> list[bool]:
        """Return whether what is billed on each day is the usage of the day, (n,)."""
        target, used = _usage_of(self._bill, key), self._bill.used_by_class.get(key, {})
        return [
            target is not None
            and (target, day) not in self._unknown
            and round(self._sums[target, day]) == sum(used.get(day, {}).values())
            for day in days
        ]


def _usage_of(bill: StoredBill, key: LineKey) -> Target | None:
    """Return the target of a line item without what says nothing of the usage that it selects."""
    target = _target(bill, key)
    return None if target is None else replace(target, token_kind="", per_unit=1)


def _prices(
    key: LineKey, currency: str, sums: Sequence[BilledSum], bill: StoredBill, quantities: _Quantities
) -> Iterable[Price]:
    text, unit = key
    daily = _daily_bill(key, sums, bill, quantities)
    periods = price_periods(daily)
    base = Price(text, currency, shown_units(unit), counted(unit) or "units", sums[0].day, sums[-1].day)
    if not periods or not (_target(bill, key) is not None or are_steady(periods, daily.days)):
        return [base]
    changes = price_changes(daily) if len(periods) > 1 else ()
    return _of_periods(base, periods, {one.day: one.cost for one in changes})


def _of_periods(base: Price, periods: Sequence[PricePeriod], costs: Mapping[int, Fraction]) -> Iterable[Price]:
    before: Decimal | None = None
    for period in periods:
        price, cost = _decimal(period.price * base.units), costs.get(period.first_day)
        yield replace(
            base,
            first_day=period.first_day,
            last_day=period.last_day,
            price=price,
            before=before,
            cost=None if before is None or cost is None else _decimal(cost),
        )
        before = price


def _daily_bill(key: LineKey, sums: Sequence[BilledSum], bill: StoredBill, quantities: _Quantities) -> DailyBill:
    days, amounts = [one.day for one in sums], [one.amount for one in sums]
    target, used, factors = _target(bill, key), bill.used_by_class.get(key, {}), bill.factors.get(key, {})
    is_alone, is_whole = quantities.are_alone(key, days), quantities.are_whole(key, days)
    is_own = [alone and whole for alone, whole in zip(is_alone, is_whole, strict=True)]
    factors = measured_factors(days, amounts, is_own, used, factors)
    tier = None if target is None else target.tier
    means = daily_mean_factors(days, is_whole, is_alone, used, factors, tier=tier)
    return DailyBill(key[1], days, amounts, [one.quantity for one in sums], [one.rows for one in sums], means)


def _target(bill: StoredBill, key: LineKey) -> Target | None:
    meaning = bill.meanings.get(key)
    return None if meaning is None else meaning.target


def _decimal(value: Fraction) -> Decimal:
    return _DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))
