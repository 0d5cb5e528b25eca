"""Fetches a window of a dataset page by page, and probes whether a grouping is granted.

Uses the endpoints `/organization/usage/*` and `/organization/costs`.
"""

import threading
from collections.abc import Callable, Iterator
from math import ceil, log2

from usage_viewer.api.decode.page import decode_page
from usage_viewer.api.http.client import Params, UsageClient
from usage_viewer.api.http.retry import OnRetry
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset, dataset_named
from usage_viewer.domain.network_errors import AnswerError, BucketError, CursorError, RequestRefused, TooLarge
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.zones import iso

SPLIT_NOTICE = "A response was too large; fetching a shorter range"

_GRACE = 60
"""Seconds after its start during which the server may still leave a new bucket out of a response."""

_DECODE_LOCK = threading.Lock()
"""Lets one thread decode at a time. Several at once would take as long in total, and each would send its next
request later.
"""

_KEY_CHECK_DATASET = "completions"


def fetch_window(
    client: UsageClient,
    dataset: Dataset,
    window: BucketRun,
    grouped: tuple[str, ...],
    *,
    cancellation: Cancellation | None = None,
    on_retry: OnRetry | None = None,
) -> Iterator[Batch]:
    """Fetch all buckets of `window`, grouped by the dimensions in `grouped`, one batch for each page.

    A batch is yielded as soon as its page is decoded. Raises the errors of `UsageClient.get` and `decode_page`;
    CursorError for a repeated cursor or a list of pages without end; BucketError for a bucket that an earlier page
    already had, and after the last page if buckets are missing. A bucket with an invalid row is left out, and its
    WrongShape is raised after the last page.
    """
    started_at = client.now()
    seen: set[int] = set()
    left_out: dict[int, AnswerError] = {}
    cursors: set[str] = set()
    cursor: str | None = None
    for _ in range(window.buckets + 2):
        params = _params(dataset, window, grouped, cursor)
        with (
            client.get_within_budget(dataset.path, params, cancellation=cancellation, on_retry=on_retry) as body,
            _DECODE_LOCK,
        ):
            page = decode_page(body, dataset, window, grouped, left_out=left_out)
        client.correct_clock(int(page.batch.bucket.max()) if len(page.batch.bucket) else None)
        del body  # free it now: it may be large, and the caller may keep this generator waiting
        starts = set(page.batch.starts.tolist())
        if starts & seen:
            raise BucketError(f"the server sent {_bucket_text(window.width, min(starts & seen))} twice")
        seen |= starts
        cursor = page.next_page
        if cursor is not None and cursor in cursors:
            raise CursorError("the server sent a cursor twice", path="next_page")
        yield page.batch
        if cursor is None:
            # `client.now()` is corrected by the server's clock only after the first response.
            _check_complete(window, seen | left_out.keys(), int(min(started_at, client.now())))
            for error in left_out.values():
                raise error
            return
        cursors.add(cursor)
    raise CursorError(f"no last page after {window.buckets + 2} pages", path="next_page")


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
    # The server may not list a bucket that has only just begun.
    expected = range(window.start, min(window.end, now - _GRACE + 1), window.width.seconds)
    missing = [start for start in expected if start not in seen]
    if missing:
        noun, first = window.width.noun, _bucket_text(window.width, missing[0])
        raise BucketError(
            f"{len(missing)} of {len(expected)} {noun}s are missing, first {first}",
            title="The server left buckets out",
            hint="Retry. Data already loaded is kept.",
        )


def _bucket_text(width: BucketWidth, start: int) -> str:
    return iso(start)[:10] if width is BucketWidth.DAY else iso(start)


def probe_grouping(
    client: UsageClient,
    dataset: Dataset,
    bucket: BucketRun,
    grouped: tuple[str, ...],
    *,
    cancellation: Cancellation | None = None,
    on_retry: OnRetry | None = None,
) -> RequestRefused | None:
    """Return the error (HTTP 400 or 422) with which a request for one bucket, grouped by `grouped`, is refused.

    None: it is accepted; the response is not decoded. Raises other errors of `UsageClient.get`.
    """
    try:
        params = _params(dataset, bucket, grouped, None)
        client.get(dataset.path, params, cancellation=cancellation, on_retry=on_retry)
    except RequestRefused as error:
        if error.status not in (400, 422):
            raise
        return error
    return None


def check_key(
    client: UsageClient,
    now: int,
    *,
    cancellation: Cancellation | None = None,
    on_retry: OnRetry | None = None,
) -> None:
    """Check that the key may read usage, by one small request for today's completions.

    `now` is in epoch seconds. Raises the errors of `UsageClient.get` and `decode_page`.
    """
    dataset = dataset_named(_KEY_CHECK_DATASET)
    start = BucketWidth.DAY.floor(now)
    window = BucketRun(BucketWidth.DAY, start, start + BucketWidth.DAY.seconds)
    body = client.get(
        dataset.path, _params(dataset, window, (), None), cancellation=cancellation, on_retry=on_retry
    )
    decode_page(body, dataset, window, ())


def fetch_in_smaller_windows(
    fetch: Callable[[BucketRun], Iterator[Batch]], window: BucketRun, on_notice: Callable[[str], None]
) -> Iterator[Batch]:
    """Fetch `window` with `fetch`; after a response that is too large, fetch the missing part in two halves.

    A half whose response is too large is halved again, down to a single bucket. `on_notice` gets one line for the
    status bar each time. A single bucket that is too large is left out, and its TooLarge is raised after all other
    buckets were fetched. TooLarge is raised at once after as many too large responses as two such buckets would
    cause, so that a faulty server does not get endless requests. Raises the errors of `fetch`.
    """
    parts = [window]
    too_large_left = 2 * (ceil(log2(window.buckets)) + 1)
    bucket_error: TooLarge | None = None
    while parts:
        part = parts.pop()
        fetched: set[int] = set()
        try:
            for batch in fetch(part):
                fetched.update(batch.starts.tolist())
                yield batch
        except TooLarge as error:
            too_large_left -= 1
            rest = _rest(part, fetched)
            if not too_large_left or not rest.buckets:
                raise
            if rest.buckets == 1:
                bucket_error = bucket_error or error
            else:
                parts += _halves(rest)
                on_notice(SPLIT_NOTICE)
    if bucket_error is not None:
        raise bucket_error


def _rest(part: BucketRun, fetched: set[int]) -> BucketRun:
    """Return the part from its first missing bucket on."""
    step = part.width.seconds
    first = next((start for start in range(part.start, part.end, step) if start not in fetched), part.end)
    return BucketRun(part.width, first, part.end)


def _halves(part: BucketRun) -> tuple[BucketRun, BucketRun]:
    """Return the later half and the earlier half: the caller takes parts from the end of its list."""
    middle = part.start + (part.buckets + 1) // 2 * part.width.seconds
    return BucketRun(part.width, middle, part.end), BucketRun(part.width, part.start, middle)
