"""Finds out which combinations of usage each combination of costs bills, and at which relative price."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.spend import Factor, LineMeaning, Target, UsageClass
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.dimension_index import DimensionIndex

_MOST_FACTOR: Final = 10**6
"""Larger denominators of factors are rounded, so that weights fit 64 bits."""

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Combinations that occur: their ids (n,), ascending, and the index that has them."""

    index: DimensionIndex
    ids: Ids

    def codes(self, dimension: str) -> NDArray[np.int32]:
        """Return the code of each combination's value, (n,)."""
        return self.index.column(dimension)[self.ids]

    def objects(self, dimension: str) -> NDArray[np.object_]:
        """Return each combination's value, (n,); None if there is no such dimension."""
        if not self.index.has_dimension(dimension):
            return np.full(len(self.ids), None, np.object_)
        return as_objects(self.index.values(dimension))[self.codes(dimension)]

    def are(self, dimension: str, values: Sequence[Value]) -> NDArray[np.bool_]:
        """Report which combinations have one of these values, (n,)."""
        passing = [value in values for value in self.index.values(dimension)]
        return np.array(passing, np.bool_)[self.codes(dimension)]


@dataclass(frozen=True, slots=True)
class CellPairs:
    """Pairs of positions in the cells of costs and of usage, (p,), with the whole-number factor of the usage.

    `measure` is the number of the measure that the line item bills.
    """

    cost: NDArray[np.intp]
    usage: NDArray[np.intp]
    measure: NDArray[np.intp]
    factor: Ids
    is_assumed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line item that bills usage of one dataset: its cells of costs, its target and its factors."""

    cells: NDArray[np.intp]
    target: Target
    factors: Mapping[UsageClass, Factor]


def pair_cells(
    costs: Cells, usage: Cells, matched: Sequence[str], lines: Sequence[BilledLine], measures: Sequence[str]
) -> CellPairs:
    """Return the pairs of cells that are equal in the `matched` dimensions, line by line."""
    cost_keys, usage_keys = _match_keys(costs, usage, matched)
    order = np.argsort(usage_keys, kind="stable")
    found = list(_pairs(cost_keys, usage_keys, order, usage, lines, measures))
    empty = np.empty(0, np.intp)
    columns = zip(*found, strict=True) if found else ((empty,) for _ in CellPairs.__slots__)
    cost, used, measure, factor, is_assumed = (np.concatenate(column) for column in columns)
    return CellPairs(cost, used, measure, factor.astype(np.int64), is_assumed.astype(np.bool_))


def places(cells: Cells, dimensions: Sequence[str]) -> Ids:
    """Return the rank of each cell by its values, (n,): ids depend on the order in which cells arrived."""
    keys = [_ranks(cells.index.values(name))[cells.codes(name)] for name in dimensions]
    order = np.lexsort(keys[::-1]) if keys else np.arange(len(cells.ids))
    place = np.empty(len(cells.ids), np.int64)
    place[order] = np.arange(len(order))
    return place


def as_objects(values: Sequence[Value]) -> NDArray[np.object_]:
    """Return texts as an array that may hold None."""
    column = np.empty(len(values), np.object_)
    column[:] = values
    return column


def meanings_of_cells(costs: Cells, meanings: Sequence[LineMeaning]) -> NDArray[np.intp]:
    """Return the number of each cell's meaning, (n,); -1: it has none."""
    numbers = {(meaning.text, meaning.unit): number for number, meaning in enumerate(meanings)}
    texts, units = costs.objects("line_item"), costs.objects("quantity_unit")
    return np.array([numbers.get((text or "", unit), -1) for text, unit in zip(texts, units, strict=True)], np.intp)


def _ranks(values: Sequence[Value]) -> Ids:
    """Return the rank of each value in ascending order; that of None is the first."""
    order = sorted(range(len(values)), key=lambda code: (values[code] is not None, values[code] or ""))
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(len(values))
    return ranks


def _match_keys(costs: Cells, usage: Cells, matched: Sequence[str]) -> tuple[Ids, Ids]:
    """Return a number for each cell of costs and usage: equal ones have equal values in the dimensions."""
    size = len(costs.ids)
    keys = np.zeros(size + len(usage.ids), np.int64)
    for name in matched:
        known = {value: code for code, value in enumerate(costs.index.values(name))}
        codes = [known.setdefault(value, len(known)) for value in usage.index.values(name)]
        same = np.array(codes, np.int64)[usage.codes(name)]
        keys = keys * len(known) + np.concatenate([costs.codes(name), same])
        keys = np.unique(keys, return_inverse=True)[1]
    return keys[:size], keys[size:]


def _pairs(
    cost_keys: Ids,
    usage_keys: Ids,
    order: NDArray[np.intp],
    usage: Cells,
    lines: Sequence[BilledLine],
    measures: Sequence[str],
) -> Iterator[tuple[NDArray[np.generic], ...]]:
    ordered = usage_keys[order]
    for line in lines:
        billed = order if (kept := _billed(usage, line.target)) is None else order[kept[order]]
        keys = ordered if kept is None else usage_keys[billed]
        wanted = cost_keys[line.cells]
        first = np.searchsorted(keys, wanted)
        cost, position = expand(first, np.searchsorted(keys, wanted, side="right") - first)
        used = billed[position]
        factor, is_assumed = _factors(usage, line.factors)
        measure = np.full(len(used), measures.index(line.target.measure))
        yield line.cells[cost], used, measure, factor[used], is_assumed[used]


def expand(first: NDArray[np.intp], counts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the number of the range, and the position, of each of the `counts` positions from `first` on."""
    number = np.repeat(np.arange(len(first)), counts)
    begin = np.cumsum(counts) - counts
    return number, np.arange(len(number)) - begin[number] + first[number]


def _billed(usage: Cells, target: Target) -> NDArray[np.bool_] | None:
    """Report which cells of usage a target bills, (n,); None: all."""
    kept: NDArray[np.bool_] | None = None
    has = usage.index.has_dimension
    if target.model is not None and has("model"):
        kept = usage.are("model", (target.model,))
    if has("service_tier") and (target.tier is not None or target.other_tiers):
        tiers = (target.tier,) if target.tier is not None else target.other_tiers
        of_tier = usage.are("service_tier", tiers) == (target.tier is not None)
        kept = of_tier if kept is None else kept & of_tier
    return kept


def _factors(usage: Cells, factors: Mapping[UsageClass, Factor]) -> tuple[Ids, NDArray[np.bool_]]:
    """Return the whole-number factor of each cell of usage, and whether it is assumed, (n,)."""
    factor, is_assumed = np.ones(len(usage.ids), np.int64), np.zeros(len(usage.ids), np.bool_)
    classes = {key: item for key, item in factors.items() if item.value != 1 or not item.measured}
    if not classes or not usage.index.has_dimension("batch"):
        return factor, is_assumed
    scale = lcm(*(_simple(item.value).denominator for item in classes.values()))
    factor[:] = scale
    for key, item in classes.items():
        of_class = usage.are("batch", ("true",)) == key.batch
        of_class &= usage.are("service_tier", (key.tier,))
        factor[of_class] = int(_simple(item.value) * scale)
        is_assumed[of_class] = not item.measured
    return factor, is_assumed


def _simple(value: Fraction) -> Fraction:
    return value.limit_denominator(_MOST_FACTOR)
