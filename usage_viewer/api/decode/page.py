"""Decodes a page of usage or costs into columns; any input gives a `Page` or a typed `AnswerError`.

A page is decoded bucket by bucket, because one call of a decoder holds the GIL from its start to its end.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import msgspec

from usage_viewer.api.decode.batch_builder import BatchBuilder
from usage_viewer.api.decode.nesting import check_nesting
from usage_viewer.api.decode.page_split import BUCKET_START, split_page
from usage_viewer.api.decode.schema import schema_for
from usage_viewer.api.decode.tolerant_decoder import decode_bucket
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.network_errors import AnswerError, BucketError, CursorError, NotJson, WrongShape
from usage_viewer.domain.period import BucketRun

MAX_CURSOR = 8192
"""Characters. A longer cursor does not fit in the URL of a request."""

LARGE = 4 << 20
"""Bytes. A page of this size or more is split by a byte search, since even decoding only its list of buckets would
hold the GIL for too long.
"""

_ERROR_PATH = re.compile(r" - at `\$\.?(.*)`$")  # the end of msgspec's error messages


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a response: its buckets, and the cursor of the next page (None: this is the last page)."""

    batch: Batch
    has_more: bool
    next_page: str | None


class _Envelope(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool | None = None
    next_page: str | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class _Times(msgspec.Struct):
    start_time: int
    end_time: int | None = None


_TIMES = msgspec.json.Decoder(_Times)


def decode_page(
    body: bytes,
    dataset: Dataset,
    window: BucketRun,
    grouped: tuple[str, ...],
    *,
    large: int = LARGE,
    left_out: dict[int, AnswerError] | None = None,
) -> Page:
    """Decode the response to a usage or costs request for `window`, grouped by `grouped`.

    A body of `large` bytes or more is split first, so that the GIL is held for shorter times; the result is the
    same. Raises NotJson; WrongShape with a path such as `data[3].results[17].input_tokens`, and for a body that is
    nested more than `MAX_NESTING` levels deep; CursorError for a missing or too long cursor; BucketError for a
    bucket that is outside the window, does not start at a multiple of its width, is longer than its width, or
    occurs twice. With `left_out`, a bucket with an invalid row is left out of the page instead, and its start
    (epoch seconds) and error are added to `left_out`.
    """
    known = None if left_out is None else set(left_out)
    if len(body) >= large:
        page = _decode_split(body, dataset, window, grouped, left_out)
        if page is not None:
            return page
        if left_out is not None and known is not None:
            for start in left_out.keys() - known:
                del left_out[start]
    check_nesting(body)
    try:
        envelope = _ENVELOPE.decode(body)
        return _build_page(envelope, envelope.data, dataset, window, grouped, left_out)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise decode_error(error) from None


def _decode_split(
    body: bytes,
    dataset: Dataset,
    window: BucketRun,
    grouped: tuple[str, ...],
    left_out: dict[int, AnswerError] | None,
) -> Page | None:
    """Decode a large page bucket by bucket.

    Returns None for any error: decoding `body` as a whole then reports it with the right path.
    """
    split = split_page(body)
    if split is None:
        return None
    last, spans = split
    try:
        check_nesting(last)
        envelope = _ENVELOPE.decode(last)
        if len(envelope.data) != 1 or not bytes(envelope.data[0]).startswith(BUCKET_START):
            return None
        buckets = (_checked_bucket(body[start:end]) for start, end in spans)
        return _build_page(envelope, chain(buckets, envelope.data), dataset, window, grouped, left_out)
    except (AnswerError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _checked_bucket(text: bytes) -> msgspec.Raw:
    check_nesting(text, outer=2)  # the page and its list of buckets
    return msgspec.Raw(text)


def _build_page(
    envelope: _Envelope,
    buckets: Iterable[msgspec.Raw],
    dataset: Dataset,
    window: BucketRun,
    grouped: tuple[str, ...],
    left_out: dict[int, AnswerError] | None,
) -> Page:
    builder = BatchBuilder(dataset, window.width, schema_for(dataset).current)
    _BucketReader(dataset, window, builder, left_out).read(buckets)
    has_more, next_page = _cursor(envelope)
    return Page(builder.build(grouped), has_more, next_page)


def decode_error(error: Exception, prefix: str = "") -> AnswerError:
    """Return the typed error for an exception of msgspec; `prefix` is the JSON path of the decoded value."""
    if isinstance(error, msgspec.ValidationError):
        text = str(error)
        match = _ERROR_PATH.search(text)
        inner = match[1] if match else ""
        path = f"{prefix}.{inner}" if prefix and inner else prefix or inner
        return WrongShape(_ERROR_PATH.sub("", text).replace("`", ""), path=path)
    if isinstance(error, UnicodeDecodeError):
        return NotJson("the text is not UTF-8", path=prefix)
    return NotJson(str(error).removeprefix("JSON is malformed: "), path=prefix)


def _cursor(envelope: _Envelope) -> tuple[bool, str | None]:
    next_page = envelope.next_page or None
    has_more = bool(next_page) if envelope.has_more is None else envelope.has_more
    if not has_more:
        return False, None
    if next_page is None:
        raise CursorError("there are more pages, but the cursor of the next page is missing", path="next_page")
    if len(next_page) > MAX_CURSOR:
        raise CursorError(f"the cursor has {len(next_page):,} characters", path="next_page")
    return True, next_page


class _BucketReader:
    """Decodes and checks the buckets of one page, and adds them to a `BatchBuilder`."""

    def __init__(
        self,
        dataset: Dataset,
        window: BucketRun,
        builder: BatchBuilder,
        left_out: dict[int, AnswerError] | None,
    ) -> None:
        self._schema, self._left_out = schema_for(dataset), left_out
        self._window, self._builder = window, builder
        self._seen: set[int] = set()

    def read(self, buckets: Iterable[msgspec.Raw]) -> None:
        for index, raw in enumerate(buckets):
            path = f"data[{index}]"
            try:
                self._read_bucket(raw, path)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise decode_error(error, path) from None
            except WrongShape as error:
                if self._left_out is None or ".result" not in error.path:
                    raise
                self._left_out[self._start_of(raw, path)] = error.with_traceback(None)

    def _read_bucket(self, raw: msgspec.Raw, path: str) -> None:
        schema = self._schema.current
        try:
            typed = schema.decoder.decode(raw)
        except msgspec.ValidationError:
            # The bucket has an unknown field or an invalid value: the tolerant decoder keeps the one and reports
            # the path of the other.
            bucket = decode_bucket(raw, schema, path)
            self._check(bucket.start, bucket.end, path)
            self._builder.add_bucket(bucket.start, bucket.rows, schema, path, bucket.extras)
            self._schema.add_extras(bucket.unknown)
        else:
            self._check(typed.start_time, typed.end_time, path)
            self._builder.add_bucket(typed.start_time, typed.results, schema, path)

    def _start_of(self, raw: msgspec.Raw, path: str) -> int:
        """Return the start of a bucket with an invalid row (epoch seconds)."""
        times = _TIMES.decode(raw)
        if times.start_time not in self._seen:
            self._check(times.start_time, times.end_time, path)
        return times.start_time

    def _check(self, start: int, end: int | None, path: str) -> None:
        width = self._window.width
        if not self._window.start <= start < self._window.end:
            raise BucketError(
                f"the {width.noun} that begins at {start} was not requested", path=f"{path}.start_time"
            )
        if start % width.seconds:
            raise BucketError(f"no {width.noun} begins at {start}", path=f"{path}.start_time")
        if start in self._seen:
            raise BucketError(f"the {width.noun} that begins at {start} occurs twice", path=path)
        if end is not None and not start < end <= start + width.seconds:
            raise BucketError(f"the bucket ends at {end}: it is not one {width.noun} long", path=f"{path}.end_time")
        self._seen.add(start)
