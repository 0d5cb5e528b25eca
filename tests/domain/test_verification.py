"""Sums compared in plain integers and decimals; what growth explains and what it doesn't; what is still open."""

from datetime import UTC
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import SETTLED_AFTER, HeldBuckets, cover
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.table import GroupColumn, PeriodColumn, Table
from usage_viewer.domain.verification import (
    Bucket,
    Cell,
    Completeness,
    Difference,
    Sums,
    Verdict,
    cell_of,
    differences,
    has_grown,
    is_between,
    open_buckets,
    open_periods,
)
from usage_viewer.domain.view import Value

DAY = 86400
T0 = 1_793_491_200  # 2026-11-01 00:00 UTC
COMPLETIONS, COSTS, STORES = DATASETS["completions"], DATASETS["costs"], DATASETS["vector_stores"]


def sums(*figures: tuple[int, str, Number], unit: Value = None, busy: tuple[int, ...] = ()) -> Sums:
    """Of two buckets, at 0 and DAY."""
    made = Sums(known={0, DAY}, busy={start for start, _, _ in figures} | set(busy))
    for start, metric, figure in figures:
        made.add(start, metric, unit, figure)
    return made


def found(dataset: Any, held: Sums, told: Sums) -> list[tuple[int, str, Number, Number]]:
    by_bucket = differences(dataset, BucketWidth.DAY, held, told)
    assert by_bucket.keys() == held.known & told.known
    return [
        (d.bucket.start, d.metric, d.local_value, d.server_value)
        for start in sorted(by_bucket)
        for d in by_bucket[start]
    ]


class TestDifferences:
    def test_equal_sums_of_any_size(self) -> None:
        large = 2**70
        one = sums((0, "input_tokens", large), (0, "input_tokens", 1), (DAY, "output_tokens", 5))
        assert found(COMPLETIONS, one, sums((0, "input_tokens", large + 1), (DAY, "output_tokens", 5))) == []
        assert found(COMPLETIONS, one, sums((0, "input_tokens", large), (DAY, "output_tokens", 5))) == [
            (0, "input_tokens", large + 1, large)
        ]

    def test_a_row_that_only_one_of_them_has(self) -> None:
        held, told = sums((0, "input_tokens", 5)), sums((DAY, "input_tokens", 7), (DAY, "output_tokens", 0))
        assert found(COMPLETIONS, held, told) == [(0, "input_tokens", 5, 0), (DAY, "input_tokens", 0, 7)]

    def test_what_the_server_does_not_tell_ungrouped(self) -> None:
        held = sums((0, "amount", Decimal(5)), (0, "quantity", Decimal(7)), unit="x")
        assert found(COSTS, held, sums((0, "amount", Decimal(5)), unit="x")) == []
        assert len(found(COSTS, held, sums())) == 2

    def test_units_are_compared_apart(self) -> None:
        held = sums((0, "amount", Decimal(5)), unit="usd")
        told = sums((0, "amount", Decimal(5)), unit="eur")
        assert found(COSTS, held, told) == [(0, "amount", 0, Decimal(5)), (0, "amount", Decimal(5), 0)]

    @pytest.mark.parametrize(("told", "equal"), [("1000.0000000001", True), ("1000.00000001", False)])
    def test_money_may_be_rounded_where_doubles_are(self, told: str, equal: bool) -> None:
        held = sums((0, "amount", Decimal(1000)), unit="usd")
        assert (found(COSTS, held, sums((0, "amount", Decimal(told)), unit="usd")) == []) is equal

    def test_buckets_that_only_one_of_them_knows(self) -> None:
        held, told = sums((0, "input_tokens", 5)), Sums(known={DAY})
        assert differences(COMPLETIONS, BucketWidth.DAY, held, told) == {DAY: []}

    def test_figures_stand_in_the_datasets_order(self) -> None:
        held = sums((0, "output_tokens", 1), (0, "num_model_requests", 1), (0, "input_tokens", 1))
        assert [metric for _, metric, _, _ in found(COMPLETIONS, held, sums())] == [
            "num_model_requests",
            "input_tokens",
            "output_tokens",
        ]


