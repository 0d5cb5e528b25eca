"""One holder at a time has the lock of a file; another one waits for a bounded time."""

import errno
from pathlib import Path

import pytest

from usage_viewer.app.file_lock import lock_path, locked


def test_second_holder_waits_for_a_bounded_time(tmp_path: Path) -> None:
    path, now = tmp_path / "views.json", iter(range(1000))
    naps: list[float] = []
    second = locked(path, longest_wait=5, seconds=lambda: next(now), sleep=naps.append)
    with locked(path), pytest.raises(OSError, match="another process") as caught, second:
        pass
    assert caught.value.errno == errno.ETIMEDOUT
    assert 0 < len(naps) <= 5


def test_lock_is_released_after_use_and_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "views.json"
    with pytest.raises(ValueError, match="mine"), locked(path):
        raise ValueError("mine")
    with locked(path, longest_wait=0):
        assert not path.exists()
        assert lock_path(path).exists()


def test_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    path, other = tmp_path / "views.json", tmp_path / "other"
    lock_path(path).symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"), locked(path):
        pass
    assert not other.exists()
