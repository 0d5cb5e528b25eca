import random
import threading
import time

import pytest

from usage_viewer.api.http.memory_budget import STEP, TOTAL, MemoryBudget
from usage_viewer.domain.errors import Cancelled


def no_check() -> None:
    return None


def cancel() -> None:
    raise Cancelled


class CancelAtSecondCheck:
    """A check that passes once and then cancels."""

    def __init__(self) -> None:
        self.left = 1

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


def test_small_responses_do_not_wait() -> None:
    budget = MemoryBudget(total=STEP)
    reservations = [budget.reserve() for _ in range(9)]
    for reservation in reservations:
        reservation.grow(STEP, no_check)
        assert (reservation.waited, reservation.size) == (0, 0)
    with pytest.raises(Cancelled):
        reservations[0].grow(1, cancel)


def test_large_response_waits_until_memory_is_free() -> None:
    budget = MemoryBudget(total=4 * STEP)
    first, second, third = budget.reserve(), budget.reserve(), budget.reserve()
    first.grow(STEP + 1, no_check)
    second.grow(2 * STEP, no_check)
    assert first.waited == second.waited == 0
    granted = threading.Event()

    def grow_third() -> None:
        third.grow(STEP + 1, no_check)
        granted.set()

    thread = threading.Thread(target=grow_third)
    thread.start()
    assert not granted.wait(0.25)
    second.release()
    assert granted.wait(5)
    thread.join(5)
    assert third.waited > 0.2


def test_oldest_reservation_never_waits() -> None:
    budget = MemoryBudget(total=4 * STEP)
    first, second = budget.reserve(), budget.reserve()
    first.grow(2 * STEP, no_check)
    second.grow(2 * STEP, no_check)
    first.grow(9 * STEP, no_check)
    assert first.waited == 0
    with pytest.raises(Cancelled):
        second.grow(2 * STEP + 1, CancelAtSecondCheck())
    first.release()
    second.grow(9 * STEP, no_check)
    second.release()


def test_cancelled_reservation_can_be_released() -> None:
    budget = MemoryBudget(total=STEP)
    reservation = budget.reserve()
    reservation.grow(STEP + 1, no_check)
    with pytest.raises(Cancelled):
        reservation.grow(STEP + 2, cancel)
    reservation.release()
    reservation.release()
    other = budget.reserve()
    other.grow(STEP + 1, no_check)
    assert other.waited < 0.1


def test_many_responses_finish_within_the_limit() -> None:
    most, largest = 0, 16 * STEP
    budget, chance = MemoryBudget(), random.Random(1)
    reservations = [budget.reserve() for _ in range(12)]
    sizes = [chance.randrange(largest) for _ in reservations]

    def grow(number: int) -> None:
        nonlocal most
        for size in range(0, sizes[number], STEP // 2):
            reservations[number].grow(size, no_check)
            most = max(most, sum(reservation.size for reservation in reservations))
            time.sleep(0.001)
        reservations[number].release()

    threads = [threading.Thread(target=grow, args=(number,)) for number in range(len(reservations))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert TOTAL < most <= TOTAL + largest
