"""Tests that a second start raises the first window, whatever killed processes and other users left behind."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalServer
from pytestqt.qtbot import QtBot

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.gui.startup.single_instance import (
    OpenWindow,
    SingleInstance,
    private_directory,
    raise_running,
)

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.gui.startup.single_instance import SingleInstance, raise_running
application = QCoreApplication([])
paths = ProfilePaths(Path(sys.argv[1]))
if len(sys.argv) > 2:
    instance = SingleInstance(paths)
    print("listening", flush=True)
    application.exec()
print(raise_running(paths).name)
"""


def test_no_window_is_open(tmp_path: Path, qtbot: QtBot) -> None:
    assert raise_running(ProfilePaths(tmp_path)) is OpenWindow.NONE


@pytest.mark.parametrize("time", range(3))
def test_second_process_raises_the_first_window(tmp_path: Path, qtbot: QtBot, time: int) -> None:
    instance = SingleInstance(ProfilePaths(tmp_path))
    try:
        with subprocess.Popen(
            [sys.executable, "-c", SECOND, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as second:
            with qtbot.waitSignal(instance.raise_requested, timeout=10_000):
                pass
            qtbot.waitUntil(lambda: second.poll() is not None, timeout=5000)
            assert second.stdout is not None
            assert second.stdout.read() == "RAISED\n"
    finally:
        instance.close()


def test_other_profile_has_its_own_window(tmp_path: Path, qtbot: QtBot) -> None:
    instance = SingleInstance(ProfilePaths(tmp_path))
    try:
        assert raise_running(ProfilePaths(tmp_path, "other")) is OpenWindow.NONE
    finally:
        instance.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe ends with its process there")
def test_socket_of_a_killed_process_is_replaced(tmp_path: Path, qtbot: QtBot) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SECOND, str(tmp_path), "stay"], stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "listening\n"
        first.kill()
    paths = ProfilePaths(tmp_path)
    assert raise_running(paths) is OpenWindow.NONE
    instance = SingleInstance(paths)
    try:
        assert instance.findChildren(QLocalServer)[0].isListening()
    finally:
        instance.close()


unix_only = pytest.mark.skipif(sys.platform == "win32", reason="named pipes have no directory")


@unix_only
def test_stopped_window_keeps_its_socket(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage_viewer.gui.startup.single_instance.ANSWER_TIMEOUT_MS", 300)
    paths = ProfilePaths(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", SECOND, str(tmp_path), "stay"], stdout=subprocess.PIPE, text=True
    ) as first:
        try:
            assert first.stdout is not None
            assert first.stdout.readline() == "listening\n"
            first.send_signal(signal.SIGSTOP)
            assert raise_running(paths) is OpenWindow.SILENT
            second = SingleInstance(paths)
            assert not second.findChildren(QLocalServer)[0].isListening()
            first.send_signal(signal.SIGCONT)
            assert raise_running(paths) is OpenWindow.RAISED
        finally:
            first.kill()


@unix_only
class TestDirectory:
    def test_runtime_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tmp_path.chmod(0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        assert private_directory() == tmp_path
        instance = SingleInstance(ProfilePaths(tmp_path / "data"))
        (socket,) = (path for path in tmp_path.iterdir() if stat.S_ISSOCK(path.stat().st_mode))
        assert socket.stat().st_mode & 0o077 == 0
        instance.close()

    @pytest.mark.parametrize("unsafe", ["open to others", "a link", "relative", "missing", "a file", "unset"])
    def test_unsafe_runtime_directory_is_not_used(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unsafe: str
    ) -> None:
        own, temporary = tmp_path / "run", tmp_path / "tmp"
        own.mkdir(mode=0o700)
        temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))
        if unsafe == "open to others":
            own.chmod(0o770)
        elif unsafe == "a link":
            (tmp_path / "link").symlink_to(own)
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "link"))
        elif unsafe == "relative":
            monkeypatch.setenv("XDG_RUNTIME_DIR", "run")
        elif unsafe == "missing":
            own.rmdir()
        elif unsafe == "a file":
            own.rmdir()
            own.touch(mode=0o600)
        else:
            monkeypatch.delenv("XDG_RUNTIME_DIR")
        directory = private_directory()
        assert directory == temporary / f"usage-viewer-{os.geteuid()}"
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can act as another user")
    def test_directory_of_another_user_does_not_stop_a_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        planted = tmp_path / f"usage-viewer-{os.geteuid()}"
        planted.mkdir(mode=0o700)
        os.chown(planted, 65534, 65534)
        paths = ProfilePaths(tmp_path / "data")
        assert private_directory() is None
        assert raise_running(paths) is OpenWindow.NONE
        instance = SingleInstance(paths)
        assert not instance.findChildren(QLocalServer)[0].isListening()
        assert list(planted.iterdir()) == []
        instance.close()

    def test_socket_with_the_old_guessable_name_is_ignored(self, tmp_path: Path, qtbot: QtBot) -> None:
        paths = ProfilePaths(tmp_path)
        hostile = QLocalServer()
        name = Path(_path_of(paths)).name
        assert hostile.listen(name)  # Qt puts it into the directory for temporary files
        try:
            assert Path(hostile.fullServerName()).parent == Path(tempfile.gettempdir())
            assert raise_running(paths) is OpenWindow.NONE
        finally:
            hostile.close()


def _path_of(paths: ProfilePaths) -> str:
    instance = SingleInstance(paths)
    name = instance.findChildren(QLocalServer)[0].fullServerName()
    instance.close()
    return name
