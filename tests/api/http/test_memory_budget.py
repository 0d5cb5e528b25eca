import random
import threading
import time

import pytest

from usage_viewer.api.http.memory_budget import SMALL, TOGETHER, MemoryBudget
from usage_viewer.domain.errors import Cancelled


def nothing() -> None:
    return None


def stop() -> None:
    raise Cancelled


class Impatient:
    """A check that passes once."""

    def __init__(self) -> None:
        self.left = 1

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


def test_small_answers_don_t_wait() -> None:
    room = MemoryBudget(together=SMALL)
    stays = [room.stay() for _ in range(9)]
    for stay in stays:
        stay.grown(SMALL, nothing)
        assert (stay.waited, stay.size) == (0, 0)
    with pytest.raises(Cancelled):
        stays[0].grown(1, stop)


def test_larger_ones_wait_until_there_is_room() -> None:
    room = MemoryBudget(together=4 * SMALL)
    first, second, third = room.stay(), room.stay(), room.stay()
    first.grown(SMALL + 1, nothing)
    second.grown(2 * SMALL, nothing)
    assert first.waited == second.waited == 0
    entered = threading.Event()

    def enter() -> None:
        third.grown(SMALL + 1, nothing)
        entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.25)
    second.leave()
    assert entered.wait(5)
    thread.join(5)
    assert third.waited > 0.2


def test_the_first_one_goes_on_so_that_not_all_wait_for_each_other() -> None:
    room = MemoryBudget(together=4 * SMALL)
    first, second = room.stay(), room.stay()
    first.grown(2 * SMALL, nothing)
    second.grown(2 * SMALL, nothing)
    first.grown(9 * SMALL, nothing)
    assert first.waited == 0
    with pytest.raises(Cancelled):
        second.grown(2 * SMALL + 1, Impatient())
    first.leave()
    second.grown(9 * SMALL, nothing)
    second.leave()


def test_who_is_stopped_while_inside_leaves_room() -> None:
    room = MemoryBudget(together=SMALL)
    stay = room.stay()
    stay.grown(SMALL + 1, nothing)
    with pytest.raises(Cancelled):
        stay.grown(SMALL + 2, stop)
    stay.leave()
    stay.leave()
    other = room.stay()
    other.grown(SMALL + 1, nothing)
    assert other.waited < 0.1


def test_many_at_once_stay_within_the_bound_and_all_come_through() -> None:
    most, largest = 0, 16 * SMALL
    room, chance = MemoryBudget(), random.Random(1)
    stays = [room.stay() for _ in range(12)]
    sizes = [chance.randrange(largest) for _ in stays]

    def grow(number: int) -> None:
        nonlocal most
        for size in range(0, sizes[number], SMALL // 2):
            stays[number].grown(size, nothing)
            most = max(most, sum(stay.size for stay in stays))
            time.sleep(0.001)
        stays[number].leave()

    threads = [threading.Thread(target=grow, args=(number,)) for number in range(len(stays))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert TOGETHER < most <= TOGETHER + largest
