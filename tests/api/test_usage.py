from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from usage_viewer.api import Retry, UsageClient, check_key, fetch_window, probe_grouping
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.errors import Cancelled, KeyRefused
from usage_viewer.domain.network_errors import AnswerError, BucketError, CursorError, NotFound, NotJson, WrongShape
from usage_viewer.domain.period import BucketRun, BucketWidth

if TYPE_CHECKING:
    from tests.api.conftest import MakeClient
    from tests.rigs.scripted_server import Answer
    from tests.rigs.scripted_server import ScriptedServer as Server
    from tests.rigs.waits import Waits

COMPLETIONS, COSTS = API_DATASETS["completions"], API_DATASETS["costs"]
DAY = 86400
START = 20_000 * DAY
WINDOW = BucketRun(BucketWidth.DAY, START, START + 6 * DAY)
LATER = float(WINDOW.end + DAY)


def bucket(day: int, width: int = DAY) -> dict[str, Any]:
    row = {"object": COMPLETIONS.object, "input_tokens": day, "output_tokens": 1, "num_model_requests": 1}
    return {"object": "bucket", "start_time": START + day * width, "results": [row]}


def pages(answer: "type[Answer]", *days: list[int], last_more: bool = False) -> "list[Answer]":
    answers = []
    for number, page in enumerate(days):
        more = number < len(days) - 1 or last_more
        cursor = f"page_{number}==" if more else None
        answers.append(answer.json({"data": [bucket(day) for day in page], "has_more": more, "next_page": cursor}))
    return answers


@pytest.fixture
def late_client(server: "Server", make_client: "MakeClient") -> UsageClient:
    """A client whose clock is after the end of the window."""
    return make_client(server.base_url, clock=lambda: LATER)


def test_window_of_one_page(server: "Server", answer: "type[Answer]", late_client: UsageClient) -> None:
    server.answers = pages(answer, [0, 1, 2, 3, 4, 5])
    (batch,) = fetch_window(late_client, COMPLETIONS, WINDOW, ("model", "batch"))
    assert batch.starts.tolist() == list(range(WINDOW.start, WINDOW.end, DAY))
    assert batch.grouped == ("model", "batch")
    (request,) = server.requests
    assert request.path == "/v1/organization/usage/completions"
    assert request.query == (
        ("start_time", str(WINDOW.start)),
        ("end_time", str(WINDOW.end)),
        ("bucket_width", "1d"),
        ("limit", "6"),
        ("group_by", "model"),
        ("group_by", "batch"),
    )


def test_limit_does_not_exceed_the_api_maximum(
    server: "Server", answer: "type[Answer]", late_client: UsageClient
) -> None:
    server.answers = [answer.json({"data": []})]
    long = BucketRun(BucketWidth.HOUR, START + 100 * DAY, START + 120 * DAY)
    assert [len(batch) for batch in fetch_window(late_client, COMPLETIONS, long, ())] == [0]
    assert server.requests[0]["limit"] == "168"
    assert server.requests[0].all("group_by") == []


def test_all_pages_are_requested_with_the_same_parameters(
    server: "Server", answer: "type[Answer]", late_client: UsageClient
) -> None:
    server.answers = pages(answer, [0, 1], [2, 3], [5, 4])
    batches = list(fetch_window(late_client, COMPLETIONS, WINDOW, ("model",)))
    assert [batch.starts.size for batch in batches] == [2, 2, 2]
    first, second, third = (request.query for request in server.requests)
    assert second == (*first, ("page", "page_0=="))
    assert third == (*first, ("page", "page_1=="))


def test_batch_is_yielded_before_the_next_page_is_requested(
    server: "Server", answer: "type[Answer]", late_client: UsageClient
) -> None:
    server.answers = pages(answer, [0, 1], [2, 3, 4, 5])
    batches = fetch_window(late_client, COMPLETIONS, WINDOW, ())
    assert next(batches).starts.size == 2
    assert len(server.requests) == 1


