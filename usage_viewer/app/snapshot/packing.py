"""A folder of files as one `.zip`, and back, without trust in what a `.zip` says of itself."""

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from usage_viewer.app.snapshot.manifest import FILE, LARGEST, is_part
from usage_viewer.domain.errors import NotASnapshot, SnapshotDamaged, SnapshotTooLarge

MOST_BYTES = 4 * 2**30
"""Of all files together, unpacked: 4 GiB."""

MOST_FILES = 64
PIECE = 2**20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def pack(folder: Path, target: Path) -> None:
    """The folder's files in a new `.zip`; Parquet is compressed already. Raises OSError."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name)


def packed_manifest(path: Path) -> bytes:
    """The manifest alone. Raises SnapshotError, OSError."""
    try:
        with zipfile.ZipFile(path) as packed:
            return _content(packed, _parts(packed)[FILE])
    except _BROKEN as error:
        raise SnapshotDamaged(str(error)) from error


def unpack(path: Path, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Into the empty `folder`, only files that can be a snapshot's. Raises SnapshotError, OSError."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = _parts(packed)
            if sum(part.file_size for part in parts.values()) > most_bytes:
                raise SnapshotTooLarge(_limit(most_bytes))
            left = most_bytes
            for name, part in parts.items():
                left = _unpack_one(packed, part, folder / name, left)
    except _BROKEN as error:
        raise SnapshotDamaged(str(error)) from error


def _parts(packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """By plain file name. One folder around all of them is taken off: it is what zipping a folder gives."""
    entries = [entry for entry in packed.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES:
        raise NotASnapshot(f"There are {len(entries)} files in it.")
    paths = [PurePosixPath(entry.filename) for entry in entries]
    around = {path.parts[0] for path in paths if len(path.parts) == 2}
    if len(around) == 1 and all(len(path.parts) == 2 for path in paths) and ".." not in around:
        paths = [PurePosixPath(path.name) for path in paths]
    parts: dict[str, zipfile.ZipInfo] = {}
    for path, entry in zip(paths, entries, strict=True):
        name = str(path)
        if name != FILE and not is_part(name):
            raise NotASnapshot(f"There is a file in it that no snapshot has: {entry.filename[:80]!r}")
        if name in parts:
            raise SnapshotDamaged(f"{name} is there twice.")
        parts[name] = entry
    if FILE not in parts:
        raise NotASnapshot(f"There is no {FILE} in it.")
    return parts


def _content(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    with packed.open(part) as source:
        content = source.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise NotASnapshot(f"{FILE} is too large.")
    return content


def _unpack_one(packed: zipfile.ZipFile, part: zipfile.ZipInfo, target: Path, left: int) -> int:
    """How many bytes may follow. What an entry says of its size is not relied on."""
    with packed.open(part) as source, target.open("xb") as file:
        while piece := source.read(PIECE):
            left -= len(piece)
            if left < 0:
                raise SnapshotTooLarge(_limit(0))
            file.write(piece)
    return left


def _limit(most_bytes: int) -> str:
    size = f" ({most_bytes / 2**30:g} GiB)" if most_bytes >= 2**30 else ""
    return f"Unpacked, it is larger than what is taken{size}."
