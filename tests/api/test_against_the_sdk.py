"""Compares our client with the official SDK: both query the demo server and must get the same rows."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openai
import pytest

from tests.rigs.sample_organization import sample_organization
from usage_viewer.api import UsageClient, check_key, fetch_names, fetch_window
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import API_DATASETS, COSTS, Dataset, Kind
from usage_viewer.domain.errors import KeyRefused
from usage_viewer.domain.period import BucketRun, BucketWidth

NOW = 1_795_437_245  # Monday 2026-11-23, 12:34:05 UTC
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with DemoServer(sample_organization(NOW), clock=lambda: float(NOW)) as server:
        yield server


@pytest.fixture(scope="module")
def sdk(demo: DemoServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(admin_api_key=demo.key, base_url=demo.base_url, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def ours(demo: DemoServer) -> Iterator[UsageClient]:
    with UsageClient(demo.base_url, AdminKey.parse(demo.key)) as client:
        yield client


def number(value: Any, kind: Kind) -> Any:
    return None if value is None else Decimal(str(value)) if kind is Kind.DECIMAL else value


def as_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def value_at(fields: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = fields
    for name in path:
        value = None if value is None else value.get(name)
    return value


def sdk_rows(
    sdk: openai.OpenAI, dataset: Dataset, window: BucketRun, grouped: tuple[str, ...], limit: int
) -> tuple[Counter[Row], set[int]]:
    rows: Counter[Row] = Counter()
    starts: set[int] = set()
    more: dict[str, Any] = {"group_by": list(grouped)} if grouped else {}
    while True:
        # The SDK's models convert decimals to floats, so the exact values are read from the response's text.
        raw = getattr(sdk.admin.organization.usage.with_raw_response, dataset.name)(
            start_time=window.start, end_time=window.end, bucket_width=window.width.value, limit=limit, **more
        )
        answer = raw.parse()
        parsed = answer.model_dump()["data"]
        exact = json.loads(raw.text, parse_float=Decimal)["data"]
        assert [len(bucket["results"]) for bucket in parsed] == [len(bucket["results"]) for bucket in exact]
        for bucket in exact if dataset is COSTS else parsed:
            starts.add(bucket["start_time"])
            for result in bucket["results"]:
                rows[
                    (
                        bucket["start_time"],
                        *(as_text(value_at(result, item.path or (item.name,))) for item in dataset.dimensions),
                        *(number(value_at(result, m.path or (m.name,)), m.kind) for m in dataset.metrics),
                    )
                ] += 1
        if not answer.has_more:
            return rows, starts
        more["page"] = answer.next_page


def our_rows(
    client: UsageClient, dataset: Dataset, window: BucketRun, grouped: tuple[str, ...]
) -> tuple[Counter[Row], set[int]]:
    rows: Counter[Row] = Counter()
    starts: set[int] = set()
    for batch in fetch_window(client, dataset, window, grouped):
        starts |= set(batch.starts.tolist())
        columns = [batch.metrics[metric.name].listed() for metric in dataset.metrics]
        keys = [batch.combinations[index] for index in batch.combination.tolist()]
        for start, key, *figures in zip(batch.bucket.tolist(), keys, *columns, strict=True):
            rows[start, *key, *figures] += 1
    return rows, starts


def questions(dataset: Dataset, seed: int, count: int) -> Iterator[tuple[BucketRun, tuple[str, ...], int]]:
    """Random windows and groupings, and a limit for the SDK, so that it has several pages."""
    chance = random.Random(f"{dataset.name} {seed}")
    for _ in range(count):
        width = chance.choice(dataset.widths)
        most = dataset.page_limits[width].maximum
        buckets = chance.randint(1, min(most, 60 if width is BucketWidth.MINUTE else most))
        start = width.floor(NOW - chance.randint(1, 300) * 86400)
        grouped = tuple(name for name in dataset.group_by if chance.random() < 0.5)
        window = BucketRun(width, start, min(start + buckets * width.seconds, width.floor(NOW)))
        yield window, grouped, chance.randint(max(1, buckets // 3), most)


@pytest.mark.parametrize("dataset", API_DATASETS.values(), ids=lambda dataset: dataset.name)
def test_client_and_sdk_get_the_same_rows(sdk: openai.OpenAI, ours: UsageClient, dataset: Dataset) -> None:
    seen = 0
    for window, grouped, limit in questions(dataset, 1, 12 if dataset.name == "completions" else 3):
        expected = sdk_rows(sdk, dataset, window, grouped, limit)
        assert our_rows(ours, dataset, window, grouped) == expected, (window, grouped)
        seen += len(expected[0])
    assert seen > 0


def test_rows_of_all_dimensions_up_to_now_match_the_sdk(sdk: openai.OpenAI, ours: UsageClient) -> None:
    dataset = API_DATASETS["completions"]
    window = BucketRun(BucketWidth.HOUR, BucketWidth.HOUR.floor(NOW) - 47 * 3600, BucketWidth.HOUR.ceil(NOW))
    expected = sdk_rows(sdk, dataset, window, dataset.group_by, 7)
    assert our_rows(ours, dataset, window, dataset.group_by) == expected
    assert len(expected[1]) == 48


def test_valid_key_passes_and_wrong_key_is_refused(demo: DemoServer, ours: UsageClient) -> None:
    check_key(ours, NOW)
    with UsageClient(demo.base_url, AdminKey.parse("sk-admin-wrong")) as wrong, pytest.raises(KeyRefused):
        check_key(wrong, NOW)


def test_client_and_sdk_get_the_same_names(sdk: openai.OpenAI, ours: UsageClient) -> None:
    names = {(name.kind, name.id): name.name for page in fetch_names(ours, now=NOW) for name in page}
    organization = sdk.admin.organization
    projects = list(organization.projects.list(include_archived=True, limit=7))
    expected: dict[tuple[str, str], str | None] = {("project", project.id): project.name for project in projects}
    expected |= {("user", user.id): user.name or user.email for user in organization.users.list(limit=7)}
    for project in projects:
        accounts = organization.projects.service_accounts.list(project.id, limit=3)
        expected |= {("user", account.id): account.name for account in accounts}
        keys = organization.projects.api_keys.list(project.id, limit=3, extra_query={"owner_project_access": "any"})
        expected |= {("api_key", key.id): key.name for key in keys}
    assert {key for key, name in expected.items() if not name} <= names.keys()
    assert {(key, name) for key, name in expected.items() if name} <= set(names.items())
    assert {kind for kind, _ in names} == {"project", "user", "api_key"}
