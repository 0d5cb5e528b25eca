"""What was compared, as long as it isn't fetched again."""

from datetime import UTC

import numpy as np
import pytest

from usage_viewer.app.verification.verification_log import Marks, VerificationLog
from usage_viewer.domain.coverage import Coverage, HeldBuckets, cover
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict

DAY = 86400
NOW = 100 * DAY
DAYS = np.arange(10, dtype=np.int64) * DAY


def held(fetched: int = 50 * DAY, days: int = 10) -> dict[BucketWidth, HeldBuckets]:
    return {BucketWidth.DAY: HeldBuckets(DAYS[:days], np.full(days, fetched))}


def needed(first: int = 0, end: int = 10, of: dict[BucketWidth, HeldBuckets] | None = None) -> Coverage:
    span = Span(first * DAY, end * DAY)
    whole = periods(span, Granularity.TOTAL, UTC)
    return cover(whole, [BucketRun(BucketWidth.DAY, span.start, span.end)], held() if of is None else of, NOW)


def note(
    ledger: VerificationLog, first: int = 0, end: int = 10, fetched: int = 50 * DAY, at: int = NOW, **marks: Marks
) -> None:
    starts = DAYS[first:end]
    ledger.note("completions", BucketWidth.DAY, starts, np.full(len(starts), fetched), at, marks.get("marks", {}))


@pytest.fixture
def ledger() -> VerificationLog:
    return VerificationLog()


def test_nothing_is_known_before_it_was_compared(ledger: VerificationLog) -> None:
    assert ledger.completeness("completions", needed(), held()) == Completeness()


def test_what_was_compared_is_proven_whole_and_in_parts(ledger: VerificationLog) -> None:
    note(ledger, 0, 5, at=NOW - 60)
    note(ledger, 5, 10)
    assert ledger.completeness("completions", needed(), held()) == Completeness(Verdict.VERIFIED, NOW - 60, 10)
    assert ledger.completeness("completions", needed(6, 8), held()) == Completeness(Verdict.VERIFIED, NOW, 2)
    assert ledger.completeness("images", needed(), held()) == Completeness()


def test_one_bucket_that_was_not_compared_leaves_it_open(ledger: VerificationLog) -> None:
    note(ledger, 0, 9)
    assert ledger.completeness("completions", needed(), held()) == Completeness()
    assert ledger.completeness("completions", needed(0, 9), held()).verdict is Verdict.VERIFIED


def test_what_was_fetched_again_is_to_be_compared_again(ledger: VerificationLog) -> None:
    note(ledger)
    again = held(51 * DAY)
    assert ledger.completeness("completions", needed(of=again), again) == Completeness()
    note(ledger, fetched=51 * DAY)
    assert ledger.completeness("completions", needed(of=again), again).verdict is Verdict.VERIFIED


def test_what_is_not_whole_can_not_be_proven(ledger: VerificationLog) -> None:
    note(ledger)
    fewer = held(days=9)
    assert ledger.completeness("completions", needed(of=fewer), fewer) == Completeness()


def test_differences_are_those_of_the_view(ledger: VerificationLog) -> None:
    third, fourth = Bucket(3 * DAY, BucketWidth.DAY), Bucket(4 * DAY, BucketWidth.DAY)
    difference = Difference(third, "input_tokens", 1, 2)
    note(ledger, marks={fourth: (), third: (difference,)})
    whole = ledger.completeness("completions", needed(), held())
    assert whole == Completeness(Verdict.DIFFERS, NOW, 10, (difference,), (fourth,))
    assert ledger.completeness("completions", needed(4, 10), held()) == Completeness(
        Verdict.VERIFIED, NOW, 6, (), (fourth,)
    )


def test_a_bucket_that_agrees_now_is_no_longer_marked(ledger: VerificationLog) -> None:
    third = Bucket(3 * DAY, BucketWidth.DAY)
    note(ledger, marks={third: (Difference(third, "input_tokens", 1, 2),)})
    note(ledger, 3, 4)
    assert ledger.completeness("completions", needed(), held()) == Completeness(Verdict.VERIFIED, NOW, 10)


def test_forgets(ledger: VerificationLog) -> None:
    note(ledger)
    ledger.forget()
    assert ledger.completeness("completions", needed(), held()) == Completeness()
