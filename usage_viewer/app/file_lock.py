"""Lets one process at a time change a file, so that no change of another process is lost."""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LONGEST_WAIT: Final = 3.0
"""Seconds to wait for another process, which needs milliseconds."""

_STEP: Final = 0.01

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_path(path: Path) -> Path:
    """Return the path of the empty file whose lock stands for `path`, which is itself replaced by each change."""
    return path.with_name(f"{path.stem}.lock")


@contextmanager
def locked(
    path: Path,
    *,
    longest_wait: float = LONGEST_WAIT,
    seconds: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock of `path` while the context lasts; the system releases it if the process ends.

    Waits at most `longest_wait` seconds. Raises OSError (ETIMEDOUT if another process holds the lock for longer).
    """
    descriptor = os.open(lock_path(path), os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        end = seconds() + longest_wait
        while not _try_lock(descriptor):
            if seconds() >= end:
                raise OSError(errno.ETIMEDOUT, "another process is changing it", str(path))
            sleep(_STEP)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        raise
    return True
