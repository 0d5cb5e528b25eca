"""Costs are split over usage exactly: parts add up to their rows, and the order of rows can't matter."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.rigs.billed_batches import DAY, costs_batch, usage_batch
from tests.rigs.billed_organizations import BilledOrganization
from tests.rigs.random_organizations import PLAIN_FAMILIES, Options, random_organization
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.spend import Attribution, Reason
from usage_viewer.query.spend.exact_numbers import ExactNumbers
from usage_viewer.store import Store
from usage_viewer.store.spend.attribution import ATTRIBUTIONS, REASONS, DayCosts, ServiceUsage, attribute
from usage_viewer.store.spend.cell_pairs import Cells

COSTS, USAGE = DATASETS["costs"], DATASETS["completions"]
QUANTUM = Decimal("1e-12")
ALL_COSTS = ("project_id", "user_id", "api_key_id")
ALL_USAGE = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")


def random_bill(random: Random) -> BilledOrganization:
    """Make an organization of some days whose batches cost half, down to halves of 10^-12 for a token."""
    options = Options(
        days=random.randrange(1, 5),
        models=3,
        families=PLAIN_FAMILIES,
        is_plain=True,
        ordinary_tiers=(None, "default"),
        projects=("proj_a", "proj_b", "proj_c")[: random.randrange(1, 4)],
        tokens=(2, 10**6, 10**12),
        rows=(0, 1, 4, 12),
        users_in_costs=True,
        price_step=20,
        others=1.0,
    )
    return random_organization(random, options)


@dataclass(frozen=True)
class Part:
    """One part, with the values of its two combinations."""

    day: int
    cost: dict[str, str | None]
    usage: dict[str, str | None] | None
    line: str
    amount: Decimal
    quantity: Decimal | None
    attribution: str
    reason: str | None

    @property
    def identity(self) -> tuple[Any, ...]:
        usage = None if self.usage is None else tuple(self.usage.items())
        return (self.day, tuple(self.cost.items()), usage, self.line, self.attribution, self.reason)


@contextmanager
def stored(bill: BilledOrganization, costs: Sequence[str], usage: Sequence[str], random: Random) -> Iterator[Store]:
    store = Store.open(None)
    try:
        store.put(costs_batch(bill, costs, random), 1)
        store.put(usage_batch(bill, "completions", usage, random), 1)
        yield store
    finally:
        store.close()


def parts_of(
    bill: BilledOrganization,
    costs: Sequence[str],
    usage: Sequence[str],
    random: Random,
    *,
    measured: bool = True,
) -> list[Part]:
    """Store a bill and its usage in some grains, split it, and return the parts."""
    with stored(bill, costs, usage, random) as store, store.database.cursor() as cursor:
        meanings = list(bill.meanings().values())
        random.shuffle(meanings)
        starts = store.stored_buckets("costs")
        (held,) = starts.values()
        parts = attribute(
            cursor,
            store.index,
            DayCosts(
                held.starts,
                COSTS,
                frozenset(costs),
                [ServiceUsage(USAGE, frozenset(usage))],
                meanings,
                bill.factors_of_lines(measured=measured),
            ),
        )
    columns = (parts.bucket, parts.cost, parts.line, parts.usage, parts.attribution, parts.reason)
    figures = zip(decimals(parts.amount), decimals(parts.quantity), parts.quantity.known.tolist(), strict=True)
    return [
        Part(
            bucket // DAY,
            values_of(parts.cost_cells, COSTS, cost),
            None if cell < 0 else values_of(parts.usage_cells[0], USAGE, cell),
            meanings[line].text,
            amount,
            quantity if has_quantity else None,
            ATTRIBUTIONS[attribution].value,
            REASONS[reason],
        )
        for (bucket, cost, line, cell, attribution, reason), (amount, quantity, has_quantity) in zip(
            zip(*(column.tolist() for column in columns), strict=True), figures, strict=True
        )
    ]


def decimals(numbers: ExactNumbers) -> list[Decimal]:
    columns = (numbers.whole.tolist(), numbers.units.tolist(), numbers.tail.tolist())
    return [
        Decimal(whole) + Decimal(units).scaleb(-12) + Decimal(tail).scaleb(-24)
        for whole, units, tail in zip(*columns, strict=True)
    ]


def values_of(cells: Cells, dataset: Dataset, position: int) -> dict[str, str | None]:
    return {item.name: cells.objects(item.name)[position] for item in dataset.dimensions}


def check_exact(bill: BilledOrganization, parts: Sequence[Part], grain: Sequence[str]) -> None:
    """The parts of each row of costs add up to the row, and all of them to the bill."""
    rows: dict[Any, list[Any]] = defaultdict(lambda: [Decimal(), None])
    for cost in bill.costs:
        row = rows[cost.day, cost.line_item, *(vars(cost)[name] for name in grain)]
        row[0] += cost.amount
        if cost.quantity is not None:
            row[1] = (row[1] or Decimal()) + cost.quantity
    sums: dict[Any, list[Any]] = defaultdict(lambda: [Decimal(), None])
    for part in parts:
        row = sums[part.day, part.line, *(part.cost[name] for name in grain)]
        row[0] += part.amount
        if part.quantity is not None:
            row[1] = (row[1] or Decimal()) + part.quantity
    assert sums == rows
    assert sum((part.amount for part in parts), Decimal()) == bill.total


GRAINS = (
    (ALL_COSTS, ALL_USAGE),
    (("project_id",), ALL_USAGE),
    (("project_id", "api_key_id"), ALL_USAGE),
    (("user_id",), ALL_USAGE),
    ((), ALL_USAGE),
    (("project_id",), ("project_id", "model", "batch", "service_tier")),
    (("user_id",), ("project_id", "model", "batch")),
    (("project_id", "user_id"), ("project_id", "api_key_id", "model")),
)


def check_random(seed: int) -> None:
    random = Random(seed)
    bill = random_bill(random)
    costs, usage = random.choice(GRAINS)
    parts = parts_of(bill, costs, usage, random)
    check_exact(bill, parts, costs)
    assert sorted(map(repr, parts)) == sorted(map(repr, parts_of(bill, costs, usage, random)))
    can_split = set(costs) <= set(usage)
    meanings = bill.meanings()
    for part in parts:
        if part.usage is not None:
            assert part.line == f"{part.usage['model']}, {part.line.rpartition(', ')[2]}"
            assert all(part.cost[name] == part.usage[name] for name in costs)
            assert part.reason is None
        elif (reason := meanings[part.line, part.cost["quantity_unit"]].reason) is not None:
            assert part.reason == (Reason.CREDIT if part.amount < 0 else reason)
        else:
            assert not can_split
            assert part.reason is None
    if costs == ALL_COSTS:
        check_truth(bill, parts)


def check_truth(bill: BilledOrganization, parts: Sequence[Part]) -> None:
    """With every dimension, each part is what it really cost, within a unit of 10^-12 for each row of usage."""
    found: dict[Any, Decimal] = defaultdict(Decimal)
    counts: dict[Any, int] = defaultdict(int)
    for part in parts:
        if part.usage is not None:
            kind = part.line.rpartition(", ")[2]
            who = tuple(part.usage[name] for name in ALL_COSTS)
            key = (part.day, *who, part.usage["model"], part.usage["batch"], kind)
            found[key] += part.amount
            counts[key] += 1
    truth: dict[Any, Decimal] = defaultdict(Decimal)
    for one in bill.parts:
        dimensions = one.usage.dimensions
        who = tuple(dimensions[name] for name in ALL_COSTS)
        kind = one.key[0].rpartition(", ")[2]
        truth[one.usage.day, *who, one.usage.model, dimensions["batch"], kind] += one.amount
    assert found.keys() == truth.keys()
    for key, amount in truth.items():
        assert abs(found[key] - amount) <= QUANTUM * counts[key]


@pytest.mark.parametrize("seed", range(60))
def test_random_bills(seed: int) -> None:
    check_random(seed)


@pytest.mark.fuzz
def test_random_bills_1000_times() -> None:
    for seed in range(1000, 2000):
        check_random(seed)


def test_attribution_says_what_is_assumed() -> None:
    random = Random(3)
    bill = random_bill(random)
    while {used.dimensions["batch"] for used in bill.usage} != {"true", "false"}:
        bill = random_bill(random)
    parts = parts_of(bill, (), ALL_USAGE, random, measured=False)
    check_exact(bill, parts, ())
    by_row: dict[Any, list[Part]] = defaultdict(list)
    for part in parts:
        by_row[part.day, part.line].append(part)
    for row in by_row.values():
        batches = {part.usage["batch"] for part in row if part.usage is not None}
        expected = Attribution.BY_TOKENS if len(batches) == 1 else Attribution.ASSUMED_FACTOR
        assert {part.attribution for part in row} == {Attribution.BILLED if len(row) == 1 else expected}


def test_line_without_usage_on_a_day_is_missing_usage() -> None:
    random = Random(5)
    bill = random_bill(random)
    while not bill.usage:
        bill = random_bill(random)
    without = replace(bill, usage=[])
    parts = parts_of(without, ALL_COSTS, ALL_USAGE, random)
    check_exact(bill, parts, ALL_COSTS)
    lines = {part.line: part.reason for part in parts if part.line.startswith("gpt-")}
    assert set(lines.values()) == {Reason.USAGE_MISSING}
