"""Compares whole pages with the organization's rows, for random ranges, groupings and filters of each dataset."""

import json
import random
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from usage_viewer.demo.api.answer import usage_page
from usage_viewer.demo.api.query import parse_query
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import API_DATASETS, Dataset, Dimension, Metric
from usage_viewer.domain.period import BucketWidth

DAY = 86400
Json = dict[str, Any]
Key = tuple[int, tuple[object, ...]]


def _pages(
    organization: SyntheticOrganization, dataset: Dataset, parameters: Mapping[str, list[str]], now: int
) -> list[Json]:
    """Return all buckets of all pages."""
    buckets: list[Json] = []
    page_parameters = dict(parameters)
    while True:
        page = json.loads(
            usage_page(organization, parse_query(dataset, page_parameters, now), now), parse_float=Decimal
        )
        assert page["object"] == "page"
        buckets += page["data"]
        if not page["has_more"]:
            assert page["next_page"] is None
            return buckets
        page_parameters["page"] = [page["next_page"]]


def _value_at(result: Json, item: Dimension | Metric) -> Any:
    value: Any = result
    for step in item.path or (item.name,):
        value = value.get(step) if value is not None else None
    return value


def _rows_of(dataset: Dataset, buckets: list[Json]) -> dict[Key, dict[str, Any]]:
    rows: dict[Key, dict[str, Any]] = {}
    for bucket in buckets:
        for result in bucket["results"]:
            assert result["object"] == dataset.object
            key = (bucket["start_time"], tuple(_value_at(result, item) for item in dataset.dimensions))
            assert key not in rows
            values = {item.name: _value_at(result, item) for item in dataset.metrics}
            rows[key] = {
                name: Decimal(value) if isinstance(value, str) else value for name, value in values.items()
            }
    return rows


def _expected(
    organization: SyntheticOrganization, dataset: Dataset, parameters: Mapping[str, list[str]], now: int
) -> dict[Key, dict[str, Any]]:
    start, end = int(parameters["start_time"][0]), int(parameters["end_time"][0])
    filters = {item.name: parameters[item.filter] for item in dataset.dimensions if item.filter in parameters}
    grouped = {*parameters.get("group_by", []), "currency"}
    by_item = dataset.name == "costs" and "line_item" in grouped
    if by_item:
        grouped.add("quantity_unit")
    sums: dict[Key, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(item.name for item in dataset.metrics))
    for row in organization.rows(dataset.name, start, end, BucketWidth(parameters["bucket_width"][0]), now):
        texts = {name: str(row[name]).lower() if isinstance(row[name], bool) else row[name] for name in filters}
        if any(texts[name] not in values for name, values in filters.items()):
            continue
        values = tuple(row[item.name] if item.name in grouped else None for item in dataset.dimensions)
        group_sums = sums[row["bucket"], values]
        for metric in dataset.metrics:
            if row[metric.name] is not None and (metric.name != "quantity" or by_item):
                group_sums[metric.name] = (group_sums[metric.name] or 0) + row[metric.name]
    return sums


