"""`Service`: requests to answers, without the network: routes, access, the cache of pages."""

import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from threading import Lock
from typing import Final

from usage_viewer.demo.api.access import ADMIN_KEY, NAMES_SCOPE, USAGE_SCOPE, check_access
from usage_viewer.demo.api.answer import answer
from usage_viewer.demo.api.lists import list_answer
from usage_viewer.demo.api.query import Parameters, read_query
from usage_viewer.demo.api.refusal import Refusal
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import DATASETS, Dataset

_BY_PATH: Final = {dataset.path: dataset for dataset in DATASETS.values()}
_ORGANIZATION = re.compile(r"/organization/(.+)")
_KEPT_BYTES: Final = 128 * 2**20


class Service:
    """Answers as the API does. Safe to call from several threads."""

    def __init__(
        self,
        organization: SyntheticOrganization,
        *,
        key: str = ADMIN_KEY,
        refused: Collection[str] = (),
        refused_pairs: Collection[Collection[str]] = (),
    ) -> None:
        self.organization = organization
        self.key = key
        self.refused = frozenset(refused)
        self.refused_pairs = frozenset(frozenset(pair) for pair in refused_pairs)
        self._pages: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = Lock()

    def answer(self, path: str, parameters: Parameters, headers: Mapping[str, str], now: int) -> tuple[int, bytes]:
        """Status and JSON body. `path` is without the base URL's; header names are in lower case."""
        try:
            return 200, self._answer(path, parameters, headers.get("authorization"), now)
        except Refusal as refusal:
            return refusal.status, refusal.body

    def _answer(self, path: str, parameters: Parameters, authorization: str | None, now: int) -> bytes:
        dataset = _BY_PATH.get(path)
        if dataset is not None:
            check_access(authorization, self.key, USAGE_SCOPE)
            return self._page(dataset, parameters, now)
        check_access(authorization, self.key, NAMES_SCOPE)
        below = _ORGANIZATION.fullmatch(path)
        found = list_answer(self.organization.directory, below[1].split("/"), parameters) if below else None
        if found is None:
            raise Refusal(404, f"Invalid URL (GET {path})", code="unknown_url")
        return found

    def _page(self, dataset: Dataset, parameters: Parameters, now: int) -> bytes:
        # Where costs can't combine two dimensions, usage still can.
        pairs = self.refused_pairs if dataset.name == "costs" else frozenset[frozenset[str]]()
        query = read_query(dataset, parameters, now, self.refused, pairs)
        known = min(query.end, now - now % 60)  # what the answer depends on beside the request
        kept = (f"{query.start} {query.end} {query.parameters}", known if query.first_page_end > known else 0)
        with self._lock:
            if kept in self._pages:
                self._pages.move_to_end(kept)
                return self._pages[kept]
        body = answer(self.organization, query, now)
        with self._lock:
            self._pages[kept] = body
            while len(self._pages) > 1 and sum(map(len, self._pages.values())) > _KEPT_BYTES:
                self._pages.popitem(last=False)
        return body
