"""When to try again, and how long to wait before: a pure policy, and the loop that follows it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import ceil, isfinite

from usage_viewer.domain.display_text import duration
from usage_viewer.domain.errors import (
    Cancelled,
    ConnectionFailed,
    RateLimited,
    ServerError,
    TimedOut,
    UsageViewerError,
)

Headers = Mapping[str, str]
"""Names in lower case."""

RETRIED_STATUSES = frozenset({408, 409, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """One try that failed, with the headers of the answer if one came."""

    error: UsageViewerError
    headers: Headers


@dataclass(frozen=True, slots=True)
class Retry:
    """Said before a wait: try `attempt` of `attempts` failed with `error`; the next comes in `seconds`."""

    error: UsageViewerError
    attempt: int
    attempts: int
    seconds: float

    @property
    def text(self) -> str:
        """One line for the status bar."""
        what = "Rate limited" if isinstance(self.error, RateLimited) else self.error.title
        return f"{what}, next try in {ceil(self.seconds)} s"


OnRetry = Callable[[Retry], None]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Up to `attempts` tries in all, `slow_attempts` where each may take long; waits in seconds.

    A server that asks for a longer wait than `longest_asked`, or for more than `longest_in_all` one after another,
    is not waited for: better to say so at once.
    """

    attempts: int = 6
    slow_attempts: int = 3
    base: float = 0.5
    ceiling: float = 30.0
    longest_asked: float = 120.0
    longest_in_all: float = 300.0

    def delay(
        self,
        attempt: int,
        error: UsageViewerError,
        headers: Headers,
        now: float,
        random: float,
        waited: float = 0.0,
    ) -> float | None:
        """Seconds to wait after try `attempt` (from 1) failed; None: it is not to be tried again.

        `waited`: seconds before the tries so far.

        What the server asks for is honoured (`retry-after-ms`, `Retry-After`); else the wait is `random` (0 to 1)
        times a bound that doubles.
        """
        if attempt >= self.attempts_for(error) or not _is_passing(error):
            return None
        asked = asked_wait(headers, now)
        if asked:  # to be asked again at once is no reason to leave out one's own wait
            return asked if asked <= min(self.longest_asked, self.longest_in_all - waited) else None
        return random * min(self.ceiling, self.base * 2.0 ** (attempt - 1))

    def attempts_for(self, error: UsageViewerError) -> int:
        return min(self.attempts, self.slow_attempts) if isinstance(error, TimedOut) else self.attempts


def _is_passing(error: UsageViewerError) -> bool:
    if isinstance(error, ServerError):
        return error.status in RETRIED_STATUSES
    return isinstance(error, ConnectionFailed | TimedOut)


def asked_wait(headers: Headers, now: float) -> float | None:
    """Seconds that the server asks to wait, 0 for a moment that has passed; None if it doesn't say.

    A date is compared with the answer's own `Date`, so that this computer's clock may be wrong.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is None:
        moment = date_of(text)
        if moment is None:
            return None
        seconds = moment - (date_of(headers.get("date", "")) or now)
    return max(0.0, seconds)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def date_of(text: str) -> float | None:
    """Epoch seconds of an HTTP date; None if it is none."""
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
    chance: Callable[[], float] = random.random,
) -> bytes:
    """Calls `attempt` until it answers or the policy gives up; then raises the last failure's error.

    `wait(seconds)` answers True when the user has cancelled: raises Cancelled.
    """
    tried, waited = 0, 0.0
    while True:
        outcome = attempt()
        if not isinstance(outcome, AttemptFailure):
            return outcome
        tried += 1
        seconds = policy.delay(tried, outcome.error, outcome.headers, clock(), chance(), waited)
        if seconds is None:
            raise _told(outcome, clock())
        waited += seconds
        if on_retry is not None:
            on_retry(Retry(outcome.error, tried, policy.attempts_for(outcome.error), seconds))
        if wait(seconds):
            raise Cancelled


def _told(failure: AttemptFailure, now: float) -> UsageViewerError:
    """The failure's error; what the server asked for is said, as the user has to wait in our place: no part of a
    second, though.
    """
    asked = asked_wait(failure.headers, now) or 0.0
    if asked >= 1 and _is_passing(failure.error):
        failure.error.hint = f"The server asks to wait {duration(asked)}. Retry then; what has arrived is kept."
    return failure.error
