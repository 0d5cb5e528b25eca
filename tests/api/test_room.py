import threading

import pytest

from usage_viewer.api.room import SMALL, Room
from usage_viewer.domain.errors import Cancelled


def nothing() -> None:
    return None


def stop() -> None:
    raise Cancelled


def test_small_answers_don_t_wait() -> None:
    room = Room()
    stays = [room.stay() for _ in range(9)]
    for stay in stays:
        stay.grown(SMALL, nothing)
        assert stay.waited == 0
    with pytest.raises(Cancelled):
        stays[0].grown(1, stop)


def test_large_ones_come_one_at_a_time() -> None:
    room = Room()
    first, second = room.stay(), room.stay()
    first.grown(SMALL + 1, nothing)
    first.grown(2 * SMALL, nothing)
    entered = threading.Event()

    def enter() -> None:
        second.grown(SMALL + 1, nothing)
        entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.25)
    first.leave()
    assert entered.wait(5)
    thread.join(5)
    assert second.waited > 0.2
    first.leave()
    with pytest.raises(Cancelled):
        first.grown(SMALL + 1, stop)
    second.leave()
    first.grown(SMALL + 1, nothing)
    first.leave()


def test_who_is_stopped_while_inside_leaves_room() -> None:
    room = Room()
    stay = room.stay()
    stay.grown(SMALL + 1, nothing)
    with pytest.raises(Cancelled):
        stay.grown(SMALL + 2, stop)
    stay.leave()
    other = room.stay()
    other.grown(SMALL + 1, nothing)
    assert other.waited < 0.1
