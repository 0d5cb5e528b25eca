"""Generates the line items that no endpoint reports any usage of: evals, a model that usage lacks, and a credit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from usage_viewer.demo.world.catalog import DETAIL_SINCE
from usage_viewer.demo.world.cost_combinations import CostCombinations
from usage_viewer.demo.world.directory import Directory
from usage_viewer.demo.world.draw import RandomStream
from usage_viewer.demo.world.metered import ONE, BilledParts, Fact
from usage_viewer.demo.world.planted_facts import CREDIT_LINE
from usage_viewer.demo.world.price_list import AMOUNT_PLACES
from usage_viewer.demo.world.recipes import IntArray
from usage_viewer.demo.world.rhythm import DAY, HOUR
from usage_viewer.domain.view_parts import Value

_THURSDAY: Final = 3  # the weekday of the epoch
_CREDIT: Final[int] = -25 * 10**AMOUNT_PLACES // 10  # for each day


@dataclass(frozen=True, slots=True)
class _Line:
    """A line item of a project, with the tokens of an hour at most and their price (10^-`AMOUNT_PLACES`)."""

    text: str
    project: str
    weekdays: range  # 0 is Monday
    hours: range  # of the day, UTC
    most: int
    price: int


_LINES: Final = (
    _Line("evals | gpt-4o-mini-2024-07-18, input", "evals & <red-team>", range(5), range(9, 17), 400_000, 150_000),
    _Line("evals | gpt-4o-mini-2024-07-18, output", "evals & <red-team>", range(5), range(9, 17), 60_000, 600_000),
    _Line("gpt-4.5-preview-2025-02-27, input", "research-sandbox", range(1), range(10, 12), 9_000, 75_000_000),
    _Line("gpt-4.5-preview-2025-02-27, output", "research-sandbox", range(1), range(10, 12), 2_000, 150_000_000),
)


class UnmeteredLines:
    """The part of the bill without usage, since `DETAIL_SINCE`. `usage_values` are the projects that pay for it."""

    service = ""

    def __init__(self, directory: Directory, costs: CostCombinations, seed: int) -> None:
        self._stream = RandomStream(seed, "unmetered")
        projects = {project.plan.name: project.id for project in directory.projects}
        self.usage_values: list[tuple[Value, ...]] = [(projects[line.project],) for line in _LINES]
        self._numbers = [
            costs.number({"project_id": projects[line.project]}, line.text, "tokens") for line in _LINES
        ]
        self.usage_values.append((None,))
        self._credit = costs.number({}, CREDIT_LINE, None)

    def parts(self, start: int, end: int) -> Iterator[BilledParts]:
        """Yield what is billed between two times (epoch seconds): tokens by the hour, the credit at midnight."""
        begin = max(start, DETAIL_SINCE)
        hours = np.arange(-(-begin // HOUR), -(-end // HOUR), dtype=np.int64)
        for number, line in enumerate(_LINES):
            weekday = (hours // 24 + _THURSDAY) % 7
            open_hours = hours[np.isin(weekday, line.weekdays) & np.isin(hours % 24, line.hours)]
            share = self._stream.uniform(open_hours, np.zeros(1, np.int32), number)
            tokens = 1 + (share * line.most).astype(np.int64)
            yield self._parts(number, open_hours * HOUR, tokens, tokens * ONE, tokens * line.price)
        days = np.arange(-(-begin // DAY), -(-end // DAY), dtype=np.int64) * DAY
        nothing = np.zeros(len(days), np.int64)
        yield self._parts(len(_LINES), days, nothing, nothing, nothing + _CREDIT)

    def _parts(
        self, number: int, at: IntArray, tokens: IntArray, quantity: IntArray, amount: IntArray
    ) -> BilledParts:
        is_credit = number == len(_LINES)
        return BilledParts(
            self.service,
            "" if is_credit else _LINES[number].text.rpartition(", ")[2],
            Fact.CREDIT if is_credit else Fact.NO_USAGE,
            at,
            at,
            np.full(len(at), number, np.int32),
            np.full(len(at), self._credit if is_credit else self._numbers[number], np.int32),
            tokens,
            quantity,
            amount,
        )
