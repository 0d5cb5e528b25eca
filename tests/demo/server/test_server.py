"""Tests the demo server with the official SDK as its client, and the faults that it can produce."""

import http.client
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import openai
import pytest

from usage_viewer.demo.api.access import NAMES_ONLY_KEY
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import API_DATASETS, Dataset
from usage_viewer.domain.period import BucketWidth

DAY = 86400


def _all_buckets(fetch: Callable[..., Any], **parameters: Any) -> list[Any]:
    buckets: list[Any] = []
    page = fetch(**parameters)
    buckets += page.data
    while page.has_more:
        page = fetch(**parameters, page=page.next_page)
        buckets += page.data
    return buckets


@pytest.mark.parametrize("dataset", API_DATASETS.values(), ids=API_DATASETS)
def test_sdk_reads_each_dataset(client: openai.OpenAI, now: int, dataset: Dataset) -> None:
    fetch = getattr(client.admin.organization.usage, dataset.name)
    buckets = _all_buckets(fetch, start_time=now // DAY * DAY - 10 * DAY, group_by=list(dataset.group_by))
    assert len(buckets) == 11
    results = [result for bucket in buckets for result in bucket.results]
    assert len(results) > 20
    assert {result.object for result in results} == {dataset.object}
    for metric in dataset.metrics:
        if metric.required:
            assert all(isinstance(getattr(result, metric.name), int) for result in results)
    for name in dataset.group_by:
        assert {getattr(result, name) for result in results} - {None}, name


def test_sdk_gets_the_rows_of_the_organization(
    client: openai.OpenAI, demo: DemoServer, organization: SyntheticOrganization, now: int
) -> None:
    start = now // DAY * DAY - 3 * DAY
    buckets = _all_buckets(
        client.admin.organization.usage.completions,
        start_time=start,
        end_time=now,
        bucket_width="1h",
        limit=50,
        group_by=["project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source"],
        batch=False,
        models=["gpt-6-astra", "o5-mini"],
    )
    received = [
        {**result.model_dump(exclude={"object"}), "bucket": bucket.start_time}
        for bucket in buckets
        for result in bucket.results
    ]
    expected = [
        row
        for row in organization.rows("completions", start, now, BucketWidth.HOUR, now)
        if row["batch"] is False and row["model"] in ("gpt-6-astra", "o5-mini")
    ]
    assert len(received) > 50
    assert received == expected
    assert len(demo.requests) == 2
    assert demo.requests[0].query["group_by"][0] == "project_id"
    assert demo.requests[1].query["page"][0].startswith("page_")


def test_array_parameters_with_and_without_brackets_are_equal(demo: DemoServer, now: int) -> None:
    def get(*parameters: tuple[str, str]) -> bytes:
        url = urlsplit(demo.base_url)
        connection = http.client.HTTPConnection(url.netloc, timeout=10)
        query = urlencode([("start_time", str(now - 3 * DAY)), ("end_time", str(now)), *parameters])
        connection.request(
            "GET",
            f"{url.path}/organization/usage/completions?{query}",
            headers={"Authorization": f"Bearer {demo.key}"},
        )
        body = connection.getresponse().read()
        connection.close()
        return body

    plain = get(("group_by", "model"), ("group_by", "batch"), ("models", "o5"), ("models", "o5-mini"))
    brackets = get(("group_by[]", "model"), ("group_by[]", "batch"), ("models[]", "o5"), ("models[]", "o5-mini"))
    assert plain == brackets
    assert plain.count(b'"model":"o5') > 1


def test_sdk_reads_all_lists_of_names(client: openai.OpenAI, organization: SyntheticOrganization) -> None:
    api = client.admin.organization
    projects = list(api.projects.list(include_archived=True, limit=5))
    assert {project.id for project in projects} == set(organization.directory.listed_projects)
    assert len(list(api.users.list(limit=11))) == 36
    keys = [key for item in projects for key in api.projects.api_keys.list(item.id, owner_project_access="any")]
    assert len(keys) > 60
    assert {key.owner.type for key in keys} == {"user", "service_account"}
    accounts = [account for item in projects for account in api.projects.service_accounts.list(item.id)]
    assert len(accounts) > 10
    assert api.spend_limit.retrieve().threshold_amount > 0


def test_sdk_raises_the_errors_of_the_api(demo: DemoServer, client: openai.OpenAI, now: int) -> None:
    usage = client.admin.organization.usage
    with pytest.raises(openai.BadRequestError) as caught:
        usage.completions(start_time=now - DAY, limit=32)
    assert caught.value.param == "limit"
    with pytest.raises(openai.BadRequestError) as caught:
        usage.embeddings(start_time=now - DAY, group_by=["model", "batch"])  # type: ignore[list-item]
    assert caught.value.param == "group_by[1]"
    with pytest.raises(openai.BadRequestError) as caught:
        usage.completions(start_time=now - DAY, page="page_AAAA")
    assert caught.value.param == "page"
    for key, error in (
        ("sk-admin-of-somebody-else", openai.AuthenticationError),
        (NAMES_ONLY_KEY, openai.PermissionDeniedError),
    ):
        with (
            openai.OpenAI(admin_api_key=key, base_url=demo.base_url, max_retries=0) as other,
            pytest.raises(error),
        ):
            other.admin.organization.usage.completions(start_time=now - DAY)


def test_cursor_requires_the_same_parameters(client: openai.OpenAI, now: int) -> None:
    usage = client.admin.organization.usage
    page = usage.completions(start_time=now - 20 * DAY, group_by=["model"])
    assert page.next_page is not None
    with pytest.raises(openai.BadRequestError):
        usage.completions(start_time=now - 20 * DAY, group_by=["batch"], page=page.next_page)
    with pytest.raises(openai.BadRequestError):
        usage.embeddings(start_time=now - 20 * DAY, group_by=["model"], page=page.next_page)


def test_latency_delays_the_response(demo: DemoServer, client: openai.OpenAI) -> None:
    demo.latency = 0.1
    begun = time.monotonic()
    client.admin.organization.users.list()
    assert time.monotonic() - begun >= 0.1


def _completions(client: openai.OpenAI, now: int) -> Any:
    return client.with_options(timeout=5).admin.organization.usage.completions(start_time=now - DAY)


def test_fault_applies_to_the_chosen_request(demo: DemoServer, client: openai.OpenAI, now: int) -> None:
    seen: list[Request] = []

    def faults(request: Request) -> Fault | None:
        seen.append(request)
        if request.number == 1:
            return Fault(429, {"Retry-After": "7"}, b'{"error": {"message": "Slow down."}}')
        return None

    demo.faults = faults
    before = _completions(client, now)
    with pytest.raises(openai.RateLimitError) as caught:
        _completions(client, now)
    assert caught.value.response.headers["retry-after"] == "7"
    assert _completions(client, now) == before
    assert seen[0].path == "/organization/usage/completions"
    assert seen[0].headers["authorization"] == f"Bearer {demo.key}"


def test_fault_can_edit_a_response(demo: DemoServer, client: openai.OpenAI, now: int) -> None:
    before = _completions(client, now)

    def edit(page: Any) -> Any:
        page["data"][0]["results"][0]["input_tokens"] += 1
        page["data"][1]["results"].clear()
        return page

    demo.faults = lambda request: Fault(edit=edit)
    after = _completions(client, now)
    assert after.data[0].results[0].input_tokens == before.data[0].results[0].input_tokens + 1
    assert after.data[1].results == []


@pytest.mark.parametrize("fault", [Fault(drop=True), Fault(truncate=40)], ids=["dropped", "truncated"])
def test_fault_can_break_the_connection(demo: DemoServer, client: openai.OpenAI, now: int, fault: Fault) -> None:
    demo.faults = lambda request: fault
    with pytest.raises(openai.APIConnectionError):
        _completions(client, now)
    demo.faults = None
    assert _completions(client, now).data


@pytest.mark.parametrize("fault", [Fault(stall=30), Fault(stall_body=30)], ids=["answer", "body"])
def test_fault_can_stall_a_response(demo: DemoServer, client: openai.OpenAI, now: int, fault: Fault) -> None:
    demo.faults = lambda request: fault
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.2).admin.organization.usage.completions(start_time=now - DAY)
