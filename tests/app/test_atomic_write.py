"""Files are written completely or not at all."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from usage_viewer.app.atomic_write import make_private_directory, write_atomically


def test_new_file_gets_the_permissions_of_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "open", [b"a", b"b"])
        write_atomically(tmp_path / "private", [b"a"], mode=0o600)
    finally:
        os.umask(umask)
    assert (tmp_path / "open").read_bytes() == b"ab"
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


def test_mode_replaces_that_of_the_existing_file(tmp_path: Path) -> None:
    path = tmp_path / "private"
    path.write_bytes(b"")
    path.chmod(0o644)
    write_atomically(path, [b"a"], mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, [b"new"])
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_error_in_the_pieces_leaves_no_file(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a" * 100_000
        raise KeyError("stop")

    with pytest.raises(KeyError):
        write_atomically(tmp_path / "file", pieces())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_missing_directories_are_created_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    umask = os.umask(0)
    try:
        for _ in range(2):
            make_private_directory(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(umask)
    for path in (tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
