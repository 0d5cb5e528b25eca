"""Fetches the names of projects, users, service accounts and API keys.

Uses the endpoints `/organization/projects`, `/organization/users`, and those of each project for its service
accounts and API keys.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from usage_viewer.api.decode.nesting import check_nesting
from usage_viewer.api.decode.page import decode_error
from usage_viewer.api.http.client import UsageClient
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import ScopeMissing
from usage_viewer.domain.names import NEVER, Name, NamePage
from usage_viewer.domain.network_errors import CursorError, NotFound, RateLimited, RequestRefused

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


LIMIT_WAIT = 60.0
"""Seconds after which lists of a kind may be read again: the limit is per minute, and no header tells the wait."""

MAX_LIMIT_WAITS = 1
"""Waits of one run: the next run goes on with the lists that were not read, or not for the longest time."""


def fetch_names(
    client: UsageClient,
    *,
    now: int,
    read_at: Mapping[str, int] | None = None,
    cancellation: Cancellation | None = None,
) -> Iterator[NamePage]:
    """Fetch all names that the key may read, one page after the other.

    The kinds are `project`, `user` (also for service accounts) and `api_key`. `now` (epoch seconds) is stored as
    the time when each name was seen. `read_at` tells when each list was last read to its end: those never read come
    first, then the oldest. While the lists of one kind are limited, those of another kind are read; if all are, a
    minute is waited out once. Skips lists that the key has no permission for, and raises their ScopeMissing after
    all others were fetched; raises RateLimited if the limit did not end. Also raises the other errors of
    `UsageClient.get`, NotJson, WrongShape, and CursorError for a list without end.
    """
    return _NameFetcher(client, now, read_at or {}, cancellation).fetch()


@dataclass(slots=True)
class _List:
    """One list to read; `after` is the last id of its pages so far, `seen` has all of them."""

    kind: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    after: str | None = None
    seen: set[str] = field(default_factory=set)


class _NameFetcher:
    def __init__(
        self, client: UsageClient, now: int, read_at: Mapping[str, int], cancellation: Cancellation | None
    ) -> None:
        self._client, self._now, self._read_at = client, now, read_at
        self._cancellation = cancellation or Cancellation()
        # Keys come before service accounts: they name their owners.
        self._waiting: dict[str, deque[_List]] = {
            kind: deque() for kind in ("projects", "users", "api_keys", "service_accounts")
        }
        self._limited: dict[str, RateLimited] = {}  # kind of list -> its error
        self._refused: dict[str, ScopeMissing] = {}
        self._people: set[str] = set()  # ids of users and service accounts with a name

    def fetch(self) -> Iterator[NamePage]:
        self._waiting["projects"].append(
            _List("projects", "/organization/projects", (("include_archived", "true"),))
        )
        self._waiting["users"].append(_List("users", "/organization/users"))
        waits = 0
        while any(self._waiting.values()):
            self._cancellation.check()
            kind = next(
                (name for name, lists in self._waiting.items() if lists and name not in self._limited), None
            )
            if kind is not None:
                yield from self._read(self._waiting[kind][0])
            elif waits < MAX_LIMIT_WAITS:
                waits += 1
                yield NamePage(notice=f"Names are limited by OpenAI; going on in {LIMIT_WAIT:.0f} s")
                self._client.wait(LIMIT_WAIT, self._cancellation)
                self._limited.clear()
            else:
                raise next(iter(self._limited.values()))
        for error in self._refused.values():
            raise error

    def _read(self, wanted: _List) -> Iterator[NamePage]:
        """Read a list to its end, or up to the limit of its kind."""
        if wanted.kind not in self._refused:
            try:
                yield from self._pages(wanted)
            except RateLimited as error:
                self._limited[wanted.kind] = error
                return
        self._waiting[wanted.kind].popleft()
        if wanted.kind not in self._refused:
            yield NamePage(finished=wanted.path)

    def _pages(self, wanted: _List) -> Iterator[NamePage]:
        for _ in range(_MAX_PAGES):
            params = [("limit", str(LIMIT)), *wanted.params]
            if wanted.after is not None:
                params.append(("after", wanted.after))
            page = self._list_page(wanted, params)
            if page is None:
                return
            yield NamePage(self._names_of(wanted.kind, page.data))
            if not page.has_more:
                return
            after = page.last_id or (page.data[-1].id if page.data else "")
            if not after or after in wanted.seen:
                problem = "is repeated" if after else "is missing"
                raise CursorError(
                    f"the list of {wanted.kind} has more pages, but its last_id {problem}", path="last_id"
                )
            wanted.seen.add(after)
            wanted.after = after
        raise CursorError(f"the list of {wanted.kind} has more than {_MAX_PAGES:,} pages", path="has_more")

    def _list_page(self, wanted: _List, params: list[tuple[str, str]]) -> _ListPage | None:
        try:
            body = self._client.get(wanted.path, params, cancellation=self._cancellation, retry_limits=False)
        except ScopeMissing as error:
            self._refused[wanted.kind] = error
            return None
        except (NotFound, RequestRefused):
            # The lists of an archived project may be gone. The lists of other projects are still fetched.
            if "/projects/" not in wanted.path:
                raise
            return None
        check_nesting(body)
        try:
            return _LIST_PAGE.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise decode_error(error) from None

    def _names_of(self, kind: str, page: list[_Entry]) -> list[Name]:
        if kind == "projects":
            self._add_lists_of([entry.id for entry in page])
            return self._names("project", page)
        if kind == "api_keys":
            return [*self._names("api_key", page), *self._owner_names(page)]
        return self._people_names(page)

    def _add_lists_of(self, projects: list[str]) -> None:
        """Add the lists of these projects; of one kind, those that were read longest ago come first."""
        for project in projects:
            base_path = f"/organization/projects/{quote(project, safe='')}"
            keys = _List("api_keys", f"{base_path}/api_keys", (("owner_project_access", "any"),))
            for wanted in (keys, _List("service_accounts", f"{base_path}/service_accounts")):
                self._waiting[wanted.kind].append(wanted)
        for kind in ("api_keys", "service_accounts"):
            by_age = sorted(self._waiting[kind], key=lambda wanted: self._read_at.get(wanted.path, 0))
            self._waiting[kind] = deque(by_age)

    def _names(self, kind: str, page: list[_Entry]) -> list[Name]:
        return [
            Name(kind, entry.id, name, self._now, last_used=entry.last_used)
            for entry in page
            if (name := _name_of(entry))
        ]

    def _people_names(self, page: list[_Entry]) -> list[Name]:
        names = [name for name in self._names("user", page) if name.id not in self._people]
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
