"""Fetches the names of projects, users, service accounts and API keys."""

from collections.abc import Iterator
from urllib.parse import quote

import msgspec

from usage_viewer.api.decode.page import unusable
from usage_viewer.api.http.client import UsageClient
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import CursorError, NotFound, RequestRefused, ScopeMissing
from usage_viewer.domain.names import Name

LIMIT = 100
"""Entries a page, the most that the lists give."""

_MAX_PAGES = 10_000


class _Person(msgspec.Struct):
    id: str = ""
    name: str | None = None
    email: str | None = None


class _Owner(msgspec.Struct):
    user: _Person | None = None
    service_account: _Person | None = None

    @property
    def person(self) -> _Person | None:
        return self.user or self.service_account


class _Entry(msgspec.Struct):
    id: str
    name: str | None = None
    email: str | None = None  # of users
    user: _Person | None = None  # of users, in newer answers
    owner: _Owner | None = None  # of API keys
    redacted_value: str | None = None  # of API keys


class _List(msgspec.Struct):
    data: list[_Entry]
    has_more: bool | None = None
    last_id: str | None = None


_LIST = msgspec.json.Decoder(_List)


def fetch_names(client: UsageClient, *, now: int, cancellation: Cancellation | None = None) -> Iterator[list[Name]]:
    """All names that the key may read, a list a page: of kind project, user (service accounts too) or api_key.

    A list that the key's permissions don't allow is passed over; at the end its ScopeMissing is raised. Raises
    whatever `UsageClient.get` raises, NotJson, WrongShape and CursorError at once.
    """
    return _Directory(client, now, cancellation).names()


class _Directory:
    def __init__(self, client: UsageClient, now: int, cancellation: Cancellation | None) -> None:
        self._client, self._now, self._cancellation = client, now, cancellation
        self._refused: dict[str, ScopeMissing] = {}  # kind of list -> why
        self._people: set[str] = set()  # ids that a list has named

    def names(self) -> Iterator[list[Name]]:
        projects: list[str] = []
        for page in self._pages("projects", "/organization/projects", ("include_archived", "true")):
            projects += [entry.id for entry in page]
            yield self._named("project", page)
        for page in self._pages("users", "/organization/users"):
            yield self._people_of(page)
        for project in projects:
            home = f"/organization/projects/{quote(project, safe='')}"
            for page in self._pages("service_accounts", f"{home}/service_accounts"):
                yield self._people_of(page)
        for project in projects:
            home = f"/organization/projects/{quote(project, safe='')}"
            for page in self._pages("api_keys", f"{home}/api_keys", ("owner_project_access", "any")):
                yield [*self._named("api_key", page), *self._owners(page)]
        for error in self._refused.values():
            raise error

    def _pages(self, kind: str, path: str, *extra: tuple[str, str]) -> Iterator[list[_Entry]]:
        if kind in self._refused:
            return
        after: str | None = None
        seen: set[str] = set()
        for _ in range(_MAX_PAGES):
            params = [("limit", str(LIMIT)), *extra]
            if after is not None:
                params.append(("after", after))
            answer = self._list(kind, path, params)
            if answer is None:
                return
            yield answer.data
            if not answer.has_more:
                return
            after = answer.last_id or (answer.data[-1].id if answer.data else "")
            if not after or after in seen:
                raise CursorError(f"the list of {kind} goes on, but not from where", path="last_id")
            seen.add(after)
        raise CursorError(f"the list of {kind} has no end", path="has_more")

    def _list(self, kind: str, path: str, params: list[tuple[str, str]]) -> _List | None:
        try:
            body = self._client.get(path, params, cancellation=self._cancellation)
        except ScopeMissing as error:
            self._refused[kind] = error
            return None
        except (NotFound, RequestRefused):
            # An archived project may have no lists of its own any longer; that says nothing of the others.
            if "/projects/" not in path:
                raise
            return None
        try:
            return _LIST.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise unusable(error) from None

    def _named(self, kind: str, page: list[_Entry]) -> list[Name]:
        return [Name(kind, entry.id, name, self._now) for entry in page if (name := _name_of(entry))]

    def _people_of(self, page: list[_Entry]) -> list[Name]:
        names = self._named("user", page)
        self._people |= {name.id for name in names}
        return names

    def _owners(self, page: list[_Entry]) -> list[Name]:
        """People whom no list has named, as far as their keys name them."""
        names = []
        for entry in page:
            person = entry.owner.person if entry.owner else None
            name = (person.name or person.email) if person else None
            if person and person.id and name and person.id not in self._people:
                self._people.add(person.id)
                names.append(Name("user", person.id, name, self._now))
        return names


def _name_of(entry: _Entry) -> str:
    """What the entry is called: its name, a person's address, else what a key's owner is called."""
    own = entry.name or entry.email
    if own:
        return own
    if entry.user is not None and (entry.user.name or entry.user.email):
        return entry.user.name or entry.user.email or ""
    owner = entry.owner.person if entry.owner else None
    if owner is not None and (owner.name or owner.email):
        return owner.name or owner.email or ""
    return entry.redacted_value or ""
