"""Tests tables of views against sums in plain Python."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, combinations, cycle
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.store import Store

COMPLETIONS = DATASETS["completions"]
DIMENSIONS = COMPLETIONS.group_by
GROUPINGS = list(chain.from_iterable(combinations(DIMENSIONS, size) for size in range(len(DIMENSIONS) + 1)))
METRICS = tuple(metric.name for metric in COMPLETIONS.metrics)
T0, HOUR, DAY = 1_793_491_200, 3600, 86400  # 2026-11-01 UTC
FETCHED = T0 + 100 * DAY
FILTERS = (
    Filter("model", frozenset(["model-a", "model-b", None])),
    Filter("service_tier", frozenset(["service_tier-a"]), exclude=True),
)
SELECTIONS = (("", ()), ("", FILTERS), ("-A", FILTERS[:1]), ("yes", ()))

Make = Callable[..., Any]
Ask = Callable[..., Table]
SortedResult = Callable[[Table], dict[tuple[int | str | None, ...], dict[str, Any]]]


def figure(table: Table, name: str) -> FigureColumn:
    column = table.by_name[name]
    assert isinstance(column, FigureColumn)
    return column


class TestEveryGrouping:
    @pytest.fixture(scope="class")
    @classmethod
    def filled_store(cls) -> Iterator[Store]:
        store = Store.open(None)
        yield store
        store.close()

    @pytest.mark.parametrize(
        ("grouping", "number"),
        list(zip(GROUPINGS, cycle(range(4)), strict=False)),
        ids=["+".join(grouping) or "nothing" for grouping in GROUPINGS],
    )
    def test_table_equals_plain_python(
        self,
        grouping: tuple[str, ...],
        number: int,
        filled_store: Store,
        make_usage: Make,
        ask: Ask,
        between: Make,
        shown: SortedResult,
        oracle: Make,
    ) -> None:
        usage = make_usage(T0, 72, rows_each=25)
        if not filled_store.rows("completions"):
            filled_store.put(usage.batch(), FETCHED)
        base = ViewState(range=between(), grouping=grouping, columns=METRICS)
        for turn, per in enumerate((Granularity.TOTAL, Granularity.DAY, Granularity.HOUR)):
            search, filters = SELECTIONS[(number + turn) % len(SELECTIONS)]
            view = replace(base, per=per, search=search, filters=filters)
            table = ask(filled_store, view)
            expected = oracle(usage.rows, view, METRICS)
            assert shown(table) == (expected or ({(): dict.fromkeys(METRICS)} if view.keys == METRICS else {}))
            for column in table.figures:
                present = [cell[column.name] for cell in expected.values() if cell[column.name] is not None]
                assert column.total == (sum(present) if present else None)

    def test_every_subset_of_dimensions_is_a_grouping(self) -> None:
        assert len(set(GROUPINGS)) == 2**7


class TestColumns:
    def test_columns_follow_the_view(self, store: Store, make_usage: Make, ask: Ask, between: Make) -> None:
        store.put(make_usage().batch(), FETCHED)
        view = ViewState(range=between(), per=Granularity.DAY, grouping=("user_id", "model"))
        assert tuple(column.name for column in ask(store, view).columns) == view.keys

    def test_derived_figures_are_computed_from_sums(
        self, store: Store, make_usage: Make, ask: Ask, between: Make
    ) -> None:
        usage = make_usage()
        store.put(usage.batch(), FETCHED)
        table = ask(store, ViewState(range=between(), grouping=(), columns=("tokens_per_request", "total_tokens")))
        tokens = sum(row.figures["input_tokens"] + row.figures["output_tokens"] for row in usage.rows)
        requests = sum(row.figures["num_model_requests"] for row in usage.rows)
        assert figure(table, "total_tokens").figures.listed() == [tokens]
        assert figure(table, "tokens_per_request").figures.listed() == [tokens / requests]
        assert figure(table, "tokens_per_request").total == tokens / requests

    def test_labels_are_names_and_search_compares_names_and_ids(
        self, store: Store, make_usage: Make, ask: Ask, between: Make
    ) -> None:
        store.put(make_usage().batch(), FETCHED)
        names = Names.of([Name("project", "project_id-a", "Search")])
        view = ViewState(range=between(), grouping=("project_id",))
        column = ask(store, view, names).by_name["project_id"]
        assert isinstance(column, GroupColumn)
        assert dict(zip(column.values, column.labels, strict=True)) == {
            None: "(none)",
            "project_id-a": "Search",
            "project_id-b": "project_id-b",
            "project_id-c": "project_id-c",
        }
        for text in ("sEaR", "project_id-A"):
            column = ask(store, view.with_search(text), names).by_name["project_id"]
            assert isinstance(column, GroupColumn)
            assert column.values == ("project_id-a",)


class TestNoFacts:
    def test_no_stored_bucket_gives_no_row(self, store: Store, ask: Ask, between: Make) -> None:
        table = ask(store, ViewState(range=between(), grouping=()))
        assert (table.rows, figure(table, "input_tokens").total) == (0, None)

    def test_stored_bucket_without_usage_gives_one_row_without_figures(
        self, store: Store, ask: Ask, between: Make, small_batch: Make
    ) -> None:
        store.put(small_batch("completions", BucketWidth.DAY, [T0], []), FETCHED)
        table = ask(store, ViewState(range=between(T0, T0 + DAY), grouping=()))
        assert table.rows == 1
        assert {column.figures.at(0) for column in table.figures} == {None}

    @pytest.mark.parametrize(("per", "grouping"), [(Granularity.TOTAL, ("model",)), (Granularity.DAY, ())])
    def test_groups_and_periods_without_usage_have_no_row(
        self, per: Granularity, grouping: tuple[str, ...], store: Store, ask: Ask, between: Make, small_batch: Make
    ) -> None:
        store.put(small_batch("completions", BucketWidth.DAY, [T0], []), FETCHED)
        assert ask(store, ViewState(range=between(T0, T0 + DAY), per=per, grouping=grouping)).rows == 0


class TestPeriods:
    # The range has both clock changes of Europe and America; the offset of the third zone is not a whole hour.
    @pytest.mark.parametrize(
        ("zone", "last", "width", "buckets"),
        [
            ("Europe/Berlin", date(2026, 11, 5), BucketWidth.HOUR, 255 * 24),
            ("America/New_York", date(2026, 11, 5), BucketWidth.HOUR, 255 * 24),
            ("Asia/Kolkata", date(2026, 3, 3), BucketWidth.MINUTE, 4 * 1440),
        ],
    )
    @pytest.mark.parametrize("per", [Granularity.DAY, Granularity.WEEK, Granularity.MONTH])
    def test_periods_follow_the_zone(
        self,
        zone: str,
        last: date,
        width: BucketWidth,
        buckets: int,
        per: Granularity,
        store: Store,
        make_usage: Make,
        ask: Ask,
    ) -> None:
        first = date(2026, 3, 2)  # a Monday
        begin = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
        usage = make_usage(begin, buckets, width=width, rows_each=1)
        store.put(usage.batch(), FETCHED)
        table = ask(
            store, ViewState("completions", DateRange.days(first, last), per, (), columns=METRICS, zone=zone)
        )
        column = table.by_name["period"]
        assert isinstance(column, PeriodColumn)
        labels = [column.labels[index] for index in column.index.tolist()]
        expected: dict[str, int] = {}
        for row in usage.rows:
            day = datetime.fromtimestamp(row.bucket, ZoneInfo(zone)).date()
            if first <= day <= last:
                monday = day - timedelta(days=day.weekday())
                label = {
                    Granularity.DAY: f"{day}",
                    Granularity.WEEK: f"{monday}",
                    Granularity.MONTH: f"{day:%Y-%m}",
                }[per]
                expected[label] = expected.get(label, 0) + row.figures["input_tokens"]
        assert dict(zip(labels, figure(table, "input_tokens").figures.listed(), strict=True)) == expected

    @pytest.mark.parametrize("per", [Granularity.TOTAL, Granularity.WEEK, Granularity.DAY])
    def test_periods_read_buckets_of_several_widths(
        self,
        per: Granularity,
        store: Store,
        make_usage: Make,
        ask: Ask,
        between: Make,
        shown: SortedResult,
        oracle: Make,
    ) -> None:
        # Days, a day of hours, more days, and one hour of a day that is not stored whole, which is not read.
        days = make_usage(T0, 4, width=BucketWidth.DAY, seed=2, idle=0)
        hours = make_usage(T0 + 4 * DAY, 24, seed=3)
        late = make_usage(T0 + 5 * DAY, 5, width=BucketWidth.DAY, seed=4)
        stray = make_usage(T0 + 11 * DAY, 1, seed=5)
        for usage in (late, stray, hours, days):
            store.put(usage.batch(), FETCHED)
        view = ViewState(range=between(T0, T0 + 14 * DAY), per=per, grouping=("model", "batch"), columns=METRICS)
        assert shown(ask(store, view)) == oracle([*days.rows, *hours.rows, *late.rows], view, METRICS)

    def test_range_with_many_missing_days(
        self, store: Store, make_usage: Make, ask: Ask, between: Make, shown: SortedResult, oracle: Make
    ) -> None:
        rows = []
        for index in range(0, 200, 2):
            usage = make_usage(T0 + index * DAY, 1, width=BucketWidth.DAY, seed=index, idle=0, rows_each=3)
            store.put(usage.batch(), T0 + 300 * DAY)
            rows += usage.rows
        for per in (Granularity.TOTAL, Granularity.MONTH):
            view = ViewState(range=between(T0, T0 + 200 * DAY), per=per, columns=METRICS)
            assert shown(ask(store, view)) == oracle(rows, view, METRICS)

    def test_coarser_periods_after_finer_ones(
        self, store: Store, make_usage: Make, ask: Ask, between: Make, shown: SortedResult, oracle: Make
    ) -> None:
        usage = make_usage(T0, 240)
        store.put(usage.batch(), FETCHED)
        view = ViewState(range=between(T0, T0 + 10 * DAY), per=Granularity.HOUR, columns=METRICS)
        for per in (Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.TOTAL):
            for columns in (METRICS, METRICS[:3]):
                chosen = replace(view, per=per, columns=columns)
                assert shown(ask(store, chosen)) == oracle(usage.rows, chosen, columns)
