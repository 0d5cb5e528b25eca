"""Answers requests for lists (projects, users, service accounts, API keys) and spend limits."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from usage_viewer.demo.api.query import Parameters
from usage_viewer.demo.api.refusal import Refusal, bad_parameter
from usage_viewer.demo.world.directory import ApiKey, Directory, Project, ServiceAccount, User

_DEFAULT_LIMIT: Final = 20
_MAX_LIMIT: Final = 100

Json = dict[str, Any]


LastUsed = Callable[[], Mapping[str, int]]
"""Returns when each API key was last used (epoch seconds), by its id."""


def list_response(
    directory: Directory, path: Sequence[str], parameters: Parameters, last_used: LastUsed
) -> bytes | None:
    """Return the response to `/organization/<path>` as JSON; None if there is no such path.

    Lists have pages as in the API: `limit` (default 20, at most 100) and `after`. Raises Refusal for an invalid
    parameter (400) or an unknown project (404).
    """
    match list(path):
        case ["projects"]:
            archived = _flag(parameters, "include_archived")
            projects = [item for item in directory.listed_projects.values() if archived or item.archived is None]
            return _page([_project(item) for item in projects], parameters)
        case ["users"]:
            by_user = _last_used_by_user(directory, last_used())
            users = [item for item in directory.users if item.deleted is None]
            return _page([_user(item, by_user.get(item.id)) for item in users], parameters)
        case ["projects", project_id, "api_keys"]:
            project = _find(directory, project_id)
            used = last_used()
            keys = [key for key in directory.keys if key.project is project and key.deleted is None]
            return _page(_filter_by_access([_api_key(key, used) for key in keys], parameters), parameters)
        case ["projects", project_id, "service_accounts"]:
            project = _find(directory, project_id)
            accounts = [account for account in directory.accounts if account.project is project]
            return _page([_service_account(account) for account in accounts], parameters)
        case ["spend_limit"]:
            return _spend_limit("organization", 15_000_000)
        case ["projects", project_id, "spend_limit"]:
            return _spend_limit("project", round(1_500_000 * _find(directory, project_id).plan.weight))
    return None


def _page(items: list[Json], parameters: Parameters) -> bytes:
    limit = _limit(parameters)
    first = 0
    if "after" in parameters:
        after = parameters["after"][0]
        ids = [item["id"] for item in items]
        if after not in ids:
            raise bad_parameter("after", f"Invalid 'after': no such object: {after!r}.")
        first = ids.index(after) + 1
    data = items[first : first + limit]
    page: Json = {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": first + limit < len(items),
    }
    return json.dumps(page, ensure_ascii=False).encode()


def _limit(parameters: Parameters) -> int:
    text = parameters.get("limit", [str(_DEFAULT_LIMIT)])[0]
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX_LIMIT):
        raise bad_parameter("limit", f"Invalid 'limit': expected an integer from 1 to {_MAX_LIMIT}.")
    return int(text)


def _flag(parameters: Parameters, name: str) -> bool:
    text = parameters.get(name, ["false"])[0].lower()
    if text not in ("true", "false"):
        raise bad_parameter(name, f"Invalid type for '{name}': expected a boolean.", "invalid_type")
    return text == "true"


def _find(directory: Directory, project_id: str) -> Project:
    project = directory.listed_projects.get(project_id)
    if project is None:
        raise Refusal(404, f"No such project: {project_id}.", param="project_id", code="not_found")
    return project


def _filter_by_access(keys: list[Json], parameters: Parameters) -> list[Json]:
    access = parameters.get("owner_project_access", ["active"])[0]
    if access not in ("active", "inactive", "any"):
        raise bad_parameter("owner_project_access", f"Invalid value: '{access}'.")
    return [key for key in keys if access in ("any", key["owner_project_access"])]


def _project(project: Project) -> Json:
    return {
        "id": project.id,
        "object": "organization.project",
        "name": project.name,
        "created_at": project.created,
        "archived_at": project.archived,
        "status": "active" if project.archived is None else "archived",
    }


def _user(user: User, last_used: int | None) -> Json:
    return {
        "object": "organization.user",
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "added_at": user.added,
        "api_key_last_used_at": last_used,
    }


def _last_used_by_user(directory: Directory, last_used: Mapping[str, int]) -> dict[str, int]:
    used: dict[str, int] = {}
    for key in directory.keys:
        if key.id in last_used:
            used[key.owner.id] = max(used.get(key.owner.id, 0), last_used[key.id])
    return used


def _api_key(key: ApiKey, last_used: Mapping[str, int]) -> Json:
    owner = key.owner
    if isinstance(owner, ServiceAccount):
        account = {"id": owner.id, "name": owner.name, "created_at": owner.created, "role": "member"}
        owner_json: Json = {"type": "service_account", "service_account": account}
        active = True
    else:
        person = {"id": owner.id, "name": owner.name or "", "email": owner.email, "created_at": owner.added}
        owner_json = {"type": "user", "user": {**person, "role": "member"}}
        active = owner.deleted is None
    suffix = hashlib.blake2b(key.id.encode(), digest_size=2).hexdigest()
    return {
        "object": "organization.project.api_key",
        "id": key.id,
        "name": key.name,
        "redacted_value": f"sk-proj-********{suffix}",
        "created_at": key.created,
        "last_used_at": last_used.get(key.id),
        "owner": owner_json,
        "owner_project_access": "active" if active else "inactive",
    }


def _service_account(account: ServiceAccount) -> Json:
    return {
        "object": "organization.project.service_account",
        "id": account.id,
        "name": account.name,
        "role": "member",
        "created_at": account.created,
    }


def _spend_limit(owner: str, cents: int) -> bytes:
    return json.dumps(
        {
            "object": f"{owner}.spend_limit",
            "currency": "USD",
            "interval": "month",
            "threshold_amount": cents,
            "enforcement": {"status": "inactive"},
        }
    ).encode()
