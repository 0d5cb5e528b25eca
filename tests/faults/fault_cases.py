"""Lists the faults: how the server misbehaves, and what is expected of the program. Data only."""

from dataclasses import dataclass
from typing import Final

from tests.faults.misbehaviours import (
    HOSTILE,
    a_large_page,
    begins_within_another,
    bomb,
    bucket_left_out,
    cut_body,
    edits,
    error,
    first_row,
    lacks_a_field,
    new_cursors,
    of_another_month,
    of_the_page_before,
    rewrites,
    same_bucket,
    same_cursor,
    same_row_twice,
    says,
    sends,
    slowly,
    stall_in_body,
    ten_megabytes_a_day,
    too_long,
    too_short,
    truncated_json,
    two_days_long,
    unknown_fields,
    without_end,
)
from tests.faults.usage_wire import DAY, HEAD, Misbehaviour, Reset, plain_answer

ALL: Final = "93 of 93 days"
ALL_BUT_A_PAGE: Final = "78 of 93 days"  # July, September, and the first page of August
ALL_BUT_A_DAY: Final = "92 of 93 days"
UP_TO_HERE: Final = "47 of 93 days"  # July was not requested: no answer could be expected

AGAIN: Final = "Check the network connection, then retry."
CHANGED: Final = "Retry. If this happens again, the server or a proxy returns invalid responses."
NOT_JSON: Final = "The server's response is not JSON"
LOG_IN: Final = "A proxy or a log-in page may have responded instead. Check the base URL and the network."
ODD: Final = "The server's response has an unexpected structure"
BUCKETS: Final = "The server returned buckets that were not requested"
PAGES: Final = "The server's pages are out of sequence"
LATER: Final = "Retry later; data loaded so far is kept."
MINUTE: Final = "Wait a minute, then retry; data loaded so far is kept."
LIMITED: Final = "Too many requests"
LARGE: Final = "The server's response is too large"
IN_HALVES: Final = "asked for in halves"


def asks_to_wait(duration: str) -> str:
    return f"The server asks you to wait {duration}. Then retry; data already loaded is kept."


Own = None
"""The program chooses its waits: random, up to 0.5, 1, 2, 4 and 8 s."""