def _random_request(
    organization: SyntheticOrganization, dataset: Dataset, now: int, rng: random.Random
) -> dict[str, list[str]]:
    width = rng.choice(dataset.widths)
    longest = {BucketWidth.DAY: 60 * DAY, BucketWidth.HOUR: 6 * DAY, BucketWidth.MINUTE: DAY // 4}[width]
    end = now + DAY - rng.randrange(300 * DAY) if rng.random() < 0.6 else now + rng.randrange(DAY)
    parameters = {
        "start_time": [str(end - rng.randrange(60, longest))],
        "end_time": [str(end)],
        "bucket_width": [width.value],
        "limit": [str(rng.randrange(1, dataset.page_limits[width].maximum + 1))],
        "group_by": rng.sample(dataset.group_by, rng.randrange(len(dataset.group_by) + 1)),
    }
    combinations = organization.combinations(dataset.name)
    for place, dimension in enumerate(dataset.dimensions):
        values = sorted({values[place] for values in combinations} - {None}, key=str)
        if dimension.filter and values and rng.random() < 0.25:
            count = 1 if dimension.boolean else rng.randrange(1, len(values) + 1)
            parameters[dimension.filter] = [str(value) for value in rng.sample(values, count)]
    return parameters


@pytest.mark.parametrize("name", API_DATASETS)
def test_random_requests_match_the_rows_of_the_organization(
    organization: SyntheticOrganization, now: int, name: str
) -> None:
    dataset = API_DATASETS[name]
    rng = random.Random(f"requests {name}")
    rows = 0
    for _ in range(12 if name == "completions" else 5):
        parameters = _random_request(organization, dataset, now, rng)
        received = _rows_of(dataset, _pages(organization, dataset, parameters, now))
        assert received == _expected(organization, dataset, parameters, now), parameters
        rows += len(received)
    assert rows > 10


def _ask(organization: SyntheticOrganization, name: str, now: int, **parameters: object) -> list[Json]:
    texts = {key: value if isinstance(value, list) else [str(value)] for key, value in parameters.items()}
    return _pages(organization, API_DATASETS[name], texts, now)


def test_each_bucket_of_the_range_occurs_once_even_without_usage(
    organization: SyntheticOrganization, now: int
) -> None:
    start = (organization.events.outage - 5) * 3600
    buckets = _ask(
        organization, "completions", now, start_time=start, end_time=start + 36_000, bucket_width="1h", limit=3
    )
    assert [bucket["start_time"] for bucket in buckets] == [start + 3600 * hour for hour in range(10)]
    assert all(bucket["end_time"] == bucket["start_time"] + 3600 for bucket in buckets)
    assert buckets[5]["results"] == []
    assert len(buckets[4]["results"]) == 1


def test_first_bucket_is_cut_at_start_time(organization: SyntheticOrganization, now: int) -> None:
    day = now // DAY * DAY - 5 * DAY
    whole = _ask(organization, "completions", now, start_time=day, end_time=day + 2 * DAY)
    cut = _ask(organization, "completions", now, start_time=day + DAY // 2, end_time=day + 2 * DAY)
    assert [bucket["start_time"] for bucket in cut] == [day + DAY // 2, day + DAY]
    assert [bucket["end_time"] for bucket in cut] == [day + DAY, day + 2 * DAY]
    assert 0 < cut[0]["results"][0]["input_tokens"] < whole[0]["results"][0]["input_tokens"]
    assert cut[1] == whole[1]


def test_future_buckets_are_not_listed(organization: SyntheticOrganization, now: int) -> None:
    day = now // DAY * DAY
    buckets = _ask(organization, "completions", now, start_time=day - DAY, end_time=day + 9 * DAY, limit=1)
    assert [bucket["start_time"] for bucket in buckets] == [day - DAY, day]
    assert _ask(organization, "completions", now, start_time=now + DAY) == []


def test_older_responses_lack_fields_or_have_null(organization: SyntheticOrganization, now: int) -> None:
    days = {"absent": 1_768_000_000, "null": 1_775_000_000, "given": 1_790_000_000}
    results = {
        era: _ask(organization, "completions", now, start_time=day, end_time=day + DAY)[-1]["results"][0]
        for era, day in days.items()
    }
    assert "input_text_tokens" not in results["absent"]
    assert "input_cache_write_tokens" not in results["absent"]
    assert results["null"]["input_cache_write_tokens"] is None
    assert results["null"]["input_text_tokens"] > 0
    assert results["given"]["input_cache_write_tokens"] > 0


def test_amounts_are_numbers_or_strings(organization: SyntheticOrganization, now: int) -> None:
    buckets = _ask(organization, "costs", now, start_time=now - 3 * DAY, group_by=["line_item"])
    kinds = {type(result["amount"]["value"]) for bucket in buckets for result in bucket["results"]}
    assert str in kinds
    assert kinds & {Decimal, int}
