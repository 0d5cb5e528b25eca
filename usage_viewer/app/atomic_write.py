"""Files written whole or not at all."""

import errno
import os
import secrets
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

Opener = Callable[[str, int], int]
"""Opens a path with flags and gives its descriptor, as the builtin `open` takes it."""


def make_private_directory(path: Path) -> None:
    """Makes `path` and what is missing above it, for the user alone. Raises OSError."""
    for directory in (*reversed(path.parents), path):
        directory.mkdir(mode=0o700, exist_ok=True)  # with `parents` the mode is for the last one alone


def write_atomically(
    path: Path, pieces: Iterable[bytes], *, mode: int | None = None, opener: Opener | None = None
) -> None:
    """Replaces `path` by the joined `pieces`, at once, when all of them are safe on the disk.

    A new file gets `mode`, or what the user's umask leaves; without `mode`, the file that is replaced hands its own
    on. A symbolic link stays one, and what it points to is replaced. Whatever goes wrong, also in `pieces`, leaves
    nothing behind. Raises OSError.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():  # a device, say: never to be replaced by a file
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    # The name is cut, so that it fits where the whole one does.
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
        os.replace(temporary, path)  # noqa: PTH105 - the name says what it does, on every system
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
