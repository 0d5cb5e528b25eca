"""The table of faults: how the server misbehaves, and what is expected of the program. Data alone."""

import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.faults.usage_wire import (
    DAY,
    HEAD,
    SEPTEMBER,
    Asked,
    Misbehaviour,
    Page,
    Piece,
    Reset,
    Stay,
    bucket,
    plain_answer,
    row,
    written,
)

ALL: Final = "93 of 93 days"
ALL_BUT_A_PAGE: Final = "78 of 93 days"  # July, September, and the first page of August
UP_TO_HERE: Final = "47 of 93 days"  # July was not asked for any more: no answer could be expected

AGAIN: Final = "Check the network connection and try again."
CHANGED: Final = "Try again; if it happens again, the server or a proxy on the way changes the answers."
NOT_JSON: Final = "The server's answer is not JSON"
LOG_IN: Final = "A proxy or a log-in page may have answered instead. Check the base URL and the network."
ODD: Final = "The server's answer has an unexpected form"
BUCKETS: Final = "The server answered with other buckets than asked for"
PAGES: Final = "The server's pages don't follow one another"
LATER: Final = "Try again later; what has arrived is kept."
MINUTE: Final = "Wait a minute, then retry; what has arrived is kept."
LIMITED: Final = "The server limits the rate of requests"

Own = None
"""Waits of the program's own: random, up to 0.5 s, then 1, 2, 4 and 8 s."""


@dataclass(frozen=True)
class Fault:
    """`tries`: how often the request is made that misbehaves. `waits`: seconds before each further try.

    `way`: how the network misbehaves beside the server. `impatient`: with timeouts of a second or less. `passing`:
    whether another try can mend it. `extra`: rows of the first day that are there once more than is honest.
    """

    name: str
    behave: Misbehaviour | None
    title: str = ""
    hint: str = ""
    kept: str = ALL
    tries: int = 1
    waits: list[float] | None = Own
    way: str = ""
    impatient: bool = False
    extra: int = 0
    note: str = ""
    clock_error: float = 0.0
    probes: int = 0  # further requests

    @property
    def passing(self) -> bool:
        return self.tries > 1 and not self.way and self.kept != ALL_BUT_A_PAGE


def sends(*pieces: Piece) -> Misbehaviour:
    return lambda asked, page: pieces


def says(status: str, body: Any = b"", **headers: str) -> Misbehaviour:
    """An answer with this status; a body that isn't bytes is JSON. Underscores in headers stand for dashes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sends(plain_answer(raw, status, named), Stay())


def error(status: str, message: str, *, param: str | None = None, **headers: str) -> Misbehaviour:
    body = {"error": {"message": message, "type": "error", "param": param, "code": None}}
    return says(status, body, **headers)


def edits(change: Callable[[Page], Any]) -> Misbehaviour:
    """The honest page, changed in place or replaced."""

    def behave(asked: Asked, page: Page) -> Iterable[Piece]:
        return [written(change(page) or page), Stay()]

    return behave


def rewrites(old: bytes, new: bytes) -> Misbehaviour:
    """The honest page's text with the first `old` replaced."""

    def behave(asked: Asked, page: Page) -> Iterable[Piece]:
        body = json.dumps(page).encode()
        assert old in body
        return [plain_answer(body.replace(old, new, 1)), Stay()]

    return behave


def first_row(**changed: Any) -> Misbehaviour:
    def change(page: Page) -> None:
        page["data"][0]["results"][0] |= changed

    return edits(change)


