"""Answers requests without a network: routes, access checks and a cache of pages."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Final

from usage_viewer.demo.api.access import ADMIN_KEY, NAMES_SCOPE, USAGE_SCOPE, check_access
from usage_viewer.demo.api.answer import usage_page
from usage_viewer.demo.api.limits import Limits
from usage_viewer.demo.api.lists import list_response
from usage_viewer.demo.api.query import Parameters, parse_query
from usage_viewer.demo.api.refusal import NOTHING_REFUSED, Refusal, RefusedGroupings
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import API_DATASETS, Dataset

_DATASET_BY_PATH: Final = {dataset.path: dataset for dataset in API_DATASETS.values()}
_ORGANIZATION = re.compile(r"/organization/(.+)")
_MAX_CACHE_BYTES: Final = 128 * 2**20


class Service:
    """Answers requests as the API does. Safe to call from several threads."""

    def __init__(
        self,
        organization: SyntheticOrganization,
        *,
        key: str = ADMIN_KEY,
        refused: RefusedGroupings = NOTHING_REFUSED,
        limits: Limits | None = None,
    ) -> None:
        self.organization = organization
        self.key = key
        self.refused = refused
        self.limits = limits or Limits()
        self._pages: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = Lock()

    def respond(self, path: str, parameters: Parameters, headers: Mapping[str, str], now: int) -> tuple[int, bytes]:
        """Return the HTTP status and the JSON body of the response.

        `path` is relative to the base URL; header names are in lower case; `now` is in epoch seconds.
        """
        try:
            self.limits.check(path, now)
            return 200, self._answer(path, parameters, headers.get("authorization"), now)
        except Refusal as refusal:
            return refusal.status, refusal.body

    def _answer(self, path: str, parameters: Parameters, authorization: str | None, now: int) -> bytes:
        dataset = _DATASET_BY_PATH.get(path)
        if dataset is not None:
            check_access(authorization, self.key, USAGE_SCOPE)
            return self._page(dataset, parameters, now)
        check_access(authorization, self.key, NAMES_SCOPE)
        match, organization = _ORGANIZATION.fullmatch(path), self.organization
        parts = match[1].split("/") if match else []
        body = list_response(organization.directory, parts, parameters, lambda: organization.last_used(now))
        if body is None:
            raise Refusal(404, f"Invalid URL (GET {path})", code="unknown_url")
        return body

    def _page(self, dataset: Dataset, parameters: Parameters, now: int) -> bytes:
        query = parse_query(dataset, parameters, now, self.refused)
        # A page that reaches the current minute depends on the time, too.
        known_until = min(query.end, now - now % 60)
        cache_key = (
            f"{query.start} {query.end} {query.parameters}",
            known_until if query.page_end > known_until else 0,
        )
        with self._lock:
            if cache_key in self._pages:
                self._pages.move_to_end(cache_key)
                return self._pages[cache_key]
        body = usage_page(self.organization, query, now)
        with self._lock:
            self._pages[cache_key] = body
            while len(self._pages) > 1 and sum(map(len, self._pages.values())) > _MAX_CACHE_BYTES:
                self._pages.popitem(last=False)
        return body
