from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.waits import Waits
from usage_viewer.api import UsageClient, fetch_names
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled, ScopeMissing
from usage_viewer.domain.names import NEVER, Name
from usage_viewer.domain.network_errors import CursorError, NotJson, RateLimited, ServerFailed, WrongShape

if TYPE_CHECKING:
    from tests.rigs.scripted_server import Answer
    from tests.rigs.scripted_server import ScriptedServer as Server
    from tests.rigs.wire import Request

NOW = 1_790_000_000
ORGANIZATION = "/v1/organization"


class Lists:
    """Serves lists page by page with `after`, as the API does; `refused` maps a path to another response."""

    def __init__(self, answer: "type[Answer]") -> None:
        self._answer = answer
        self.entries: dict[str, list[dict[str, Any]]] = {}
        self.refused: dict[str, Answer] = {}

    def __call__(self, request: "Request") -> "Answer":
        path = request.path.removeprefix(ORGANIZATION)
        if path in self.refused:
            return self.refused[path]
        entries = self.entries.get(path, [])
        ids = [entry["id"] for entry in entries]
        after = request.all("after")
        first = ids.index(after[0]) + 1 if after else 0
        page = entries[first : first + int(request["limit"])]
        last = page[-1]["id"] if page else None
        more = first + len(page) < len(entries)
        return self._answer.json({"object": "list", "data": page, "last_id": last, "has_more": more})


@pytest.fixture
def lists(server: "Server", answer: "type[Answer]") -> Lists:
    lists = Lists(answer)
    lists.entries = {
        "/projects": [
            {"id": "proj_1", "name": "search", "status": "active"},
            {"id": "proj/2", "name": "old", "status": "archived", "archived_at": 5},
        ],
        "/users": [
            {"id": "user-1", "name": "Ada", "email": "ada@example.com"},
            {"id": "user-2", "name": None, "email": "bo@example.com"},
            {"id": "user-3", "user": {"id": "user-3", "name": "Cy"}},
            {"id": "user-4"},
        ],
        "/projects/proj_1/service_accounts": [{"id": "user-sa", "name": "deploy", "role": "member"}],
        "/projects/proj_1/api_keys": [
            {"id": "key_1", "name": "laptop", "owner": {"type": "user", "user": {"id": "user-1", "name": "Other"}}},
            {"id": "key_2", "name": "", "owner": {"service_account": {"id": "user-sb", "name": "robot"}}},
            {"id": "key_3", "redacted_value": "sk-…abc", "owner": {}},
        ],
        "/projects/proj%2F2/api_keys": [],
    }
    server.script = lists
    return lists


def fetched(client: UsageClient) -> dict[tuple[str, str], str]:
    names: list[Name] = [name for page in fetch_names(client, now=NOW) for name in page]
    assert all(name.seen == NOW and not name.deleted for name in names)
    assert len({(name.kind, name.id) for name in names}) == len(names)
    return {(name.kind, name.id): name.name for name in names}


def test_names_come_from_all_lists(server: "Server", lists: Lists, client: UsageClient) -> None:
    assert fetched(client) == {
        ("project", "proj_1"): "search",
        ("project", "proj/2"): "old",
        ("user", "user-1"): "Ada",
        ("user", "user-2"): "bo@example.com",
        ("user", "user-3"): "Cy",
        ("user", "user-sa"): "deploy",
        ("user", "user-sb"): "robot",
        ("api_key", "key_1"): "laptop",
        ("api_key", "key_2"): "robot",
        ("api_key", "key_3"): "sk-…abc",
    }
    assert server.requests[0].query == (("limit", "100"), ("include_archived", "true"))
    assert {request["owner_project_access"] for request in server.requests if "api_keys" in request.path} == {"any"}
    assert any(request.path.endswith("/projects/proj%2F2/api_keys") for request in server.requests)


def test_long_lists_are_fetched_page_by_page(server: "Server", lists: Lists, client: UsageClient) -> None:
    lists.entries = {"/users": [{"id": f"user-{number}", "name": str(number)} for number in range(250)]}
    assert len(fetched(client)) == 250
    after = [request.all("after") for request in server.requests if request.path.endswith("/users")]
    assert after == [[], ["user-99"], ["user-199"]]


def test_other_lists_are_fetched_before_a_missing_scope_is_raised(
    answer: "type[Answer]", lists: Lists, client: UsageClient
) -> None:
    lists.refused["/users"] = answer.error(403, "Missing scopes: api.management.read")
    names: list[Name] = []

    def read() -> None:
        for page in fetch_names(client, now=NOW):
            names.extend(page)

    with pytest.raises(ScopeMissing) as caught:
        read()
    assert caught.value.scope == "api.management.read"
    assert {name.kind for name in names} == {"project", "user", "api_key"}


def test_refused_kind_of_list_is_requested_once(
    server: "Server", answer: "type[Answer]", lists: Lists, client: UsageClient
) -> None:
    for project in ("proj_1", "proj%2F2"):
        lists.refused[f"/projects/{project}/api_keys"] = answer.error(403, "Missing scopes: api.keys.read")
    with pytest.raises(ScopeMissing):
        fetched(client)
    assert sum(request.path.endswith("api_keys") for request in server.requests) == 1


