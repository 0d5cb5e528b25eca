"""Finds out how the costs and the usage of each day are stored, and what has changed since a day was attributed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import COSTS
from usage_viewer.domain.coverage import HeldBuckets
from usage_viewer.domain.grain import GrainBuckets, stored_dataset
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.spend.attribution import MATCHED, ServiceUsage
from usage_viewer.store.store import Store

Stored = tuple[str, frozenset[str]]
"""The name under which a day of a dataset is stored, and the dimensions that its rows were grouped by."""

Layout = tuple[Stored, ...]
"""How a day is stored: its costs, then the usage of each dataset that the day has."""

Digests = Mapping[tuple[str, int], tuple[int, int]]
"""How many rows each stored day has, and their digest, by the name of its dataset or grain and its start."""


def day_layouts(store: Store, services: Iterable[str], starts: NDArray[np.int64]) -> dict[int, Layout]:
    """Return the layout of each of these days (epoch seconds) whose costs are stored.

    Costs are read in the grain with the most dimensions. Usage is read in a grain that has those by which the rows
    of costs and usage are matched, if there is one.
    """
    costs = _by_day(store.grains(COSTS.name), starts)
    usage = [_by_day(store.grains(name), starts) for name in services]
    layouts: dict[int, Layout] = {}
    for start, grains in costs.items():
        bill = max(grains, key=lambda item: ("line_item" in item[1], len(item[1])))
        needed = bill[1].intersection(MATCHED)
        layouts[start] = (bill, *(_best(days[start], needed) for days in usage if start in days))
    return layouts


def services_of(layout: Layout) -> tuple[ServiceUsage, list[ServiceUsage]]:
    """Return the costs and the usage of a layout."""
    costs, *usage = (ServiceUsage(stored_dataset(name), grain) for name, grain in layout)
    return costs, usage


def read_digests(cursor: Connection, names: Iterable[str]) -> Digests:
    """Return rows and digest of every stored day of some datasets and grains."""
    wanted = sorted(set(names))
    marks = ", ".join("?" * len(wanted))
    rows = cursor.execute(
        f'SELECT dataset, start, "rows", digest FROM held WHERE width = ? AND dataset IN ({marks})',
        [BucketWidth.DAY.value, *wanted],
    ).fetchall()
    return {(name, start): (count, digest) for name, start, count, digest in rows}


def known_layouts(layouts: Mapping[int, Layout], digests: Digests) -> dict[int, Layout]:
    """Return the layouts of the days that are stored now in all of their parts."""
    return {
        start: layout for start, layout in layouts.items() if all((name, start) in digests for name, _ in layout)
    }


def days_alike(starts: Iterable[int], layouts: Mapping[int, Layout]) -> dict[Layout, list[int]]:
    """Return the days of each layout, in the order of `starts`."""
    alike = defaultdict[Layout, list[int]](list)
    for start in starts:
        alike[layouts[start]].append(start)
    return alike


def _best(grains: Sequence[Stored], needed: frozenset[str]) -> Stored:
    return max(grains, key=lambda item: (needed <= item[1], "model" in item[1], len(item[1])))


def _by_day(grains: Iterable[GrainBuckets], starts: NDArray[np.int64]) -> dict[int, list[Stored]]:
    days: dict[int, list[Stored]] = {}
    for grain in grains:
        held = grain.held.get(BucketWidth.DAY, HeldBuckets.nothing()).starts
        for start in held[np.isin(held, starts)].tolist():
            days.setdefault(start, []).append((grain.stored_as, grain.grain))
    return days
