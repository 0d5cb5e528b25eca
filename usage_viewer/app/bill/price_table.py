"""Builds the table of prices, and the sentences that go with it."""

from usage_viewer.app.bill.prices import PriceList, day_start
from usage_viewer.app.bill.record_table import number_column, text_column
from usage_viewer.domain.catalog import MONEY
from usage_viewer.domain.extent import count
from usage_viewer.domain.table import Table

NO_PRICE = "no price"
NO_CHANGES = "No price has changed on these days."
BASIS = (
    "A price is the amount of a day divided by its quantity, for usage outside of batches. Days that are not final,"
    " quantities below 10,000 tokens and refunds have none."
)

_UNITS = {
    "tokens": "tokens",
    "gibibyte_hours": "GiB hour",
    "images": "image",
    "seconds": "second",
    "characters": "character",
    "calls": "call",
    "sessions": "session",
    "units": "unit",
}


def units_text(units: int, counts: str) -> str:
    """Return for what a price is: `1M tokens`, `image`."""
    noun = _UNITS.get(counts, counts.replace("_", " "))
    if counts != "tokens":
        return noun
    return "1M tokens" if units == 10**6 else f"{units:,} tokens" if units > 1 else "token"


def price_table(found: PriceList) -> Table:
    """Return a row for each price of each line item."""
    prices = found.prices
    return Table(
        (
            text_column("line_item", "Line item", [one.line_item for one in prices]),
            text_column("first_day", "From (UTC)", [day_start(one.first_day).date().isoformat() for one in prices]),
            text_column("last_day", "Until (UTC)", [day_start(one.last_day).date().isoformat() for one in prices]),
            number_column("price", "Price", [one.price for one in prices]),
            text_column("currency", "Currency", [one.currency or None for one in prices]),
            text_column("unit", "For", [units_text(one.units, one.counts) for one in prices]),
            number_column("before", "Price before", [one.before for one in prices]),
            number_column("change_percent", "Change in %", [one.change for one in prices]),
            number_column("cost", "Cost of the change since", [one.cost for one in prices], unit=MONEY),
        ),
        len(prices),
    )


def price_lines(found: PriceList) -> list[str]:
    """Return how many prices are known, of which days, and how they come about."""
    if found.problem:
        return [found.problem]
    first, last = (day_start(day).date() for day in (found.first_day, found.last_day))
    lines = {(one.line_item, one.currency, one.counts): one.price is not None for one in found.prices}
    unknown = sum(not is_known for is_known in lines.values())
    text = f"{first} – {last} ({count(found.days, 'final day')}): {count(len(lines), 'line item')}"
    text += f", {unknown} of them without a price" if unknown else ""
    changes = f"{count(found.changes, 'price change')}." if found.changes else NO_CHANGES
    return [f"{text}. {changes}", BASIS]
