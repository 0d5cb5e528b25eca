"""Tests that figures are exact at any size, and that levels and different units are not added wrongly."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.store import Store

COMPLETIONS = DATASETS["completions"]
METRICS = tuple(metric.name for metric in COMPLETIONS.metrics)
T0, HOUR, DAY = 1_793_491_200, 3600, 86400  # 2026-11-01 UTC
FETCHED = T0 + 100 * DAY

Make = Callable[..., Any]
Ask = Callable[..., Table]
SortedResult = Callable[[Table], dict[tuple[int | str | None, ...], dict[str, Any]]]


def figure(table: Table, name: str) -> FigureColumn:
    column = table.by_name[name]
    assert isinstance(column, FigureColumn)
    return column


class TestExactness:
    def test_count_sums_exceed_int64(self, store: Store, ask: Ask, between: Make, small_batch: Make) -> None:
        large = 2**63 - 1
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0 + hour * HOUR, ("p", "u", "k", model, None, None, None), dict.fromkeys(METRICS, large - hour))
            for hour in range(24)
            for model in ("a", "b")
        ]
        store.put(
            small_batch("completions", BucketWidth.HOUR, [T0 + hour * HOUR for hour in range(24)], rows), FETCHED
        )
        model_sum = sum(large - hour for hour in range(24))
        for per in (Granularity.TOTAL, Granularity.DAY):
            table = ask(
                store, ViewState(range=between(T0, T0 + DAY), per=per, columns=("input_tokens", "total_tokens"))
            )
            assert figure(table, "input_tokens").figures.listed() == [model_sum, model_sum]
            assert figure(table, "input_tokens").total == 2 * model_sum
            assert figure(table, "total_tokens").figures.listed() == [2 * model_sum, 2 * model_sum]

    def test_total_exceeds_int64_while_rows_do_not(
        self, store: Store, ask: Ask, between: Make, small_batch: Make
    ) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("p", "u", "k", model, None, None, None), dict.fromkeys(METRICS, 2**62)) for model in "abc"
        ]
        store.put(small_batch("completions", BucketWidth.DAY, [T0], rows), FETCHED)
        table = ask(store, ViewState(range=between(T0, T0 + DAY), columns=("input_tokens",)))
        assert figure(table, "input_tokens").figures.values.dtype == np.int64
        assert figure(table, "input_tokens").total == 3 * 2**62

    def test_money_keeps_every_digit(
        self, store: Store, make_usage: Make, ask: Ask, between: Make, shown: SortedResult, oracle: Make
    ) -> None:
        usage = make_usage(T0, 10, width=BucketWidth.DAY, dataset="costs", idle=0)
        usage.rows[0].figures["amount"] = Decimal("99999999999999.999999999999999999999999")
        usage.rows[1].figures["amount"] = Decimal("99999999999999.000000000000000000000002")
        usage.rows[2].figures["amount"] = Decimal("-1E-24")
        store.put(usage.batch(), FETCHED)
        for per, grouping in (
            (Granularity.TOTAL, ("currency", "quantity_unit")),
            (Granularity.TOTAL, ("line_item", "quantity_unit", "currency")),
            (Granularity.DAY, ("project_id", "currency", "quantity_unit")),
        ):
            view = ViewState("costs", between(T0, T0 + 10 * DAY), per, grouping, columns=("amount", "quantity"))
            assert shown(ask(store, view)) == _exact_sums(usage.rows, view, oracle)

    def test_decimals_have_no_trailing_zeros(
        self, store: Store, ask: Ask, between: Make, small_batch: Make
    ) -> None:
        amounts = {"a": Decimal("0.0600"), "b": Decimal("100"), "c": Decimal("0.04"), "d": Decimal(0)}
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("p", None, item, None, None, "usd", None), {"amount": amount}) for item, amount in amounts.items()
        ]
        store.put(small_batch("costs", BucketWidth.DAY, [T0], rows), FETCHED)
        table = ask(store, ViewState("costs", between(T0, T0 + DAY), grouping=("line_item",)))
        assert sorted(map(str, figure(table, "amount").figures.listed())) == ["0", "0.04", "0.06", "100"]
        assert str(figure(table, "amount").total) == "100.1"


def _exact_sums(rows: Any, view: ViewState, oracle: Make) -> Any:
    """Return the oracle's sums, computed in integers of 10^-24: decimals would be rounded to 28 digits."""
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
    def put_levels(self, small_batch: Make, store: Store) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("a",), {"usage_bytes": 10}),
            (T0, ("b",), {"usage_bytes": 5}),
            (T0 + DAY, ("a",), {"usage_bytes": 11}),
            (T0 + DAY, ("b",), {"usage_bytes": 6}),
            (T0 + 2 * DAY, ("a",), {"usage_bytes": 7}),
        ]
        store.put(
            small_batch("vector_stores", BucketWidth.DAY, [T0 + day * DAY for day in range(3)], rows), FETCHED
        )

    def test_level_is_the_last_over_time_and_the_sum_over_groups(
        self, store: Store, ask: Ask, between: Make, shown: SortedResult, small_batch: Make
    ) -> None:
        self.put_levels(small_batch, store)
        two_days = ViewState("vector_stores", between(T0, T0 + 2 * DAY), grouping=("project_id",))
        table = ask(store, two_days)
        assert shown(table) == {("a",): {"usage_bytes": 11}, ("b",): {"usage_bytes": 6}}
        assert figure(table, "usage_bytes").total == 17
        assert shown(ask(store, two_days.with_grouping(()))) == {(): {"usage_bytes": 17}}

    def test_total_is_that_of_the_last_bucket(
        self, store: Store, ask: Ask, between: Make, shown: SortedResult, small_batch: Make
    ) -> None:
        self.put_levels(small_batch, store)
        table = ask(store, ViewState("vector_stores", between(T0, T0 + 5 * DAY), Granularity.DAY, ()))
        assert shown(table) == {(0,): {"usage_bytes": 15}, (1,): {"usage_bytes": 17}, (2,): {"usage_bytes": 7}}
        assert figure(table, "usage_bytes").total == 7

    def test_level_without_a_row_in_the_last_bucket_is_missing(
        self, store: Store, ask: Ask, between: Make, shown: SortedResult, small_batch: Make
    ) -> None:
        self.put_levels(small_batch, store)
        table = ask(store, ViewState("vector_stores", between(T0, T0 + 3 * DAY), grouping=("project_id",)))
        assert shown(table) == {("a",): {"usage_bytes": 7}, ("b",): {"usage_bytes": None}}

    def test_level_of_hours_within_a_day(
        self, store: Store, ask: Ask, between: Make, shown: SortedResult, small_batch: Make
    ) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0 + hour * HOUR, ("a",), {"usage_bytes": hour}) for hour in range(24)
        ]
        starts = [T0 + hour * HOUR for hour in range(24)]
        store.put(small_batch("vector_stores", BucketWidth.HOUR, starts, rows), FETCHED)
        for per in (Granularity.HOUR, Granularity.DAY, Granularity.TOTAL):
            view = ViewState("vector_stores", between(T0, T0 + DAY), per, ())
            table = ask(store, view)
            assert figure(table, "usage_bytes").total == 23
            assert figure(table, "usage_bytes").figures.at(table.rows - 1) == 23


