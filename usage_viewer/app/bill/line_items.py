"""Lists what each line item of the bill means, and what a person can map it to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from usage_viewer.app.bill.prices import NO_COSTS
from usage_viewer.app.bill.record_table import number_column, text_column
from usage_viewer.app.session.session import Session
from usage_viewer.app.spend.line_mappings import by_hand
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import API_DATASETS, MONEY
from usage_viewer.domain.figures import EXACT
from usage_viewer.domain.period import Span
from usage_viewer.domain.spend import LineMeaning, Match, Reason, Target
from usage_viewer.domain.table import Table
from usage_viewer.query.spend.billed_lines import BilledLine, LineKey, billed_quantities
from usage_viewer.query.spend.daily_usage import DailyUsage, UsageIndex
from usage_viewer.query.spend.proposals import measures_of

ONE_ORGANIZATION: Final = "Several organizations are open. Open one of them alone to see its line items."

_MATCHES: Final[Mapping[Match, str]] = MappingProxyType(
    {
        Match.CONFIRMED: "name and quantities",
        Match.PLAUSIBLE: "name; quantities nearly equal",
        Match.CONTRADICTED: "name; quantities differ",
        Match.NOT_CHECKABLE: "name only",
        Match.BY_QUANTITY: "quantities alone",
        Match.BY_HAND: "by hand",
    }
)
_REASONS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.NO_COUNTERPART: "no usage is reported",
        Reason.USAGE_MISSING: "its model was not used",
        Reason.CREDIT: "credit",
        Reason.UNRECOGNISED: "not recognized",
    }
)


@dataclass(frozen=True, slots=True)
class LineItem:
    """A line item with what it means, and what it has billed in each currency."""

    meaning: LineMeaning
    amounts: tuple[tuple[str, Decimal], ...]

    @property
    def key(self) -> LineKey:
        """The text of the line item and the unit of its quantities."""
        return self.meaning.text, self.meaning.unit

    @property
    def is_by_hand(self) -> bool:
        """Whether a person has mapped it."""
        return self.meaning.match is Match.BY_HAND

    @property
    def is_recognized(self) -> bool:
        """Whether it is known which usage it bills, or that there is none."""
        is_known = self.is_by_hand or self.is_credit or self.meaning.reason is Reason.NO_COUNTERPART
        return self.meaning.target is not None or is_known

    @property
    def is_credit(self) -> bool:
        """Whether it has only negative amounts, and no quantity."""
        return self.meaning.unit is None and all(amount < 0 for _, amount in self.amounts)

    @property
    def known_by(self) -> str:
        """How the line item is known, in words."""
        if self.meaning.match is Match.NONE and self.is_credit:
            return _REASONS[Reason.CREDIT]
        if self.meaning.match is not Match.NONE:
            return _MATCHES[self.meaning.match]
        return _REASONS[self.meaning.reason or Reason.UNRECOGNISED]

    @property
    def target_text(self) -> str:
        """The usage that it bills, in words; "" for none."""
        return "" if self.meaning.target is None else target_text(self.meaning.target)


class LineItems:
    """The line items of some days, and the usage that they can be mapped to. `problem` says why there are none."""

    def __init__(
        self,
        items: Sequence[LineItem] = (),
        lines: Sequence[BilledLine] = (),
        usage: DailyUsage | None = None,
        problem: str = "",
    ) -> None:
        self.items, self.problem = items, problem
        self._index = None if usage is None else UsageIndex(usage)
        self._billed = {} if usage is None else billed_quantities(lines, usage.days)

    def services(self, unit: str | None) -> list[str]:
        """Return the datasets with usage that a quantity in `unit` may count."""
        names = dict.fromkeys(service for service, _ in self._index.owners) if self._index is not None else ()
        return [name for name in names if measures_of(name, unit)]

    def models(self, service: str) -> list[str]:
        """Return the models of a dataset that were used; none if it has no models."""
        owners = self._index.owners if self._index is not None else ()
        return [model for name, model in owners if name == service and model is not None]

    def tiers(self, service: str, model: str | None) -> list[str]:
        """Return the service tiers that a model was used in."""
        return [] if self._index is None else self._index.tiers(service, model)

    def equal_days(self, key: LineKey, target: Target) -> tuple[int, int]:
        """Return on how many days a line item's quantity is the usage of a target, and how many have a quantity."""
        billed = self._billed.get(key)
        if billed is None or self._index is None:
            return 0, 0
        given = billed.has & (billed.quantity != 0)
        return int((given & (billed.quantity == self._index.used(target))).sum()), int(given.sum())


def target_text(target: Target) -> str:
    """Return the usage of a target in words."""
    tier = "" if target.tier is None else f"tier {target.tier}"
    parts = (API_DATASETS[target.service].label, target.model, target.token_kind.replace("_", " "), tier)
    return " · ".join(part for part in parts if part)


def kinds(service: str, unit: str | None) -> list[tuple[str, str]]:
    """Return the measures of a dataset that a quantity in `unit` may count, each with its name in words."""
    return [(name, by_hand(service, None, name).token_kind) for name in measures_of(service, unit)]


def list_line_items(
    session: Session, span: Span | None = None, cancellation: Cancellation | None = None
) -> LineItems:
    """Return the line items of the stored days in `span` (None: all). Raises Cancelled, StoreError."""
    store = session.store_session
    if store is None:
        return LineItems(problem=ONE_ORGANIZATION)
    bill, _ = store.bill(span, cancellation)
    amounts = defaultdict[LineKey, dict[str, Decimal]](dict)
    for one in bill.sums:
        of_line, currency = amounts[one.key], (one.currency or "").upper()
        of_line[currency] = EXACT.add(of_line.get(currency, Decimal()), one.amount)
    if not amounts:
        return LineItems(problem=NO_COSTS)
    items = [
        LineItem(bill.meanings[key], tuple(sorted(amounts[key].items())))
        for key in sorted(amounts, key=lambda key: (key[0], key[1] or ""))
        if key in bill.meanings and key[0]
    ]
    return LineItems(items, bill.lines, bill.usage)


def line_item_table(found: LineItems) -> Table:
    """Return a row for each line item and currency."""
    rows = [(item, currency, amount) for item in found.items for currency, amount in item.amounts]
    meanings = [item.meaning for item, *_ in rows]
    targets = [meaning.target for meaning in meanings]
    matches = [(item.meaning.match.value, item.known_by) for item, *_ in rows]
    return Table(
        (
            text_column("line_item", "Line item", [meaning.text for meaning in meanings]),
            text_column("quantity_unit", "Unit", [meaning.unit for meaning in meanings]),
            number_column("amount", "Amount", [amount for *_, amount in rows], unit=MONEY),
            text_column("currency", "Currency", [currency or None for _, currency, _ in rows]),
            text_column("service", "Service", [None if one is None else one.service for one in targets]),
            text_column("model", "Model", [None if one is None else one.model for one in targets]),
            text_column("token_kind", "Token kind", [None if one is None else one.token_kind for one in targets]),
            text_column("match", "Known by", [value for value, _ in matches], [text for _, text in matches]),
        ),
        len(rows),
    )
