"""Generates the costs of completions, as line items of each model."""

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
from usage_viewer.demo.world.hours import HourlyUsage
from usage_viewer.demo.world.recipes import IntArray, MetricArrays
from usage_viewer.demo.world.rhythm import DAY
from usage_viewer.demo.world.rows import UsageRows, concat_rows
from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import DATASETS

PLACES: Final = {"amount": 10, "quantity": 0}
"""Decimal places of the decimal metrics, which are stored as whole numbers: amounts in 10^-10 dollars, quantities
in whole tokens. (Billions of tokens in units of 10^-10 would not fit in 64 bits.)
"""
_UNIT: Final[int] = 10 ** PLACES["amount"]
_CREDIT: Final = -25 * _UNIT // 10  # for each day
_CREDIT_ITEM: Final = "complimentary daily tokens"


@dataclass(frozen=True, slots=True)
class _LineItem:
    """A kind of line item: the tokens that it bills, at a multiple of the model's input or output price."""

    name: str
    old_name: str  # before `LINE_ITEMS_SINCE`
    parts: tuple[str, ...]  # metrics whose tokens are billed
    factor: float  # of the model's price
    of_output: bool = False

    def price(self, model: Model, batch: bool) -> int:
        """Return the price of one token in 10^-10 dollars; in a batch it is half."""
        dollars = (model.output_price if self.of_output else model.input_price) * self.factor
        return round(dollars * (0.5 if batch else 1.0) * _UNIT / 1_000_000)


_ITEMS: Final = (
    _LineItem("input_tokens", "input", ("input_text_tokens", "input_image_tokens"), 1.0),
    _LineItem(
        "cached_input_tokens",
        "cached input",
        ("input_cached_text_tokens", "input_cached_image_tokens"),
        CACHED_PRICE_FACTOR,
    ),
    _LineItem(
        "cache_write_tokens",
        "cache writes",
        ("input_cache_write_30m_tokens", "input_cache_write_12h_tokens"),
        1.25,
    ),
    _LineItem("output_tokens", "output", ("output_text_tokens", "output_image_tokens"), 1.0, True),
    _LineItem(
        "audio_input_tokens",
        "audio input",
        ("input_audio_tokens", "input_cached_audio_tokens"),
        AUDIO_PRICE_FACTOR,
    ),
    _LineItem("audio_output_tokens", "audio output", ("output_audio_tokens",), AUDIO_PRICE_FACTOR, True),
)


class Bill:
    """The costs of completions. `values` are the combinations of dimensions that its rows refer to."""

    def __init__(self, completions: HourlyUsage) -> None:
        self._usage = completions
        self.values: list[Combination] = []
        numbers: dict[Combination, int] = {}

        def number(values: Combination) -> int:
            if values not in numbers:
                numbers[values] = len(self.values)
                self.values.append(values)
            return numbers[values]

        usage_combinations = completions.combinations
        self._prices = np.array(
            [
                [item.price(model, _is_batch(usage_combinations, index)) for item in _ITEMS]
                for index, model in enumerate(usage_combinations.models)
            ]
        )
        # [combination of the usage, item, 0 for the old and 1 for the new name] -> combination of the costs
        self._numbers = np.array(
            [
                [
                    [
                        number(_cost_values(usage_combinations, index, f"{model.name}, {name}"))
                        for name in (item.old_name, item.name)
                    ]
                    for item in _ITEMS
                ]
                for index, model in enumerate(usage_combinations.models)
            ],
            np.int32,
        )
        self._credit = number(_cost_combination({"line_item": _CREDIT_ITEM, "currency": "usd"}))

    def window(self, start: int, end: int) -> UsageRows:
        """Return the costs between two times (epoch seconds, multiples of 60), with a credit for each day."""
        usage = self._usage.window(start, end)
        parts = [self._item_costs(usage, number) for number in range(len(_ITEMS))]
        days = np.arange(max(start, DETAIL_SINCE) // DAY * DAY, end, DAY, dtype=np.int64)
        days = days[days >= start]
        credit: MetricArrays = {"amount": np.full(len(days), _CREDIT), "quantity": np.zeros(len(days), np.int64)}
        return concat_rows([*parts, UsageRows(days, np.full(len(days), self._credit, np.int32), credit)])

    def _item_costs(self, usage: UsageRows, item: int) -> UsageRows:
        tokens: IntArray = sum((usage.metrics[part] for part in _ITEMS[item].parts), np.zeros(len(usage), np.int64))
        nonzero = np.flatnonzero(tokens)
        at, combination, tokens = usage.at[nonzero], usage.combination[nonzero], tokens[nonzero]
        has_new_name = (at >= LINE_ITEMS_SINCE).astype(np.int64)
        costs: MetricArrays = {"amount": tokens * self._prices[combination, item], "quantity": tokens}
        return UsageRows(at, self._numbers[combination, item, has_new_name], costs)


def decimal_text(metric: str, units: int) -> str:
    """Return `units` of 10^-`PLACES[metric]` as an exact decimal number without trailing zeros."""
    places = PLACES[metric]
    whole, part = divmod(abs(units), 10**places)
    text = f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".") if places else str(whole)
    return f"-{text}" if units < 0 else text


def _is_batch(usage_combinations: Combinations, index: int) -> bool:
    return _values_of(usage_combinations, index).get("batch") == "true"


def _values_of(usage_combinations: Combinations, index: int) -> dict[str, str | None]:
    return dict(
        zip(
            (item.name for item in usage_combinations.dataset.dimensions),
            usage_combinations.values[index],
            strict=True,
        )
    )


def _cost_values(usage_combinations: Combinations, index: int, line_item: str) -> Combination:
    return _cost_combination(
        {
            **_values_of(usage_combinations, index),
            "line_item": line_item,
            "currency": "usd",
            "quantity_unit": "tokens",
        }
    )


def _cost_combination(values: dict[str, str | None]) -> Combination:
    return tuple(values.get(dimension.name) for dimension in DATASETS["costs"].dimensions)
