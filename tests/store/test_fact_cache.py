"""Facts that were read serve again until something changes, and coarser periods are made of finer ones."""

import dataclasses
from collections.abc import Callable
from datetime import UTC

import numpy as np
import pytest

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import Coverage, HeldBuckets
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Periods
from usage_viewer.query.aggregate import FactSums
from usage_viewer.store.fact_cache import MOST_BYTES, MOST_ENTRIES, FactCache
from usage_viewer.store.fact_query import FactQuery


def question(*bounds: int, metrics: tuple[str, ...] = ("input_tokens",), dataset: str = "completions") -> FactQuery:
    periods = Periods(np.array(bounds, np.int64), Granularity.HOUR, UTC)
    read = (BucketRun(BucketWidth.HOUR, 0, 86400),)
    coverage = Coverage(periods, BucketWidth.HOUR, read, (), (), 24, 24, 0, 0, 0, 0)
    return FactQuery(DATASETS[dataset], metrics, coverage, {BucketWidth.HOUR: HeldBuckets.nothing()}, False, 2)


def facts(*rows: tuple[int, int, int], metrics: tuple[str, ...] = ("input_tokens",)) -> FactSums:
    """Rows of (period, combination, figure)."""
    columns = np.array(rows, np.int64).T
    figures = {name: NumberColumn(columns[2] * (index + 1)) for index, name in enumerate(metrics)}
    return FactSums(columns[0].astype(np.int32), columns[1].astype(np.int32), figures)


def listed(rows: FactSums | None) -> list[tuple[int, ...]]:
    assert rows is not None
    columns = [rows.period, rows.cell, *(figures.values for figures in rows.metrics.values())]
    return list(zip(*(column.tolist() for column in columns), strict=True))


class TestFind:
    def test_gives_what_was_kept(self) -> None:
        cache, kept = FactCache(), facts((0, 0, 5), (1, 0, 6))
        cache.keep(question(0, 3600, 86400), 1, kept)
        assert listed(cache.find(question(0, 3600, 86400), 1)) == listed(kept)

    def test_makes_coarser_periods_of_finer_ones(self) -> None:
        cache = FactCache()
        cache.keep(question(0, 3600, 7200, 86400), 1, facts((0, 0, 5), (1, 0, 6), (1, 1, 7), (2, 0, 8)))
        assert listed(cache.find(question(0, 7200, 86400), 1)) == [(0, 0, 11), (0, 1, 7), (1, 0, 8)]

    def test_makes_no_finer_periods_of_coarser_ones(self) -> None:
        cache = FactCache()
        cache.keep(question(0, 7200, 86400), 1, facts((0, 0, 5)))
        assert cache.find(question(0, 3600, 7200, 86400), 1) is None
        assert cache.find(question(0, 3600, 86400), 1) is None

    def test_makes_no_coarser_levels_of_finer_ones(self) -> None:
        cache, level = FactCache(), ("usage_bytes",)
        finer = question(0, 3600, 86400, metrics=level, dataset="vector_stores")
        cache.keep(finer, 1, facts((0, 0, 5), (1, 0, 6), metrics=level))
        assert cache.find(question(0, 86400, metrics=level, dataset="vector_stores"), 1) is None
        assert cache.find(finer, 1) is not None

    def test_needs_all_metrics(self) -> None:
        cache, both = FactCache(), ("input_tokens", "output_tokens")
        cache.keep(question(0, 86400, metrics=both), 1, facts((0, 0, 5), metrics=both))
        assert listed(cache.find(question(0, 86400, metrics=("output_tokens",)), 1)) == [(0, 0, 10)]
        assert cache.find(question(0, 86400, metrics=("num_model_requests",)), 1) is None

    def test_gives_nothing_from_before_a_change_or_of_other_buckets(self) -> None:
        cache, asked = FactCache(), question(0, 86400)
        cache.keep(asked, 1, facts((0, 0, 5)))
        fewer = dataclasses.replace(asked.coverage, read=(BucketRun(BucketWidth.HOUR, 0, 3600),))
        assert cache.find(asked, 2) is None
        assert cache.find(dataclasses.replace(asked, coverage=fewer), 1) is None
        assert cache.find(question(0, 86400, dataset="decisions"), 1) is None


class TestKeep:
    def test_lets_go_of_the_least_recently_used(self) -> None:
        cache = FactCache()
        asked = [question(0, 3600 * (index + 1), 86400) for index in range(MOST_ENTRIES + 1)]
        for item in asked[:-1]:
            cache.keep(item, 1, facts((0, 0, 5)))
        assert cache.find(asked[0], 1) is not None
        cache.keep(asked[-1], 1, facts((0, 0, 5)))
        assert [index for index, item in enumerate(asked) if cache.find(item, 1) is None] == [1]

    def test_keeps_nothing_that_is_too_large(self) -> None:
        cache, rows = FactCache(), MOST_BYTES // 16 + 1
        column = np.zeros(1, np.int32).repeat(rows)
        cache.keep(
            question(0, 86400),
            1,
            FactSums(column, column, {"input_tokens": NumberColumn(np.zeros(rows, np.int64))}),
        )
        assert cache.find(question(0, 86400), 1) is None


@pytest.mark.parametrize("forget", [lambda cache: cache.clear(), lambda cache: cache.forget("completions")])
def test_forgets(forget: Callable[[FactCache], None]) -> None:
    cache, asked, other = FactCache(), question(0, 86400), question(0, 86400, dataset="decisions")
    cache.keep(asked, 1, facts((0, 0, 5)))
    cache.forget("decisions")
    assert cache.find(asked, 1) is not None
    forget(cache)
    assert cache.find(asked, 1) is None
    assert cache.find(other, 1) is None
