"""The file of saved views survives other processes, damage and newer versions; shared files are checked."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.app.settings.test_settings import ANYTHING
from tests.rigs.command_line import ROOT
from usage_viewer.app.file_lock import lock_path
from usage_viewer.app.file_permissions import stored_files
from usage_viewer.app.settings.saved_views import READY_MADE, SavedView, SavedViews, add, new_view, remove
from usage_viewer.app.settings.view_file import (
    KIND,
    LARGEST_FILE,
    ViewList,
    change_views,
    export_views,
    load_views,
    read_view_file,
)
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import (
    InputError,
    NotAViewFile,
    StoreNotWritable,
    ViewFileDamaged,
    ViewFileError,
    ViewFileNewer,
    ViewFileTooLarge,
)
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter

KEY = "sk-admin-" + "a1B2c3D4" * 6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "views.json"


def adding(name: str) -> Callable[[SavedViews], SavedViews]:
    return lambda views: add(views, new_view(name, ViewState()))


def test_missing_file_has_the_ready_made_views(path: Path) -> None:
    assert load_views(path) == load_views(None) == ViewList(READY_MADE)
    assert not path.parent.exists()


def test_changed_views_are_loaded(path: Path) -> None:
    views = change_views(path, adding("Mine"), week_start=6)
    assert load_views(path) == ViewList(views, week_start=6)
    assert change_views(path, lambda views: ()) == ()
    assert load_views(path).views == ()


def test_only_the_user_may_read_the_files(path: Path) -> None:
    change_views(path, adding("Mine"))
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, lock_path(path))] == [0o600, 0o600]
    assert set(stored_files(path.parent)) >= {path, lock_path(path)}


def test_failed_edit_changes_nothing(path: Path) -> None:
    change_views(path, adding("Mine"))
    before = path.read_bytes()
    with pytest.raises(InputError):
        change_views(path, adding("mine"))
    assert path.read_bytes() == before


WRITER = """
import sys
from pathlib import Path
from usage_viewer.app.settings.saved_views import add, new_view
from usage_viewer.app.settings.view_file import change_views
from usage_viewer.domain.view import ViewState

print("ready", flush=True)
sys.stdin.read(1)
for number in range(20):
    change_views(Path(sys.argv[1]), lambda views: add(views, new_view(f"{sys.argv[2]} {number}", ViewState())))
