"""Splits the costs of some days over the usage of these days.

Each row of costs is split by largest remainder in units of 10^-12 of its currency: its parts add up to the row,
and the order of rows can't matter. What is smaller than a unit goes with the first part. A row without usage is a
part of its own, with the reason. The rows of one day need no other day.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.grain import dataset_name
from usage_viewer.domain.spend import Attribution, Factor, LineMeaning, Reason, UsageClass
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.spend.exact_numbers import ExactNumbers, Shares, product, split
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.spend.cell_pairs import (
    BilledLine,
    CellPairs,
    Cells,
    expand,
    meanings_of_cells,
    pair_cells,
    places,
)
from usage_viewer.store.spend.day_rows import CostRows, UsageRows, read_costs, read_usage

MATCHED: Final = ("project_id", "user_id", "api_key_id", "api_source")
"""The dimensions in which a row of costs and the usage that it bills are equal, as far as the row has them."""

ATTRIBUTIONS: Final = tuple(Attribution)
REASONS: Final = (None, *Reason)

_BILLED, _BY_TOKENS, _ASSUMED = (
    ATTRIBUTIONS.index(item) for item in (Attribution.BILLED, Attribution.BY_TOKENS, Attribution.ASSUMED_FACTOR)
)

Indexes = Callable[[str], DimensionIndex]
"""Returns the index of a stored dataset by name."""


@dataclass(frozen=True, slots=True)
class ServiceUsage:
    """The usage of one dataset: how it is stored, and the dimensions that its rows were grouped by."""

    dataset: Dataset
    grain: frozenset[str]

    @property
    def service(self) -> str:
        """The name of the dataset, of which this may be a further grain."""
        return dataset_name(self.dataset.name)


@dataclass(frozen=True, slots=True)
class DayCosts:
    """What to attribute: the costs of the days `starts` (epoch seconds, (n,)), all stored in the same grains.

    `costs` is how they are stored, `grain` the dimensions that their rows were grouped by. `meanings` are those of
    every line item in them ("": none). `factors` are the relative prices of classes of usage, by line item and
    unit; a class that is missing has the price of ordinary usage.
    """

    starts: NDArray[np.int64]
    costs: Dataset
    grain: frozenset[str]
    usage: Sequence[ServiceUsage]
    meanings: Sequence[LineMeaning]
    factors: Mapping[tuple[str, str | None], Mapping[UsageClass, Factor]]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of rows of costs, (n,): each row has some, of which it is the sum.

    `cost` is the position of a combination in `cost_cells`, `usage` one in the cells of the part's service.
    `service` is a number in `DayCosts.usage`. Both are -1 without usage, unless the line item alone tells the
    service. `line` is a number in `DayCosts.meanings`, `attribution` and `reason` are numbers in ATTRIBUTIONS and
    REASONS.
    """

    cost_cells: Cells
    usage_cells: Sequence[Cells]
    bucket: NDArray[np.int64]
    cost: NDArray[np.intp]
    line: NDArray[np.intp]
    service: NDArray[np.intp]
    usage: NDArray[np.intp]
    amount: ExactNumbers
    quantity: ExactNumbers
    attribution: NDArray[np.int8]
    reason: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class BilledUsage:
    """The usage that each row of costs bills, (n,): `row` is a number in `costs`, `usage` a position in `cells`."""

    costs: CostRows
    line: NDArray[np.intp]
    row: NDArray[np.intp]
    service: NDArray[np.intp]
    usage: NDArray[np.intp]
    place: NDArray[np.int64]
    factor: NDArray[np.int64]
    is_assumed: NDArray[np.bool_]
    used: NDArray[np.int64]
    cells: Sequence[Cells]


def attribute(cursor: Connection, indexes: Indexes, days: DayCosts) -> Parts:
    """Return the parts of each row of costs. Raises StoreError."""
    billed = billed_usage(cursor, indexes, days)
    costs, row = billed.costs, billed.row
    shares = Shares(row, billed.place)
    one = np.ones(1, np.int64)
    amount = split(costs.amount, shares, product(billed.used, billed.factor, row))
    quantity = split(costs.quantity, shares, product(billed.used, one, row))
    whole = np.flatnonzero(np.bincount(row, minlength=len(costs.bucket)) == 0)
    rows = np.concatenate([row, whole])
    services, reasons = _of_lines(days)
    line = billed.line[whole]
    is_credit = (costs.amount.sign()[whole] < 0) & ~costs.quantity.known[whole]
    nothing = np.full(len(whole), -1, np.intp)
    return Parts(
        costs.cells,
        billed.cells,
        costs.bucket[rows],
        costs.cell[rows],
        billed.line[rows],
        np.concatenate([billed.service, services[line]]),
        np.concatenate([billed.usage, nothing]),
        ExactNumbers.concatenate(amount, costs.amount[whole]),
        ExactNumbers.concatenate(quantity, costs.quantity[whole]),
        np.concatenate([_attributions(billed), np.full(len(whole), _BILLED, np.int8)]),
        np.concatenate(
            [np.zeros(len(row), np.int8), np.where(is_credit, REASONS.index(Reason.CREDIT), reasons[line])]
        ).astype(np.int8),
    )


