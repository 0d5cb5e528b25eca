"""Asks for one window of a dataset page by page, and finds out which dimensions may be asked for together."""

import re
import threading
from collections.abc import Callable, Iterator

from usage_viewer.api.decode.page import decode_page
from usage_viewer.api.http.client import Params, UsageClient
from usage_viewer.api.http.retry import OnRetry
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset, dataset_named
from usage_viewer.domain.errors import BucketError, CursorError, RequestRefused
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.zones import iso

GRACE = 60
"""Seconds after its beginning from which a bucket must be in an answer."""

_DECODING = threading.Lock()
"""Held by the one that decodes. All at once would take as long, and all would be late with their next request."""

_DECODING = threading.Lock()
"""Held by the one that decodes. All at once would take as long, and all would be late with their next request."""

_CHECKED_BY = "completions"


def fetch_window(
    client: UsageClient,
    dataset: Dataset,
    window: BucketRun,
    grouped: tuple[str, ...],
    *,
    cancellation: Cancellation | None = None,
    on_retry: OnRetry | None = None,
) -> Iterator[Batch]:
    """The window's buckets, a batch a page, as they come.

    Raises whatever `UsageClient.get` and `decode_page` raise; CursorError for a cursor that comes again or never
    ends; BucketError for a bucket that comes again on a later page, and at the end if buckets are missing.
    """
    asked_at = client.now()
    seen: set[int] = set()
    cursors: set[str] = set()
    cursor: str | None = None
    for _ in range(window.buckets + 2):
        params = _params(dataset, window, grouped, cursor)
        with client.answer(dataset.path, params, cancellation=cancellation, on_retry=on_retry) as body, _DECODING:
            page = decode_page(body, dataset, window, grouped)
        del body  # it may be large, and whoever takes the batch may take its time
        starts = set(page.batch.starts.tolist())
        if starts & seen:
            raise BucketError(f"{_told(window.width, min(starts & seen))} came twice")
        seen |= starts
        cursor = page.next_page
        if cursor is not None and cursor in cursors:
            raise CursorError("a cursor came twice", path="next_page")
        yield page.batch
        if cursor is None:
            # Not before the first answer is it known what time it is for the server.
            _check_complete(window, seen, int(min(asked_at, client.now())))
            return
        cursors.add(cursor)
    raise CursorError(f"there is no end after {window.buckets + 2} pages", path="next_page")


def _params(dataset: Dataset, window: BucketRun, grouped: tuple[str, ...], cursor: str | None) -> Params:
    limit = min(window.buckets, dataset.page_limits[window.width].maximum)
    params = [
        ("start_time", str(window.start)),
        ("end_time", str(window.end)),
        ("bucket_width", window.width.value),
        ("limit", str(limit)),
        *(("group_by", name) for name in grouped),
    ]
    return params if cursor is None else [*params, ("page", cursor)]


def _check_complete(window: BucketRun, seen: set[int], now: int) -> None:
    # A bucket that has only just begun may not be listed yet; it isn't counted as held either.
    begun = range(window.start, min(window.end, now - GRACE + 1), window.width.seconds)
    missing = [start for start in begun if start not in seen]
    if missing:
        noun = window.width.noun
        raise BucketError(
            f"{len(missing)} of {len(begun)} {noun}s did not come, the first is {_told(window.width, missing[0])}",
            title="The server left buckets out",
            hint="Try again; what has arrived is kept.",
        )


def _told(width: BucketWidth, start: int) -> str:
    return iso(start)[:10] if width is BucketWidth.DAY else iso(start)


def probe_dimensions(
    client: UsageClient,
    dataset: Dataset,
    day: BucketRun,
    *,
    refusal: RequestRefused | None = None,
    cancellation: Cancellation | None = None,
    on_retry: OnRetry | None = None,
) -> tuple[str, ...]:
    """A largest set of dimensions that the server accepts together, found greedily in the dataset's order.

    `refusal` is the 400 that gave rise to it; without one, all dimensions are tried first. What an error's message
    names is left out first and then added again one by one. Raises the refusal if even no grouping is refused.
    """
    window = BucketRun(day.width, day.start, day.start + day.width.seconds)

    def ask(names: tuple[str, ...]) -> RequestRefused | None:
        try:
            params = _params(dataset, window, names, None)
            client.get(dataset.path, params, cancellation=cancellation, on_retry=on_retry)
        except RequestRefused as error:
            if error.status != 400:
                raise
            return error
        return None

    return _accepted(dataset.group_by, refusal, ask)


def _accepted(
    everything: tuple[str, ...],
    refusal: RequestRefused | None,
    ask: Callable[[tuple[str, ...]], RequestRefused | None],
) -> tuple[str, ...]:
    if refusal is None:
        refusal = ask(everything)
        if refusal is None:
            return everything
    accepted = _without(everything, refusal)
    if accepted == everything or ask(accepted) is not None:
        accepted = ()
        if ask(()) is not None:
            raise refusal
    for name in everything:
        if name in accepted:
            continue
        more = tuple(other for other in everything if other in accepted or other == name)
        if more != everything and ask(more) is None:
            accepted = more
    return accepted


def _without(names: tuple[str, ...], refusal: RequestRefused) -> tuple[str, ...]:
    """Those that the refusal's message doesn't name."""
    return tuple(name for name in names if not re.search(rf"\b{re.escape(name)}\b", refusal.detail))


def check_key(
    client: UsageClient,
    now: int,
    *,
    cancellation: Cancellation | None = None,
    on_retry: OnRetry | None = None,
) -> None:
    """One cheap call that needs what fetching usage needs. Raises what is wrong with key, network or answer."""
    dataset = dataset_named(_CHECKED_BY)
    start = BucketWidth.DAY.floor(now)
    window = BucketRun(BucketWidth.DAY, start, start + BucketWidth.DAY.seconds)
    body = client.get(
        dataset.path, _params(dataset, window, (), None), cancellation=cancellation, on_retry=on_retry
    )
    decode_page(body, dataset, window, ())
