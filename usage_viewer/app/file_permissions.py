"""Restricts stored files to their owner at each start, and keeps other processes from the memory of this one."""

import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from usage_viewer.app.file_lock import lock_path
from usage_viewer.app.profile.data_directory import MARKER, is_own
from usage_viewer.app.profile.paths import ProfilePaths

DIRECTORY, FILE = 0o700, 0o600
_PR_SET_DUMPABLE = 4
log = logging.getLogger(__name__)


def restrict_permissions(data_dir: Path) -> None:
    """Set the permissions of all stored directories to 0700 and of all stored files to 0600. Never raises.

    This corrects files that were copied into the directory or changed since the last start. Nothing happens in a
    directory that is not the program's (see `profile.data_directory`). If `data_dir` also has files of other
    programs (it may be chosen with --data-dir), the directory itself is not changed. Links are not followed. On
    systems without POSIX permissions nothing happens.
    """
    if os.name != "posix" or not data_dir.is_dir() or not is_own(data_dir):
        return
    try:
        names = {path.name for path in data_dir.iterdir()}
        if all(map(_is_ours, names)):
            _restrict(data_dir)
        for path in _all_stored_paths(data_dir):
            _restrict(path)
    except OSError as error:
        log.warning("permissions can't be checked: %s", error)


def disable_core_dumps() -> None:
    """Keep the process's memory, which includes the key, from the disk: no core dump is written after a crash."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    # 1 byte, because Linux takes 1 as "no core dump" even if a program collects crashes; 0 would not stop that.
    least = 1 if hard == resource.RLIM_INFINITY else min(1, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (least, hard))


def protect_memory() -> None:
    """Keep other processes of the user from the process's memory, which includes the key.

    On Linux, neither a debugger nor a reader of `/proc/PID/environ` gets in, unless it is root.
    """
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def stored_files(data_dir: Path) -> list[Path]:
    """Return the program's entries in `data_dir`: the organizations' directory, the other files and the marker."""
    if not data_dir.is_dir():
        return []
    return sorted(path for path in data_dir.iterdir() if _is_ours(path.name))


def _is_ours(name: str) -> bool:
    paths = ProfilePaths(Path())
    files = (paths.settings, paths.saved_views)
    if name.endswith(".part") and name.startswith(tuple(f".{file.name}." for file in files)):
        return True  # written in part
    kept = [f"{file.stem}.damaged{file.suffix}" for file in files]
    return name in (MARKER, "profiles", lock_path(paths.saved_views).name, *kept, *(file.name for file in files))


def _all_stored_paths(data_dir: Path) -> Iterator[Path]:
    for path in stored_files(data_dir):
        yield path
        if not path.is_symlink():
            yield from path.rglob("*")


def _restrict(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            return
        target = DIRECTORY if stat.S_ISDIR(mode) else FILE
        if stat.S_IMODE(mode) != target:
            path.chmod(target)
    except FileNotFoundError:
        return  # for example the database's log, which another process has just removed
    except OSError as error:
        log.warning("%s can't be made private: %s", path, error.strerror)
