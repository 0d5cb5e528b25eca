"""Tests the program as a process: a second start, screenshots, and closing at any time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from tests.rigs.load import slowdown
from tests.rigs.window import WindowRig
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.faults import Fault
from usage_viewer.gui.startup.single_instance import SingleInstance

ROOT = Path(__file__).parents[3]
PROGRAM = (sys.executable, "-m", "usage_viewer")
CONTROLLED = (sys.executable, str(Path(__file__).with_name("closing.py")))


def _environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    bus = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    return (
        kept | bus | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT), "OPENAI_ADMIN_KEY": ADMIN_KEY} | more
    )


def _run(arguments: Sequence[str], **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in _environment(**more).items() if value}
    return subprocess.run([*PROGRAM, *arguments], env=environment, capture_output=True, text=True, timeout=30)


def test_second_start_raises_the_first_window(rig: WindowRig) -> None:
    window = rig.start()
    instance = SingleInstance(ProfilePaths(rig.data_dir), window)
    instance.raise_requested.connect(window.come_to_front)
    try:
        with subprocess.Popen(
            [*PROGRAM, "--data-dir", str(rig.data_dir), "--base-url", rig.server.base_url],
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as second:
            try:
                with rig.qtbot.waitSignal(instance.raise_requested, timeout=10_000):
                    pass
                rig.qtbot.waitUntil(lambda: second.poll() is not None, timeout=2000)
            finally:
                second.kill()
            assert second.returncode == 0
            assert second.stderr is not None
            assert second.stderr.read() == ""
    finally:
        instance.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no program can be stopped there")
def test_second_start_says_that_the_first_window_does_not_answer(rig: WindowRig) -> None:
    """The second one opens, and shows that the first one has the database."""
    arguments = ("--data-dir", str(rig.data_dir), "--base-url", rig.server.base_url)
    with _controlled(*arguments) as first:
        _wait_for(first, "Complete: 30 days")
        first.send_signal(signal.SIGSTOP)
        with _controlled(*arguments) as second:
            _send(second, "report")
            assert second.stdout is not None
            assert second.stdout.readline()
            _send(second, "close")
            assert second.wait(30) == 0
            assert second.stderr is not None
            assert second.stderr.read() == (
                "usage-viewer: Another window of Usage Viewer is open, but it does not answer.\n"
                "If this window can't open the database, end the other process first.\n"
            )
        first.send_signal(signal.SIGCONT)
        _end(first)


def test_start_with_other_data_opens_its_own_window(rig: WindowRig, tmp_path: Path) -> None:
    window = rig.start()
    instance = SingleInstance(ProfilePaths(rig.data_dir), window)
    raised: list[bool] = []
    instance.raise_requested.connect(lambda: raised.append(True))
    try:
        with _controlled("--data-dir", str(tmp_path / "other"), "--base-url", rig.server.base_url) as other:
            _wait_for(other, "Complete: 30 days")
            _end(other)
    finally:
        instance.close()
    assert not raised


@contextmanager
def _controlled(*arguments: str, **more: str) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [*CONTROLLED, *arguments],
        env=_environment(**more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _send(process: "subprocess.Popen[str]", what: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()


def _wait_for(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdout is not None
    for _ in range(300):
        _send(process, "report")
        if text in process.stdout.readline():
            return
        time.sleep(0.03)
    raise AssertionError(f"{text} was not shown")


def _end(process: "subprocess.Popen[str]", within: float = 2.0) -> None:
    """Close the window; the process must end soon, with status 0 and without output."""
    began = time.monotonic()
    _send(process, "close")
    status = process.wait(15)
    took = time.monotonic() - began
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert status == 0
    assert took < within * slowdown()


def test_closing_ends_the_process(rig: WindowRig) -> None:
    with _controlled("--data-dir", str(rig.data_dir), "--base-url", rig.server.base_url) as process:
        _wait_for(process, "Complete: 30 days")
        _end(process)
    window = rig.start()
    assert window.page.status.text.startswith("Complete: 30 days")


@pytest.mark.parametrize(
    "fault", [Fault(stall=60), Fault(stall_body=60), Fault(status=429, headers={"retry-after": "50"}, body=b"{}")]
)
def test_closing_during_a_fetch_ends_the_process(rig: WindowRig, fault: Fault) -> None:
    rig.server.faults = lambda request: fault if "/usage/" in request.path else None
    with _controlled("--data-dir", str(rig.data_dir), "--base-url", rig.server.base_url) as process:
        _wait_for(process, "0 of 1 request")
        deadline = time.monotonic() + 5
        while not rig.usage_requests() and time.monotonic() < deadline:
            time.sleep(0.01)
        _end(process)


def test_closing_at_once_ends_the_process(rig: WindowRig) -> None:
    with _controlled("--data-dir", str(rig.data_dir), "--base-url", rig.server.base_url) as process:
        _wait_for(process, "")
        _end(process)


def test_screenshot_of_the_demo(tmp_path: Path) -> None:
    picture = tmp_path / "deep" / "picture.png"
    done = _run(["--demo", "--data-dir", str(tmp_path / "data"), "--snapshot", str(picture)])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1280, 800)
    colours = {QColor(image.pixel(x, y)).name() for x in range(0, 1280, 5) for y in range(0, 800, 5)}
    assert len(colours) > 20, "the picture is empty"
    assert not (tmp_path / "data").exists(), "the demo wrote a file"


def test_screenshot_without_a_display(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    done = _run(["--demo", "--snapshot", str(picture)], QT_QPA_PLATFORM="")
    assert (done.returncode, done.stderr) == (0, "")
    assert picture.exists()


def test_screenshot_fails_if_the_server_is_unreachable(tmp_path: Path) -> None:
    done = _run(
        ["--data-dir", str(tmp_path), "--base-url", "http://127.0.0.1:9/v1", "--snapshot", str(tmp_path / "a.png")]
    )
    assert done.returncode == 1
    assert "connection failed" in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_screenshot_fails_without_a_key(rig: WindowRig, tmp_path: Path) -> None:
    done = _run(
        ["--data-dir", str(tmp_path), "--base-url", rig.server.base_url, "--snapshot", str(tmp_path / "a.png")],
        OPENAI_ADMIN_KEY="",
    )
    assert done.returncode == 1
    assert "no admin key" in done.stderr


def test_screenshot_fails_with_a_damaged_database(rig: WindowRig, tmp_path: Path) -> None:
    database = ProfilePaths(rig.data_dir).database
    database.parent.mkdir(parents=True)
    database.write_bytes(b"this is no database" * 1000)
    base = ["--data-dir", str(rig.data_dir), "--base-url", rig.server.base_url]
    done = _run([*base, "--snapshot", str(tmp_path / "a.png")])
    assert done.returncode == 1
    assert "database" in done.stderr.lower()


def test_screenshot_fails_if_the_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = _run(["--demo", "--snapshot", str(tmp_path / "file" / "a.png")])
    assert done.returncode == 1
    assert "a.png" in done.stderr
    assert "Traceback" not in done.stderr


def test_start_without_a_display_fails(tmp_path: Path) -> None:
    done = _run(["--data-dir", str(tmp_path)], QT_QPA_PLATFORM="")
    assert done.returncode == 1
    assert "no display" in done.stderr
    assert "--snapshot" in done.stderr
