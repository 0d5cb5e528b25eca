"""Tests that facts read in chunks, or summed by DuckDB, are the same."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import pytest

from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.query.aggregate import FactRows
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.store.batch_writer import write_batch
from usage_viewer.store.bucket_index import BucketIndex
from usage_viewer.store.engine.database import Database
from usage_viewer.store.engine.digests import start_digest
from usage_viewer.store.engine.schema import create_tables, migrate
from usage_viewer.store.fact_query import MAX_ENGINE_CELLS, FactQuery, read_facts

T0, DAY = 1_793_491_200, 86400
METRICS = ("num_model_requests", "input_cached_tokens")

Listed = dict[tuple[int, int], list[Any]]


def listed(rows: FactRows) -> Listed:
    figures = [rows.metrics[name].listed() for name in METRICS]
    keys = list(zip(rows.period.tolist(), rows.cell.tolist(), strict=True))
    assert len(set(keys)) == len(keys), "a period and combination occurs twice"
    return dict(zip(keys, map(list, zip(*figures, strict=True)), strict=True))


@pytest.mark.parametrize("per", [Granularity.TOTAL, Granularity.DAY, Granularity.HOUR])
def test_facts_are_equal_by_any_method(
    per: Granularity, make_usage: Callable[..., Any], between: Callable[..., Any], coverage: Callable[..., Any]
) -> None:
    usage = make_usage(T0, 240)
    database = Database(None)
    view = ViewState(range=between(T0, T0 + 10 * DAY), per=per, columns=METRICS)
    index, buckets = DimensionIndex(view.dataset), BucketIndex()
    with database.transaction() as cursor:
        migrate(cursor)
        for table in create_tables(cursor, view.dataset, BucketWidth.HOUR):
            start_digest(cursor, table)
        write_batch(cursor, view.dataset, usage.batch(), index, T0 + 100 * DAY, is_new=True)
    batch = usage.batch()
    buckets.add(batch, T0 + 100 * DAY)

    periods = view.periods(T0).bounds.tolist()
    expected: Listed = {}
    ids = index.add(row.combination for row in usage.rows).tolist()
    for row, cell in zip(usage.rows, ids, strict=True):
        period = bisect_right(periods, row.bucket) - 1
        sums = expected.setdefault((period, cell), [None, None])
        for position, name in enumerate(METRICS):
            if row.figures[name] is not None:
                sums[position] = (sums[position] or 0) + row.figures[name]

    class StoreOfBuckets:
        """Provides the method of a store that coverage needs."""

        stored_buckets = staticmethod(buckets.of)

    # With a larger number of combinations than there are, DuckDB does not sum.
    for count in (len(index), MAX_ENGINE_CELLS + 1):
        for rows_at_a_time in (10**9, 1000, 1):
            for repeats in (False, True):
                stored = buckets.fact_counts("completions")
                query = FactQuery(view.dataset, METRICS, coverage(StoreOfBuckets, view), stored, repeats, count)
                with database.cursor() as cursor:
                    assert listed(read_facts(cursor, query, rows_at_a_time=rows_at_a_time)) == expected
    database.close()
