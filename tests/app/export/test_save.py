"""Tests that files are written whole or not at all, with an error that explains the failure."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from usage_viewer.app.export import TEXT_FORMATS, Export, Format, render, save
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled, ExportError
from usage_viewer.domain.table import Table

MakeTable = Callable[..., Table]


@pytest.fixture
def export(make_table: MakeTable) -> Export:
    """Return two rows."""
    table = make_table({"model": ["größe", "two"]}, {"count": [1, 2]})
    return Export(table, np.arange(2, dtype=np.int64))


@pytest.mark.parametrize("form", TEXT_FORMATS)
def test_file_has_the_rendered_text(form: Format, export: Export, tmp_path: Path) -> None:
    path = tmp_path / f"usage{form.suffix}"
    save(export, form, path)
    mark = b"\xef\xbb\xbf" if form in (Format.CSV, Format.SEMICOLON_CSV) else b""
    assert path.read_bytes() == mark + render(export, form).encode()
    assert list(tmp_path.iterdir()) == [path]


def test_existing_file_is_replaced_only_by_a_complete_one(export: Export, tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text("old")
    path.chmod(0o640)
    stop = Cancellation()
    stop.cancel()
    with pytest.raises(Cancelled):
        save(export, Format.CSV, path, stop)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    save(export, Format.CSV, path)
    assert path.read_text() != "old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def full_disk(_path: str, flags: int) -> int:
    """Open a device that reports a full disk."""
    return os.open("/dev/full", flags & ~(os.O_EXCL | os.O_CREAT))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_disk(export: Export, tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text("old")
    with pytest.raises(ExportError) as caught:
        save(export, Format.CSV, path, opener=full_disk)
    assert caught.value.title == "The disk is full"
    assert "space" in caught.value.hint
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_does_not_exist(export: Export, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="The folder is gone"):
        save(export, Format.TSV, tmp_path / "gone" / "usage.tsv")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="This is not a folder"):
        save(export, Format.TSV, tmp_path / "file" / "usage.tsv")


def test_name_of_a_folder(export: Export, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="A folder has this name"):
        save(export, Format.TSV, tmp_path)


def test_file_name_too_long(export: Export, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="too long"):
        save(export, Format.TSV, tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []
    save(export, Format.TSV, tmp_path / ("x" * 255))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_is_never_replaced(export: Export, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ExportError, match="not a file"):
        save(export, Format.TSV, pipe)
    assert pipe.is_fifo()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_write_permission(export: Export, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="can't be written"):
        save(export, Format.TSV, tmp_path / "usage.tsv")
    tmp_path.chmod(0o700)


def test_file_without_write_permission(export: Export, tmp_path: Path) -> None:
    def refuse(path: str, _flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    with pytest.raises(ExportError) as caught:
        save(export, Format.TSV, tmp_path / "usage.tsv", opener=refuse)
    assert "may write" in caught.value.hint
