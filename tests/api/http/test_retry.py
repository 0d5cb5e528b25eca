from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.http.retry import AttemptFailure, Retry, RetryPolicy, requested_wait, with_retries
from usage_viewer.domain.errors import Cancelled, KeyRefused, NotAnAdminKey, ScopeMissing, UsageViewerError
from usage_viewer.domain.network_errors import (
    ConnectionFailed,
    HostNotFound,
    NotFound,
    ProxyFailed,
    RateLimited,
    RequestRefused,
    ServerError,
    ServerFailed,
    TimedOut,
    TlsFailed,
    TooLarge,
)

POLICY = RetryPolicy()
NOW = 1_790_000_000.0
LIMITED = RateLimited(status=429)


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 520, 527, 529, 530, 799])
def test_transient_statuses_are_retried(status: int) -> None:
    assert POLICY.delay(1, ServerFailed(status=status), {}, NOW, 0.5) == 0.25


@pytest.mark.parametrize(
    "error",
    [LIMITED, RequestRefused(status=409), ConnectionFailed(), TimedOut()],
    ids=lambda error: type(error).__name__,
)
def test_transient_errors_are_retried(error: UsageViewerError) -> None:
    assert POLICY.delay(1, error, {}, NOW, 1.0) == 0.5


@pytest.mark.parametrize(
    "error",
    [
        RequestRefused(status=400),
        KeyRefused(),
        NotAnAdminKey(),
        ScopeMissing(),
        NotFound(status=404),
        ServerError(status=301),
        HostNotFound(),
        TlsFailed(),
        ProxyFailed(),
        TooLarge(),
        Cancelled(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_permanent_errors_are_not_retried(error: UsageViewerError) -> None:
    assert POLICY.delay(1, error, {"retry-after": "1"}, NOW, 0.5) is None


def test_wait_bound_doubles_up_to_the_ceiling() -> None:
    policy = RetryPolicy(attempts=99)
    bounds = [policy.delay(attempt, LIMITED, {}, NOW, 1.0) for attempt in range(1, 10)]
    assert bounds == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert policy.delay(98, LIMITED, {}, NOW, 1.0) == 30
    assert policy.delay(3, LIMITED, {}, NOW, 0.0) == 0


def test_six_tries_and_three_that_time_out() -> None:
    assert POLICY.delay(5, LIMITED, {}, NOW, 0.5) is not None
    assert POLICY.delay(6, LIMITED, {}, NOW, 0.5) is None
    assert POLICY.delay(2, TimedOut(), {}, NOW, 0.5) is not None
    assert POLICY.delay(3, TimedOut(), {}, NOW, 0.5) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": formatdate(NOW + 12, usegmt=True)}, 12.0),
        ({"retry-after": formatdate(NOW - 12, usegmt=True)}, 0.0),
        # The server's clock is one hour ahead: the date is compared with the response's own Date.
        ({"retry-after": formatdate(NOW + 3605, usegmt=True), "date": formatdate(NOW + 3600, usegmt=True)}, 5.0),
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Mon, 99 Xyz 99999 99:99:99 GMT"}, None),
    ],
)
def test_requested_wait_is_parsed(headers: dict[str, str], expected: float | None) -> None:
    assert requested_wait(headers, NOW) == expected


def test_requested_wait_is_used_up_to_two_minutes() -> None:
    assert POLICY.delay(1, LIMITED, {"retry-after": "90"}, NOW, 0.0) == 90
    assert POLICY.delay(1, LIMITED, {"retry-after": "120"}, NOW, 0.0) == 120
    assert POLICY.delay(2, LIMITED, {"retry-after": "0"}, NOW, 1.0) == 1


@pytest.mark.parametrize("requested", ["121", "1e9", formatdate(4e9, usegmt=True)])
def test_longer_requested_wait_ends_the_retries(requested: str) -> None:
    assert POLICY.delay(1, LIMITED, {"retry-after": requested}, NOW, 0.0) is None


def test_total_of_requested_waits_is_limited() -> None:
    assert POLICY.delay(3, LIMITED, {"retry-after": "100"}, NOW, 0.0, waited=200) == 100
    assert POLICY.delay(3, LIMITED, {"retry-after": "101"}, NOW, 0.0, waited=200) is None
    assert POLICY.delay(3, LIMITED, {}, NOW, 1.0, waited=1000) == 2, "the policy's own waits are not limited"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_headers_give_a_wait_or_none(after: str, milliseconds: str, date: str) -> None:
    headers = {"retry-after": after, "retry-after-ms": milliseconds, "date": date}
    seconds = POLICY.delay(1, LIMITED, headers, NOW, 0.5)
    requested = requested_wait(headers, NOW)
    assert (seconds is None) == (requested is not None and requested > 120)
    assert seconds is None or 0 <= seconds <= 120


def test_loop_reports_each_retry_and_returns_the_body() -> None:
    outcomes: list[bytes | AttemptFailure] = [
        AttemptFailure(LIMITED, {"retry-after": "4"}),
        AttemptFailure(ConnectionFailed(), {}),
        b"yes",
    ]
    retries: list[Retry] = []
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    answer = with_retries(lambda: outcomes.pop(0), POLICY, wait, retries.append, lambda: NOW, lambda: 0.5)
    assert answer == b"yes"
    assert waited == [4.0, 0.5]
    assert [(retry.attempt, retry.attempts, retry.seconds) for retry in retries] == [(1, 6, 4.0), (2, 6, 0.5)]
    assert retries[0].text == "Rate limited; retrying in 4 s"
    assert retries[1].text == "Connection failed; retrying in 1 s"


def test_loop_raises_the_last_error() -> None:
    attempts: list[int] = []

    def attempt() -> bytes | AttemptFailure:
        attempts.append(1)
        return AttemptFailure(ServerFailed(str(len(attempts)), status=503), {})

    with pytest.raises(ServerFailed, match="6"):
        with_retries(attempt, POLICY, lambda seconds: False, None, lambda: NOW)
    assert len(attempts) == 6


def test_cancelled_wait_ends_the_loop() -> None:
    with pytest.raises(Cancelled):
        with_retries(lambda: AttemptFailure(LIMITED, {}), POLICY, lambda seconds: True, None, lambda: NOW)


@pytest.mark.parametrize(
    ("headers", "waits", "duration"),
    [
        ({"retry-after": "7200"}, [], "2 hours"),
        ({"retry-after": "1e9"}, [], "32 years"),
        ({"retry-after": "100"}, [100.0, 100.0, 100.0], "100 seconds"),
        ({"retry-after": "7"}, [7.0] * 5, "7 seconds"),
    ],
)
def test_final_error_states_the_requested_wait(headers: dict[str, str], waits: list[float], duration: str) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    with pytest.raises(RateLimited) as caught:
        with_retries(lambda: AttemptFailure(RateLimited(status=429), headers), POLICY, wait, None, lambda: NOW)
    assert waited == waits
    assert caught.value.hint == f"The server asks you to wait {duration}. Then retry; data already loaded is kept."


def test_permanent_error_keeps_its_hint() -> None:
    with pytest.raises(RequestRefused) as caught:
        with_retries(
            lambda: AttemptFailure(RequestRefused(status=400), {"retry-after": "9"}),
            POLICY,
            lambda seconds: False,
            None,
            lambda: NOW,
        )
    assert caught.value.hint == RequestRefused.default_hint
