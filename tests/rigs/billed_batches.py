"""Makes the usage and the costs of an organization what the client decodes from the API: batches of days.

Rows and combinations come in random order, as no order may matter.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np

from tests.rigs.billed_organizations import BilledOrganization
from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth

DAY = 86400


def costs_batch(organization: BilledOrganization, grain: Sequence[str], random: Random) -> Batch:
    """Return the costs grouped by `grain` and by line item."""
    kept = {"line_item", "quantity_unit", *grain}
    sums: dict[tuple[int, Combination], list[Any]] = {}
    names = [item.name for item in DATASETS["costs"].dimensions]
    for cost in organization.costs:
        values = {**vars(cost), "currency": "usd", "api_source": None}
        cell = tuple(values[name] if name in kept or name == "currency" else None for name in names)
        entry = sums.setdefault((cost.day, cell), [Decimal(), None])
        entry[0] += cost.amount
        if cost.quantity is not None:
            entry[1] = (entry[1] or Decimal()) + cost.quantity
    grouped = tuple(name for name in DATASETS["costs"].group_by if name in kept)
    rows = [(day, cell, {"amount": a, "quantity": q}) for (day, cell), (a, q) in sums.items()]
    return batch_of("costs", organization.day_numbers, grouped, rows, random)


def usage_batch(organization: BilledOrganization, service: str, grain: Sequence[str], random: Random) -> Batch:
    """Return the usage of a dataset grouped by those dimensions of `grain` that it has."""
    names = [item.name for item in DATASETS[service].dimensions]
    sums: dict[tuple[int, Combination], dict[str, int]] = {}
    for used in organization.usage:
        if used.service == service:
            cell = tuple(used.dimensions.get(name) if name in grain else None for name in names)
            entry = sums.setdefault((used.day, cell), defaultdict(int))
            for metric, count in used.metrics.items():
                entry[metric] += count
    rows = [(day, cell, metrics) for (day, cell), metrics in sums.items()]
    grouped = tuple(name for name in DATASETS[service].group_by if name in grain)
    return batch_of(service, organization.day_numbers, grouped, rows, random)


def batch_of(
    dataset: str,
    days: Sequence[int],
    grouped: tuple[str, ...],
    rows: Iterable[tuple[int, Combination, Mapping[str, Any]]],
    random: Random,
) -> Batch:
    """Return a batch from rows of day, combination and metrics, shuffled. Days are counted from 1970."""
    shuffled = list(rows)
    random.shuffle(shuffled)
    cells = list(dict.fromkeys(cell for _, cell, _ in shuffled))
    random.shuffle(cells)
    numbers = {cell: number for number, cell in enumerate(cells)}
    metrics = {}
    for metric in DATASETS[dataset].metrics:
        values = [row.get(metric.name) for _, _, row in shuffled]
        missing = np.array([value is None for value in values], np.bool_)
        kind: Any = np.object_ if metric.kind is Kind.DECIMAL else np.int64
        column = np.empty(len(values), kind)
        column[:] = [(Decimal() if kind is np.object_ else 0) if value is None else value for value in values]
        metrics[metric.name] = NumberColumn(column, missing if missing.any() else None)
    return Batch(
        dataset,
        BucketWidth.DAY,
        np.array([day * DAY for day in days], np.int64),
        grouped,
        cells,
        np.array([day * DAY for day, _, _ in shuffled], np.int64),
        np.array([numbers[cell] for _, cell, _ in shuffled], np.int32),
        metrics,
    )