class TestUnits:
    def put_costs(self, small_batch: Make, store: Store, *currencies: str) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("p", None, f"item {index}", None, None, currency, "tokens" if index else "seconds"),
             {"amount": Decimal(index + 1), "quantity": Decimal(10)})
            for index, currency in enumerate(currencies)
        ]  # fmt: skip
        store.put(small_batch("costs", BucketWidth.DAY, [T0], rows), FETCHED)

    def test_different_currencies_are_not_added(
        self, store: Store, ask: Ask, between: Make, shown: SortedResult, small_batch: Make
    ) -> None:
        self.put_costs(small_batch, store, "usd", "usd", "eur")
        view = ViewState("costs", between(T0, T0 + DAY), grouping=("project_id",), columns=("amount",))
        table = ask(store, view)
        assert [head.name for head in table.heads] == ["project_id", "currency"]
        assert shown(table) == {("p", "usd"): {"amount": 3}, ("p", "eur"): {"amount": 3}}
        assert figure(table, "amount").total is None

    def test_cents_of_each_currency_add_up_by_themselves(
        self, store: Store, ask: Ask, between: Make, small_batch: Make
    ) -> None:
        rows: list[tuple[int, Combination, dict[str, Any]]] = [
            (T0, ("p", None, f"item {index}", None, None, currency, None), {"amount": Decimal(amount)})
            for index, (currency, amount) in enumerate(
                [("usd", "0.334"), ("eur", "0.334"), ("usd", "0.333"), ("usd", "0.333"), ("eur", "-7.336")]
            )
        ]
        store.put(small_batch("costs", BucketWidth.DAY, [T0], rows), FETCHED)
        view = ViewState("costs", between(T0, T0 + DAY), grouping=("line_item",))
        table = ask(store, view)
        column = figure(table, "amount")
        assert (column.unit_from, column.total) == ("currency", None)
        assert column.shown is not None
        codes = table.groups[1].codes
        cents = {
            currency: int(column.shown.units[codes == code].sum())
            for code, currency in enumerate(table.groups[1].values)
        }
        assert cents == {"usd": 100, "eur": -700}

    def test_unit_in_the_grouping_keeps_its_position(
        self, store: Store, ask: Ask, between: Make, small_batch: Make
    ) -> None:
        self.put_costs(small_batch, store, "usd", "eur")
        table = ask(store, ViewState("costs", between(T0, T0 + DAY), grouping=("currency", "project_id")))
        assert [head.name for head in table.heads] == ["currency", "project_id"]
        assert figure(table, "amount").total is None

    def test_one_currency_is_added(self, store: Store, ask: Ask, between: Make, small_batch: Make) -> None:
        self.put_costs(small_batch, store, "usd", "usd", "eur")
        only = Filter("currency", frozenset(["usd"]))
        table = ask(store, ViewState("costs", between(T0, T0 + DAY), grouping=(), filters=(only,)))
        assert (table.rows, table.heads, figure(table, "amount").total) == (1, (), 3)

    def test_different_quantity_units_are_not_added(
        self, store: Store, ask: Ask, between: Make, small_batch: Make
    ) -> None:
        self.put_costs(small_batch, store, "usd", "usd")
        view = ViewState("costs", between(T0, T0 + DAY), grouping=(), columns=("quantity", "amount"))
        table = ask(store, view)
        assert [head.name for head in table.heads] == ["quantity_unit"]
        assert (figure(table, "quantity").total, figure(table, "amount").total) == (None, 3)
