"""Writes what each part of the bill really cost: one JSON object on a line for each part and day.

`day` is the day of the bill, `usage_day` that of the usage; both differ for a part that is billed late. `used`
counts the usage itself: tokens, images, seconds, …, or byte-hours of storage. `quantity` and `amount` are exact
decimals in text. The sums of `amount` by any dimensions are the costs. `fact` says what is special: `late`, `free`
(no row of costs), `no_usage` or `credit`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.bill import Bill, decimal_text
from usage_viewer.demo.world.metered import BilledParts
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.demo.world.rhythm import DAY
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.view_parts import Value

_STEP: Final = 7 * DAY  # generated at once
_PROJECT_ONLY: Final = ("project_id",)
_USAGE: Final = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source")
_COSTS: Final = tuple(dimension.name for dimension in API_DATASETS["costs"].dimensions)


def write_truth(organization: SyntheticOrganization, path: Path, until: int) -> None:
    """Write the parts of all days that end at `until` (epoch seconds) or earlier, whole or not at all.

    Raises OSError.
    """
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        for lines in truth_lines(organization, organization.first, until // DAY * DAY):
            file.writelines(lines)
    part.replace(path)


def truth_lines(organization: SyntheticOrganization, start: int, end: int) -> Iterator[list[str]]:
    """Yield the lines of the days between two times (epoch seconds, midnights in UTC), in blocks of days."""
    bill = organization.bill
    prefixes: dict[tuple[str, str, int, int], str] = {}
    values_of = {payer.service: payer.usage_values for payer in bill.payers}
    for first in range(max(start, organization.first), end, _STEP):
        lines: list[tuple[int, str]] = []
        for parts in bill.parts(first, min(first + _STEP, end)):
            lines += _lines_of(parts, bill, values_of[parts.service], prefixes)
        lines.sort()
        yield [line for _, line in lines]


def _lines_of(
    parts: BilledParts,
    bill: Bill,
    usage_values: list[tuple[Value, ...]],
    prefixes: dict[tuple[str, str, int, int], str],
) -> Iterator[tuple[int, str]]:
    """Yield the day number and the line of each day, combination of usage and row of costs."""
    keys = np.stack([parts.at // DAY, parts.used_at // DAY, parts.usage, parts.cost])
    groups, place = np.unique(keys, axis=1, return_inverse=True)
    used, quantity, amount = (
        _sums(values, place.ravel(), groups.shape[1]) for values in (parts.used, parts.quantity, parts.amount)
    )
    fact = json.dumps(parts.fact)
    for number, (day, usage_day, usage, cost) in enumerate(groups.T.tolist()):
        key = (parts.service, parts.kind, usage, cost)
        if key not in prefixes:
            prefixes[key] = _prefix(parts, usage_values[usage], bill.values[cost])
        yield (
            day,
            f'{{"day":"{_date(day)}","usage_day":"{_date(usage_day)}",{prefixes[key]},"fact":{fact},'
            f'"used":{used[number]},"quantity":"{decimal_text("quantity", quantity[number])}",'
            f'"amount":"{decimal_text("amount", amount[number])}"}}\n',
        )


def _sums(values: NDArray[np.int64], groups: NDArray[np.intp], count: int) -> list[int]:
    """Return the sum of each group. Whole numbers of any size, as byte-hours are large."""
    sums = np.zeros(count, np.int64)
    np.add.at(sums, groups, values)
    return [int(one) for one in sums]


def _date(day: int) -> str:
    return str(np.datetime64(day, "D"))


def _prefix(parts: BilledParts, usage: tuple[Value, ...], cost: tuple[Value, ...]) -> str:
    dataset = API_DATASETS.get(parts.service)
    names = _PROJECT_ONLY if dataset is None else [dimension.name for dimension in dataset.dimensions]
    used = dict(zip(names, usage, strict=True))
    billed = dict(zip(_COSTS, cost, strict=True))
    batch = used.get("batch")
    values = {
        "service": parts.service or None,
        **{name: used.get(name) for name in (*_USAGE, *(name for name in names if name not in _USAGE))},
        "batch": None if batch is None else batch == "true",
        "token_kind": parts.kind or None,
        **{name: billed[name] for name in ("line_item", "quantity_unit", "currency")},
    }
    return json.dumps(values, separators=(",", ":"))[1:-1]
