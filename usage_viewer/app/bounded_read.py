"""Reads small files that may have been replaced by something else."""

import errno
import os
from pathlib import Path


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Return the content of a regular file of at most `most_bytes`. Raises OSError, also for any other file.

    Reading a pipe would wait, and reading a device may never end.
    """
    if not path.is_file():
        if path.exists():
            raise OSError(errno.EINVAL, "it is not a file", str(path))
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes // 2**20} MiB", str(path))
    return content
