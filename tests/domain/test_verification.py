"""Sums are compared exactly; growth explains only some differences; open buckets are found."""

from datetime import UTC
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.coverage import SETTLED_AFTER
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.period import BucketWidth, Granularity, Span, periods
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
)
from usage_viewer.domain.view_parts import Value

DAY = 86400
T0 = 1_793_491_200  # 2026-11-01 00:00 UTC
COMPLETIONS, COSTS, STORES = DATASETS["completions"], DATASETS["costs"], DATASETS["vector_stores"]


def sums(*figures: tuple[int, str, Number], unit: Value = None, busy: tuple[int, ...] = ()) -> Sums:
    """Return sums of two buckets, which start at 0 and DAY."""
    built = Sums(known={0, DAY}, busy={start for start, _, _ in figures} | set(busy))
    for start, metric, figure in figures:
        built.add(start, metric, unit, figure)
    return built


def compared(dataset: Any, local: Sums, server: Sums) -> list[tuple[int, str, Number, Number]]:
    by_bucket = differences(dataset, BucketWidth.DAY, local, server)
    assert by_bucket.keys() == local.known & server.known
    return [
        (d.bucket.start, d.metric, d.local_value, d.server_value)
        for start in sorted(by_bucket)
        for d in by_bucket[start]
    ]


class TestDifferences:
    def test_equal_sums_of_any_size(self) -> None:
        large = 2**70
        one = sums((0, "input_tokens", large), (0, "input_tokens", 1), (DAY, "output_tokens", 5))
        assert compared(COMPLETIONS, one, sums((0, "input_tokens", large + 1), (DAY, "output_tokens", 5))) == []
        assert compared(COMPLETIONS, one, sums((0, "input_tokens", large), (DAY, "output_tokens", 5))) == [
            (0, "input_tokens", large + 1, large)
        ]

    def test_row_that_only_one_side_has_differs(self) -> None:
        local, server = sums((0, "input_tokens", 5)), sums((DAY, "input_tokens", 7), (DAY, "output_tokens", 0))
        assert compared(COMPLETIONS, local, server) == [(0, "input_tokens", 5, 0), (DAY, "input_tokens", 0, 7)]

    def test_figure_omitted_without_grouping_is_not_compared(self) -> None:
        local = sums((0, "amount", Decimal(5)), (0, "quantity", Decimal(7)), unit="x")
        assert compared(COSTS, local, sums((0, "amount", Decimal(5)), unit="x")) == []
        assert len(compared(COSTS, local, sums())) == 2

    def test_units_are_compared_separately(self) -> None:
        local = sums((0, "amount", Decimal(5)), unit="usd")
        server = sums((0, "amount", Decimal(5)), unit="eur")
        assert compared(COSTS, local, server) == [(0, "amount", 0, Decimal(5)), (0, "amount", Decimal(5), 0)]

    @pytest.mark.parametrize(("server", "equal"), [("1000.0000000001", True), ("1000.00000001", False)])
    def test_money_may_differ_by_rounding_of_doubles(self, server: str, equal: bool) -> None:
        local = sums((0, "amount", Decimal(1000)), unit="usd")
        assert (compared(COSTS, local, sums((0, "amount", Decimal(server)), unit="usd")) == []) is equal

    def test_only_buckets_that_both_sides_know_are_compared(self) -> None:
        local, server = sums((0, "input_tokens", 5)), Sums(known={DAY})
        assert differences(COMPLETIONS, BucketWidth.DAY, local, server) == {DAY: []}

    def test_differences_follow_the_order_of_metrics(self) -> None:
        local = sums((0, "output_tokens", 1), (0, "num_model_requests", 1), (0, "input_tokens", 1))
        assert [metric for _, metric, _, _ in compared(COMPLETIONS, local, sums())] == [
            "num_model_requests",
            "input_tokens",
            "output_tokens",
        ]


