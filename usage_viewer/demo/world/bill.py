"""Bills the synthetic organization: its costs follow from its usage, and each part knows what it really cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from usage_viewer.demo.world.cost_combinations import CostCombinations, Currencies
from usage_viewer.demo.world.directory import Directory
from usage_viewer.demo.world.hours import HourlyUsage, LevelUsage
from usage_viewer.demo.world.metered import (
    QUANTITY_PLACES,
    BilledParts,
    Fact,
    MeteredStorage,
    MeteredUsage,
)
from usage_viewer.demo.world.price_list import AMOUNT_PLACES
from usage_viewer.demo.world.rows import UsageRows, concat_rows
from usage_viewer.demo.world.unmetered import UnmeteredLines
from usage_viewer.domain.batch import Combination

PLACES: Final = {"amount": AMOUNT_PLACES, "quantity": QUANTITY_PLACES}
"""Decimal places of the decimal metrics, which are stored as whole numbers in 64 bits."""


class Bill:
    """The costs of all usage. `values` are the combinations of dimensions that its rows refer to.

    `first` is the begin of all usage (epoch seconds). `sources` has the usage of each dataset that is billed.
    """

    def __init__(
        self,
        sources: Mapping[str, HourlyUsage | LevelUsage],
        directory: Directory,
        *,
        seed: int,
        first: int,
        currencies: Sequence[str] = ("usd",),
    ) -> None:
        costs = CostCombinations.empty(Currencies(directory, currencies))
        self.payers: list[MeteredUsage | MeteredStorage | UnmeteredLines] = [
            MeteredUsage(source, costs, first) if isinstance(source, HourlyUsage) else MeteredStorage(source, costs)
            for source in sources.values()
        ]
        self.payers.append(UnmeteredLines(directory, costs, seed))
        self.values: list[Combination] = costs.values

    def parts(self, start: int, end: int) -> Iterator[BilledParts]:
        """Yield the parts that are billed between two times, also free ones (epoch seconds, multiples of 60)."""
        for payer in self.payers:
            yield from payer.parts(start, end)

    def window(self, start: int, end: int) -> UsageRows:
        """Return the costs between two times (epoch seconds, multiples of 60)."""
        rows = [
            UsageRows(parts.at, parts.cost, {"amount": parts.amount, "quantity": parts.quantity})
            for parts in self.parts(start, end)
            if parts.fact is not Fact.FREE
        ]
        return concat_rows([_NO_ROWS, *rows])


_NO_ROWS: Final = UsageRows(
    np.zeros(0, np.int64),
    np.zeros(0, np.int32),
    {"amount": np.zeros(0, np.int64), "quantity": np.zeros(0, np.int64)},
)


def decimal_text(metric: str, units: int) -> str:
    """Return `units` of 10^-`PLACES[metric]` as an exact decimal number without trailing zeros."""
    places = PLACES[metric]
    whole, part = divmod(abs(units), 10**places)
    text = f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".")
    return f"-{text}" if units < 0 else text


def decimal128_text(metric: str, units: int) -> str:
    """Return `units` of 10^-`PLACES[metric]` with 34 digits, as a database's decimal128 writes it out."""
    if not units:
        return "0E-6176"
    text = decimal_text(metric, units)
    digits = text.replace("-", "").replace(".", "").lstrip("0")
    return text + ("" if "." in text else ".") + "0" * (34 - len(digits))