def _cut_body(asked: Asked, page: Page) -> Iterable[Piece]:
    whole = written(page)
    return [whole[: len(whole) // 2], Reset()]


def _stall_in_body(asked: Asked, page: Page) -> Iterable[Piece]:
    whole = written(page)
    return [whole[: len(whole) // 2], 5.0]


def _truncated(asked: Asked, page: Page) -> Iterable[Piece]:
    return [plain_answer(json.dumps(page).encode()[:-40]), Stay()]


def _too_long(asked: Asked, page: Page) -> Iterable[Piece]:
    body = json.dumps(page).encode()
    return [plain_answer(body, length=len(body) + 100)]


def _too_short(asked: Asked, page: Page) -> Iterable[Piece]:
    body = json.dumps(page).encode()
    return [plain_answer(body, length=len(body) - 100)]


def _slowly() -> Iterable[Piece]:
    yield HEAD + b"Content-Length: 1000\r\n\r\n"
    for _ in range(1000):
        yield b" "
        yield 0.1


def _without_end() -> Iterable[Piece]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    yield from itertools.repeat(chunk, 4096)


@cache
def bomb() -> bytes:
    """A gibibyte of blanks, packed a thousand times smaller."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    sixteen = packer.compress(b" " * (16 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"", mtime=0)[:10] + sixteen * 64 + b"\x03\x00" + b"\0" * 8


@cache
def large_rows(day: int, count: int) -> bytes:
    """Rows of people who used nothing, as text: some 500 bytes each."""
    template = json.dumps(row(day, 0, user_id="USER", input_tokens=0, output_tokens=0, num_model_requests=0))
    head, tail = template.split("USER")
    return ",".join(f"{head}user_{number:024}{tail}" for number in range(count)).encode()


def large_page(page: Page, size: int) -> bytes:
    """The honest page with so many rows without usage that it has about `size` bytes."""
    count = size // len(page["data"]) // (len(large_rows(0, 1)) + 1)
    page["data"][0]["results"].append("LARGE")
    for one in page["data"][1:]:
        one["results"].append("LARGE")
    return json.dumps(page).encode().replace(b'"LARGE"', large_rows(0, count))


def _large(asked: Asked, page: Page) -> Iterable[Piece]:
    return [plain_answer(large_page(page, 50_000_000)), Stay()]


def _twice(page: Page) -> None:
    page["data"][0]["results"].append(dict(page["data"][0]["results"][0]))


def _unknown(page: Page) -> None:
    page |= {"totals": {"a": [1, {"b": None}]}}
    for one in page["data"]:
        one["region"] = "eu"
        for result in one["results"]:
            result |= {"reasoning_tokens": 7, "latency": {"p50": 0.25}}


def _lacks_a_field(page: Page) -> None:
    del page["data"][3]["results"][0]["input_tokens"]


def _shifted(page: Page) -> None:
    page["data"][2]["start_time"] += DAY // 2


def _two_days_long(page: Page) -> None:
    page["data"][2]["end_time"] += DAY


def _left_out(page: Page) -> None:
    del page["data"][4]


def _same_bucket(page: Page) -> None:
    page["data"].append(page["data"][0])


def _of_the_page_before(page: Page) -> None:
    page["data"].insert(0, bucket(page["data"][0]["start_time"] - DAY))


def _of_another_month(page: Page) -> None:
    page["data"].append(bucket(SEPTEMBER + 3 * DAY))


def _same_cursor(asked: Asked, page: Page) -> Iterable[Piece]:
    return [written({**page, "has_more": True, "next_page": asked.cursor}), Stay()]


def _new_cursors() -> Misbehaviour:
    numbers = itertools.count()

    def behave(asked: Asked, page: Page) -> Iterable[Piece]:
        return [written({"data": [], "has_more": True, "next_page": f"more_{next(numbers)}"}), Stay()]

    return behave


HOSTILE: Final = "<img src=x onerror=1> &amp; <a href='http://evil.example'>click\u202e\u0007</a>"
SHOWN_HOSTILE: Final = "<img src=x onerror=1> &amp; <a href='http://evil.example'>click⟨U+202E⟩␇</a>"

FAULTS: Final = [
    # No answer
    Fault("refused", None, "The connection failed", AGAIN, UP_TO_HERE, 6, way="refuse"),
    Fault(
        "name without an address", None, "The server's name can't be found",
        "Check the network connection, the name server and the base URL.", UP_TO_HERE, 1, way="dns",
    ),
    Fault("closed without an answer", sends(), "The connection failed", AGAIN, UP_TO_HERE, 6),
    Fault("reset within the head", sends(HEAD[:20], Reset()), "The connection failed", AGAIN, UP_TO_HERE, 6),
    Fault("reset within the body", _cut_body, "The connection failed", AGAIN, UP_TO_HERE, 6),
    Fault("no HTTP", sends(b"SSH-2.0-OpenSSH_9.2\r\n"), "The connection failed", AGAIN, UP_TO_HERE, 6),
    Fault(
        "stalled before the answer", sends(5.0), "The server did not answer in time",
        "Try again; what has arrived is kept.", UP_TO_HERE, 3, impatient=True,
    ),
    Fault(
        "stalled within the body", _stall_in_body, "The server did not answer in time",
        "Try again; what has arrived is kept.", UP_TO_HERE, 3, impatient=True,
    ),
    Fault(
        "a byte now and then", lambda asked, page: _slowly(), "The server did not answer in time",
        "Try again; what has arrived is kept.", UP_TO_HERE, 3, impatient=True,
    ),
    Fault("Content-Length too long", _too_long, "The connection failed", AGAIN, UP_TO_HERE, 6),
    Fault("Content-Length not a number", sends(HEAD + b"Content-Length: many\r\n\r\n{}"),
          "The connection failed", AGAIN, UP_TO_HERE, 6),
    # Not what was asked for
    Fault("Content-Length too short", _too_short, NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("truncated JSON", _truncated, NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("a log-in page", says("200 OK", b"<html>Log in</html>", Content_Type="text/html"), NOT_JSON, LOG_IN,
          ALL_BUT_A_PAGE),
    Fault("an empty answer", says("200 OK"), NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("gzip bomb", says("200 OK", bomb(), Content_Encoding="gzip"), "The server's answer is too large",
          CHANGED, ALL_BUT_A_PAGE),
    Fault("damaged gzip", says("200 OK", b"\x1f\x8bnothing", Content_Encoding="gzip"), NOT_JSON, LOG_IN,
          ALL_BUT_A_PAGE),
    Fault("a terabyte announced", sends(plain_answer(b"{", length=1 << 40)), "The server's answer is too large",
          CHANGED, ALL_BUT_A_PAGE),
    Fault("a page without an end", lambda asked, page: _without_end(), "The server's answer is too large", CHANGED,
          ALL_BUT_A_PAGE),
    Fault("a page of 50 MB", _large),
    Fault("invalid UTF-8", rewrites(b"gpt-6", b"gpt-\xff"), NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("NaN", rewrites(b'"input_tokens": ', b'"input_tokens": NaN'), NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("nested deep", rewrites(b'"results": [', b'"results": [' + b"[" * 100_000), ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("nested deep in an unknown field",
          rewrites(b'"results": [', b'"new": ' + b"[" * 100_000 + b"]" * 100_000 + b', "results": ['),
          ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("wrong type: a count in words", first_row(input_tokens="many"), ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("wrong type: a list as the page", edits(lambda page: [page]), ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("wrong type: null as the buckets", edits(lambda page: {**page, "data": None}), ODD, CHANGED,
          ALL_BUT_A_PAGE),
    Fault("a required field is missing", edits(_lacks_a_field), ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("unknown fields", edits(_unknown), note="kept beside"),
    Fault("a negative count", first_row(input_tokens=-1), ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("a count of 2^63", first_row(input_tokens=2**63), ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("a count of 2^63 - 1", first_row(num_model_requests=2**63 - 1), note="sums are exact"),
    Fault("the same row twice in a bucket", edits(_twice), extra=1, note="added up"),
    Fault("buckets out of order", edits(lambda page: page["data"].reverse())),
    Fault("a bucket outside of the range", edits(_of_another_month), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("a bucket that begins within another", edits(_shifted), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("a bucket of two days", edits(_two_days_long), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("the same bucket twice", edits(_same_bucket), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("a bucket of the page before", edits(_of_the_page_before), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("a bucket left out", edits(_left_out), "The server left buckets out",
          "Try again; what has arrived is kept.", "92 of 93 days"),
    Fault("a repeated cursor", _same_cursor, PAGES, CHANGED, ALL_BUT_A_PAGE),
    Fault("a missing cursor", edits(lambda page: {**page, "has_more": True, "next_page": None}), PAGES, CHANGED,
          ALL_BUT_A_PAGE),
    Fault("cursors without an end", _new_cursors(), PAGES, CHANGED, ALL_BUT_A_PAGE, 32, waits=[]),
    # Errors
    Fault("301 to elsewhere", says("301 Moved", Location="{elsewhere}"), "The server redirects elsewhere",
          "Check the base URL. Redirects are not followed, so that the key goes nowhere else.", UP_TO_HERE),
    Fault("400", error("400 Bad", "Bad start_time.", param="start_time"), "The server refused the request",
          "Change the range or the grouping and try again.", UP_TO_HERE),
    Fault("400 with markup in its message", error("400 Bad", HOSTILE, param="limit"),
          "The server refused the request", "Change the range or the grouping and try again.", UP_TO_HERE,
          note="its message is shown as it is written"),
    Fault("400 that may be about the grouping", error("400 Bad", "No."), "The server refused the request",
          "Change the range or the grouping and try again.", UP_TO_HERE, probes=1,
          note="asks which dimensions can be had"),
    Fault("401: the key was revoked half way", error("401 Unauthorized", "Incorrect API key provided."),
          "The key was refused",
          "It may be mistyped, revoked or expired. Make a new admin key and replace this one.", UP_TO_HERE),
    Fault("403 with the scope that lacks",
          error("403 Forbidden", "You have insufficient permissions. Missing scopes: api.usage.read."),
          "The key lacks a permission", "Edit the admin key's permissions and allow Usage: read.", UP_TO_HERE),
    Fault("403 of a firewall", says("403 Forbidden", b"<h1>Blocked</h1>", Content_Type="text/html"),
          "The server refused the request", "A proxy or a firewall may refuse access to the server.", UP_TO_HERE),
    Fault("404", error("404 Not Found", "Unknown."), "The server doesn't know this address",
          "Check the base URL. Some organizations don't have every dataset.", UP_TO_HERE),
    Fault("407", says("407 Proxy Authentication Required"), "The proxy can't be used",
          "Check the proxy settings of the system or of the environment (HTTPS_PROXY).", UP_TO_HERE),
    Fault("408", says("408 Request Timeout"), "The server failed", LATER, UP_TO_HERE, 6),
    Fault("429", error("429 Slow down", "Slow down."), LIMITED, MINUTE, UP_TO_HERE, 6),
    Fault("429, Retry-After in seconds", error("429 Slow down", "Slow down.", Retry_After="7"), LIMITED, MINUTE,
          UP_TO_HERE, 6, waits=[7.0] * 5),
    Fault("429, Retry-After a date",
          error("429 Slow down", "Slow down.", Retry_After="Fri, 02 Oct 2026 12:00:20 GMT"), LIMITED, MINUTE,
          UP_TO_HERE, 6, waits=[20.0] * 5),
    Fault("429, retry-after-ms", error("429 Slow down", "Slow down.", retry_after_ms="1500"), LIMITED, MINUTE,
          UP_TO_HERE, 6, waits=[1.5] * 5),
    Fault("429, Retry-After of 30 years", error("429 Slow down", "Slow down.", Retry_After="1000000000"), LIMITED,
          MINUTE, UP_TO_HERE, 6, waits=[120.0] * 5),
    Fault("429, Retry-After in the past", error("429 Slow down", "Slow down.", Retry_After="-5"), LIMITED, MINUTE,
          UP_TO_HERE, 6),
    Fault("429, Retry-After of nonsense", error("429 Slow down", "Slow down.", Retry_After="NaN soon"), LIMITED,
          MINUTE, UP_TO_HERE, 6),
    Fault("500", error("500 Oops", "The server had an error."), "The server failed", LATER, UP_TO_HERE, 6),
    Fault("502 with HTML", says("502 Bad Gateway", b"<html><h1>502</h1>" * 999, Content_Type="text/html"),
          "The server failed", LATER, UP_TO_HERE, 6),
    Fault("503, Retry-After in seconds", says("503 Away", Retry_After="3"), "The server failed", LATER, UP_TO_HERE,
          6, waits=[3.0] * 5),
    Fault("529", error("529 Overloaded", "Overloaded."), "The server failed", LATER, UP_TO_HERE, 6),
    Fault("an unknown status", says("799 What"), "The server failed", LATER, UP_TO_HERE),
    # Time
    Fault("this computer's clock is 2 days ahead", None, clock_error=-2.0 * DAY,
          kept="92 of 92 days (1 still to come)", note="This computer's clock is 2 days ahead"),
    Fault("this computer's clock is 3 days behind", None, clock_error=3.0 * DAY,
          note="This computer's clock is 3 days behind"),
]  # fmt: skip
