"""Tests the synthetic organization's usage at each bucket width."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from usage_viewer.demo.world.catalog import CACHE_WRITES_SINCE, DETAIL_SINCE
from usage_viewer.demo.world.organization import SyntheticOrganization, bucket_edges
from usage_viewer.domain.catalog import DATASETS, Aggregation
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import BucketWidth

DAY, HOUR = 86400, 3600
SUMMED = [item.name for item in DATASETS.values() if item.metrics[0].aggregation is Aggregation.SUM]
BY_MINUTE = [name for name in SUMMED if BucketWidth.MINUTE in DATASETS[name].page_limits]
LARGE_NOW = 1_795_437_245


def _sums(rows: list[dict[str, Any]], name: str, width: BucketWidth) -> dict[tuple[object, ...], dict[str, int]]:
    """Sum the rows by bucket of `width` and combination."""
    dataset = DATASETS[name]
    sums: dict[tuple[object, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        key = (width.floor(row["bucket"]), *(row[dimension.name] for dimension in dataset.dimensions))
        for metric in dataset.metrics:
            sums[key][metric.name] += row[metric.name]
    return sums


@pytest.mark.parametrize("name", BY_MINUTE)
def test_days_are_sums_of_hours_and_hours_are_sums_of_minutes(
    organization: SyntheticOrganization, now: int, name: str
) -> None:
    day = now // DAY * DAY
    start = day - 2 * DAY
    days = _sums(list(organization.rows(name, start, day + DAY, BucketWidth.DAY, now)), name, BucketWidth.DAY)
    hours = list(organization.rows(name, start, day + DAY, BucketWidth.HOUR, now))
    minutes = list(organization.rows(name, day - DAY, day + DAY, BucketWidth.MINUTE, now))
    assert len(days) > 5
    assert _sums(hours, name, BucketWidth.DAY) == days
    late = [row for row in hours if row["bucket"] >= day - DAY]
    assert _sums(minutes, name, BucketWidth.HOUR) == _sums(late, name, BucketWidth.HOUR)


@pytest.mark.parametrize("name", ["completions", "decisions"])
@pytest.mark.parametrize("width", list(BucketWidth))
def test_identities_hold_for_each_row(
    organization: SyntheticOrganization, now: int, name: str, width: BucketWidth
) -> None:
    dataset = DATASETS[name]
    length = {BucketWidth.MINUTE: DAY, BucketWidth.HOUR: 20 * DAY, BucketWidth.DAY: 390 * DAY}[width]
    usage = organization.usage(name, now // DAY * DAY - length, now, width, now)
    metrics = usage.rows.metrics
    assert len(usage.rows) > 100
    for identity in dataset.identities:
        total = sum((metrics[part] for part in identity.parts), np.zeros(len(usage.rows), np.int64))
        assert np.array_equal(metrics[identity.whole], total)
    assert all(bool(np.all(values >= 0)) for values in metrics.values())


def test_older_usage_lacks_later_metrics(organization: SyntheticOrganization, now: int) -> None:
    rows = list(organization.rows("completions", now - 390 * DAY, now, BucketWidth.DAY, now))
    for row in rows:
        assert (row["input_text_tokens"] is None) == (row["bucket"] < DETAIL_SINCE)
        assert (row["input_cache_write_tokens"] is None) == (row["bucket"] < CACHE_WRITES_SINCE)
        assert row["input_cached_tokens"] is not None
    assert min(row["bucket"] for row in rows) < DETAIL_SINCE
    assert any(row["input_cache_write_12h_tokens"] for row in rows)


def test_batch_and_rows_are_equal(organization: SyntheticOrganization, now: int) -> None:
    window = ("completions", now - 3 * DAY, now, BucketWidth.DAY, now)
    batch, rows = organization.batch(*window), list(organization.rows(*window))
    assert len(batch) == len(rows) > 50
    assert batch.starts.tolist()[0] == now - 3 * DAY
    for place, row in enumerate(rows):
        assert row["bucket"] == batch.bucket[place]
        assert row["model"] == batch.combinations[batch.combination[place]][3]
        assert row["batch"] is (batch.combinations[batch.combination[place]][4] == "true")
        assert row["input_tokens"] == batch.metrics["input_tokens"].at(place)


def test_usage_is_between_the_first_day_and_now(now: int) -> None:
    organization = SyntheticOrganization(anchor=now, days=10)
    rows = list(organization.rows("completions", now - 30 * DAY, now + 30 * DAY, BucketWidth.MINUTE, now))
    assert now // DAY * DAY - 10 * DAY <= min(row["bucket"] for row in rows) < now - 9 * DAY
    assert now - HOUR < max(row["bucket"] for row in rows) <= now - 60


def test_today_grows_and_past_days_do_not_change(organization: SyntheticOrganization, now: int) -> None:
    day = now // DAY * DAY

    def tokens_at(moment: int) -> tuple[int, int]:
        rows = organization.usage("completions", day - DAY, day + DAY, BucketWidth.DAY, moment).rows
        tokens = rows.metrics["input_tokens"]
        return int(tokens[rows.at == 0].sum()), int(tokens[rows.at == 1].sum())

    (yesterday, today), (yesterday_later, today_later) = tokens_at(now), tokens_at(now + 2 * HOUR)
    assert yesterday == yesterday_later
    assert 0 < today < today_later
    next_anchor = (
        SyntheticOrganization(anchor=now + DAY).usage("completions", day - DAY, day, BucketWidth.DAY, now).rows
    )
    assert int(next_anchor.metrics["input_tokens"].sum()) == yesterday


def test_level_of_a_bucket_is_its_last_one(organization: SyntheticOrganization, now: int) -> None:
    day = now // DAY * DAY
    days = list(organization.rows("vector_stores", day - DAY, day + DAY, BucketWidth.DAY, now))
    hours = list(organization.rows("vector_stores", day - DAY, day + DAY, BucketWidth.HOUR, now))
    last = {row["project_id"]: row["usage_bytes"] for row in hours if row["bucket"] == day - HOUR}
    assert last == {row["project_id"]: row["usage_bytes"] for row in days if row["bucket"] == day - DAY}
    assert len(last) > 5


def test_costs_are_exact_decimals_with_a_quantity_except_credits(
    organization: SyntheticOrganization, now: int
) -> None:
    rows = list(organization.rows("costs", now // DAY * DAY - 5 * DAY, now, BucketWidth.DAY, now))
    assert all(isinstance(row["amount"], Decimal) for row in rows)
    assert all((row["quantity"] is None) == (row["amount"] < 0) for row in rows)
    tokens, others = {"tokens", "1000_tokens"}, {"images", "characters", "duration_seconds", "calls", "sessions"}
    assert {row["quantity_unit"] for row in rows} == tokens | others | {"gibibyte_hours", None}
    assert {row["currency"] for row in rows} == {"usd"}
    assert sum(row["amount"] for row in rows) > 1000


def test_bucket_edges_are_cut_at_the_window_and_end_now() -> None:
    starts, ends = bucket_edges(1000, 10_000, BucketWidth.HOUR, 7200)
    assert starts.tolist() == [1000, 3600, 7200]
    assert ends.tolist() == [3600, 7200, 10_000]
    assert len(bucket_edges(1000, 10_000, BucketWidth.HOUR, 500)[0]) == 0


def test_large_scale_has_a_million_rows_a_year() -> None:
    organization = SyntheticOrganization(scale="large", anchor=LARGE_NOW)
    assert len(organization.combinations("completions")) == 1000
    start = LARGE_NOW // DAY * DAY - 28 * DAY
    usage = organization.usage("completions", start, start + 28 * DAY, BucketWidth.HOUR, LARGE_NOW)
    assert 90 < len(usage.rows) / (28 * 24) < 200
    assert int(usage.rows.metrics["input_tokens"].sum()) > 2**31


def test_unknown_dataset_is_an_input_error(organization: SyntheticOrganization, now: int) -> None:
    with pytest.raises(InputError):
        organization.usage("nothing", now - DAY, now, BucketWidth.DAY, now)
