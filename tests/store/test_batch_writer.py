"""Tests that stored rows equal the batch, and that figures out of range are refused."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from usage_viewer.domain.network_errors import WrongShape
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store import Store

T0, DAY = 1_793_491_200, 86400
Make = Callable[..., Any]


def query_file(path: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = duckdb.connect(str(path), read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_rows_are_stored_in_bucket_order(path: Path, make_usage: Make) -> None:
    usage = make_usage(T0, 5)
    usage.rows.reverse()
    store = Store.open(path)
    store.put(usage.batch(), T0)
    store.close()
    rows = query_file(path, "SELECT bucket, combination FROM usage_completions_1h")
    assert rows == sorted(rows)
    assert len(rows) == len(usage.rows)


def test_stored_values_equal_the_batch(path: Path, make_usage: Make) -> None:
    usage = make_usage(T0, 3, width=BucketWidth.DAY, dataset="costs")
    store = Store.open(path)
    store.put(usage.batch(), T0)
    store.close()
    dimensions = "project_id, user_id, line_item, api_key_id, api_source, currency, quantity_unit"
    rows = query_file(
        path,
        f"SELECT bucket, {dimensions}, amount, quantity FROM usage_costs_1d JOIN combination_costs"
        " ON combination = id",
    )
    expected = {
        (row.bucket, *row.combination): (row.figures["amount"], row.figures["quantity"]) for row in usage.rows
    }
    assert {row[:-2]: row[-2:] for row in rows} == expected


def test_table_held_has_the_dimensions_of_the_request(path: Path, make_usage: Make) -> None:
    store = Store.open(path)
    store.put(make_usage(T0, 2, width=BucketWidth.DAY, dataset="embeddings").batch(), 5)
    store.close()
    grouped = "project_id,user_id,api_key_id,model"
    assert query_file(
        path, "SELECT dataset, width, start, fetched_at, grouped, repeats FROM held ORDER BY start"
    ) == [
        ("embeddings", "1d", T0, 5, grouped, False),
        ("embeddings", "1d", T0 + DAY, 5, grouped, False),
    ]


def test_unknown_fields_are_stored_with_their_row(path: Path, make_usage: Make) -> None:
    usage = make_usage(T0, 3)
    row = usage.rows[17]
    object.__setattr__(row, "extra", '{"new_tokens": 5}')
    usage.rows.reverse()
    store = Store.open(path)
    store.put(usage.batch(), T0)
    store.close()
    rows = query_file(path, "SELECT bucket, input_tokens, extra FROM usage_completions_1h WHERE extra IS NOT NULL")
    assert rows == [(row.bucket, row.figures["input_tokens"], '{"new_tokens": 5}')]


def test_digits_after_the_24th_are_rounded(path: Path, make_usage: Make) -> None:
    usage = make_usage(T0, 1, width=BucketWidth.DAY, dataset="costs", rows_each=2)
    usage.rows[0].figures["amount"] = Decimal("1.0000000000000000000000025")
    usage.rows[1].figures["amount"] = Decimal("-12345678901234.9999999999999999999999996")
    store = Store.open(path)
    store.put(usage.batch(), T0)
    store.close()
    rows = query_file(path, "SELECT amount FROM usage_costs_1d ORDER BY amount")
    assert rows == [(Decimal("-12345678901235"),), (Decimal("1.000000000000000000000002"),)]


@pytest.mark.parametrize("amount", ["1E14", "-1E14", "1E400", "NaN", "Infinity"])
def test_figures_out_of_range_are_refused(amount: str, store: Store, make_usage: Make) -> None:
    usage = make_usage(T0, 1, width=BucketWidth.DAY, dataset="costs")
    usage.rows[0].figures["amount"] = Decimal(amount)
    with pytest.raises(WrongShape) as raised:
        store.put(usage.batch(), T0)
    assert raised.value.path == "amount"
