"""Turns the parts of attributed days into facts of the dataset `spend`: one for each day and combination."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.view_parts import NOT_AVAILABLE, Value
from usage_viewer.query.spend.exact_numbers import ExactNumbers
from usage_viewer.store.spend.attribution import ATTRIBUTIONS, REASONS, DayCosts, Parts
from usage_viewer.store.spend.cell_pairs import Cells, as_objects

_WHO: Final = ("project_id", "user_id", "api_key_id", "api_source")
_NAMES: Final = tuple(item.name for item in SPEND.dimensions)

Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class SpendFacts:
    """Facts of spend, (n,): `cell` is a position in `combinations`, and in the `columns` of their values.

    `priced` is the amount of the parts with a quantity other than 0.
    """

    combinations: Sequence[Combination]
    columns: Mapping[str, Sequence[Value]]
    bucket: NDArray[np.int64]
    cell: NDArray[np.intp]
    amount: ExactNumbers
    quantity: ExactNumbers
    priced: ExactNumbers


def make_facts(parts: Parts, days: DayCosts) -> SpendFacts:
    """Return the sums of each day and combination."""
    _, first, kind = np.unique(_kinds(parts), return_index=True, return_inverse=True)
    columns = _columns(parts, days, first)
    numbers: dict[Combination, int] = {}
    listed = [columns[name].tolist() for name in _NAMES]
    cells = [numbers.setdefault(values, len(numbers)) for values in zip(*listed, strict=True)]
    cell = np.array(cells, np.intp)[kind]
    has_price = ~parts.quantity.is_zero()
    priced = parts.amount if has_price.all() else parts.amount.where(has_price)
    by_name = dict(zip(_NAMES, zip(*numbers, strict=True) if numbers else [()] * len(_NAMES), strict=True))
    facts = SpendFacts(list(numbers), by_name, parts.bucket, cell, parts.amount, parts.quantity, priced)
    return facts if len(numbers) == len(cells) else _summed(facts)


def _summed(facts: SpendFacts) -> SpendFacts:
    """Return one fact for each day and combination."""
    keys = facts.bucket * len(facts.combinations) + facts.cell
    found, first, group = np.unique(keys, return_index=True, return_inverse=True)
    figures = (item.sums(group, len(found)) for item in (facts.amount, facts.quantity, facts.priced))
    return SpendFacts(facts.combinations, facts.columns, facts.bucket[first], facts.cell[first], *figures)


def _kinds(parts: Parts) -> NDArray[np.int64]:
    """Return a number for each part: it is equal for parts that can't differ in any dimension."""
    sizes = (
        (parts.service + 1, len(parts.usage_cells) + 1),
        (parts.usage + 1, 1 + max((len(cells.ids) for cells in parts.usage_cells), default=0)),
        (parts.attribution, len(ATTRIBUTIONS)),
        (parts.reason, len(REASONS)),
    )
    kinds = parts.cost.astype(np.int64)
    for column, size in sizes:
        kinds = kinds * size + column
    return kinds


def _columns(parts: Parts, days: DayCosts, chosen: NDArray[np.intp]) -> dict[str, Objects]:
    """Return the values of some parts in each dimension, (len(chosen),)."""
    cost, service = parts.cost[chosen], parts.service[chosen]
    usage, line = parts.usage[chosen], parts.line[chosen]
    reason = as_objects([None if item is None else item.value for item in REASONS])[parts.reason[chosen]]
    columns = _of_costs(days, parts.cost_cells, cost) | _of_meanings(days, line)
    columns["service"][parts.reason[chosen] != 0] = None
    columns["attribution"] = as_objects([item.value for item in ATTRIBUTIONS])[parts.attribution[chosen]]
    columns["reason"] = reason
    for number, cells in enumerate(parts.usage_cells):
        own = np.flatnonzero((service == number) & (usage >= 0))
        for name, values in _of_usage(days, number, cells).items():
            columns[name][own] = values[usage[own]] if isinstance(values, np.ndarray) else values
    return columns


def _of_costs(days: DayCosts, cells: Cells, cost: NDArray[np.intp]) -> dict[str, Objects]:
    """Return what the rows of costs tell; a dimension that neither costs nor usage have is not available."""
    columns = {}
    for name in (*_WHO, "line_item", "currency", "quantity_unit"):
        is_known = name in days.grain or name in ("currency", "quantity_unit")
        values = cells.objects(name) if is_known else np.full(len(cells.ids), NOT_AVAILABLE, np.object_)
        columns[name] = values[cost]
    nothing = np.full(len(cost), None, np.object_)
    return columns | {"batch": nothing, "service_tier": nothing.copy()}


def _of_meanings(days: DayCosts, line: NDArray[np.intp]) -> dict[str, Objects]:
    targets = [meaning.target for meaning in days.meanings]
    return {
        name: as_objects([None if target is None else getattr(target, name) for target in targets])[line]
        for name in ("service", "model", "token_kind")
    }


def _of_usage(days: DayCosts, number: int, cells: Cells) -> dict[str, Any]:
    """Return what the usage of a service tells that the rows of costs don't: an array by cell, or one value."""
    usage = days.usage[number]
    columns: dict[str, Any] = {"service": usage.service}
    wanted = [name for name in (*_WHO, "model", "batch", "service_tier") if name not in days.grain]
    for name in wanted:
        if usage.dataset.has_dimension(name) and name in usage.grain:
            columns[name] = cells.objects(name)
        elif usage.dataset.has_dimension(name) and name != "model":
            columns[name] = NOT_AVAILABLE
    return columns
