"""The collection of reference cycles pauses during a start and goes on after it."""

import gc
from collections.abc import Iterator

import pytest

from usage_viewer.gui.startup.collection_pause import end_pause, pause_collection, resume_collection


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    yield
    end_pause()


def test_pause_stops_the_collection() -> None:
    pause_collection()
    assert not gc.isenabled()


def test_objects_of_the_start_are_not_searched_again() -> None:
    pause_collection()
    resume_collection()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000


def test_resuming_twice_keeps_later_objects_searchable() -> None:
    pause_collection()
    resume_collection()
    frozen = gc.get_freeze_count()
    later = [[] for _ in range(1000)]  # type: list[list[object]]
    resume_collection()
    assert gc.get_freeze_count() <= frozen
    assert len(later) == 1000


def test_at_the_end_nothing_is_frozen() -> None:
    pause_collection()
    resume_collection()
    end_pause()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
