"""Decodes a page of usage or costs straight to columns; any input ends in a `Page` or a typed `AnswerError`.

Bucket by bucket, since one call to a decoder holds the interpreter's lock from its beginning to its end.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import msgspec

from usage_viewer.api.decode.batch_builder import Columns
from usage_viewer.api.decode.page_split import BEGINNING, cut
from usage_viewer.api.decode.schema import Shapes, shapes_of
from usage_viewer.api.decode.tolerant_decoder import read_bucket
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.errors import AnswerError, BucketError, CursorError, NotJson, WrongShape
from usage_viewer.domain.period import BucketRun

MAX_CURSOR = 8192
"""Characters; a longer cursor doesn't fit in a request."""

LARGE = 4 << 20
"""Bytes, from which on even finding out where the buckets are would hold the lock for too long."""

_PLACE = re.compile(r" - at `\$\.?(.*)`$")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its buckets, and the cursor of the next page if there is one."""

    batch: Batch
    has_more: bool
    next_page: str | None


class _Envelope(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool | None = None
    next_page: str | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def decode_page(
    body: bytes, dataset: Dataset, window: BucketRun, grouped: tuple[str, ...], *, large: int = LARGE
) -> Page:
    """The page in `body`, which answers a request for `window` grouped by `grouped`; cut if it has `large` bytes.

    Raises NotJson; WrongShape with a path like `data[3].results[17].input_tokens`; CursorError; BucketError for a
    bucket outside the window, off the grid of its width, longer than its width, or there twice.
    """
    if len(body) >= large:
        page = _in_pieces(body, dataset, window, grouped)
        if page is not None:
            return page
    try:
        envelope = _ENVELOPE.decode(body)
        return _page(envelope, envelope.data, dataset, window, grouped)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unusable(error) from None


def _in_pieces(body: bytes, dataset: Dataset, window: BucketRun, grouped: tuple[str, ...]) -> Page | None:
    """None where anything is unusual: what that is, reading `body` as a whole tells exactly."""
    found = cut(body)
    if found is None:
        return None
    last, spans = found
    try:
        envelope = _ENVELOPE.decode(last)
        if len(envelope.data) != 1 or not bytes(envelope.data[0]).startswith(BEGINNING):
            return None
        pieces = (msgspec.Raw(body[start:end]) for start, end in spans)
        return _page(envelope, chain(pieces, envelope.data), dataset, window, grouped)
    except (AnswerError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _page(
    envelope: _Envelope,
    buckets: Iterable[msgspec.Raw],
    dataset: Dataset,
    window: BucketRun,
    grouped: tuple[str, ...],
) -> Page:
    columns = Columns(dataset, window.width, shapes_of(dataset).now)
    _Reader(dataset, window, columns).read(buckets)
    has_more, next_page = _cursor(envelope)
    return Page(columns.batch(grouped), has_more, next_page)


def unusable(error: Exception, prefix: str = "") -> AnswerError:
    """The typed error for what msgspec raises; `prefix` is the path of what was being decoded."""
    if isinstance(error, msgspec.ValidationError):
        text = str(error)
        place = _PLACE.search(text)
        inner = place[1] if place else ""
        path = f"{prefix}.{inner}" if prefix and inner else prefix or inner
        return WrongShape(_PLACE.sub("", text).replace("`", ""), path=path)
    if isinstance(error, RecursionError):
        return WrongShape("it is nested too deep", path=prefix)
    if isinstance(error, UnicodeDecodeError):
        return NotJson("the text is not UTF-8", path=prefix)
    return NotJson(str(error).removeprefix("JSON is malformed: "), path=prefix)


def _cursor(envelope: _Envelope) -> tuple[bool, str | None]:
    next_page = envelope.next_page or None
    has_more = bool(next_page) if envelope.has_more is None else envelope.has_more
    if not has_more:
        return False, None
    if next_page is None:
        raise CursorError("there are more pages, but no cursor to the next one", path="next_page")
    if len(next_page) > MAX_CURSOR:
        raise CursorError(f"the cursor has {len(next_page):,} characters", path="next_page")
    return True, next_page


class _Reader:
    """Reads the buckets of one page into `columns`."""

    def __init__(self, dataset: Dataset, window: BucketRun, columns: Columns) -> None:
        self._shapes: Shapes = shapes_of(dataset)
        self._window, self._columns = window, columns
        self._seen: set[int] = set()

    def read(self, buckets: Iterable[msgspec.Raw]) -> None:
        for index, raw in enumerate(buckets):
            path = f"data[{index}]"
            try:
                self._read_bucket(raw, path)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise unusable(error, path) from None

    def _read_bucket(self, raw: msgspec.Raw, path: str) -> None:
        shape = self._shapes.now
        try:
            bucket = shape.decoder.decode(raw)
        except msgspec.ValidationError:
            # Not quite the usual form: read it again with care, which keeps it or says what is wrong where.
            careful = read_bucket(raw, shape, path)
            self._check(careful.start, careful.end, path)
            self._columns.add(careful.start, careful.rows, shape, path, careful.extras)
            self._shapes.learn(careful.unknown)
        else:
            self._check(bucket.start_time, bucket.end_time, path)
            self._columns.add(bucket.start_time, bucket.results, shape, path)

    def _check(self, start: int, end: int | None, path: str) -> None:
        width = self._window.width
        if not self._window.start <= start < self._window.end:
            raise BucketError(f"a {width.noun} that begins at {start} was not asked for", path=f"{path}.start_time")
        if start % width.seconds:
            raise BucketError(f"{start} is not where a {width.noun} begins", path=f"{path}.start_time")
        if start in self._seen:
            raise BucketError(f"the {width.noun} that begins at {start} is there twice", path=path)
        if end is not None and not start < end <= start + width.seconds:
            raise BucketError(f"it is not a {width.noun} long", path=f"{path}.end_time")
        self._seen.add(start)
