"""What speaks for figures, read from a real store and compared with plain Python."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import Cancelled
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.verification import BrokenIdentities, Bucket, Cell, cell_of
from usage_viewer.domain.view import Filter, ViewState
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


def segment(first: int = T0, end: int = T0 + 3 * DAY, width: BucketWidth = BucketWidth.HOUR) -> BucketRun:
    return BucketRun(width, first, end)


class TestSums:
    def test_are_exact_for_every_metric(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        wanted: Counter[tuple[int, str, None]] = Counter()
        for row in usage.rows:
            for name, value in row.figures.items():
                if isinstance(value, int):
                    wanted[row.bucket, name, None] += value
        found = store.proofs.sums("completions", [segment()])
        assert found.figures == dict(wanted)
        assert found.known == set(usage.starts)
        assert found.busy == {row.bucket for row in usage.rows}

    def test_past_the_engines_integers(self, store: Store, usage: "Usage") -> None:
        large = 2**63 - 1
        rows = [replace(row, figures={**row.figures, "input_tokens": large}) for row in usage.rows]
        store.put(replace(usage, rows=rows).batch(), T0 + 9 * DAY)
        found = store.proofs.sums("completions", [segment(end=T0 + HOUR)])
        assert found.figures[T0, "input_tokens", None] == 12 * large
        assert found.known == {T0}

    def test_money_by_its_currency(self, store: Store, make_usage: "MakeUsage") -> None:
        costs = make_usage(T0, 3, width=BucketWidth.DAY, dataset="costs", rows_each=9, idle=0)
        store.put(costs.batch(), T0 + 9 * DAY)
        wanted: dict[tuple[int, str, Any], Decimal] = {}
        for row in costs.rows:
            for name, unit in (("amount", row.combination[5]), ("quantity", row.combination[6])):
                value = row.figures[name]
                if value is not None:
                    key = (row.bucket, name, unit)
                    wanted[key] = wanted.get(key, Decimal(0)) + Decimal(value)
        assert store.proofs.sums("costs", [segment(width=BucketWidth.DAY)]).figures == wanted

    def test_of_nothing_held(self, store: Store) -> None:
        found = store.proofs.sums("images", [segment()])
        assert (len(found.known), found.busy, found.figures) == (72, set(), {})


def consistent(usage: "Usage") -> "Usage":
    """Every identity holds wherever all of it is given."""
    rows = []
    for row in usage.rows:
        figures = dict(row.figures)
        for identity in reversed(DATA.identities):  # parts of parts first
            parts = [figures[part] for part in identity.parts]
            if all(isinstance(part, int) for part in parts) and figures[identity.whole] is not None:
                figures[identity.whole] = sum(part for part in parts if isinstance(part, int))
        rows.append(replace(row, figures=figures))
    return replace(usage, rows=rows)


def broken(rows: "list[Row]") -> int:
    count = 0
    for row in rows:
        for identity in DATA.identities:
            whole, *parts = (row.figures[name] for name in (identity.whole, *identity.parts))
            if all(value is not None for value in (whole, *parts)):
                count += whole != sum(part for part in parts if isinstance(part, int))
    return count


class TestBreaches:
    def test_none_where_all_holds(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        whole = consistent(usage)
        assert broken(whole.rows) == 0
        store.put(whole.batch(), T0 + 9 * DAY)
        assert store.proofs.breaches(VIEW, coverage(store, VIEW), Names()) == BrokenIdentities()

    def test_one_that_is_bent(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        whole = consistent(usage)
        at, row = next(
            (at, row)
            for at, row in enumerate(whole.rows)
            if all(row.figures[name] is not None for name in ("output_text_tokens", "output_audio_tokens"))
            and row.figures["output_image_tokens"] is not None
        )
        told = row.figures["output_tokens"]
        assert isinstance(told, int)
        bent = replace(row, figures={**row.figures, "output_tokens": told + 1})
        store.put(replace(whole, rows=[*whole.rows[:at], bent, *whole.rows[at + 1 :]]).batch(), T0 + 9 * DAY)
        found = store.proofs.breaches(VIEW, coverage(store, VIEW), Names())
        (breach,) = found.listed
        assert found.count == 1
        assert (breach.identity.whole, breach.whole, breach.parts_sum) == ("output_tokens", told + 1, told)
        assert (breach.bucket, breach.combination) == (Bucket(row.bucket, BucketWidth.HOUR), row.combination)

    def test_all_are_counted_and_some_listed_newest_first(
        self, store: Store, usage: "Usage", coverage: "CoverageOf"
    ) -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        found = store.proofs.breaches(VIEW, coverage(store, VIEW), Names(), most=5)
        assert found.count == broken(usage.rows) > 100
        assert len(found.listed) == 5
        everything = store.proofs.breaches(VIEW, coverage(store, VIEW), Names())
        assert len(everything.listed) == min(found.count, 1000)
        starts = [breach.bucket.start for breach in everything.listed]
        assert starts == sorted(starts, reverse=True)

    def test_only_what_the_view_lets_pass(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        view = VIEW.only("model", "model-a")
        found = store.proofs.breaches(view, coverage(store, view), Names())
        assert found.count == broken([row for row in usage.rows if row.combination[3] == "model-a"])
        part = replace(VIEW, range=DateRange(None, datetime(2026, 11, 2), datetime(2026, 11, 3)))
        day = [row for row in usage.rows if T0 + DAY <= row.bucket < T0 + 2 * DAY]
        assert store.proofs.breaches(part, coverage(store, part), Names()).count == broken(day)

    def test_sums_past_the_engines_integers(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        row = usage.rows[0]
        parts = dict.fromkeys(["output_text_tokens", "output_audio_tokens", "output_image_tokens"], 2**63 - 1)
        empty = dict.fromkeys(row.figures)
        figures = {**empty, "num_model_requests": 1, "input_tokens": 1, "output_tokens": 1, **parts}
        store.put(replace(usage, rows=[replace(row, figures=figures)]).batch(), T0 + 9 * DAY)
        (breach,) = store.proofs.breaches(VIEW, coverage(store, VIEW), Names()).listed
        assert breach.parts_sum == 3 * (2**63 - 1)

    def test_of_a_dataset_that_claims_nothing_or_holds_nothing(self, store: Store, coverage: "CoverageOf") -> None:
        for dataset in ("completions", "images"):
            view = VIEW.with_dataset(dataset)
            assert store.proofs.breaches(view, coverage(store, view), Names()) == BrokenIdentities()


class TestOrigins:
    @pytest.mark.parametrize("per", [Granularity.TOTAL, Granularity.DAY, Granularity.HOUR])
    @pytest.mark.parametrize("grouping", [(), ("model",), ("project_id", "batch")])
    def test_rows_and_sums_add_up_to_every_cell(
        self, store: Store, usage: "Usage", coverage: "CoverageOf", per: Granularity, grouping: tuple[str, ...]
    ) -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        view = replace(VIEW, per=per, grouping=grouping, filters=(Filter("service_tier", frozenset([None]), True),))
        here = coverage(store, view)
        table = store.answer(view, here, Names())
        column = table.by_name["input_tokens"]
        assert isinstance(column, FigureColumn)
        rows = 0
        step = max(1, table.rows // 20)
        for row in range(0, table.rows, step):
            origins = store.proofs.origins(view, here, cell_of(table, row), ("input_tokens",), Names())
            figures = [origin.figures[0] for origin in origins if origin.figures[0] is not None]
            assert sum(int(figure) for figure in figures) == column.figures.at(row)
            rows += sum(origin.rows for origin in origins)
            assert len(origins) == {Granularity.TOTAL: 72, Granularity.DAY: 24, Granularity.HOUR: 1}[per]
        if step == 1:
            passing = [row for row in usage.rows if row.combination[5] is not None]
            assert rows == len(passing)

    def test_a_bucket_without_rows_is_listed_too(
        self, store: Store, usage: "Usage", coverage: "CoverageOf"
    ) -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        origins = store.proofs.origins(VIEW, coverage(store, VIEW), Cell(), ("input_tokens",), Names())
        idle = [origin for origin in origins if not origin.rows]
        assert [origin.bucket.start for origin in origins] == usage.starts
        assert {origin.bucket.start for origin in idle} == set(usage.starts) - {row.bucket for row in usage.rows}
        assert all(origin.figures == (None,) for origin in idle)

    def test_fetch_times_and_what_is_still_open(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        fetched = T0 + 12 * HOUR + 72 * HOUR
        store.put(usage.batch(), fetched)
        origins = store.proofs.origins(VIEW, coverage(store, VIEW), Cell(), (), Names())
        assert {origin.fetched_at for origin in origins} == {fetched}
        assert [origin.open for origin in origins] == [False] * 12 + [True] * 60

    def test_of_mixed_widths(
        self, store: Store, usage: "Usage", make_usage: "MakeUsage", coverage: "CoverageOf"
    ) -> None:
        store.put(replace(usage, starts=usage.starts[:24], rows=usage.rows[:0]).batch(), T0 + 9 * DAY)
        days = make_usage(T0 + DAY, 2, width=BucketWidth.DAY, rows_each=3, idle=0)
        store.put(days.batch(), T0 + 9 * DAY)
        origins = store.proofs.origins(VIEW, coverage(store, VIEW), Cell(), ("input_tokens",), Names())
        assert [origin.bucket.width for origin in origins] == [BucketWidth.HOUR] * 24 + [BucketWidth.DAY] * 2
        assert [origin.rows for origin in origins] == [0] * 24 + [3, 3]

    def test_a_search_that_looks_at_names(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        store.put(usage.batch(), T0 + 9 * DAY)
        view = replace(VIEW, grouping=("project_id",), search="checkout")
        names = Names.of([Name("project", "project_id-a", "Checkout")])
        here = coverage(store, view)
        origins = store.proofs.origins(view, here, Cell(None, (("project_id", "project_id-a"),)), (), names)
        wanted = sum(row.combination[0] == "project_id-a" for row in usage.rows)
        assert sum(origin.rows for origin in origins) == wanted
        assert not sum(
            origin.rows
            for origin in store.proofs.origins(view, here, Cell(None, (("project_id", None),)), (), names)
        )


class TestUnknownFields:
    def test_of_a_view_that_is_grouped_by_one(self, store: Store, usage: "Usage", coverage: "CoverageOf") -> None:
        rows = [
            replace(row, extra=f'{{"region": "{"eu" if at % 3 else "us"}", "credits": {at}}}' if at % 5 else None)
            for at, row in enumerate(usage.rows)
        ]
        store.put(replace(usage, rows=rows).batch(), T0 + 9 * DAY)
        view = replace(VIEW, grouping=("extra.region",), columns=("num_model_requests", "extra.credits"))
        here = coverage(store, view)
        table = store.answer(view, here, Names())
        metrics = ("num_model_requests", "extra.credits")
        counted = 0
        for row in range(table.rows):
            origins = store.proofs.origins(view, here, cell_of(table, row), metrics, Names())
            for place, name in enumerate(metrics):
                column = table.by_name[name]
                assert isinstance(column, FigureColumn)
                figures = [origin.figures[place] for origin in origins if origin.figures[place] is not None]
                assert (sum(Decimal(str(figure)) for figure in figures) if figures else None) == column.figures.at(
                    row
                )
            counted += sum(origin.rows for origin in origins)
        assert table.rows == 3
        assert counted == len(rows)
        only = view.only("extra.region", "eu")
        chosen = [row for at, row in enumerate(rows) if at % 5 and at % 3]
        assert store.proofs.breaches(only, here, Names()).count == broken(chosen)


Call = Callable[[Store, Coverage, Cancellation], object]


@pytest.mark.parametrize(
    "call",
    [
        lambda store, here, cancel: store.proofs.sums("completions", here.read, cancel),
        lambda store, here, cancel: store.proofs.breaches(VIEW, here, Names(), cancel),
        lambda store, here, cancel: store.proofs.origins(VIEW, here, Cell(), (), Names(), cancel),
        lambda store, here, cancel: store.proofs.changes("completions", None, T0, cancel),
    ],
)
def test_each_can_be_cancelled(store: Store, usage: "Usage", coverage: "CoverageOf", call: Call) -> None:
    store.put(usage.batch(), T0 + 9 * DAY)
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(Cancelled):
        call(store, coverage(store, VIEW), cancel)
