"""Builds what goes over the wire in place of an honest page."""

import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from tests.faults.usage_wire import (
    DAY,
    HEAD,
    SEPTEMBER,
    Misbehaviour,
    Page,
    Piece,
    Reset,
    StaysOpen,
    bucket,
    cursor_of,
    plain_answer,
    row,
    written,
)
from tests.rigs.wire import Request


def sends(*pieces: Piece) -> Misbehaviour:
    return lambda request, page: pieces


def says(status: str, body: Any = b"", **headers: str) -> Misbehaviour:
    """Answers with this status; a body other than bytes becomes JSON. Underscores in headers become dashes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sends(plain_answer(raw, status, named), StaysOpen())


def error(status: str, message: str, *, param: str | None = None, **headers: str) -> Misbehaviour:
    body = {"error": {"message": message, "type": "error", "param": param, "code": None}}
    return says(status, body, **headers)


def edits(change: Callable[[Page], Any]) -> Misbehaviour:
    """Answers with the honest page after `change`, which edits it in place or returns another one."""

    def behave(request: Request, page: Page) -> Iterable[Piece]:
        return [written(change(page) or page), StaysOpen()]

    return behave


def rewrites(old: bytes, new: bytes) -> Misbehaviour:
    """Answers with the honest page's text in which the first `old` is replaced."""

    def behave(request: Request, page: Page) -> Iterable[Piece]:
        body = json.dumps(page).encode()
        assert old in body
        return [plain_answer(body.replace(old, new, 1)), StaysOpen()]

    return behave


def first_row(**changed: Any) -> Misbehaviour:
    def change(page: Page) -> None:
        page["data"][0]["results"][0] |= changed

    return edits(change)


def cut_body(request: Request, page: Page) -> Iterable[Piece]:
    whole = written(page)
    return [whole[: len(whole) // 2], Reset()]


def stall_in_body(request: Request, page: Page) -> Iterable[Piece]:
    whole = written(page)
    return [whole[: len(whole) // 2], 5.0]


def truncated_json(request: Request, page: Page) -> Iterable[Piece]:
    return [plain_answer(json.dumps(page).encode()[:-40]), StaysOpen()]


def too_long(request: Request, page: Page) -> Iterable[Piece]:
    body = json.dumps(page).encode()
    return [plain_answer(body, length=len(body) + 100)]


def too_short(request: Request, page: Page) -> Iterable[Piece]:
    body = json.dumps(page).encode()
    return [plain_answer(body, length=len(body) - 100)]


def slowly() -> Iterable[Piece]:
    yield HEAD + b"Content-Length: 1000\r\n\r\n"
    for _ in range(1000):
        yield b" "
        yield 1.0


def without_end() -> Iterable[Piece]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    yield from itertools.repeat(chunk, 4096)


@cache
def bomb() -> bytes:
    """Return 1 GiB of blanks as gzip, a thousand times smaller."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    sixteen = packer.compress(b" " * (16 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"", mtime=0)[:10] + sixteen * 64 + b"\x03\x00" + b"\0" * 8


@cache
def large_rows(day: int, count: int) -> bytes:
    """Return rows of users without usage as JSON text, some 500 bytes each."""
    template = json.dumps(row(day, 0, user_id="USER", input_tokens=0, output_tokens=0, num_model_requests=0))
    head, tail = template.split("USER")
    return ",".join(f"{head}user_{number:024}{tail}" for number in range(count)).encode()


def large_page(page: Page, size: int) -> bytes:
    """Return the honest page with so many rows without usage that it has about `size` bytes."""
    count = size // len(page["data"]) // (len(large_rows(0, 1)) + 1)
    page["data"][0]["results"].append("LARGE")
    for one in page["data"][1:]:
        one["results"].append("LARGE")
    return json.dumps(page).encode().replace(b'"LARGE"', large_rows(0, count))


def a_large_page(request: Request, page: Page) -> Iterable[Piece]:
    return [plain_answer(large_page(page, 50_000_000)), StaysOpen()]


def ten_megabytes_a_day(request: Request, page: Page) -> Iterable[Piece]:
    return [plain_answer(large_page(page, 10_000_000 * len(page["data"]))), StaysOpen()]


def same_row_twice(page: Page) -> None:
    page["data"][0]["results"].append(dict(page["data"][0]["results"][0]))


def unknown_fields(page: Page) -> None:
    page |= {"totals": {"a": [1, {"b": None}]}}
    for one in page["data"]:
        one["region"] = "eu"
        for result in one["results"]:
            result |= {"reasoning_tokens": 7, "latency": {"p50": 0.25}}


def lacks_a_field(page: Page) -> None:
    del page["data"][3]["results"][0]["input_tokens"]


def begins_within_another(page: Page) -> None:
    page["data"][2]["start_time"] += DAY // 2


def two_days_long(page: Page) -> None:
    page["data"][2]["end_time"] += DAY


def bucket_left_out(page: Page) -> None:
    del page["data"][4]


def same_bucket(page: Page) -> None:
    page["data"].append(page["data"][0])


def of_the_page_before(page: Page) -> None:
    page["data"].insert(0, bucket(page["data"][0]["start_time"] - DAY))


def of_another_month(page: Page) -> None:
    page["data"].append(bucket(SEPTEMBER + 3 * DAY))


def same_cursor(request: Request, page: Page) -> Iterable[Piece]:
    return [written({**page, "has_more": True, "next_page": cursor_of(request)}), StaysOpen()]


def new_cursors() -> Misbehaviour:
    numbers = itertools.count()

    def behave(request: Request, page: Page) -> Iterable[Piece]:
        return [written({"data": [], "has_more": True, "next_page": f"more_{next(numbers)}"}), StaysOpen()]

    return behave


HOSTILE: Final = "<img src=x onerror=1> &amp; <a href='http://evil.example'>click\u202e\u0007</a>"
SHOWN_HOSTILE: Final = "<img src=x onerror=1> &amp; <a href='http://evil.example'>click⟨U+202E⟩␇</a>"
