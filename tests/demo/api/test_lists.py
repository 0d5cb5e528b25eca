"""Tests the lists of names and the spend limits."""

import json
from typing import Any

import pytest

from usage_viewer.demo.api.lists import list_response
from usage_viewer.demo.api.refusal import Refusal
from usage_viewer.demo.world.directory import make_directory

DIRECTORY = make_directory(1)
Json = dict[str, Any]


def _get(path: str, **parameters: str) -> Json:
    body = list_response(
        DIRECTORY, path.split("/"), {name: [value] for name, value in parameters.items()}, dict[str, int]
    )
    assert body is not None
    page: Json = json.loads(body)
    return page


def _all(path: str, **parameters: str) -> list[Json]:
    entries: list[Json] = []
    while True:
        page = _get(path, **parameters)
        assert page["object"] == "list"
        entries += page["data"]
        if page["data"]:
            assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
        if not page["has_more"]:
            return entries
        parameters["after"] = page["last_id"]


def test_default_page_has_20_entries() -> None:
    assert len(_get("users")["data"]) == 20
    assert len(_get("users", limit="3")["data"]) == 3
    assert [user["id"] for user in _all("users", limit="7")] == [user["id"] for user in _all("users", limit="100")]


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1", "²"])
def test_invalid_limit_is_a_400(limit: str) -> None:
    with pytest.raises(Refusal) as caught:
        _get("users", limit=limit)
    assert caught.value.error["param"] == "limit"


def test_unknown_after_is_a_400() -> None:
    with pytest.raises(Refusal) as caught:
        _get("users", after="user-nobody")
    assert (caught.value.status, caught.value.error["param"]) == (400, "after")


def test_archived_projects_are_listed_on_request_and_deleted_ones_never() -> None:
    active, all_entries = _all("projects"), _all("projects", include_archived="true")
    assert len(active) == 21
    assert len(all_entries) == 22
    assert [project["status"] for project in all_entries].count("archived") == 1
    deleted = {project.id for project in DIRECTORY.projects if project.deleted}
    assert not deleted & {project["id"] for project in all_entries}
    with pytest.raises(Refusal) as caught:
        _get(f"projects/{deleted.pop()}/api_keys")
    assert caught.value.status == 404


def test_deleted_users_are_not_listed() -> None:
    listed = {user["id"] for user in _all("users")}
    assert listed == {user.id for user in DIRECTORY.users if user.deleted is None}
    assert None in {user["name"] for user in _all("users")}


def test_keys_of_deleted_owners_are_listed_on_request() -> None:
    active = [key["id"] for project in _all("projects", include_archived="true") for key in _keys(project["id"])]
    all_entries = [
        key["id"]
        for project in _all("projects", include_archived="true")
        for key in _keys(project["id"], owner_project_access="any")
    ]
    assert set(active) < set(all_entries)
    deleted = {key.id for key in DIRECTORY.keys if key.deleted}
    assert deleted
    assert not deleted & set(all_entries)


def _keys(project_id: str, **parameters: str) -> list[Json]:
    return _all(f"projects/{project_id}/api_keys", **parameters)


def test_service_accounts_and_spend_limits() -> None:
    project = DIRECTORY.projects[0].id
    assert [item["name"] for item in _all(f"projects/{project}/service_accounts")] == [
        "search-api",
        "search-indexer",
    ]
    assert _get("spend_limit")["object"] == "organization.spend_limit"
    assert _get(f"projects/{project}/spend_limit")["threshold_amount"] > 0


def test_unknown_path_has_no_response() -> None:
    assert list_response(DIRECTORY, ["projects", DIRECTORY.projects[0].id], {}, dict[str, int]) is None
