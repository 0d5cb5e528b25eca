"""One window for each place: found, raised, and not mistaken for one that is gone."""

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
from usage_viewer.app.profile.paths import Place
from usage_viewer.gui.startup.single_instance import SingleInstance, raise_running
application = QCoreApplication([])
place = Place(Path(sys.argv[1]))
if len(sys.argv) > 2:
    instance = SingleInstance(place)
    print("listening", flush=True)
    application.exec()
print(raise_running(place))
"""


def test_nobody_is_there(tmp_path: Path, qtbot: QtBot) -> None:
    assert not raise_running(ProfilePaths(tmp_path))


@pytest.mark.parametrize("time", range(3))
def test_a_second_process_is_heard_and_told(tmp_path: Path, qtbot: QtBot, time: int) -> None:
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


def test_other_profiles_are_other_windows(tmp_path: Path, qtbot: QtBot) -> None:
    instance = SingleInstance(ProfilePaths(tmp_path))
    try:
        assert not raise_running(ProfilePaths(tmp_path, "other"))
    finally:
        instance.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe goes with its process there")
def test_what_a_killed_process_left_behind_is_taken_over(tmp_path: Path, qtbot: QtBot) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SECOND, str(tmp_path), "stay"], stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "listening\n"
        first.kill()
    place = ProfilePaths(tmp_path)
    assert not raise_running(place)
    instance = SingleInstance(place)
    try:
        assert instance.findChildren(QLocalServer)[0].isListening()
    finally:
        instance.close()
