"""Tests that a second start raises the first window, and that a killed process is not taken for one."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalServer
from pytestqt.qtbot import QtBot

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.gui.startup.single_instance import SingleInstance, raise_running

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
print(raise_running(paths))
"""


def test_no_window_is_open(tmp_path: Path, qtbot: QtBot) -> None:
    assert not raise_running(ProfilePaths(tmp_path))


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
            assert second.stdout.read() == "True\n"
    finally:
        instance.close()


def test_other_profile_has_its_own_window(tmp_path: Path, qtbot: QtBot) -> None:
    instance = SingleInstance(ProfilePaths(tmp_path))
    try:
        assert not raise_running(ProfilePaths(tmp_path, "other"))
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
    assert not raise_running(paths)
    instance = SingleInstance(paths)
    try:
        assert instance.findChildren(QLocalServer)[0].isListening()
    finally:
        instance.close()