def test_project_without_lists_is_skipped(answer: "type[Answer]", lists: Lists, client: UsageClient) -> None:
    lists.refused["/projects/proj%2F2/api_keys"] = answer.error(404)
    lists.refused["/projects/proj%2F2/service_accounts"] = answer.error(400)
    assert ("api_key", "key_1") in fetched(client)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", NotJson),
        (b"{}", WrongShape),
        (b'{"data": [{"name": "x"}]}', WrongShape),
        (b'{"data": [], "has_more": true}', CursorError),
        (b'{"data": [{"id": "a"}], "has_more": true, "last_id": "a"}', CursorError),
        (b"[" * 100_000, WrongShape),
    ],
)
def test_invalid_list_responses_are_typed_errors(
    server: "Server", answer: "type[Answer]", client: UsageClient, body: bytes, kind: type[Exception]
) -> None:
    server.answers = [answer(200, body)]
    with pytest.raises(kind):
        fetched(client)
    assert len(server.requests) <= 2


def test_server_error_is_raised(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.error(500)]
    with pytest.raises(ServerFailed):
        fetched(client)


def test_cancellation_between_lists(lists: Lists, client: UsageClient) -> None:
    cancellation = Cancellation()
    pages = fetch_names(client, now=NOW, cancellation=cancellation)
    next(pages)
    cancellation.cancel()
    with pytest.raises(Cancelled):
        list(pages)


@pytest.mark.parametrize(
    ("entry", "last_used"),
    [
        ({}, None),
        ({"last_used_at": None}, NEVER),
        ({"last_used_at": 1_790_000_000}, 1_790_000_000),
        ({"api_key_last_used_at": None}, NEVER),
        ({"api_key_last_used_at": 1_790_000_000}, 1_790_000_000),
        ({"last_used_at": "yesterday"}, None),
        ({"last_used_at": -1}, None),
        ({"last_used_at": 1.5}, None),
        ({"last_used_at": True}, None),
        ({"last_used_at": {}}, None),
        ({"last_used_at": 10**18}, None),
    ],
)
def test_last_use_is_read_or_unknown(
    lists: Lists, client: UsageClient, entry: dict[str, object], last_used: int | None
) -> None:
    kind, path = ("user", "/users") if "api_key_last_used_at" in entry else ("api_key", "/projects/proj_1/api_keys")
    lists.entries[path] = [{"id": "odd", "name": "Odd", **entry}]
    names = {(name.kind, name.id): name for page in fetch_names(client, now=NOW) for name in page}
    assert names[kind, "odd"].last_used == last_used


class LimitedLists(Lists):
    """Answers each kind of list a number of times a minute, then 429 without a header; each wait is a minute."""

    def __init__(self, answer: "type[Answer]", waits: Waits, projects: int, per_minute: int = 7) -> None:
        super().__init__(answer)
        ids = [f"proj_{number:02}" for number in range(projects)]
        self.entries = {
            "/projects": [{"id": id, "name": id} for id in ids],
            "/users": [{"id": "user-1", "name": "Ada"}],
            **{f"/projects/{id}/api_keys": [{"id": f"key_{id}", "name": f"key of {id}"}] for id in ids},
            **{f"/projects/{id}/service_accounts": [{"id": f"sa_{id}", "name": f"bot of {id}"}] for id in ids},
        }
        self._waits, self._per_minute = waits, per_minute
        self._asked = Counter[tuple[str, int]]()

    @property
    def ids(self) -> set[str]:
        return {entry["id"] for entries in self.entries.values() for entry in entries}

    def __call__(self, request: "Request") -> "Answer":
        now = request.path.rpartition("/")[2], len(self._waits.seconds)
        self._asked[now] += 1
        if self._asked[now] > self._per_minute:
            return self._answer.error(429, "Rate limit reached")
        return super().__call__(request)


def test_names_of_14_projects_arrive_under_a_limit_of_7_a_minute(
    server: "Server", answer: "type[Answer]", client: UsageClient, waits: Waits
) -> None:
    lists = server.script = LimitedLists(answer, waits, 14)
    pages = list(fetch_names(client, now=NOW))
    assert {name.id for page in pages for name in page} == lists.ids
    assert waits.seconds == [60.0]
    assert [page.notice for page in pages if page.notice] == ["Names are limited by OpenAI; going on in 60 s"]
    assert len({page.finished for page in pages if page.finished}) == 2 + 2 * 14
    kinds = [request.path.rpartition("/")[2] for request in server.requests]
    assert kinds[:10] == ["projects", "users", *["api_keys"] * 8]
    assert len(kinds) == 2 + 2 * (14 + 1), "one request of each kind met the limit"


def test_next_run_goes_on_with_lists_that_were_not_read(
    server: "Server", answer: "type[Answer]", client: UsageClient, waits: Waits
) -> None:
    lists = server.script = LimitedLists(answer, waits, 40)
    read_at, names, limited = dict[str, int](), set[str](), 0
    for run in range(3):
        try:
            for page in fetch_names(client, now=NOW + run, read_at=read_at):
                names |= {name.id for name in page}
                read_at |= {page.finished: NOW + run} if page.finished else {}
        except RateLimited:
            limited += 1
        waits(60.0)
    assert names == lists.ids
    assert limited == 3, "40 projects are more than 14 lists of each kind"


def test_limit_with_a_stated_wait_is_waited_out_by_the_client(
    server: "Server", answer: "type[Answer]", lists: Lists, client: UsageClient, waits: Waits
) -> None:
    limited = iter([answer.error(429, "Slow", Retry_After="3")])
    server.script = lambda request: next(limited, None) or lists(request)
    assert not any(page.notice for page in fetch_names(client, now=NOW))
    assert waits.seconds == [3.0]