"""


def test_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        for name in ("a", "b", "c")
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write(b"g")
            writer.stdin.close()
        assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    finally:
        for writer in writers:
            writer.kill()
            assert writer.stdout is not None
            writer.stdout.close()
            writer.wait()
    saved = {one.name for one in load_views(path).views}
    assert saved >= {f"{name} {number}" for name in "abc" for number in range(20)}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b'{"views": 3}', b"[" * 100_000, b"\xff\xfe"])
def test_damaged_file_is_kept_as_a_copy(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    loaded = load_views(path)
    assert loaded.views == READY_MADE
    assert "damaged" in loaded.note
    assert path.read_bytes() == content
    change_views(path, adding("Mine"))
    copy = path.with_name("views.damaged.json")
    assert copy.read_bytes() == content
    assert copy in stored_files(path.parent)
    assert load_views(path).note == ""


def test_file_of_a_newer_version_is_not_overwritten(path: Path) -> None:
    path.parent.mkdir()
    content = json.dumps({"version": 2, "views": []})
    path.write_text(content)
    assert "newer version" in load_views(path).note
    with pytest.raises(ViewFileNewer):
        change_views(path, adding("Mine"))
    assert path.read_text() == content


def test_folder_pipe_and_large_file_are_named(path: Path) -> None:
    path.mkdir(parents=True)
    assert "can't be read" in load_views(path).note
    with pytest.raises(StoreNotWritable):
        change_views(path, adding("Mine"))
    path.rmdir()
    os.mkfifo(path)
    assert "can't be read" in load_views(path).note
    path.unlink()
    path.write_bytes(b" " * (LARGEST_FILE + 1))
    assert "can't be read" in load_views(path).note
    change_views(path, adding("Mine"))
    assert load_views(path).views[-1].name == "Mine"


@given(ANYTHING, ANYTHING, ANYTHING)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_anywhere_costs_at_most_that_view(tmp_path: Path, name: Any, id: Any, view: Any) -> None:
    path = tmp_path / "views.json"
    entries = [{"id": "good", "name": "Good", "view": {}}, {"id": id, "name": name, "view": view}, name]
    path.write_text(json.dumps({"version": id, "week_start": view, "views": entries}))
    loaded = load_views(path)
    if not isinstance(id, int) or id <= 1:
        assert loaded.views[0] == SavedView("good", "Good", {})
    assert len({one.id for one in loaded.views}) == len(loaded.views)
    assert loaded.week_start in range(7)


class TestSharedFiles:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "shared.json"

    def test_exported_views_are_read_equal(self, file: Path) -> None:
        export_views(file, READY_MADE)
        read = read_view_file(file)
        assert [(one.name, one.stored) for one in read] == [(one.name, one.stored) for one in READY_MADE]

    def test_export_has_no_key_and_no_organization(self, file: Path) -> None:
        view = ViewState(
            search=KEY, profiles=("acme", "umbrella"), filters=(Filter("api_key_id", frozenset([KEY])),)
        )
        edited = SavedView("x", "Edited by hand", {"search": KEY, KEY: [KEY]})
        export_views(file, (new_view("Mine", view), edited))
        text = file.read_text()
        assert KEY not in text
        assert "acme" not in text
        assert "umbrella" not in text

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"", NotAViewFile),
            (b"\x7fELF", NotAViewFile),
            (b"{}", NotAViewFile),
            (b'{"views": []}', NotAViewFile),
            (b'{"kind": "other", "version": 1, "views": []}', NotAViewFile),
            (b'{"kind": "%s", "version": 1, "views": [' % KIND.encode(), ViewFileDamaged),
            (b'{"kind": "%s", "version": 1, "views": [3]}' % KIND.encode(), ViewFileDamaged),
            (b'{"kind": "%s", "version": 1, "views": {}}' % KIND.encode(), ViewFileDamaged),
            (b'{"kind": "%s", "version": 1}' % KIND.encode(), ViewFileDamaged),
            (b'{"kind": "%s", "version": 2, "views": []}' % KIND.encode(), ViewFileNewer),
            (b" " * (LARGEST_FILE + 1), ViewFileTooLarge),
        ],
    )
    def test_unusable_file_is_a_typed_error(self, file: Path, content: bytes, kind: type[ViewFileError]) -> None:
        file.write_bytes(content)
        with pytest.raises(ViewFileError) as caught:
            read_view_file(file)
        assert type(caught.value) is kind

    def test_too_many_views_are_a_typed_error(self, file: Path) -> None:
        views = [{"name": f"{number}", "view": {}} for number in range(201)]
        file.write_text(json.dumps({"kind": KIND, "version": 1, "views": views}))
        with pytest.raises(ViewFileTooLarge):
            read_view_file(file)

    def test_missing_file_folder_and_pipe_are_typed_errors(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for place in (tmp_path / "gone.json", tmp_path, tmp_path / "pipe"):
            with pytest.raises(ViewFileError):
                read_view_file(place)

    def test_names_are_made_safe(self, file: Path) -> None:
        names = ["a\x1b[31mb\n", "<b>x</b>", "y" * 10_000, "\u202eevil", "", "A", "a", KEY, "\ud800"]
        views = [{"name": name, "view": {}} for name in names]
        file.write_text(json.dumps({"kind": KIND, "version": 1, "views": views}))
        read = [one.name for one in read_view_file(file)]
        assert read[:3] == ["a␛[31mb", "<b>x</b>", "y" * 60]
        assert read[4:8] == ["View", "A", "a (2)", "sk-admin-…"]
        assert all(name == visible(name) for name in read)


def test_removed_last_view_stays_removed(path: Path) -> None:
    for one in READY_MADE:
        change_views(path, lambda views, one=one: remove(views, one.id))  # type: ignore[misc]
    assert load_views(path).views == ()
