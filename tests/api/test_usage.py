import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from usage_viewer.api import Retry, UsageClient, check_key, fetch_window, probe_dimensions
from usage_viewer.domain.catalog import COSTS, DATASETS
from usage_viewer.domain.errors import (
    AnswerError,
    BucketError,
    Cancelled,
    CursorError,
    KeyRefused,
    NotFound,
    NotJson,
    RequestRefused,
)
from usage_viewer.domain.period import BucketRun, BucketWidth

if TYPE_CHECKING:
    from tests.api.conftest import MakeClient
    from tests.rigs.scripted_server import Answer
    from tests.rigs.scripted_server import ScriptedServer as Server
    from tests.rigs.waits import Waits
    from tests.rigs.wire import Request

COMPLETIONS = DATASETS["completions"]
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
def late(server: "Server", make_client: "MakeClient") -> UsageClient:
    """A client whose clock stands after the window."""
    return make_client(server.base_url, clock=lambda: LATER)


def test_one_window_in_one_page(server: "Server", answer: "type[Answer]", late: UsageClient) -> None:
    server.answers = pages(answer, [0, 1, 2, 3, 4, 5])
    (batch,) = fetch_window(late, COMPLETIONS, WINDOW, ("model", "batch"))
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


def test_the_limit_is_never_above_the_servers(server: "Server", answer: "type[Answer]", late: UsageClient) -> None:
    server.answers = [answer.json({"data": []})]
    long = BucketRun(BucketWidth.HOUR, START + 100 * DAY, START + 120 * DAY)
    assert [len(batch) for batch in fetch_window(late, COMPLETIONS, long, ())] == [0]
    assert server.requests[0]["limit"] == "168"
    assert server.requests[0].all("group_by") == []


def test_pages_are_followed_with_the_same_parameters(
    server: "Server", answer: "type[Answer]", late: UsageClient
) -> None:
    server.answers = pages(answer, [0, 1], [2, 3], [5, 4])
    batches = list(fetch_window(late, COMPLETIONS, WINDOW, ("model",)))
    assert [batch.starts.size for batch in batches] == [2, 2, 2]
    first, second, third = (request.query for request in server.requests)
    assert second == (*first, ("page", "page_0=="))
    assert third == (*first, ("page", "page_1=="))


def test_batches_come_as_the_pages_come(server: "Server", answer: "type[Answer]", late: UsageClient) -> None:
    server.answers = pages(answer, [0, 1], [2, 3, 4, 5])
    batches = fetch_window(late, COMPLETIONS, WINDOW, ())
    assert next(batches).starts.size == 2
    assert len(server.requests) == 1