@dataclass(frozen=True)
class Fault:
    """One row of the table of faults.

    `behave`: what goes over the wire; `title`, `hint`: the message that the user reads; `kept`: the status of the
    range. `tries`: how often the misbehaving request is made; `waits`: seconds before each further try. `way`: how
    the network fails (`dns` or `refuse`). `impatient`: the timeouts are 1 to 2 seconds. `extra`: rows of the first
    day that are duplicated. `note`: a remark for the page. `clock_error`: seconds by which the server's clock is
    ahead.
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
    probes: int = 0  # requests in addition
    stubborn: bool = False  # narrower windows get the same answer
    odd_day: int = 4  # of the page that misbehaves: the only day that is left out

    @property
    def passing(self) -> bool:
        return self.tries > 1 and not self.way and self.kept != ALL_BUT_A_PAGE


FAULTS: Final = [
    # No answer
    Fault("refused", None, "Connection failed", AGAIN, UP_TO_HERE, 6, way="refuse"),
    Fault(
        "name without an address", None, "The server's name was not found",
        "Check the network connection, the DNS settings and the base URL.", UP_TO_HERE, 1, way="dns",
    ),
    Fault("closed without an answer", sends(), "Connection failed", AGAIN, UP_TO_HERE, 6),
    Fault("reset within the head", sends(HEAD[:20], Reset()), "Connection failed", AGAIN, UP_TO_HERE, 6),
    Fault("reset within the body", cut_body, "Connection failed", AGAIN, UP_TO_HERE, 6),
    Fault("no HTTP", sends(b"SSH-2.0-OpenSSH_9.2\r\n"), "Connection failed", AGAIN, UP_TO_HERE, 6),
    Fault(
        "stalled before the answer", sends(5.0), "The server did not respond in time",
        "Retry; data loaded so far is kept.", UP_TO_HERE, 3, impatient=True,
    ),
    Fault(
        "stalled within the body", stall_in_body, "The server did not respond in time",
        "Retry; data loaded so far is kept.", UP_TO_HERE, 3, impatient=True,
    ),
    Fault(
        "a byte a second", lambda asked, page: slowly(), "The server responds too slowly",
        "Retry later, or choose a shorter range; data loaded so far is kept.", UP_TO_HERE, impatient=True,
    ),
    Fault("Content-Length too long", too_long, "Connection failed", AGAIN, UP_TO_HERE, 6),
    Fault("Content-Length not a number", sends(HEAD + b"Content-Length: many\r\n\r\n{}"),
          "Connection failed", AGAIN, UP_TO_HERE, 6),
    # A wrong answer
    Fault("Content-Length too short", too_short, NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("truncated JSON", truncated_json, NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("a log-in page", says("200 OK", b"<html>Log in</html>", Content_Type="text/html"), NOT_JSON, LOG_IN,
          ALL_BUT_A_PAGE),
    Fault("an empty answer", says("200 OK"), NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("gzip bomb", says("200 OK", bomb(), Content_Encoding="gzip"), probes=2, note=IN_HALVES),
    Fault("gzip bombs whatever is asked for", says("200 OK", bomb(), Content_Encoding="gzip"), LARGE, CHANGED,
          ALL_BUT_A_PAGE, stubborn=True, probes=11),
    Fault("damaged gzip", says("200 OK", b"\x1f\x8bnothing", Content_Encoding="gzip"), NOT_JSON, LOG_IN,
          ALL_BUT_A_PAGE),
    Fault("a terabyte announced", sends(plain_answer(b"{", length=1 << 40)), probes=2, note=IN_HALVES),
    Fault("a terabyte announced whatever is asked for", sends(plain_answer(b"{", length=1 << 40)), LARGE, CHANGED,
          ALL_BUT_A_PAGE, stubborn=True, probes=11),
    Fault("a page without an end", lambda asked, page: without_end(), probes=2, note=IN_HALVES),
    Fault("pages without an end whatever is asked for", lambda asked, page: without_end(), LARGE, CHANGED,
          ALL_BUT_A_PAGE, stubborn=True, probes=11),
    Fault("days of 10 MB each", ten_megabytes_a_day, stubborn=True, probes=6, note=IN_HALVES),
    Fault("a page of 50 MB", a_large_page),
    Fault("invalid UTF-8", rewrites(b"gpt-6", b"gpt-\xff"), NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("NaN", rewrites(b'"input_tokens": ', b'"input_tokens": NaN'), NOT_JSON, LOG_IN, ALL_BUT_A_PAGE),
    Fault("nested deep", rewrites(b'"results": [', b'"results": [' + b"[" * 100_000), ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("nested deep in an unknown field",
          rewrites(b'"results": [', b'"new": ' + b"[" * 100_000 + b"]" * 100_000 + b', "results": ['),
          ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("wrong type: a count in words", first_row(input_tokens="many"), ODD, CHANGED, ALL_BUT_A_DAY, odd_day=0),
    Fault("wrong type: a list as the page", edits(lambda page: [page]), ODD, CHANGED, ALL_BUT_A_PAGE),
    Fault("wrong type: null as the buckets", edits(lambda page: {**page, "data": None}), ODD, CHANGED,
          ALL_BUT_A_PAGE),
    Fault("a required field is missing", edits(lacks_a_field), ODD, CHANGED, ALL_BUT_A_DAY, odd_day=3),
    Fault("unknown fields", edits(unknown_fields), note="stored too"),
    Fault("a negative count", first_row(input_tokens=-1), ODD, CHANGED, ALL_BUT_A_DAY, odd_day=0),
    Fault("a count of 2^63", first_row(input_tokens=2**63), ODD, CHANGED, ALL_BUT_A_DAY, odd_day=0),
    Fault("a count of 2^63 - 1", first_row(num_model_requests=2**63 - 1), note="sums are exact"),
    Fault("the same row twice in a bucket", edits(same_row_twice), extra=1, note="added up"),
    Fault("buckets out of order", edits(lambda page: page["data"].reverse())),
    Fault("a bucket outside of the range", edits(of_another_month), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("a bucket that begins within another", edits(begins_within_another), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("a bucket of two days", edits(two_days_long), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("the same bucket twice", edits(same_bucket), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("a bucket of the page before", edits(of_the_page_before), BUCKETS, CHANGED, ALL_BUT_A_PAGE),
    Fault("a bucket left out", edits(bucket_left_out), "The server left buckets out",
          "Retry. Data already loaded is kept.", ALL_BUT_A_DAY),
    Fault("a repeated cursor", same_cursor, PAGES, CHANGED, ALL_BUT_A_PAGE),
    Fault("a missing cursor", edits(lambda page: {**page, "has_more": True, "next_page": None}), PAGES, CHANGED,
          ALL_BUT_A_PAGE),
    Fault("cursors without an end", new_cursors(), PAGES, CHANGED, ALL_BUT_A_PAGE, 32, waits=[]),
    # Errors
    Fault("301 to elsewhere", says("301 Moved", Location="{elsewhere}"), "The server redirects to another address",
          "Check the base URL. Redirects are not followed, so that the key is sent to no other server.",
          UP_TO_HERE),
    Fault("400", error("400 Bad", "Bad start_time.", param="start_time"), "The server refused the request",
          "Change the range or the grouping, then retry.", UP_TO_HERE),
    Fault("400 with markup in its message", error("400 Bad", HOSTILE, param="limit"),
          "The server refused the request", "Change the range or the grouping, then retry.", UP_TO_HERE,
          note="its message is shown as it is written"),
    Fault("400 that may be about the grouping", error("400 Bad", "No."), "The server refused the request",
          "Change the range or the grouping, then retry.", UP_TO_HERE),
    Fault("401: the key was revoked half way", error("401 Unauthorized", "Incorrect API key provided."),
          "The admin key was refused",
          "It may be mistyped, revoked or expired. Create a new admin key and replace this one.", UP_TO_HERE),
    Fault("403 with the scope that lacks",
          error("403 Forbidden", "You have insufficient permissions. Missing scopes: api.usage.read."),
          "The admin key lacks a permission", "Edit the key's permissions and allow Usage: read.", UP_TO_HERE),
    Fault("403 of a firewall", says("403 Forbidden", b"<h1>Blocked</h1>", Content_Type="text/html"),
          "The server refused the request", "A proxy or a firewall may refuse access to the server.", UP_TO_HERE),
    Fault("404", error("404 Not Found", "Unknown."), "The server does not have this data",
          "Other requests succeed. Your organization may not have this dataset, or it fails for now.", UP_TO_HERE),
    Fault("407", says("407 Proxy Authentication Required"), "The proxy can't be used",
          "Check the proxy settings of the system or of the environment (HTTPS_PROXY).", UP_TO_HERE),
    Fault("408", says("408 Request Timeout"), "The server failed", LATER, UP_TO_HERE, 6),
    Fault("429", error("429 Slow down", "Slow down."), LIMITED, MINUTE, UP_TO_HERE, 6),
    Fault("429, Retry-After in seconds", error("429 Slow down", "Slow down.", Retry_After="7"), LIMITED,
          asks_to_wait("7 seconds"), UP_TO_HERE, 6, waits=[7.0] * 5),
    Fault("429, Retry-After of more than a minute", error("429 Slow down", "Slow down.", Retry_After="100"),
          LIMITED, asks_to_wait("100 seconds"), UP_TO_HERE, 4, waits=[100.0] * 3,
          note="waits at most 5 minutes in all"),
    Fault("429, Retry-After of hours", error("429 Slow down", "Slow down.", Retry_After="7200"), LIMITED,
          asks_to_wait("2 hours"), UP_TO_HERE, waits=[]),
    Fault("429, Retry-After a date",
          error("429 Slow down", "Slow down.", Retry_After="Fri, 02 Oct 2026 12:00:20 GMT"), LIMITED,
          asks_to_wait("20 seconds"), UP_TO_HERE, 6, waits=[20.0] * 5),
    Fault("429, retry-after-ms", error("429 Slow down", "Slow down.", retry_after_ms="1500"), LIMITED,
          asks_to_wait("2 seconds"), UP_TO_HERE, 6, waits=[1.5] * 5),
    Fault("429, Retry-After of 30 years", error("429 Slow down", "Slow down.", Retry_After="1000000000"), LIMITED,
          asks_to_wait("32 years"), UP_TO_HERE, waits=[]),
    Fault("429, Retry-After in the past", error("429 Slow down", "Slow down.", Retry_After="-5"), LIMITED, MINUTE,
          UP_TO_HERE, 6),
    Fault("429, Retry-After of nonsense", error("429 Slow down", "Slow down.", Retry_After="NaN soon"), LIMITED,
          MINUTE, UP_TO_HERE, 6),
    Fault("500", error("500 Oops", "The server had an error."), "The server failed", LATER, UP_TO_HERE, 6),
    Fault("502 with HTML", says("502 Bad Gateway", b"<html><h1>502</h1>" * 999, Content_Type="text/html"),
          "The server failed", LATER, UP_TO_HERE, 6),
    Fault("503, Retry-After in seconds", says("503 Away", Retry_After="3"), "The server failed",
          asks_to_wait("3 seconds"), UP_TO_HERE, 6, waits=[3.0] * 5),
    Fault("503, Retry-After of two days", says("503 Away", Retry_After="172800"), "The server failed",
          asks_to_wait("2 days"), UP_TO_HERE, waits=[]),
    Fault("529", error("529 Overloaded", "Overloaded."), "The server failed", LATER, UP_TO_HERE, 6),
    Fault("an unknown status", says("799 What"), "The server failed", LATER, UP_TO_HERE, 6),
    Fault("520 of the edge, with HTML", says("520 Origin Error", b"<h1>520</h1>", Content_Type="text/html"),
          "The server failed", LATER, UP_TO_HERE, 6),
    # Time
    Fault("this computer's clock is 2 days ahead", None, clock_error=-2.0 * DAY,
          kept="92 of 92 days (1 still to come)", note="This computer's clock is 2 days ahead"),
    Fault("this computer's clock is 3 days behind", None, clock_error=3.0 * DAY,
          note="This computer's clock is 3 days behind"),
]  # fmt: skip
