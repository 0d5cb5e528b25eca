"""Tests that facts are reused until the dataset changes, and that coarser periods are derived from finer ones."""

import dataclasses
from collections.abc import Callable
from datetime import UTC

import numpy as np
import pytest

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Periods
from usage_viewer.query.aggregate import FactRows
from usage_viewer.store.fact_cache import MAX_BYTES, MAX_ENTRIES, FactCache
from usage_viewer.store.fact_query import FactQuery


def query(*bounds: int, metrics: tuple[str, ...] = ("input_tokens",), dataset: str = "completions") -> FactQuery:
    periods = Periods(np.array(bounds, np.int64), Granularity.HOUR, UTC)
    read = (BucketRun(BucketWidth.HOUR, 0, 86400),)
    coverage = Coverage(periods, BucketWidth.HOUR, read, (), (), 24, 24, 0, 0, 0, 0)
    return FactQuery(DATASETS[dataset], metrics, coverage, {}, False, 2, version=1)


def facts(*rows: tuple[int, int, int], metrics: tuple[str, ...] = ("input_tokens",)) -> FactRows:
    """Return rows of (period, combination, figure)."""
    columns = np.array(rows, np.int64).T
    figures = {name: NumberColumn(columns[2] * (index + 1)) for index, name in enumerate(metrics)}
    return FactRows(columns[0].astype(np.int32), columns[1].astype(np.int32), figures)


def listed(rows: FactRows | None) -> list[tuple[int, ...]]:
    assert rows is not None
    columns = [rows.period, rows.cell, *(column.values for column in rows.metrics.values())]
    return list(zip(*(column.tolist() for column in columns), strict=True))


class TestFind:
    def test_returns_added_facts(self) -> None:
        cache, added = FactCache(), facts((0, 0, 5), (1, 0, 6))
        cache.add(query(0, 3600, 86400), added)
        assert listed(cache.find(query(0, 3600, 86400))) == listed(added)

    def test_coarser_periods_are_summed_from_finer_ones(self) -> None:
        cache = FactCache()
        cache.add(query(0, 3600, 7200, 86400), facts((0, 0, 5), (1, 0, 6), (1, 1, 7), (2, 0, 8)))
        assert listed(cache.find(query(0, 7200, 86400))) == [(0, 0, 11), (0, 1, 7), (1, 0, 8)]

    def test_finer_periods_are_not_found(self) -> None:
        cache = FactCache()
        cache.add(query(0, 7200, 86400), facts((0, 0, 5)))
        assert cache.find(query(0, 3600, 7200, 86400)) is None
        assert cache.find(query(0, 3600, 86400)) is None

    def test_levels_are_not_summed_to_coarser_periods(self) -> None:
        cache, level = FactCache(), ("usage_bytes",)
        finer = query(0, 3600, 86400, metrics=level, dataset="vector_stores")
        cache.add(finer, facts((0, 0, 5), (1, 0, 6), metrics=level))
        assert cache.find(query(0, 86400, metrics=level, dataset="vector_stores")) is None
        assert cache.find(finer) is not None

    def test_all_metrics_are_needed(self) -> None:
        cache, both = FactCache(), ("input_tokens", "output_tokens")
        cache.add(query(0, 86400, metrics=both), facts((0, 0, 5), metrics=both))
        assert listed(cache.find(query(0, 86400, metrics=("output_tokens",)))) == [(0, 0, 10)]
        assert cache.find(query(0, 86400, metrics=("num_model_requests",))) is None

    def test_other_versions_buckets_and_datasets_are_not_found(self) -> None:
        cache, cached = FactCache(), query(0, 86400)
        cache.add(cached, facts((0, 0, 5)))
        fewer = dataclasses.replace(cached.coverage, read=(BucketRun(BucketWidth.HOUR, 0, 3600),))
        assert cache.find(dataclasses.replace(cached, version=2)) is None
        assert cache.find(dataclasses.replace(cached, coverage=fewer)) is None
        assert cache.find(query(0, 86400, dataset="decisions")) is None


class TestAdd:
    def test_least_recently_used_facts_are_removed_first(self) -> None:
        cache = FactCache()
        queries = [query(0, 3600 * (index + 1), 86400) for index in range(MAX_ENTRIES + 1)]
        for item in queries[:-1]:
            cache.add(item, facts((0, 0, 5)))
        assert cache.find(queries[0]) is not None
        cache.add(queries[-1], facts((0, 0, 5)))
        assert [index for index, item in enumerate(queries) if cache.find(item) is None] == [1]

    def test_facts_that_are_too_large_are_not_kept(self) -> None:
        cache, rows = FactCache(), MAX_BYTES // 16 + 1
        column = np.zeros(1, np.int32).repeat(rows)
        large = FactRows(column, column, {"input_tokens": NumberColumn(np.zeros(rows, np.int64))})
        cache.add(query(0, 86400), large)
        assert cache.find(query(0, 86400)) is None


@pytest.mark.parametrize("forget", [lambda cache: cache.clear(), lambda cache: cache.forget("completions")])
def test_forgotten_facts_are_not_found(forget: Callable[[FactCache], None]) -> None:
    cache, cached, other = FactCache(), query(0, 86400), query(0, 86400, dataset="decisions")
    cache.add(cached, facts((0, 0, 5)))
    cache.forget("decisions")
    assert cache.find(cached) is not None
    forget(cache)
    assert cache.find(cached) is None
    assert cache.find(other) is None