def all_of(batches: "Iterator[Any]", into: list[int]) -> None:
    for batch in batches:
        into += [(start - START) // DAY for start in batch.starts.tolist()]


def test_missing_buckets_are_named_after_what_came(
    server: "Server", answer: "type[Answer]", late: UsageClient
) -> None:
    server.answers = pages(answer, [0, 1], [3, 5])
    came: list[int] = []
    with pytest.raises(BucketError, match=r"2 of 6 days did not come, the first is 2024-10-06"):
        all_of(fetch_window(late, COMPLETIONS, WINDOW, ()), came)
    assert came == [0, 1, 3, 5]


@pytest.mark.parametrize(("now", "complete"), [(3 * DAY + 30, True), (3 * DAY + 90, False), (2 * DAY + 90, True)])
def test_buckets_that_have_not_begun_are_not_missed(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient", now: int, complete: bool
) -> None:
    client = make_client(server.base_url, clock=lambda: float(START + now))
    server.answers = pages(answer, [0, 1, 2])
    came: list[int] = []
    if complete:
        all_of(fetch_window(client, COMPLETIONS, WINDOW, ()), came)
    else:
        with pytest.raises(BucketError, match="1 of 4 days"):
            all_of(fetch_window(client, COMPLETIONS, WINDOW, ()), came)
    assert came == [0, 1, 2]


def test_a_bucket_that_comes_again_on_a_later_page(
    server: "Server", answer: "type[Answer]", late: UsageClient
) -> None:
    server.answers = pages(answer, [0, 1], [1, 2], [3])
    came: list[int] = []
    with pytest.raises(BucketError, match="2024-10-05 came twice"):
        all_of(fetch_window(late, COMPLETIONS, WINDOW, ()), came)
    assert came == [0, 1]


def test_a_cursor_that_comes_again(server: "Server", answer: "type[Answer]", late: UsageClient) -> None:
    repeated = [
        answer.json({"data": [bucket(day)], "has_more": True, "next_page": cursor})
        for day, cursor in enumerate(["a", "b", "a"])
    ]
    server.answers = repeated
    with pytest.raises(CursorError, match="twice"):
        all_of(fetch_window(late, COMPLETIONS, WINDOW, ()), [])
    assert len(server.requests) == 3


def test_cursors_without_an_end(server: "Server", answer: "type[Answer]", late: UsageClient) -> None:
    server.script = lambda request: answer.json(
        {"data": [], "has_more": True, "next_page": f"page_{len(server.requests)}"}
    )
    with pytest.raises(CursorError, match="no end after 8 pages"):
        all_of(fetch_window(late, COMPLETIONS, WINDOW, ()), [])
    assert len(server.requests) == 8


def test_a_page_that_fails_half_way_leaves_what_came(
    server: "Server", answer: "type[Answer]", late: UsageClient, waits: "Waits"
) -> None:
    server.answers = [*pages(answer, [0, 1], last_more=True), answer.error(401, "revoked")]
    came: list[int] = []
    with pytest.raises(KeyRefused):
        all_of(fetch_window(late, COMPLETIONS, WINDOW, ()), came)
    assert came == [0, 1]
    assert waits.seconds == []


def test_retries_are_reported(server: "Server", answer: "type[Answer]", late: UsageClient) -> None:
    server.answers = [answer.error(429, Retry_After="4"), *pages(answer, [0, 1, 2, 3, 4, 5])]
    said: list[Retry] = []
    all_of(fetch_window(late, COMPLETIONS, WINDOW, (), on_retry=said.append), [])
    assert [retry.text for retry in said] == ["Rate limited, next try in 4 s"]


def test_cancelled_between_pages(server: "Server", answer: "type[Answer]", late: UsageClient) -> None:
    server.answers = pages(answer, [0, 1], [2, 3, 4, 5])
    cancelled = threading.Event()
    batches = fetch_window(late, COMPLETIONS, WINDOW, (), cancelled=cancelled)
    next(batches)
    cancelled.set()
    with pytest.raises(Cancelled):
        next(batches)
    assert len(server.requests) == 1


class Picky:
    """Refuses the sets of dimensions for which `refuses` has a message."""

    def __init__(self, answer: "type[Answer]", refuses: dict[frozenset[str], str]) -> None:
        self._answer, self._refuses = answer, refuses

    def __call__(self, request: "Request") -> "Answer":
        asked = set(request.all("group_by"))
        for refused, message in self._refuses.items():
            if refused <= asked:
                return self._answer.error(400, message, param="group_by")
        return self._answer.json({"data": []})


DAY_ASKED = BucketRun(BucketWidth.DAY, START, START + DAY)


def test_all_dimensions_are_accepted(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.script = Picky(answer, {})
    assert probe_dimensions(client, COMPLETIONS, DAY_ASKED) == COMPLETIONS.group_by
    assert len(server.requests) == 1
    assert server.requests[0]["limit"] == "1"


@pytest.mark.parametrize(
    "message",
    ["'api_source' is not one of …", "invalid group_by", "api_source: use project_id, user_id, model, batch"],
)
def test_one_dimension_is_refused(
    server: "Server", answer: "type[Answer]", client: UsageClient, message: str
) -> None:
    server.script = Picky(answer, {frozenset({"api_source"}): message})
    expected = tuple(name for name in COMPLETIONS.group_by if name != "api_source")
    assert probe_dimensions(client, COMPLETIONS, DAY_ASKED) == expected
    assert len(server.requests) <= 10


def test_a_named_dimension_takes_few_requests(
    server: "Server", answer: "type[Answer]", client: UsageClient
) -> None:
    server.script = Picky(answer, {frozenset({"api_source"}): "unknown value api_source"})
    refusal = RequestRefused("unknown value api_source", status=400)
    accepted = probe_dimensions(client, COMPLETIONS, DAY_ASKED, refusal=refusal)
    assert "api_source" not in accepted
    assert len(server.requests) == 1


@pytest.mark.parametrize("message", ["user_id can't be combined with project_id", "not supported"])
def test_a_combination_is_refused(
    server: "Server", answer: "type[Answer]", client: UsageClient, message: str
) -> None:
    server.script = Picky(answer, {frozenset({"user_id", "project_id"}): message})
    assert probe_dimensions(client, COSTS, DAY_ASKED) == ("project_id", "line_item", "api_key_id", "api_source")


def test_two_dimensions_are_refused(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.script = Picky(
        answer,
        {frozenset({"api_source"}): "what is api_source", frozenset({"service_tier"}): "what is service_tier"},
    )
    assert probe_dimensions(client, COMPLETIONS, DAY_ASKED) == COMPLETIONS.group_by[:5]


def test_a_refusal_that_is_not_about_dimensions(
    server: "Server", answer: "type[Answer]", client: UsageClient
) -> None:
    server.script = lambda request: answer.error(400, f"start_time is odd, {len(server.requests)}")
    with pytest.raises(RequestRefused, match="odd, 1"):
        probe_dimensions(client, COMPLETIONS, DAY_ASKED)
    assert len(server.requests) == 2


def test_other_errors_of_a_probe_are_raised(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.error(404)]
    with pytest.raises(NotFound):
        probe_dimensions(client, COMPLETIONS, DAY_ASKED)


def test_a_key_is_checked_by_one_cheap_call(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.json({"data": []}), answer.error(401), answer(200, b"<html>Log in</html>")]
    check_key(client, START + 5000)
    assert server.requests[0]["limit"] == "1"
    assert server.requests[0]["start_time"] == str(START)
    with pytest.raises(KeyRefused):
        check_key(client, START)
    with pytest.raises(NotJson):
        check_key(client, START)
    assert issubclass(NotJson, AnswerError)
