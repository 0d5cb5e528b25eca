"""`Bill`: what the completions cost by day, as line items: whole numbers of 10^-10 dollars, and whole tokens."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from usage_viewer.demo.world.catalog import (
    AUDIO_PRICE_FACTOR,
    CACHED_PRICE_FACTOR,
    DETAIL_SINCE,
    LINE_ITEMS_SINCE,
    Model,
)
from usage_viewer.demo.world.combinations import Combinations
from usage_viewer.demo.world.hours import Hours
from usage_viewer.demo.world.recipes import Columns, Ints
from usage_viewer.demo.world.rhythm import DAY
from usage_viewer.demo.world.rows import UsageRows, joined
from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import DATASETS

PLACES: Final = {"amount": 10, "quantity": 0}
"""Decimal places of the decimal metrics. Tokens are whole: as 10^-10 of one, a billion would not fit in 64 bits."""
_UNIT: Final[int] = 10 ** PLACES["amount"]
_CREDIT: Final = -25 * _UNIT // 10  # a day
_CREDIT_ITEM: Final = "complimentary daily tokens"


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    old_name: str  # before `LINE_ITEMS_SINCE`
    parts: tuple[str, ...]  # leaf metrics
    factor: float
    of_output: bool = False

    def price(self, model: Model, batch: bool) -> int:
        """Of one token, in 10^-10 dollars; a batch costs half."""
        dollars = (model.output_price if self.of_output else model.input_price) * self.factor
        return round(dollars * (0.5 if batch else 1.0) * _UNIT / 1_000_000)


_ITEMS: Final = (
    _Item("input_tokens", "input", ("input_text_tokens", "input_image_tokens"), 1.0),
    _Item(
        "cached_input_tokens",
        "cached input",
        ("input_cached_text_tokens", "input_cached_image_tokens"),
        CACHED_PRICE_FACTOR,
    ),
    _Item(
        "cache_write_tokens",
        "cache writes",
        ("input_cache_write_30m_tokens", "input_cache_write_12h_tokens"),
        1.25,
    ),
    _Item("output_tokens", "output", ("output_text_tokens", "output_image_tokens"), 1.0, True),
    _Item(
        "audio_input_tokens",
        "audio input",
        ("input_audio_tokens", "input_cached_audio_tokens"),
        AUDIO_PRICE_FACTOR,
    ),
    _Item("audio_output_tokens", "audio output", ("output_audio_tokens",), AUDIO_PRICE_FACTOR, True),
)


class Bill:
    """Rows of costs at the hours or minutes of the usage that they are for."""

    def __init__(self, completions: Hours) -> None:
        self._usage = completions
        self.values: list[Combination] = []
        numbers: dict[Combination, int] = {}

        def number(values: Combination) -> int:
            if values not in numbers:
                numbers[values] = len(self.values)
                self.values.append(values)
            return numbers[values]

        used = completions.combinations
        self._prices = np.array(
            [[item.price(model, _is_batch(used, at)) for item in _ITEMS] for at, model in enumerate(used.models)]
        )
        # For each combination of the usage and each item: the combination of the costs, in its old and new name.
        self._numbers = np.array(
            [
                [
                    [number(_values(used, at, f"{model.name}, {name}")) for name in (item.old_name, item.name)]
                    for item in _ITEMS
                ]
                for at, model in enumerate(used.models)
            ],
            np.int32,
        )
        self._credit = number(_costs({"line_item": _CREDIT_ITEM, "currency": "usd"}))

    def window(self, start: int, end: int) -> UsageRows:
        """Costs of the usage between two moments at multiples of 60 seconds, and each day's credit."""
        usage = self._usage.window(start, end)
        parts = [self._priced(usage, number) for number in range(len(_ITEMS))]
        days = np.arange(max(start, DETAIL_SINCE) // DAY * DAY, end, DAY, dtype=np.int64)
        days = days[days >= start]
        credit: Columns = {"amount": np.full(len(days), _CREDIT), "quantity": np.zeros(len(days), np.int64)}
        return joined([*parts, UsageRows(days, np.full(len(days), self._credit, np.int32), credit)])

    def _priced(self, usage: UsageRows, item: int) -> UsageRows:
        tokens: Ints = sum((usage.metrics[part] for part in _ITEMS[item].parts), np.zeros(len(usage), np.int64))
        some = np.flatnonzero(tokens)
        at, used, tokens = usage.at[some], usage.combination[some], tokens[some]
        era = (at >= LINE_ITEMS_SINCE).astype(np.int64)
        costs: Columns = {"amount": tokens * self._prices[used, item], "quantity": tokens}
        return UsageRows(at, self._numbers[used, item, era], costs)


def decimal_text(metric: str, units: int) -> str:
    """Units of 10^-`PLACES` of the metric as an exact decimal without needless zeros."""
    places = PLACES[metric]
    whole, part = divmod(abs(units), 10**places)
    text = f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".") if places else str(whole)
    return f"-{text}" if units < 0 else text


def _is_batch(used: Combinations, at: int) -> bool:
    return _of(used, at).get("batch") == "true"


def _of(used: Combinations, at: int) -> dict[str, str | None]:
    return dict(zip((item.name for item in used.dataset.dimensions), used.values[at], strict=True))


def _values(used: Combinations, at: int, line_item: str) -> Combination:
    return _costs({**_of(used, at), "line_item": line_item, "currency": "usd", "quantity_unit": "tokens"})


def _costs(values: dict[str, str | None]) -> Combination:
    return tuple(values.get(dimension.name) for dimension in DATASETS["costs"].dimensions)