def billed_usage(cursor: Connection, indexes: Indexes, days: DayCosts) -> BilledUsage:
    """Return how much of each combination of usage every row of costs bills. Raises StoreError."""
    costs = read_costs(cursor, indexes(days.costs.name), days.costs, days.starts)
    line_of_cell = meanings_of_cells(costs.cells, days.meanings)
    costs = costs.of_cells(line_of_cell >= 0)
    found = list[tuple[NDArray[Any], ...]]()
    cells = list[Cells]()
    for number, usage in enumerate(days.usage):
        lines = _lines_of(days, usage, line_of_cell)
        measures = sorted({line.target.measure for line in lines})
        rows = read_usage(cursor, indexes(usage.dataset.name), usage.dataset, measures, days.starts)
        cells.append(rows.cells)
        if lines:
            matched = matched_dimensions(days, usage) or ()
            pairs = pair_cells(costs.cells, rows.cells, matched, lines, measures)
            place = places(rows.cells, [item.name for item in usage.dataset.dimensions])
            found += ((*part, np.full(len(part[0]), number)) for part in _join(costs, rows, pairs, place))
    columns = [np.concatenate(column) for column in zip(*found, strict=True)] if found else _no_usage()
    row, used_cell, place, factor, is_assumed, used, service = columns
    line = line_of_cell[costs.cell]
    return BilledUsage(costs, line, row, service, used_cell, place, factor, is_assumed, used, cells)


def matched_dimensions(days: DayCosts, usage: ServiceUsage) -> tuple[str, ...] | None:
    """Return the dimensions in which costs and usage have to be equal; None if the usage lacks one of them.

    Then a row of costs bills an unknown part of the usage, and can't be split over it.
    """
    needed = tuple(name for name in MATCHED if name in days.grain)
    return needed if set(needed) <= usage.grain else None


def _lines_of(days: DayCosts, usage: ServiceUsage, line_of_cell: NDArray[np.intp]) -> list[BilledLine]:
    """Return the line items that bill usage of a dataset, as far as rows of costs can be split over it."""
    if matched_dimensions(days, usage) is None:
        return []
    lines = list[BilledLine]()
    for number, meaning in enumerate(days.meanings):
        if meaning.target is not None and meaning.target.service == usage.service:
            cells = np.flatnonzero(line_of_cell == number)
            factors = days.factors.get((meaning.text, meaning.unit), {})
            lines.append(BilledLine(cells, meaning.target, factors))
    return lines


def _join(
    costs: CostRows, rows: UsageRows, pairs: CellPairs, place: NDArray[np.int64]
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Yield the parts of each measure: row, usage, place, factor, whether it is assumed, and how much was used."""
    keys = costs.bucket * (size := max(1, len(costs.cells.ids))) + costs.cell
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    for number, used in enumerate(rows.used):
        pair = np.flatnonzero(pairs.measure == number)
        pair = pair[np.argsort(pairs.usage[pair], kind="stable")]
        counts = np.bincount(pairs.usage[pair], minlength=len(rows.cells.ids))
        some = np.flatnonzero(used > 0)
        cell = rows.cell[some]
        which, position = expand((np.cumsum(counts) - counts)[cell], counts[cell])
        pair = pair[position]
        wanted = rows.bucket[some][which] * size + pairs.cost[pair]
        found = np.searchsorted(keys, wanted)
        is_billed = keys[np.minimum(found, len(keys) - 1)] == wanted if len(keys) else np.zeros(0, np.bool_)
        pair, usage_row = pair[is_billed], some[which[is_billed]]
        cell = rows.cell[usage_row]
        yield (
            order[found[is_billed]],
            cell,
            place[cell],
            pairs.factor[pair],
            pairs.is_assumed[pair],
            used[usage_row],
        )


def _no_usage() -> list[NDArray[Any]]:
    nothing = np.empty(0, np.int64)
    return [nothing, nothing, nothing, nothing, np.empty(0, np.bool_), nothing, nothing]


def _attributions(billed: BilledUsage) -> NDArray[np.int8]:
    """Return how the amount of each part was found, as numbers in ATTRIBUTIONS."""
    row, size = billed.row, len(billed.costs.bucket)
    least, most, assumed = np.full(size, 2**62), np.zeros(size, np.int64), np.zeros(size, np.bool_)
    if billed.is_assumed.any():
        np.minimum.at(least, row, billed.factor)
        np.maximum.at(most, row, billed.factor)
        assumed[row[billed.is_assumed]] = True
    kinds = np.where(assumed & (least != most), _ASSUMED, _BY_TOKENS)
    kinds[np.bincount(row, minlength=size) == 1] = _BILLED
    return kinds[row].astype(np.int8)


def _of_lines(days: DayCosts) -> tuple[NDArray[np.intp], NDArray[np.int8]]:
    """Return the service of each meaning, -1 for none, and the reason if a row has no parts."""
    numbers = {item.service: number for number, item in enumerate(days.usage)}
    services, reasons = list[int](), list[Reason | None]()
    for meaning in days.meanings:
        service = -1 if meaning.target is None else numbers.get(meaning.target.service, -1)
        reason: Reason | None = Reason.USAGE_MISSING
        if meaning.target is None:
            reason = meaning.reason or Reason.UNRECOGNISED
        elif service >= 0 and matched_dimensions(days, days.usage[service]) is None:
            reason = None  # the usage is there, but its rows can't be told apart as those of the costs are
        services.append(service)
        reasons.append(reason)
    return np.array(services, np.intp), np.array([REASONS.index(reason) for reason in reasons], np.int8)