def collect_days(batches: "Iterator[Any]", days: list[int]) -> None:
    for batch in batches:
        days += [(start - START) // DAY for start in batch.starts.tolist()]


def test_missing_buckets_are_reported_after_all_pages(
    server: "Server", answer: "type[Answer]", late_client: UsageClient
) -> None:
    server.answers = pages(answer, [0, 1], [3, 5])
    fetched: list[int] = []
    with pytest.raises(BucketError, match=r"2 of 6 days are missing, first 2024-10-06"):
        collect_days(fetch_window(late_client, COMPLETIONS, WINDOW, ()), fetched)
    assert fetched == [0, 1, 3, 5]


@pytest.mark.parametrize(("now", "complete"), [(3 * DAY + 30, True), (3 * DAY + 90, False), (2 * DAY + 90, True)])
def test_future_buckets_are_not_reported_missing(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient", now: int, complete: bool
) -> None:
    client = make_client(server.base_url, clock=lambda: float(START + now))
    server.answers = pages(answer, [0, 1, 2])
    fetched: list[int] = []
    if complete:
        collect_days(fetch_window(client, COMPLETIONS, WINDOW, ()), fetched)
    else:
        with pytest.raises(BucketError, match="1 of 4 days"):
            collect_days(fetch_window(client, COMPLETIONS, WINDOW, ()), fetched)
    assert fetched == [0, 1, 2]


def test_bucket_on_two_pages_is_an_error(
    server: "Server", answer: "type[Answer]", late_client: UsageClient
) -> None:
    server.answers = pages(answer, [0, 1], [1, 2], [3])
    fetched: list[int] = []
    with pytest.raises(BucketError, match="sent 2024-10-05 twice"):
        collect_days(fetch_window(late_client, COMPLETIONS, WINDOW, ()), fetched)
    assert fetched == [0, 1]


def test_repeated_cursor_is_an_error(server: "Server", answer: "type[Answer]", late_client: UsageClient) -> None:
    repeated = [
        answer.json({"data": [bucket(day)], "has_more": True, "next_page": cursor})
        for day, cursor in enumerate(["a", "b", "a"])
    ]
    server.answers = repeated
    with pytest.raises(CursorError, match="twice"):
        collect_days(fetch_window(late_client, COMPLETIONS, WINDOW, ()), [])
    assert len(server.requests) == 3


def test_endless_pages_are_an_error(server: "Server", answer: "type[Answer]", late_client: UsageClient) -> None:
    server.script = lambda request: answer.json(
        {"data": [], "has_more": True, "next_page": f"page_{len(server.requests)}"}
    )
    with pytest.raises(CursorError, match="no last page after 8 pages"):
        collect_days(fetch_window(late_client, COMPLETIONS, WINDOW, ()), [])
    assert len(server.requests) == 8


def test_pages_before_a_failed_page_are_yielded(
    server: "Server", answer: "type[Answer]", late_client: UsageClient, waits: "Waits"
) -> None:
    server.answers = [*pages(answer, [0, 1], last_more=True), answer.error(401, "revoked")]
    fetched: list[int] = []
    with pytest.raises(KeyRefused):
        collect_days(fetch_window(late_client, COMPLETIONS, WINDOW, ()), fetched)
    assert fetched == [0, 1]
    assert waits.seconds == []


def test_retries_are_reported(server: "Server", answer: "type[Answer]", late_client: UsageClient) -> None:
    server.answers = [answer.error(429, Retry_After="4"), *pages(answer, [0, 1, 2, 3, 4, 5])]
    retries: list[Retry] = []
    collect_days(fetch_window(late_client, COMPLETIONS, WINDOW, (), on_retry=retries.append), [])
    assert [retry.text for retry in retries] == ["Rate limited; retrying in 4 s"]


def test_cancellation_between_pages(server: "Server", answer: "type[Answer]", late_client: UsageClient) -> None:
    server.answers = pages(answer, [0, 1], [2, 3, 4, 5])
    cancellation = Cancellation()
    batches = fetch_window(late_client, COMPLETIONS, WINDOW, (), cancellation=cancellation)
    next(batches)
    cancellation.cancel()
    with pytest.raises(Cancelled):
        next(batches)
    assert len(server.requests) == 1


PROBED_DAY = BucketRun(BucketWidth.DAY, START, START + DAY)


def test_accepted_grouping_is_probed_by_one_small_request(
    server: "Server", answer: "type[Answer]", client: UsageClient
) -> None:
    server.answers = [answer.json({"data": []})]
    assert probe_grouping(client, COMPLETIONS, PROBED_DAY, ("model", "batch")) is None
    (request,) = server.requests
    assert (request["limit"], request.all("group_by")) == ("1", ["model", "batch"])


@pytest.mark.parametrize("status", [400, 422])
def test_refused_grouping_is_returned(
    server: "Server", answer: "type[Answer]", client: UsageClient, status: int
) -> None:
    server.answers = [answer.error(status, "what is api_source", param="group_by[1]")]
    refusal = probe_grouping(client, COMPLETIONS, PROBED_DAY, ("model", "api_source"))
    assert refusal is not None
    assert (refusal.detail, refusal.param) == ("what is api_source", "group_by[1]")


def test_probe_raises_other_errors(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.error(404)]
    with pytest.raises(NotFound):
        probe_grouping(client, COMPLETIONS, PROBED_DAY, ())


def test_key_is_checked_by_one_small_request(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.json({"data": []}), answer.error(401), answer(200, b"<html>Log in</html>")]
    check_key(client, START + 5000)
    assert server.requests[0]["limit"] == "1"
    assert server.requests[0]["start_time"] == str(START)
    with pytest.raises(KeyRefused):
        check_key(client, START)
    with pytest.raises(NotJson):
        check_key(client, START)
    assert issubclass(NotJson, AnswerError)


def test_bucket_with_an_invalid_row_costs_that_bucket_only(
    server: "Server", answer: "type[Answer]", client: UsageClient
) -> None:
    def day(number: int, value: object) -> dict[str, object]:
        start = START + number * DAY
        row = {
            "object": COSTS.object,
            "amount": {"value": value, "currency": "usd"},
            "quantity": "NaN" if not value else 1,
        }
        return {"object": "bucket", "start_time": start, "end_time": start + DAY, "results": [row]}

    amounts: list[object] = [1, "2.5", "NaN", 4, 0, 6]
    server.answers = [answer.json({"data": [day(number, value) for number, value in enumerate(amounts)]})]
    window = BucketRun(BucketWidth.DAY, START, START + 6 * DAY)
    pages = fetch_window(client, COSTS, window, ())
    batch = next(pages)
    assert ((batch.starts - START) // DAY).tolist() == [0, 1, 3, 5]
    assert batch.metrics["amount"].listed() == [1, Decimal("2.5"), 4, 6]
    assert batch.metrics["quantity"].listed() == [1, 1, 1, 1]
    with pytest.raises(WrongShape) as raised:
        next(pages)
    assert raised.value.path == "data[2].results[0].amount.value"
