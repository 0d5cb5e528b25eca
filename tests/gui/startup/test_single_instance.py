"""Tests that a second start raises the first window, whatever killed processes and other users left behind."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalServer
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from usage_viewer.app.profile.data_directory import is_own
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.gui.startup.single_instance import (
    OpenWindow,
    SingleInstance,
    raise_running,
)

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from usage_viewer.app.profile.data_directory import is_own
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

LISTENER = """
import socket
import sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
connection, _ = listener.accept()
print("connected", flush=True)
connection.sendall(sys.argv[2].encode() + b"\\n")
connection.recv(1)
"""
"""Listens at a path and answers a word."""
START = """
import socket
import sys
start = socket.socket(socket.AF_UNIX)
start.connect(sys.argv[1])
print("connected, read", start.recv(100))
"""
"""Connects to a window like a second start."""
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="named pipes have no directory")
root_only = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can act as another user"
)


@pytest.fixture(autouse=True)
def short_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory whose path leaves room for a socket's name, unlike `tmp_path`; it has all temporary files."""
    with tempfile.TemporaryDirectory() as directory:
        temporary = Path(directory) / "tmp"
        temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        monkeypatch.setenv("TMPDIR", str(temporary))
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        yield Path(directory)


def start_listening(data_dir: Path, **environment: str) -> "subprocess.Popen[str]":
    """Start another process that listens for later starts; `environment` is added to that of the tests."""
    process = subprocess.Popen(
        [sys.executable, "-c", SECOND, str(data_dir), "stay"],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    with process:
        process.kill()


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
    end(start_listening(tmp_path))
    paths = ProfilePaths(tmp_path)
    assert raise_running(paths) is OpenWindow.NONE
    assert is_listening(SingleInstance(paths))


@unix_only
def test_stopped_window_keeps_its_socket(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage_viewer.gui.startup.single_instance.ANSWER_TIMEOUT_MS", 300)
    paths = ProfilePaths(tmp_path)
    first = start_listening(tmp_path)
    try:
        first.send_signal(signal.SIGSTOP)
        assert raise_running(paths) is OpenWindow.SILENT
        assert not is_listening(SingleInstance(paths))
        first.send_signal(signal.SIGCONT)
        assert raise_running(paths) is OpenWindow.RAISED
    finally:
        end(first)


@unix_only
def test_stopped_window_with_a_full_queue_keeps_its_socket(tmp_path: Path, qtbot: QtBot) -> None:
    paths = ProfilePaths(tmp_path)
    name = listening_at(paths)
    with socket.socket(socket.AF_UNIX) as first, ExitStack() as starts:
        first.bind(name)
        first.listen(1)
        for _ in range(2):
            starts.enter_context(socket.socket(socket.AF_UNIX)).connect(name)
        assert raise_running(paths) is OpenWindow.SILENT
        assert not is_listening(SingleInstance(paths))


@unix_only
def test_start_that_has_given_up_does_not_raise_the_window(tmp_path: Path, qtbot: QtBot) -> None:
    paths = ProfilePaths(tmp_path)
    instance = SingleInstance(paths)
    raised = QSignalSpy(instance.raise_requested)
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as start:
            start.connect(instance.findChildren(QLocalServer)[0].fullServerName())
    with subprocess.Popen([sys.executable, "-c", SECOND, str(tmp_path)], stdout=subprocess.PIPE) as second:
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=10_000)
    assert raised.count() == 1
    instance.close()


@unix_only
def test_other_program_at_the_socket_is_not_taken_for_a_window(tmp_path: Path, qtbot: QtBot) -> None:
    """A program of the same user answers something else."""
    paths = ProfilePaths(tmp_path)
    name = listening_at(paths)
    with subprocess.Popen(
        [sys.executable, "-c", LISTENER, name, "hello"], stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "listening\n"
            assert raise_running(paths) is OpenWindow.SILENT
            assert other.stdout.readline() == "connected\n"
        finally:
            other.kill()


@root_only
def test_process_of_another_user_neither_answers_a_start_nor_is_answered(short_path: Path, qtbot: QtBot) -> None:
    """The other user made the socket before the directory became this user's."""
    paths = ProfilePaths(short_path)
    name, shared = listening_at(paths), short_path / "tmp"
    assert short_path in Path(name).parents
    for directory in (short_path, shared):
        directory.chmod(0o777)
    with subprocess.Popen(
        [*NOBODY, sys.executable, "-c", LISTENER, f"{shared}/s", "raise"], stdout=subprocess.PIPE, text=True
    ) as hostile:
        try:
            assert hostile.stdout is not None
            assert hostile.stdout.readline() == "listening\n"
            Path(f"{shared}/s").rename(name)
            assert raise_running(paths) is OpenWindow.NONE
            assert hostile.stdout.readline() == "connected\n"
        finally:
            hostile.kill()
    instance = SingleInstance(paths)
    raised = QSignalSpy(instance.raise_requested)
    assert is_listening(instance)
    Path(name).chmod(0o777)
    Path(name).parent.chmod(0o777)
    with subprocess.Popen(
        [*NOBODY, sys.executable, "-c", START, Path(name).name], cwd=Path(name).parent, stdout=subprocess.PIPE
    ) as start:
        qtbot.waitUntil(lambda: start.poll() is not None, timeout=10_000)
        assert start.stdout is not None
        assert start.stdout.read() == b"connected, read b''\n"
    assert raised.count() == 0
    instance.close()


@unix_only
class TestDirectory:
    @pytest.fixture(autouse=True)
    def directories(self, short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (short_path / "run").mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path / "run"))

    def test_runtime_directory(self, short_path: Path) -> None:
        instance = SingleInstance(ProfilePaths(short_path / "data"))
        (path,) = (short_path / "run").iterdir()
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert path.stat().st_mode & 0o077 == 0
        assert not (short_path / "data").exists()
        instance.close()
        assert list((short_path / "run").iterdir()) == []

    @pytest.mark.parametrize("unsafe", ["open to others", "a link", "relative", "missing", "a file", "unset"])
    def test_unsafe_runtime_directory_is_not_used(
        self, short_path: Path, monkeypatch: pytest.MonkeyPatch, unsafe: str
    ) -> None:
        own = short_path / "run"
        if unsafe == "open to others":
            own.chmod(0o770)
        elif unsafe == "a link":
            (short_path / "link").symlink_to(own)
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path / "link"))
        elif unsafe == "relative":
            monkeypatch.chdir(short_path)
            monkeypatch.setenv("XDG_RUNTIME_DIR", "run")
        elif unsafe == "missing":
            own.rmdir()
        elif unsafe == "a file":
            own.rmdir()
            own.touch(mode=0o600)
        else:
            monkeypatch.delenv("XDG_RUNTIME_DIR")
        paths = ProfilePaths(short_path / "data")
        assert listening_at(paths) == str(paths.directory / "usage.socket")
        assert stat.S_IMODE(paths.directory.stat().st_mode) == 0o700
        assert is_own(paths.data_dir)

    def test_window_without_a_runtime_directory_is_raised_by_a_start_with_one(
        self, short_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        paths, runtime = ProfilePaths(short_path / "data"), os.environ["XDG_RUNTIME_DIR"]
        first = start_listening(short_path / "data", XDG_RUNTIME_DIR="")
        try:
            monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
            assert raise_running(paths) is OpenWindow.RAISED
            assert not is_listening(SingleInstance(paths))
        finally:
            end(first)

    @pytest.mark.parametrize("unusable", ["path too long", "files of another program", "a file"])
    def test_unusable_data_directory(
        self, short_path: Path, monkeypatch: pytest.MonkeyPatch, unusable: str
    ) -> None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        data = short_path / "data"
        if unusable == "path too long":
            data = short_path / ("d" * 100)
        elif unusable == "a file":
            data.touch()
        else:
            (data / "profiles" / "of another program").mkdir(parents=True)
            (data / "profiles" / "of another program" / "file").touch()
        entries = sorted(data.rglob("*"))
        name = Path(listening_at(ProfilePaths(data)))
        assert name.parent == short_path / "tmp" / f"usage-viewer-{os.geteuid()}"
        assert stat.S_IMODE(name.parent.stat().st_mode) == 0o700
        if unusable == "files of another program":
            assert sorted(data.rglob("*")) == entries

    @root_only
    def test_directory_of_another_user_does_not_stop_a_start(
        self, short_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        planted = short_path / "tmp" / f"usage-viewer-{os.geteuid()}"
        planted.mkdir(mode=0o700)
        os.chown(planted, 65534, 65534)
        paths = ProfilePaths(short_path / ("d" * 100))
        assert raise_running(paths) is OpenWindow.NONE
        assert not is_listening(SingleInstance(paths))
        assert list(planted.iterdir()) == []
        assert is_listening(SingleInstance(ProfilePaths(short_path / "data")))

    def test_socket_with_a_guessable_name_is_ignored(self, short_path: Path, qtbot: QtBot) -> None:
        paths = ProfilePaths(short_path)
        hostile = QLocalServer()
        assert hostile.listen(Path(listening_at(paths)).name)  # Qt puts it into the directory for temporary files
        try:
            assert raise_running(paths) is OpenWindow.NONE
        finally:
            hostile.close()


def listening_at(paths: ProfilePaths) -> str:
    """Return the path of the socket of a window, which is closed then."""
    instance = SingleInstance(paths)
    name = instance.findChildren(QLocalServer)[0].fullServerName()
    instance.close()
    assert name
    return name


def is_listening(instance: SingleInstance) -> bool:
    return instance.findChildren(QLocalServer)[0].isListening()