class TestSums:
    def test_of_an_answer_without_grouping(self) -> None:
        batch = Batch(
            "costs",
            BucketWidth.DAY,
            np.array([0, DAY, 2 * DAY]),
            (),
            [(None, None, None, None, None, "usd", None), (None, None, None, None, None, "eur", None)],
            np.array([0, 0, DAY]),
            np.array([0, 1, 0], np.int32),
            {
                "amount": NumberColumn(np.array([Decimal("0.1"), Decimal(2), Decimal(3)], np.object_)),
                "quantity": NumberColumn(np.zeros(3, np.object_), np.ones(3, np.bool_)),
            },
        )
        told = Sums()
        told.add_batch(COSTS, batch)
        assert told.known == {0, DAY, 2 * DAY}
        assert told.busy == {0, DAY}
        assert told.figures == {
            (0, "amount", "usd"): Decimal("0.1"),
            (0, "amount", "eur"): 2,
            (DAY, "amount", "usd"): 3,
        }

    def test_decimals_are_added_without_rounding(self) -> None:
        made = Sums()
        made.add(0, "amount", "usd", Decimal("123456789012345.1"))
        made.add(0, "amount", "usd", Decimal("0.000000000000000000000001"))
        assert str(made.figures[0, "amount", "usd"]) == "123456789012345.100000000000000000000001"


def difference(held: int, told: int, metric: str = "input_tokens", start: int = 0) -> Difference:
    return Difference(Bucket(start, BucketWidth.DAY), metric, held, told)


class TestGrowth:
    def test_sums_only_grow(self) -> None:
        assert has_grown(COMPLETIONS, [difference(1, 2), difference(0, 5, "output_tokens")])
        assert not has_grown(COMPLETIONS, [difference(1, 2), difference(5, 4, "output_tokens")])

    def test_levels_go_anywhere(self) -> None:
        assert has_grown(STORES, [difference(5, 4, "usage_bytes")])

    @pytest.mark.parametrize(("before", "between"), [(4, True), (5, True), (6, False)])
    def test_what_is_held_lies_between_two_tellings(self, before: int, between: bool) -> None:
        told = sums((0, "input_tokens", before))
        assert is_between(COMPLETIONS, told, [difference(5, 9)]) is between
        assert not is_between(COMPLETIONS, told, [difference(9, 5)])

    def test_what_was_not_told_before_was_nothing(self) -> None:
        assert is_between(COMPLETIONS, Sums(), [difference(5, 9)])


class TestCompleteness:
    def test_names_each_differing_bucket_once_in_order(self) -> None:
        found = (difference(1, 2, start=DAY), difference(1, 2), difference(3, 2, "output_tokens", start=DAY))
        differing = Completeness(Verdict.DIFFERS, 5, 3, found).differing
        assert differing == (Bucket(0, BucketWidth.DAY), Bucket(DAY, BucketWidth.DAY))

    def test_excess_is_exact(self) -> None:
        assert difference(2**80, 1).excess == 2**80 - 1
        assert difference(1, 3).excess == -2


class TestOpen:
    def test_until_it_is_settled(self) -> None:
        starts = np.array([0, 0, DAY])
        fetched = np.array([DAY + SETTLED_AFTER - 1, DAY + SETTLED_AFTER, DAY + SETTLED_AFTER])
        assert open_buckets(starts, BucketWidth.DAY, fetched).tolist() == [True, False, True]

    def test_periods_of_several_buckets(self) -> None:
        now = T0 + 20 * DAY
        days = T0 + np.arange(20, dtype=np.int64) * DAY
        held = {BucketWidth.DAY: HeldBuckets(days, np.full(20, now))}
        weeks = periods(Span(T0, T0 + 28 * DAY), Granularity.WEEK, UTC)
        coverage = cover(weeks, [BucketRun(BucketWidth.DAY, T0, T0 + 28 * DAY)], held, now)
        # 1 November 2026 is a Sunday: weeks begin on the 2nd, the 9th, the 16th and the 23rd.
        assert open_periods(coverage, held).tolist() == [False, False, False, True, False]
        none = {BucketWidth.DAY: HeldBuckets.nothing()}
        assert not open_periods(
            cover(weeks, [BucketRun(BucketWidth.DAY, T0, T0 + 28 * DAY)], none, now), none
        ).any()


def test_a_cell_is_known_by_its_period_and_groups() -> None:
    model = COMPLETIONS.dimension("model")
    days = periods(Span(T0, T0 + 2 * DAY), Granularity.DAY, UTC)
    groups = GroupColumn(model, np.array([1, 0], np.int32), ("a", None), ("a", "(none)"))
    table = Table((PeriodColumn(np.array([0, 1], np.int32), days), groups), 2)
    assert cell_of(table, 0) == Cell(0, (("model", None),))
    assert cell_of(table, 1) == Cell(1, (("model", "a"),))
    assert cell_of(Table((), 1), 0) == Cell()
