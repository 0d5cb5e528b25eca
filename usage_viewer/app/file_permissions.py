"""What is kept is for its owner alone: permissions are set right at every start, and a crash writes nothing."""

import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from usage_viewer.app.profile.paths import ProfilePaths

DIRECTORY, FILE = 0o700, 0o600
log = logging.getLogger(__name__)


def restrict_permissions(data_dir: Path) -> None:
    """Directories get 0700 and files 0600, also those that were copied here or changed since. Never raises.

    A directory that also holds what isn't the program's (one chosen with --data-dir) is itself left as it is; what
    the program keeps in it is not. Links are not followed. Where there are no such permissions nothing happens.
    """
    if os.name != "posix" or not data_dir.is_dir():
        return
    try:
        names = {path.name for path in data_dir.iterdir()}
        if all(map(_is_ours, names)):
            _restrict(data_dir)
        for path in _kept(data_dir):
            _restrict(path)
    except OSError as error:
        log.warning("permissions can't be checked: %s", error)


def disable_core_dumps() -> None:
    """A crash writes no picture of the memory, in which the key is."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    # One byte is what Linux takes for "none" also where a program of the system's collects the crashes.
    least = 1 if hard == resource.RLIM_INFINITY else min(1, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (least, hard))


def stored_files(data_dir: Path) -> list[Path]:
    """Everything in `data_dir` that the program keeps: the organizations' directory and the settings."""
    if not data_dir.is_dir():
        return []
    return sorted(path for path in data_dir.iterdir() if _is_ours(path.name))


def _is_ours(name: str) -> bool:
    settings = ProfilePaths(Path()).settings
    temporary = name.startswith(f".{settings.name}.") and name.endswith(".part")
    return name in ("profiles", settings.name, f"{settings.stem}.damaged{settings.suffix}") or temporary


def _kept(data_dir: Path) -> Iterator[Path]:
    for path in stored_files(data_dir):
        yield path
        if not path.is_symlink():
            yield from path.rglob("*")


def _restrict(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            return
        wanted = DIRECTORY if stat.S_ISDIR(mode) else FILE
        if stat.S_IMODE(mode) != wanted:
            path.chmod(wanted)
    except FileNotFoundError:
        return  # a log that another process has just finished with
    except OSError as error:
        log.warning("%s can't be made private: %s", path, error.strerror)
