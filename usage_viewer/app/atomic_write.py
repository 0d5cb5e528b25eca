"""Writes files completely or not at all."""

import errno
import os
import secrets
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

Opener = Callable[[str, int], int]
"""A function that opens a path with flags and returns a file descriptor (the `opener` of the builtin `open`)."""


def make_private_directory(path: Path) -> None:
    """Create `path` and its missing parents, accessible to the user only (0700). Raises OSError."""
    for directory in (*reversed(path.parents), path):
        directory.mkdir(mode=0o700, exist_ok=True)  # mkdir(parents=True) would apply the mode to the last one only


def write_atomically(
    path: Path, pieces: Iterable[bytes], *, mode: int | None = None, opener: Opener | None = None
) -> None:
    """Replace `path` with the joined `pieces` in one step, after all of them are safely on the disk.

    The file gets the permissions `mode`. Without `mode`, it keeps those of the file that it replaces, and a new
    file gets those of the user's umask. A symbolic link stays, and its target is replaced. If anything fails,
    `pieces` included, no partial file is left. Raises OSError.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():  # for example a device, which a file must not replace
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    # The name is shortened, so that the temporary name is not too long for the file system.
    temporary = path.with_name(f".{path.name[:48]}.{secrets.token_hex(6)}.part")
    opener = opener or partial(os.open, mode=0o666 if mode is None else mode)
    try:
        with open(temporary, "xb", opener=opener) as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if mode is None and path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        os.replace(temporary, path)  # noqa: PTH105 - os.replace overwrites on every system
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
