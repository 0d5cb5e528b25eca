"""Decides when a failed request is tried again and after which wait; runs the loop of attempts."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import ceil, isfinite

from usage_viewer.domain.display_text import duration
from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.network_errors import ConnectionFailed, RateLimited, ResponseTooSlow, ServerError, TimedOut

Headers = Mapping[str, str]
"""Response headers; the names are in lower case."""

RETRIED_STATUSES = frozenset({408, 409, 429})
"""The statuses below 500 that are tried again, besides all from 500 on: a CDN sends its own, such as 520 to 530."""


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """The error of one failed attempt, and the headers of its response (empty if there was none)."""

    error: UsageViewerError
    headers: Headers


@dataclass(frozen=True, slots=True)
class Retry:
    """Reported before a wait: attempt number `attempt` (from 1) failed; the next one starts in `seconds`."""

    error: UsageViewerError
    attempt: int
    attempts: int  # the largest number of attempts
    seconds: float

    @property
    def text(self) -> str:
        """One line for the status bar."""
        problem = "Rate limited" if isinstance(self.error, RateLimited) else self.error.title
        return f"{problem}; retrying in {ceil(self.seconds)} s"


OnRetry = Callable[[Retry], None]
"""Called before each wait, in the thread of the request."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits on attempts and waits; all times are in seconds.

    `attempts` includes the first one; `timeout_attempts` applies instead after a timeout, as each attempt then
    takes long. If the server asks for a wait longer than `max_requested_wait`, or all waits together would become
    longer than `max_total_wait`, the request is not tried again and its error is reported at once. Without
    `retries_limits`, neither is it after a 429 that does not say how long to wait.
    """

    attempts: int = 6
    timeout_attempts: int = 3
    base: float = 0.5
    ceiling: float = 30.0
    max_requested_wait: float = 120.0
    max_total_wait: float = 300.0
    retries_limits: bool = True

    def delay(
        self,
        attempt: int,
        error: UsageViewerError,
        headers: Headers,
        now: float,
        random: float,
        waited: float = 0.0,
    ) -> float | None:
        """Return the wait after failed attempt number `attempt` (from 1), in seconds; None: do not try again.

        The server's wait (`retry-after-ms` or `Retry-After`) is used if it asks for one. Otherwise the wait is
        `random` (from 0 to 1) times a bound that starts at `base` and doubles with each attempt up to `ceiling`.
        `now` is in epoch seconds; `waited` is the sum of all waits before this one.
        """
        if attempt >= self.attempts_for(error) or not _is_transient(error):
            return None
        requested = requested_wait(headers, now)
        if requested:  # a requested wait of 0 s does not replace the random wait
            allowed = min(self.max_requested_wait, self.max_total_wait - waited)
            return requested if requested <= allowed else None
        if isinstance(error, RateLimited) and not self.retries_limits:
            return None
        return random * min(self.ceiling, self.base * 2.0 ** (attempt - 1))

    def attempts_for(self, error: UsageViewerError) -> int:
        """Return the largest number of attempts for a request that failed with `error`."""
        return min(self.attempts, self.timeout_attempts) if isinstance(error, TimedOut) else self.attempts


def _is_transient(error: UsageViewerError) -> bool:
    if isinstance(error, ServerError):
        return error.status in RETRIED_STATUSES or error.status >= 500
    return isinstance(error, ConnectionFailed | TimedOut) and not isinstance(error, ResponseTooSlow)


def requested_wait(headers: Headers, now: float) -> float | None:
    """Return the wait that the server asks for, in seconds; None if it asks for none.

    Reads `retry-after-ms`, then `Retry-After` (seconds or a date; 0 for a date in the past). A date is compared
    with the response's own `Date`, so that a wrong clock of this computer does no harm; `now` (epoch seconds) is
    used if there is no `Date`.
    """
    milliseconds = _finite_number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after", "")
    seconds = _finite_number(text)
    if seconds is None:
        moment = parse_http_date(text)
        if moment is None:
            return None
        seconds = moment - (parse_http_date(headers.get("date", "")) or now)
    return max(0.0, seconds)


def _finite_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def parse_http_date(text: str) -> float | None:
    """Parse an HTTP date into epoch seconds; return None for any other text."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def with_retries(
    attempt: Callable[[], bytes | AttemptFailure],
    policy: RetryPolicy,
    wait: Callable[[float], bool],
    on_retry: OnRetry | None,
    clock: Callable[[], float],
    draw_random: Callable[[], float] = random.random,
) -> bytes:
    """Call `attempt` until it returns a body, or the policy allows no other attempt.

    `wait(seconds)` returns True if the user has cancelled. `clock` returns epoch seconds, `draw_random` a number
    from 0 to 1. Raises the error of the last attempt, or Cancelled.
    """
    attempts, waited = 0, 0.0
    while True:
        outcome = attempt()
        if not isinstance(outcome, AttemptFailure):
            return outcome
        attempts += 1
        seconds = policy.delay(attempts, outcome.error, outcome.headers, clock(), draw_random(), waited)
        if seconds is None:
            raise _final_error(outcome, clock())
        waited += seconds
        if on_retry is not None:
            on_retry(Retry(outcome.error, attempts, policy.attempts_for(outcome.error), seconds))
        if wait(seconds):
            raise Cancelled


def _final_error(failure: AttemptFailure, now: float) -> UsageViewerError:
    """Return the error to raise; its hint states the server's requested wait if it is at least 1 s."""
    requested = requested_wait(failure.headers, now) or 0.0
    if requested >= 1 and _is_transient(failure.error):
        failure.error.hint = (
            f"The server asks you to wait {duration(requested)}. Then retry; data already loaded is kept."
        )
    return failure.error
