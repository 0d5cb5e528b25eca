"""Measures fetching a year by day and by hour over a slow line, against the official SDK and bare threads."""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import openai
from data import DATASET, DAY, LAST
from lines import Line

import usage_viewer.api  # noqa: F401 (loaded before anything is timed, as the SDK is)
from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.app.session.store_session import WORKERS, StoreSession
from usage_viewer.demo.server.child import DemoProcess, start_demo
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.coverage import request_windows
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

DAYS = 365
START, END = LAST + DAY - DAYS * DAY, LAST + DAY
LATENCIES = (50, 200)
ROUNDS = 3
MOST_PAGES = 12
"""Pages that the SDK fetches; the time of all pages is computed from these."""
AT_MAXIMUM = {BucketWidth.DAY: 5.0, BucketWidth.HOUR: 8.0}
AT_DEFAULT = 20.0
OVER_THREADS = 1.3
STORED = (
    "Reading 85 MB by hour takes 0.12 s of the interpreter's lock, decoding 0.28, storing 0.11, the answer 0.02; "
    "by day of 13 MB 0.05, 0.06, 0.02 and 0.01. The threads read bytes alone, and the SDK mostly waits: at 50 ms "
    "these sums are the limit. Tried: pages that arrive together stored in one transaction (0.38 to 0.11 s), one "
    "page decoded at a time, so that the next requests are not all late (by hour at 200 ms 1.56 to 1.26 s), reads "
    "of 1 MB instead of 64 kB (0.49 to 0.41 s), 8 and 16 windows side by side (by hour at 200 ms 1.7 and 1.2 s, "
    "at 50 ms as with 12), a switch interval of 1 ms (no difference)."
)


@dataclass(frozen=True)
class _Taken:
    seconds: float
    input_tokens: int | None = None


def measure() -> Iterator[Line]:
    for latency in LATENCIES:
        with start_demo(latency_ms=latency, anchor=LAST) as server:
            for width in (BucketWidth.DAY, BucketWidth.HOUR):
                yield from _measured(server, latency, width)


def _measured(server: DemoProcess, latency: int, width: BucketWidth) -> Iterator[Line]:
    limits = dataset_named(DATASET).page_limits[width]
    # The first run of each isn't measured: the server makes each page once, and late imports are loaded.
    pairs = [(_ours(server, width), _threads(server, width)) for _ in range(1 + ROUNDS)][1:]
    ours, threads = (sorted(side, key=lambda one: one.seconds)[ROUNDS // 2] for side in zip(*pairs, strict=True))
    assert ours.input_tokens == threads.input_tokens, "the sums differ"
    maximum, default = _sdk(server, width, limits.maximum), _sdk(server, width, limits.default)
    noun = f"fetch 365 days by {width.noun} at {latency} ms"
    goal = AT_MAXIMUM[width]
    for label, other, times in (("at its maximum", maximum, goal), ("at its default", default, AT_DEFAULT)):
        yield Line(
            noun,
            ours.seconds,
            "s",
            f"SDK {label} limit",
            other.seconds,
            f"≥ {times:g} × as fast",
            other.seconds / times,
            note=STORED,
        )
    yield Line(
        noun,
        ours.seconds,
        "s",
        f"http.client, {WORKERS} threads",
        threads.seconds,
        "≤ 1.3 ×",
        OVER_THREADS * threads.seconds,
        note=STORED,
    )


def _ours(server: DemoProcess, width: BucketWidth) -> _Taken:
    session = StoreSession(Store.open(None), clock=lambda: float(END + 100 * DAY))
    session.connect(ApiSource(server.base_url, AdminKey.parse(server.key)))
    moments = (datetime.fromtimestamp(moment, UTC).replace(tzinfo=None) for moment in (START, END))
    view = ViewState(
        range=DateRange(None, *moments), per=Granularity.DAY if width is BucketWidth.DAY else Granularity.HOUR
    )
    begun = time.perf_counter()
    for _ in session.fetch(view):
        pass
    look = session.look(view)
    taken = time.perf_counter() - begun
    assert look.coverage.complete
    total = look.table.figure("input_tokens").total
    session.close()
    return _Taken(taken, int(total or 0))


def _threads(server: DemoProcess, width: BucketWidth) -> _Taken:
    """Fetch the same windows through bare connections; count the bodies afterwards."""
    dataset = dataset_named(DATASET)
    asked = request_windows([BucketRun(width, START, END)], {width: dataset.page_limits[width].maximum})
    address = urlsplit(server.base_url)
    assert address.hostname is not None
    begun = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        local = threading.local()

        def get(window: BucketRun) -> bytes:
            connection = getattr(local, "connection", None)
            if connection is None:
                connection = local.connection = http.client.HTTPConnection(str(address.hostname), address.port)
            query: Sequence[tuple[str, object]] = [
                ("start_time", window.start),
                ("end_time", window.end),
                ("bucket_width", width.value),
                ("limit", window.buckets),
                *(("group_by", name) for name in dataset.group_by),
            ]
            headers = {"Authorization": f"Bearer {server.key}"}
            connection.request("GET", f"{address.path}{dataset.path}?{urlencode(query)}", headers=headers)
            body: bytes = connection.getresponse().read()
            return body

        bodies = list(pool.map(get, asked))
    taken = time.perf_counter() - begun
    return _Taken(taken, sum(_input_tokens(body) for body in bodies))


def _input_tokens(body: bytes) -> int:
    return sum(row["input_tokens"] for bucket in json.loads(body)["data"] for row in bucket["results"])


def _sdk(server: DemoProcess, width: BucketWidth, limit: int) -> _Taken:
    """Fetch with the SDK by following cursors, grouped by all dimensions."""
    dataset = dataset_named(DATASET)
    pages = -(-(END - START) // width.seconds // limit)
    cursor: dict[str, str] = {}
    with openai.OpenAI(api_key="none", admin_api_key=server.key, base_url=server.base_url, max_retries=0) as client:
        begun = time.perf_counter()
        followed = 0
        for _ in range(min(pages, MOST_PAGES)):
            page = client.admin.organization.usage.completions(
                start_time=START,
                end_time=END,
                bucket_width=width.value,
                limit=limit,
                group_by=list(dataset.group_by),  # type: ignore[arg-type]
                **cursor,  # type: ignore[arg-type]
            )
            followed += 1
            if not page.has_more:
                break
            cursor = {"page": str(page.next_page)}
        taken = time.perf_counter() - begun
    return _Taken(taken * pages / followed)
