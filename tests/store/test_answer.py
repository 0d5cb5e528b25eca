"""Answers equal what plain Python adds up, to the last digit."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain, combinations, cycle
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.datasets import DATASETS, Kind
from usage_viewer.domain.figures import Figures
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import DateRange, Per, Width
from usage_viewer.domain.tables import FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import Filter, ViewState
from usage_viewer.store import Store
from usage_viewer.store.answer import metrics_needed

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
Shown = Callable[[Table], dict[tuple[int | str | None, ...], dict[str, Any]]]


def small_batch(
    dataset: str,
    width: Width,
    starts: list[int],
    rows: list[tuple[int, Combination, dict[str, Any]]],
) -> Batch:
    """Rows of (bucket, combination, figures); None is missing."""
    metrics = {}
    for metric in DATASETS[dataset].metrics:
        given = [figures.get(metric.name) for _, _, figures in rows]
        gone = np.array([value is None for value in given], np.bool_)
        kind = np.object_ if metric.kind is Kind.DECIMAL else np.int64
        metrics[metric.name] = Figures(
            np.array([value or 0 for value in given], kind), gone if gone.any() else None
        )
    return Batch(
        dataset,
        width,
        np.array(starts, np.int64),
        DATASETS[dataset].group_by,
        [combination for _, combination, _ in rows],
        np.array([bucket for bucket, _, _ in rows], np.int64),
        np.arange(len(rows), dtype=np.int32),
        metrics,
    )


def figure(table: Table, name: str) -> FigureColumn:
    column = table.by_name[name]
    assert isinstance(column, FigureColumn)
    return column


class TestEveryGrouping:
    @pytest.fixture(scope="class")
    @classmethod
    def filled(cls) -> Iterator[Store]:
        store = Store.open(None)
        yield store
        store.close()

    @pytest.mark.parametrize(
        ("grouping", "number"),
        list(zip(GROUPINGS, cycle(range(4)), strict=False)),
        ids=["+".join(grouping) or "nothing" for grouping in GROUPINGS],
    )
    def test_equals_the_oracle(
        self,
        grouping: tuple[str, ...],
        number: int,
        filled: Store,
        make_usage: Make,
        ask: Ask,
        between: Make,
        shown: Shown,
        oracle: Make,
    ) -> None:
        usage = make_usage(T0, 72, rows_each=25)
        if not filled.rows("completions"):
            filled.put(usage.batch(), FETCHED)
        base = ViewState(range=between(), grouping=grouping, columns=METRICS)
        for turn, per in enumerate((Per.TOTAL, Per.DAY, Per.HOUR)):
            search, filters = SELECTIONS[(number + turn) % len(SELECTIONS)]
            view = replace(base, per=per, search=search, filters=filters)
            table = ask(filled, view)
            wanted = oracle(usage.rows, view, METRICS)
            assert shown(table) == (wanted or ({(): dict.fromkeys(METRICS)} if view.keys == METRICS else {}))
            for column in table.figures:
                given = [cell[column.name] for cell in wanted.values() if cell[column.name] is not None]
                assert column.total == (sum(given) if given else None)

    def test_there_are_as_many_as_subsets(self) -> None:
        assert len(set(GROUPINGS)) == 2**7


class TestColumns:
    def test_follow_the_view(self, store: Store, make_usage: Make, ask: Ask, between: Make) -> None:
        store.put(make_usage().batch(), FETCHED)
        view = ViewState(range=between(), per=Per.DAY, grouping=("user_id", "model"))
        assert tuple(column.name for column in ask(store, view).columns) == view.keys

    def test_only_what_is_shown_is_read(self) -> None:
        view = ViewState(columns=("tokens_per_request", "output_tokens"))
        assert metrics_needed(view) == ("num_model_requests", "input_tokens", "output_tokens")

    def test_derived_ones_come_from_sums(self, store: Store, make_usage: Make, ask: Ask, between: Make) -> None:
        usage = make_usage()
        store.put(usage.batch(), FETCHED)
        table = ask(store, ViewState(range=between(), grouping=(), columns=("tokens_per_request", "total_tokens")))
        tokens = sum(row.figures["input_tokens"] + row.figures["output_tokens"] for row in usage.rows)
        requests = sum(row.figures["num_model_requests"] for row in usage.rows)
        assert figure(table, "total_tokens").figures.listed() == [tokens]
        assert figure(table, "tokens_per_request").figures.listed() == [tokens / requests]
        assert figure(table, "tokens_per_request").total == tokens / requests

    def test_labels_are_names_and_the_search_finds_both(
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
            found = ask(store, view.with_search(text), names).by_name["project_id"]
            assert isinstance(found, GroupColumn)
            assert found.values == ("project_id-a",)


class TestNothing:
    def test_held_shows_nothing(self, store: Store, ask: Ask, between: Make) -> None:
        table = ask(store, ViewState(range=between(), grouping=()))
        assert (table.rows, figure(table, "input_tokens").total) == (0, None)

    def test_used_is_one_row_without_figures(self, store: Store, ask: Ask, between: Make) -> None:
        store.put(small_batch("completions", Width.DAY, [T0], []), FETCHED)
        table = ask(store, ViewState(range=between(T0, T0 + DAY), grouping=()))
        assert table.rows == 1
        assert {column.figures.at(0) for column in table.figures} == {None}

    @pytest.mark.parametrize(("per", "grouping"), [(Per.TOTAL, ("model",)), (Per.DAY, ())])
    def test_used_has_no_groups_and_no_periods(
        self, per: Per, grouping: tuple[str, ...], store: Store, ask: Ask, between: Make
    ) -> None:
        store.put(small_batch("completions", Width.DAY, [T0], []), FETCHED)
        assert ask(store, ViewState(range=between(T0, T0 + DAY), per=per, grouping=grouping)).rows == 0


class TestPeriods:
    # Both changes of the clock in Europe and in America are within; the third zone is off by half an hour.
    @pytest.mark.parametrize(
        ("zone", "last", "width", "buckets"),
        [
            ("Europe/Berlin", date(2026, 11, 5), Width.HOUR, 255 * 24),
            ("America/New_York", date(2026, 11, 5), Width.HOUR, 255 * 24),
            ("Asia/Kolkata", date(2026, 3, 3), Width.MINUTE, 4 * 1440),
        ],
    )
    @pytest.mark.parametrize("per", [Per.DAY, Per.WEEK, Per.MONTH])
    def test_days_of_a_zone(
        self,
        zone: str,
        last: date,
        width: Width,
        buckets: int,
        per: Per,
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
        wanted: dict[str, int] = {}
        for row in usage.rows:
            day = datetime.fromtimestamp(row.bucket, ZoneInfo(zone)).date()
            if first <= day <= last:
                monday = day - timedelta(days=day.weekday())
                label = {Per.DAY: f"{day}", Per.WEEK: f"{monday}", Per.MONTH: f"{day:%Y-%m}"}[per]
                wanted[label] = wanted.get(label, 0) + row.figures["input_tokens"]
        assert dict(zip(labels, figure(table, "input_tokens").figures.listed(), strict=True)) == wanted

    @pytest.mark.parametrize("per", [Per.TOTAL, Per.WEEK, Per.DAY])
    def test_of_buckets_of_several_widths(
        self, per: Per, store: Store, make_usage: Make, ask: Ask, between: Make, shown: Shown, oracle: Make
    ) -> None:
        # Days, a day of hours, more days, an hour that isn't asked for in a day that isn't held.
        days = make_usage(T0, 4, width=Width.DAY, seed=2, idle=0)
        hours = make_usage(T0 + 4 * DAY, 24, seed=3)
        late = make_usage(T0 + 5 * DAY, 5, width=Width.DAY, seed=4)
        stray = make_usage(T0 + 11 * DAY, 1, seed=5)
        for usage in (late, stray, hours, days):
            store.put(usage.batch(), FETCHED)
        view = ViewState(range=between(T0, T0 + 14 * DAY), per=per, grouping=("model", "batch"), columns=METRICS)
        assert shown(ask(store, view)) == oracle([*days.rows, *hours.rows, *late.rows], view, METRICS)

    def test_a_range_with_many_holes(
        self, store: Store, make_usage: Make, ask: Ask, between: Make, shown: Shown, oracle: Make
    ) -> None:
        kept = []
        for index in range(0, 200, 2):
            usage = make_usage(T0 + index * DAY, 1, width=Width.DAY, seed=index, idle=0, rows_each=3)
            store.put(usage.batch(), T0 + 300 * DAY)
            kept += usage.rows
        for per in (Per.TOTAL, Per.MONTH):
            view = ViewState(range=between(T0, T0 + 200 * DAY), per=per, columns=METRICS)
            assert shown(ask(store, view)) == oracle(kept, view, METRICS)

    def test_a_coarser_one_after_a_finer_one(
        self, store: Store, make_usage: Make, ask: Ask, between: Make, shown: Shown, oracle: Make
    ) -> None:
        usage = make_usage(T0, 240)
        store.put(usage.batch(), FETCHED)
        view = ViewState(range=between(T0, T0 + 10 * DAY), per=Per.HOUR, columns=METRICS)
        for per in (Per.HOUR, Per.DAY, Per.WEEK, Per.TOTAL):
            for columns in (METRICS, METRICS[:3]):
                chosen = replace(view, per=per, columns=columns)
                assert shown(ask(store, chosen)) == oracle(usage.rows, chosen, columns)


class TestExactness:
    def test_counts_beyond_an_int64(self, store: Store, ask: Ask, between: Make) -> None:
        large = 2**63 - 1
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0 + hour * HOUR, ("p", "u", "k", model, None, None, None), dict.fromkeys(METRICS, large - hour))
            for hour in range(24)
            for model in ("a", "b")
        ]
        store.put(small_batch("completions", Width.HOUR, [T0 + hour * HOUR for hour in range(24)], rows), FETCHED)
        each = sum(large - hour for hour in range(24))
        for per in (Per.TOTAL, Per.DAY):
            table = ask(
                store, ViewState(range=between(T0, T0 + DAY), per=per, columns=("input_tokens", "total_tokens"))
            )
            assert figure(table, "input_tokens").figures.listed() == [each, each]
            assert figure(table, "input_tokens").total == 2 * each
            assert figure(table, "total_tokens").figures.listed() == [2 * each, 2 * each]

    def test_a_total_beyond_an_int64_of_rows_within(self, store: Store, ask: Ask, between: Make) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("p", "u", "k", model, None, None, None), dict.fromkeys(METRICS, 2**62)) for model in "abc"
        ]
        store.put(small_batch("completions", Width.DAY, [T0], rows), FETCHED)
        table = ask(store, ViewState(range=between(T0, T0 + DAY), columns=("input_tokens",)))
        assert figure(table, "input_tokens").figures.values.dtype == np.int64
        assert figure(table, "input_tokens").total == 3 * 2**62

    def test_money_to_the_last_digit(
        self, store: Store, make_usage: Make, ask: Ask, between: Make, shown: Shown, oracle: Make
    ) -> None:
        usage = make_usage(T0, 10, width=Width.DAY, dataset="costs", idle=0)
        usage.rows[0].figures["amount"] = Decimal("99999999999999.999999999999999999999999")
        usage.rows[1].figures["amount"] = Decimal("99999999999999.000000000000000000000002")
        usage.rows[2].figures["amount"] = Decimal("-1E-24")
        store.put(usage.batch(), FETCHED)
        for per, grouping in (
            (Per.TOTAL, ("currency", "quantity_unit")),
            (Per.TOTAL, ("line_item", "quantity_unit", "currency")),
            (Per.DAY, ("project_id", "currency", "quantity_unit")),
        ):
            view = ViewState("costs", between(T0, T0 + 10 * DAY), per, grouping, columns=("amount", "quantity"))
            assert shown(ask(store, view)) == _exactly(usage.rows, view, oracle)

    def test_decimals_have_no_trailing_zeros(self, store: Store, ask: Ask, between: Make) -> None:
        amounts = {"a": Decimal("0.0600"), "b": Decimal("100"), "c": Decimal("0.04"), "d": Decimal(0)}
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("p", None, item, None, None, "usd", None), {"amount": amount}) for item, amount in amounts.items()
        ]
        store.put(small_batch("costs", Width.DAY, [T0], rows), FETCHED)
        table = ask(store, ViewState("costs", between(T0, T0 + DAY), grouping=("line_item",)))
        assert sorted(map(str, figure(table, "amount").figures.listed())) == ["0", "0.04", "0.06", "100"]
        assert str(figure(table, "amount").total) == "100.1"


def _exactly(rows: Any, view: ViewState, oracle: Make) -> Any:
    """The oracle in integers of 10^-24, for decimals would be rounded to 28 digits."""
    scaled = [
        replace(
            row,
            figures={
                name: None if value is None else int(Fraction(value) * 10**24)
                for name, value in row.figures.items()
            },
        )
        for row in rows
    ]
    cells = oracle(scaled, view, view.columns)
    return {
        key: {
            name: None if value is None else Decimal((value < 0, tuple(map(int, str(abs(value)))), -24))
            for name, value in cell.items()
        }
        for key, cell in cells.items()
    }


class TestLevels:
    def stored(self, store: Store) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("a",), {"usage_bytes": 10}),
            (T0, ("b",), {"usage_bytes": 5}),
            (T0 + DAY, ("a",), {"usage_bytes": 11}),
            (T0 + DAY, ("b",), {"usage_bytes": 6}),
            (T0 + 2 * DAY, ("a",), {"usage_bytes": 7}),
        ]
        store.put(small_batch("vector_stores", Width.DAY, [T0 + day * DAY for day in range(3)], rows), FETCHED)

    def test_are_the_last_over_time_and_the_sum_over_groups(
        self, store: Store, ask: Ask, between: Make, shown: Shown
    ) -> None:
        self.stored(store)
        two_days = ViewState("vector_stores", between(T0, T0 + 2 * DAY), grouping=("project_id",))
        table = ask(store, two_days)
        assert shown(table) == {("a",): {"usage_bytes": 11}, ("b",): {"usage_bytes": 6}}
        assert figure(table, "usage_bytes").total == 17
        assert shown(ask(store, two_days.with_grouping(()))) == {(): {"usage_bytes": 17}}

    def test_total_is_the_last_buckets(self, store: Store, ask: Ask, between: Make, shown: Shown) -> None:
        self.stored(store)
        table = ask(store, ViewState("vector_stores", between(T0, T0 + 5 * DAY), Per.DAY, ()))
        assert shown(table) == {(0,): {"usage_bytes": 15}, (1,): {"usage_bytes": 17}, (2,): {"usage_bytes": 7}}
        assert figure(table, "usage_bytes").total == 7

    def test_without_a_row_in_the_last_bucket_are_missing(
        self, store: Store, ask: Ask, between: Make, shown: Shown
    ) -> None:
        self.stored(store)
        table = ask(store, ViewState("vector_stores", between(T0, T0 + 3 * DAY), grouping=("project_id",)))
        assert shown(table) == {("a",): {"usage_bytes": 7}, ("b",): {"usage_bytes": None}}

    def test_of_hours_within_a_day(self, store: Store, ask: Ask, between: Make, shown: Shown) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0 + hour * HOUR, ("a",), {"usage_bytes": hour}) for hour in range(24)
        ]
        starts = [T0 + hour * HOUR for hour in range(24)]
        store.put(small_batch("vector_stores", Width.HOUR, starts, rows), FETCHED)
        for per in (Per.HOUR, Per.DAY, Per.TOTAL):
            view = ViewState("vector_stores", between(T0, T0 + DAY), per, ())
            table = ask(store, view)
            assert figure(table, "usage_bytes").total == 23
            assert figure(table, "usage_bytes").figures.at(table.rows - 1) == 23


class TestUnits:
    def billed(self, store: Store, *currencies: str) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("p", None, f"item {index}", None, None, currency, "tokens" if index else "seconds"),
             {"amount": Decimal(index + 1), "quantity": Decimal(10)})
            for index, currency in enumerate(currencies)
        ]  # fmt: skip
        store.put(small_batch("costs", Width.DAY, [T0], rows), FETCHED)

    def test_of_different_currencies_are_never_added(
        self, store: Store, ask: Ask, between: Make, shown: Shown
    ) -> None:
        self.billed(store, "usd", "usd", "eur")
        view = ViewState("costs", between(T0, T0 + DAY), grouping=("project_id",), columns=("amount",))
        table = ask(store, view)
        assert [head.name for head in table.heads] == ["project_id", "currency"]
        assert shown(table) == {("p", "usd"): {"amount": 3}, ("p", "eur"): {"amount": 3}}
        assert figure(table, "amount").total is None

    def test_in_the_grouping_stay_where_they_are(self, store: Store, ask: Ask, between: Make) -> None:
        self.billed(store, "usd", "eur")
        table = ask(store, ViewState("costs", between(T0, T0 + DAY), grouping=("currency", "project_id")))
        assert [head.name for head in table.heads] == ["currency", "project_id"]
        assert figure(table, "amount").total is None

    def test_of_one_currency_are_added(self, store: Store, ask: Ask, between: Make) -> None:
        self.billed(store, "usd", "usd", "eur")
        only = Filter("currency", frozenset(["usd"]))
        table = ask(store, ViewState("costs", between(T0, T0 + DAY), grouping=(), filters=(only,)))
        assert (table.rows, table.heads, figure(table, "amount").total) == (1, (), 3)

    def test_of_quantities_are_kept_apart_too(self, store: Store, ask: Ask, between: Make) -> None:
        self.billed(store, "usd", "usd")
        view = ViewState("costs", between(T0, T0 + DAY), grouping=(), columns=("quantity", "amount"))
        table = ask(store, view)
        assert [head.name for head in table.heads] == ["quantity_unit"]
        assert (figure(table, "quantity").total, figure(table, "amount").total) == (None, 3)
