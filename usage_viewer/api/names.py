"""Fetches the names of projects, users, service accounts and API keys.

Uses the endpoints `/organization/projects`, `/organization/users`, and those of each project for its service
accounts and API keys.
"""

from collections.abc import Iterator
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from usage_viewer.api.decode.page import decode_error
from usage_viewer.api.http.client import UsageClient
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import CursorError, NotFound, RequestRefused, ScopeMissing
from usage_viewer.domain.names import NEVER, Name

LIMIT = 100
"""Entries for each page: the maximum of these endpoints."""

_LATEST = 32_503_680_000
"""The year 3000 in epoch seconds: a later moment is no moment."""

_MAX_PAGES = 10_000  # of one list


class _Person(msgspec.Struct):
    id: str = ""
    name: str | None = None
    email: str | None = None


class _Owner(msgspec.Struct):
    user: _Person | None = None
    service_account: _Person | None = None

    @property
    def person(self) -> _Person | None:
        """The user or service account, as far as the API names one."""
        return self.user or self.service_account


class _Entry(msgspec.Struct):
    id: str
    name: str | None = None
    email: str | None = None  # users
    user: _Person | None = None  # users, in newer responses
    owner: _Owner | None = None  # API keys
    redacted_value: str | None = None  # API keys
    last_used_at: object = UNSET  # API keys; null: never
    api_key_last_used_at: object = UNSET  # users: of any of their keys

    @property
    def last_used(self) -> int | None:
        """When the key, or any key of the user, was last used (epoch seconds); None if the entry doesn't say."""
        moment = self.api_key_last_used_at if self.last_used_at is UNSET else self.last_used_at
        if moment is None:
            return NEVER
        return moment if type(moment) is int and NEVER <= moment < _LATEST else None


class _ListPage(msgspec.Struct):
    data: list[_Entry]
    has_more: bool | None = None
    last_id: str | None = None


_LIST_PAGE = msgspec.json.Decoder(_ListPage)


def fetch_names(client: UsageClient, *, now: int, cancellation: Cancellation | None = None) -> Iterator[list[Name]]:
    """Fetch all names that the key may read, one list of names for each page.

    The kinds are `project`, `user` (also for service accounts) and `api_key`. `now` (epoch seconds) is stored as
    the time when each name was seen. Skips lists that the key has no permission for, and raises their ScopeMissing
    after all others were fetched. Also raises the other errors of `UsageClient.get`, NotJson, WrongShape, and
    CursorError for a list without end.
    """
    return _NameFetcher(client, now, cancellation).fetch()


class _NameFetcher:
    def __init__(self, client: UsageClient, now: int, cancellation: Cancellation | None) -> None:
        self._client, self._now, self._cancellation = client, now, cancellation
        self._refused: dict[str, ScopeMissing] = {}  # kind of list -> its error
        self._people: set[str] = set()  # ids of users and service accounts with a name

    def fetch(self) -> Iterator[list[Name]]:
        projects: list[str] = []
        for page in self._pages("projects", "/organization/projects", ("include_archived", "true")):
            projects += [entry.id for entry in page]
            yield self._names("project", page)
        for page in self._pages("users", "/organization/users"):
            yield self._people_names(page)
        for project in projects:
            base_path = f"/organization/projects/{quote(project, safe='')}"
            for page in self._pages("service_accounts", f"{base_path}/service_accounts"):
                yield self._people_names(page)
        for project in projects:
            base_path = f"/organization/projects/{quote(project, safe='')}"
            for page in self._pages("api_keys", f"{base_path}/api_keys", ("owner_project_access", "any")):
                yield [*self._names("api_key", page), *self._owner_names(page)]
        for error in self._refused.values():
            raise error

    def _pages(self, kind: str, path: str, *extra: tuple[str, str]) -> Iterator[list[_Entry]]:
        """Fetch all pages of one list; nothing if a list of the same kind was refused before."""
        if kind in self._refused:
            return
        after: str | None = None
        seen: set[str] = set()
        for _ in range(_MAX_PAGES):
            params = [("limit", str(LIMIT)), *extra]
            if after is not None:
                params.append(("after", after))
            page = self._list_page(kind, path, params)
            if page is None:
                return
            yield page.data
            if not page.has_more:
                return
            after = page.last_id or (page.data[-1].id if page.data else "")
            if not after or after in seen:
                problem = "is repeated" if after else "is missing"
                raise CursorError(f"the list of {kind} has more pages, but its last_id {problem}", path="last_id")
            seen.add(after)
        raise CursorError(f"the list of {kind} has more than {_MAX_PAGES:,} pages", path="has_more")

    def _list_page(self, kind: str, path: str, params: list[tuple[str, str]]) -> _ListPage | None:
        try:
            body = self._client.get(path, params, cancellation=self._cancellation)
        except ScopeMissing as error:
            self._refused[kind] = error
            return None
        except (NotFound, RequestRefused):
            # The lists of an archived project may be gone. The lists of other projects are still fetched.
            if "/projects/" not in path:
                raise
            return None
        try:
            return _LIST_PAGE.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise decode_error(error) from None

    def _names(self, kind: str, page: list[_Entry]) -> list[Name]:
        return [
            Name(kind, entry.id, name, self._now, last_used=entry.last_used)
            for entry in page
            if (name := _name_of(entry))
        ]

    def _people_names(self, page: list[_Entry]) -> list[Name]:
        names = self._names("user", page)
        self._people |= {name.id for name in names}
        return names

    def _owner_names(self, page: list[_Entry]) -> list[Name]:
        """Return the owners of API keys that no list of users or service accounts contained."""
        names = []
        for entry in page:
            person = entry.owner.person if entry.owner else None
            name = (person.name or person.email) if person else None
            if person and person.id and name and person.id not in self._people:
                self._people.add(person.id)
                names.append(Name("user", person.id, name, self._now))
        return names


def _name_of(entry: _Entry) -> str:
    """Return the first of: own name or e-mail address, the user's, the key owner's, the redacted key."""
    if entry.name or entry.email:
        return entry.name or entry.email or ""
    if entry.user is not None and (entry.user.name or entry.user.email):
        return entry.user.name or entry.user.email or ""
    owner = entry.owner.person if entry.owner else None
    if owner is not None and (owner.name or owner.email):
        return owner.name or owner.email or ""
    return entry.redacted_value or ""