class TestSums:
    def test_add_batch_adds_a_response_without_grouping(self) -> None:
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
        server = Sums()
        server.add_batch(COSTS, batch)
        assert server.known == {0, DAY, 2 * DAY}
        assert server.busy == {0, DAY}
        assert server.figures == {
            (0, "amount", "usd"): Decimal("0.1"),
            (0, "amount", "eur"): 2,
            (DAY, "amount", "usd"): 3,
        }

    def test_decimals_are_added_without_rounding(self) -> None:
        built = Sums()
        built.add(0, "amount", "usd", Decimal("123456789012345.1"))
        built.add(0, "amount", "usd", Decimal("0.000000000000000000000001"))
        assert str(built.figures[0, "amount", "usd"]) == "123456789012345.100000000000000000000001"


def difference(local: int, server: int, metric: str = "input_tokens", start: int = 0) -> Difference:
    return Difference(Bucket(start, BucketWidth.DAY), metric, local, server)


class TestGrowth:
    def test_sums_only_grow(self) -> None:
        assert has_grown(COMPLETIONS, [difference(1, 2), difference(0, 5, "output_tokens")])
        assert not has_grown(COMPLETIONS, [difference(1, 2), difference(5, 4, "output_tokens")])

    def test_levels_may_change_in_both_directions(self) -> None:
        assert has_grown(STORES, [difference(5, 4, "usage_bytes")])

    @pytest.mark.parametrize(("before", "between"), [(4, True), (5, True), (6, False)])
    def test_local_value_lies_between_two_server_values(self, before: int, between: bool) -> None:
        server = sums((0, "input_tokens", before))
        assert is_between(COMPLETIONS, server, [difference(5, 9)]) is between
        assert not is_between(COMPLETIONS, server, [difference(9, 5)])

    def test_missing_earlier_sum_counts_as_zero(self) -> None:
        assert is_between(COMPLETIONS, Sums(), [difference(5, 9)])


class TestCompleteness:
    def test_differing_lists_each_bucket_once_in_order(self) -> None:
        found = (difference(1, 2, start=DAY), difference(1, 2), difference(3, 2, "output_tokens", start=DAY))
        differing = Completeness(Verdict.DIFFERS, 5, 3, found).differing
        assert differing == (Bucket(0, BucketWidth.DAY), Bucket(DAY, BucketWidth.DAY))

    def test_excess_is_exact(self) -> None:
        assert difference(2**80, 1).excess == 2**80 - 1
        assert difference(1, 3).excess == -2


class TestOpen:
    def test_bucket_is_open_until_it_is_settled(self) -> None:
        starts = np.array([0, 0, DAY])
        fetched = np.array([DAY + SETTLED_AFTER - 1, DAY + SETTLED_AFTER, DAY + SETTLED_AFTER])
        assert open_buckets(starts, BucketWidth.DAY, fetched).tolist() == [True, False, True]


def test_cell_has_the_period_and_groups_of_a_row() -> None:
    model = COMPLETIONS.dimension("model")
    days = periods(Span(T0, T0 + 2 * DAY), Granularity.DAY, UTC)
    groups = GroupColumn(model, np.array([1, 0], np.int32), ("a", None), ("a", "(none)"))
    table = Table((PeriodColumn(np.array([0, 1], np.int32), days), groups), 2)
    assert cell_of(table, 0) == Cell(0, (("model", None),))
    assert cell_of(table, 1) == Cell(1, (("model", "a"),))
    assert cell_of(Table((), 1), 0) == Cell()


def test_column_of_a_pivot_limits_the_cell() -> None:
    days = periods(Span(T0, T0 + 3 * DAY), Granularity.DAY, UTC)
    row = Cell(None, (("project_id", "proj_a"),))
    assert row.limited_by(ColumnKey("input_tokens"), days) == row
    assert row.limited_by(ColumnKey("input_tokens", period=T0 + DAY), days) == Cell(1, row.groups)
    assert row.limited_by(ColumnKey("input_tokens", period=T0 + 1), days) == row
    by_model = row.limited_by(ColumnKey("input_tokens", where=("model", None)), days)
    assert by_model == Cell(None, (("project_id", "proj_a"), ("model", None)))
