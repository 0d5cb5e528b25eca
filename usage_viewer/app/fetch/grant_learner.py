"""Defines `GrantLearner`, which finds out by few requests which grouping an organization grants, and where."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from usage_viewer.app.fetch.ports import Source
from usage_viewer.app.fetch.refusal_text import RefusalHint, is_about_grouping, read_refusal
from usage_viewer.app.fetch.window_fetcher import GroupingRefused
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.grants import Grain, Grants, Refusal
from usage_viewer.domain.period import BucketRun
from usage_viewer.store import Store

MAX_EXTRA_REQUESTS = 8
"""Refused and probing requests for one range; what is not known after them is fetched with fewer dimensions."""

KEPT_REQUESTS = 2
"""So many of them are not used for probing: what was learnt may meet another refusal."""


class GrantLearner:
    """Learns from the refused requests of one fetch; each thing learnt is stored at once.

    What a limited number of requests can't find out is assumed to be refused for this fetch only.
    """

    def __init__(
        self,
        store: Store,
        source: Source,
        dataset: Dataset,
        clock: Callable[[], float],
        cancellation: Cancellation,
    ) -> None:
        """`dataset` is one of the catalog, `clock` returns epoch seconds."""
        self._store, self._source, self._dataset = store, source, dataset
        self._clock, self._cancellation = clock, cancellation
        self._requests = 0
        self._assumed: list[Refusal] = []

    @property
    def grants(self) -> Grants:
        """What is known and assumed not to be granted now."""
        known = self._store.grants(self._dataset.name).valid_at(int(self._clock()))
        return known.with_refusals(self._assumed)

    @property
    def left(self) -> int:
        """How many requests may still be refused."""
        return MAX_EXTRA_REQUESTS - self._requests

    def count_probe(self) -> None:
        """Count a request that only asks whether a grouping is granted."""
        self._requests += 1

    def learn(self, refused: GroupingRefused) -> None:
        """Learn why a request was refused.

        Raises the server's error if it is not about the grouping, and what `Source.refusal` raises.
        """
        grouped, window, error = refused.grouped, refused.window, refused.error
        self._requests += refused.requests
        if not grouped or not is_about_grouping(error, grouped):
            raise error
        hint = read_refusal(error, grouped)
        from_then = hint.granted_from is not None and hint.granted_from > window.start
        if hint.names and (hint.unknown or from_then):
            until = hint.granted_from if from_then else None
            self._store_refusal(Refusal(frozenset(hint.names), hint.names[-1]), until)
        elif self.left <= 0:
            pass
        elif not error.param and not hint.names and self._is_refused((), window.start, window):
            raise error  # it is not about the dimensions
        else:
            found = self._find_combination(grouped, window, hint)
            if found is not None and from_then:
                self._store_refusal(found, hint.granted_from)
            elif found is not None:
                self._find_end(found, window)
        if self.left <= 0:  # no further request may be refused
            self._assumed += [Refusal(frozenset([name]), name) for name in self._dataset.group_by]

    @property
    def _exhausted(self) -> bool:
        """Whether the requests that may still be refused are kept for the fetch itself."""
        return self.left <= KEPT_REQUESTS

    def _find_combination(self, grouped: Grain, window: BucketRun, hint: RefusalHint) -> Refusal | None:
        """Find a small combination that is refused for the first bucket of `window`.

        None: the requests did not suffice, and what is left is assumed to be refused.
        """
        start = window.start
        # A refusal that ended just before may have gone on.
        candidates = [item for item in self._store.grants(self._dataset.name).refusals if item.until == start]
        if hint.names and len(hint.names) < len(grouped):
            candidates.append(Refusal(frozenset(hint.names), hint.names[-1]))
        for item in candidates:
            names = _in_order(grouped, tuple(item.dimensions))
            if (
                len(names) == len(item.dimensions)
                and not self._exhausted
                and self._is_refused(names, start, window)
            ):
                return item
        if len(hint.names) == 1:
            return Refusal(frozenset(grouped), hint.names[0])
        return self._search_combination(grouped, window, hint)

    def _search_combination(self, grouped: Grain, window: BucketRun, hint: RefusalHint) -> Refusal | None:
        """Find the dimension whose addition to those before it is refused; those that the error names come last."""
        order = sorted(grouped, key=lambda name: name in hint.names)
        accepted, refused = 0, len(order)
        while refused - accepted > 1 and not self._exhausted:
            middle = (accepted + refused) // 2
            if self._is_refused(_in_order(grouped, order[:middle]), window.start, window):
                refused = middle
            else:
                accepted = middle
        if refused - accepted > 1:
            self._assume_refused(tuple(order[accepted:refused]), window)
            return None
        blamed = order[accepted]
        if refused > 1 and not self._exhausted and self._is_refused((blamed,), window.start, window):
            return Refusal(frozenset([blamed]), blamed)
        return Refusal(frozenset(order[:refused]), blamed)

    def _find_end(self, found: Refusal, window: BucketRun) -> None:
        """Find from which bucket on a combination is granted, and store it.

        If the requests do not suffice, the buckets in doubt are assumed to be refused.
        """
        step, names = window.width.seconds, _in_order(self._dataset.group_by, tuple(found.dimensions))
        refused, granted = window.start, found.granted_from
        if granted is None and not self._exhausted:
            newest = max(window.width.floor(int(self._clock())), window.end) - step
            if newest > refused and not self._is_refused(names, newest, window):
                granted = newest
        if granted is None:
            self._store_refusal(found, None)
            return
        while granted - refused > step and refused < window.end - step and not self._exhausted:
            middle = refused + (granted - refused) // step // 2 * step
            if self._is_refused(names, middle, window):
                refused = middle
            else:
                granted = middle
        until = refused + step
        self._store_refusal(replace(found, granted_from=granted if until < granted else None), until)
        if until < granted:
            self._assumed.append(replace(found, since=until, until=granted))

    def _is_refused(self, grouped: Grain, bucket: int, window: BucketRun) -> bool:
        self._requests += 1
        one = BucketRun(window.width, bucket, bucket + window.width.seconds)
        refusal = self._source.refusal(self._dataset, one, grouped, cancellation=self._cancellation)
        return refusal is not None

    def _store_refusal(self, found: Refusal, until: int | None) -> None:
        learnt = replace(found, until=until, learnt_at=int(self._clock()))
        self._store.learn(self._dataset.name, [learnt])

    def _assume_refused(self, names: Grain, window: BucketRun) -> None:
        self._assumed += [Refusal(frozenset([name]), name, window.start, window.end) for name in names]


def _in_order(grouped: Grain, names: Sequence[str]) -> Grain:
    return tuple(name for name in grouped if name in names)
