"""Tests sums, broken identities and contributions of a real store against plain Python."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.usage import answer_view
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import Cancelled
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.verification import BrokenIdentities, Bucket, Cell, cell_of
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.query.plan import FactSource
from usage_viewer.store import Store

if TYPE_CHECKING:
    from tests.rigs.usage import CoverageOf, MakeUsage, Row, Usage

T0 = 1_793_491_200  # 2026-11-01 00:00 UTC
HOUR, DAY = 3600, 86400
DATA = DATASETS["completions"]
DAYS = DateRange(None, datetime(2026, 11, 1), datetime(2026, 11, 4))
VIEW = ViewState(range=DAYS, grouping=())


@pytest.fixture
def usage(make_usage: "MakeUsage") -> "Usage":
    return make_usage(T0, 72, rows_each=12)


def run(first: int = T0, end: int = T0 + 3 * DAY, width: BucketWidth = BucketWidth.HOUR) -> BucketRun:
    return BucketRun(width, first, end)


class TestSums:
    def test_sums_of_every_metric_are_exact(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        expected: Counter[tuple[int, str, None]] = Counter()
        for row in usage.rows:
            for name, value in row.figures.items():
                if isinstance(value, int):
                    expected[row.bucket, name, None] += value
        result = store.verification.sums("completions", [run()])
        assert result.figures == dict(expected)
        assert result.known == set(usage.starts)
        assert result.busy == {row.bucket for row in usage.rows}

    def test_sums_exceed_int64(self, store: Store, usage: "Usage") -> None:
        large = 2**63 - 1
        rows = [replace(row, figures={**row.figures, "input_tokens": large}) for row in usage.rows]
        store.put(replace(usage, rows=rows).batch(), T0 + 9 * DAY)
        result = store.verification.sums("completions", [run(end=T0 + HOUR)])
        assert result.figures[T0, "input_tokens", None] == 12 * large
        assert result.known == {T0}

    def test_money_is_summed_by_currency(self, store: Store, make_usage: "MakeUsage") -> None:
        costs = make_usage(T0, 3, width=BucketWidth.DAY, dataset="costs", rows_each=9, idle=0)
        store.put(costs.batch(), T0 + 9 * DAY)
        expected: dict[tuple[int, str, Any], Decimal] = {}
        for row in costs.rows:
            for name, unit in (("amount", row.combination[5]), ("quantity", row.combination[6])):
                value = row.figures[name]
                if value is not None:
                    key = (row.bucket, name, unit)
                    expected[key] = expected.get(key, Decimal(0)) + Decimal(value)
        assert store.verification.sums("costs", [run(width=BucketWidth.DAY)]).figures == expected

    def test_buckets_without_rows_have_no_sums(self, store: Store) -> None:
        result = store.verification.sums("images", [run()])
        assert (len(result.known), result.busy, result.figures) == (72, set(), {})


def consistent(usage: "Usage") -> "Usage":
    """Return the usage with wholes that equal the sums of their parts, where all are present."""
    rows = []
    for row in usage.rows:
        figures = dict(row.figures)
        for identity in reversed(DATA.identities):  # parts of parts first
            parts = [figures[part] for part in identity.parts]
            if all(isinstance(part, int) for part in parts) and figures[identity.whole] is not None:
                figures[identity.whole] = sum(part for part in parts if isinstance(part, int))
        rows.append(replace(row, figures=figures))
    return replace(usage, rows=rows)


def count_broken(rows: "list[Row]") -> int:
    count = 0
    for row in rows:
        for identity in DATA.identities:
            whole, *parts = (row.figures[name] for name in (identity.whole, *identity.parts))
            if all(value is not None for value in (whole, *parts)):
                count += whole != sum(part for part in parts if isinstance(part, int))
    return count


def sources(view: ViewState, coverage: Coverage) -> list[FactSource]:
    """Return the only source of a view that is stored in one grain."""
    return [FactSource("", view.dataset, coverage)]


class TestBrokenIdentities:
    def test_consistent_usage_has_none(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        whole = consistent(usage)
        assert count_broken(whole.rows) == 0
        store.put(whole.batch(), T0 + 9 * DAY)
        assert (
            store.verification.broken_identities(VIEW, sources(VIEW, coverage(store, VIEW)), Names())
            == BrokenIdentities()
        )

    def test_changed_whole_is_reported(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        whole = consistent(usage)
        at, row = next(
            (at, row)
            for at, row in enumerate(whole.rows)
            if all(row.figures[name] is not None for name in ("output_text_tokens", "output_audio_tokens"))
            and row.figures["output_image_tokens"] is not None
        )
        whole_before = row.figures["output_tokens"]
        assert isinstance(whole_before, int)
        changed = replace(row, figures={**row.figures, "output_tokens": whole_before + 1})
        store.put(replace(whole, rows=[*whole.rows[:at], changed, *whole.rows[at + 1 :]]).batch(), T0 + 9 * DAY)
        result = store.verification.broken_identities(VIEW, sources(VIEW, coverage(store, VIEW)), Names())
        (item,) = result.listed
        assert result.count == 1
        assert (item.identity.whole, item.whole, item.parts_sum) == (
            "output_tokens",
            whole_before + 1,
            whole_before,
        )
        assert (item.bucket, item.combination) == (Bucket(row.bucket, BucketWidth.HOUR), row.combination)

    def test_all_are_counted_and_the_newest_listed(
        self, store: Store, usage: "Usage", coverage: "CoverageOf"
    ) -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        result = store.verification.broken_identities(VIEW, sources(VIEW, coverage(store, VIEW)), Names(), limit=5)
        assert result.count == count_broken(usage.rows) > 100
        assert len(result.listed) == 5
        everything = store.verification.broken_identities(VIEW, sources(VIEW, coverage(store, VIEW)), Names())
        assert len(everything.listed) == min(result.count, 1000)
        starts = [item.bucket.start for item in everything.listed]
        assert starts == sorted(starts, reverse=True)

    def test_filters_and_range_apply(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        view = VIEW.only("model", "model-a")
        result = store.verification.broken_identities(view, sources(view, coverage(store, view)), Names())
        assert result.count == count_broken([row for row in usage.rows if row.combination[3] == "model-a"])
        part = replace(VIEW, range=DateRange(None, datetime(2026, 11, 2), datetime(2026, 11, 3)))
        day = [row for row in usage.rows if T0 + DAY <= row.bucket < T0 + 2 * DAY]
        assert store.verification.broken_identities(
            part, sources(part, coverage(store, part)), Names()
        ).count == count_broken(day)

    def test_sum_of_parts_exceeds_int64(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        row = usage.rows[0]
        parts = dict.fromkeys(["output_text_tokens", "output_audio_tokens", "output_image_tokens"], 2**63 - 1)
        empty = dict.fromkeys(row.figures)
        figures = {**empty, "num_model_requests": 1, "input_tokens": 1, "output_tokens": 1, **parts}
        store.put(replace(usage, rows=[replace(row, figures=figures)]).batch(), T0 + 9 * DAY)
        (item,) = store.verification.broken_identities(VIEW, sources(VIEW, coverage(store, VIEW)), Names()).listed
        assert item.parts_sum == 3 * (2**63 - 1)

    def test_dataset_without_rows_or_identities_has_none(self, store: Store, coverage: "CoverageOf") -> None:
        for dataset in ("completions", "images"):
            view = VIEW.with_dataset(dataset)
            assert (
                store.verification.broken_identities(view, sources(view, coverage(store, view)), Names())
                == BrokenIdentities()
            )


class TestContributions:
    @pytest.mark.parametrize("per", [Granularity.TOTAL, Granularity.DAY, Granularity.HOUR])
    @pytest.mark.parametrize("grouping", [(), ("model",), ("project_id", "batch")])
    def test_sums_of_buckets_equal_every_cell(
        self, store: Store, usage: "Usage", coverage: "CoverageOf", per: Granularity, grouping: tuple[str, ...]
    ) -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        view = replace(VIEW, per=per, grouping=grouping, filters=(Filter("service_tier", frozenset([None]), True),))
        view_coverage = coverage(store, view)
        table = answer_view(store, view)
        column = table.by_name["input_tokens"]
        assert isinstance(column, FigureColumn)
        rows = 0
        step = max(1, table.rows // 20)
        for row in range(0, table.rows, step):
            contributions = store.verification.contributions(
                view, sources(view, view_coverage), cell_of(table, row), ("input_tokens",), Names()
            )
            figures = [item.figures[0] for item in contributions if item.figures[0] is not None]
            assert sum(int(figure) for figure in figures) == column.figures.at(row)
            rows += sum(item.rows for item in contributions)
            assert len(contributions) == {Granularity.TOTAL: 72, Granularity.DAY: 24, Granularity.HOUR: 1}[per]
        if step == 1:
            matching = [row for row in usage.rows if row.combination[5] is not None]
            assert rows == len(matching)

    def test_bucket_without_rows_is_listed(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        contributions = store.verification.contributions(
            VIEW, sources(VIEW, coverage(store, VIEW)), Cell(), ("input_tokens",), Names()
        )
        idle = [item for item in contributions if not item.rows]
        assert [item.bucket.start for item in contributions] == usage.starts
        assert {item.bucket.start for item in idle} == set(usage.starts) - {row.bucket for row in usage.rows}
        assert all(item.figures == (None,) for item in idle)

    def test_fetch_times_and_open_buckets(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        fetched = T0 + 12 * HOUR + 72 * HOUR
        store.put(usage.batch(), fetched)
        contributions = store.verification.contributions(
            VIEW, sources(VIEW, coverage(store, VIEW)), Cell(), (), Names()
        )
        assert {item.fetched_at for item in contributions} == {fetched}
        assert [item.open for item in contributions] == [False] * 12 + [True] * 60

    def test_buckets_of_several_widths(
        self, store: Store, usage: "Usage", make_usage: "MakeUsage", coverage: "CoverageOf"
    ) -> None:
        store.put(replace(usage, starts=usage.starts[:24], rows=usage.rows[:0]).batch(), T0 + 9 * DAY)
        days = make_usage(T0 + DAY, 2, width=BucketWidth.DAY, rows_each=3, idle=0)
        store.put(days.batch(), T0 + 9 * DAY)
        contributions = store.verification.contributions(
            VIEW, sources(VIEW, coverage(store, VIEW)), Cell(), ("input_tokens",), Names()
        )
        assert [item.bucket.width for item in contributions] == [BucketWidth.HOUR] * 24 + [BucketWidth.DAY] * 2
        assert [item.rows for item in contributions] == [0] * 24 + [3, 3]

    def test_search_compares_names(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        view = replace(VIEW, grouping=("project_id",), search="checkout")
        names = Names.of([Name("project", "project_id-a", "Checkout")])
        view_coverage = coverage(store, view)
        contributions = store.verification.contributions(
            view, sources(view, view_coverage), Cell(None, (("project_id", "project_id-a"),)), (), names
        )
        expected = sum(row.combination[0] == "project_id-a" for row in usage.rows)
        assert sum(item.rows for item in contributions) == expected
        assert not sum(
            item.rows
            for item in store.verification.contributions(
                view, sources(view, view_coverage), Cell(None, (("project_id", None),)), (), names
            )
        )


class TestUnknownFields:
    def test_view_grouped_by_an_unknown_field(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        rows = [
            replace(row, extra=f'{{"region": "{"eu" if at % 3 else "us"}", "credits": {at}}}' if at % 5 else None)
            for at, row in enumerate(usage.rows)
        ]
        store.put(replace(usage, rows=rows).batch(), T0 + 9 * DAY)
        view = replace(VIEW, grouping=("extra.region",), columns=("num_model_requests", "extra.credits"))
        view_coverage = coverage(store, view)
        table = answer_view(store, view)
        metrics = ("num_model_requests", "extra.credits")
        row_count = 0
        for row in range(table.rows):
            contributions = store.verification.contributions(
                view, sources(view, view_coverage), cell_of(table, row), metrics, Names()
            )
            for position, name in enumerate(metrics):
                column = table.by_name[name]
                assert isinstance(column, FigureColumn)
                figures = [item.figures[position] for item in contributions if item.figures[position] is not None]
                assert (sum(Decimal(str(figure)) for figure in figures) if figures else None) == column.figures.at(
                    row
                )
            row_count += sum(item.rows for item in contributions)
        assert table.rows == 3
        assert row_count == len(rows)
        only = view.only("extra.region", "eu")
        chosen = [row for at, row in enumerate(rows) if at % 5 and at % 3]
        assert store.verification.broken_identities(
            only, sources(only, view_coverage), Names()
        ).count == count_broken(chosen)


Call = Callable[[Store, Coverage, Cancellation], object]


@pytest.mark.parametrize(
    "call",
    [
        lambda store, view_coverage, cancel: store.verification.sums("completions", view_coverage.read, cancel),
        lambda store, view_coverage, cancel: store.verification.broken_identities(
            VIEW, view_coverage, Names(), cancel
        ),
        lambda store, view_coverage, cancel: store.verification.contributions(
            VIEW, sources(VIEW, view_coverage), Cell(), (), Names(), cancel
        ),
        lambda store, view_coverage, cancel: store.verification.changes("completions", None, T0, cancel),
    ],
)
def test_every_query_can_be_cancelled(store: Store, usage: "Usage", coverage: "CoverageOf", call: Call) -> None:
    store.put(usage.batch(), T0 + 9 * DAY)
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(Cancelled):
        call(store, coverage(store, VIEW), cancel)
