"""The folder of the packaged program: what it contains, and that it runs as the checkout does."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from tests.rigs.command_line import server_note
from tests.rigs.display import x_server
from tests.rigs.secret_service import SecretService
from usage_viewer import __version__
from usage_viewer.demo.server.server import DemoServer

pytestmark = pytest.mark.package

TODAY = datetime.now(UTC).date()
"""Read once, so that all dates belong together also in a run that passes midnight."""

WEEK = ("--from", str(TODAY - timedelta(days=17)), "--to", str(TODAY - timedelta(days=10)))


def _run(folder: Path, *arguments: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [folder / "usage-viewer", *arguments], env=env, capture_output=True, text=True, timeout=120, check=False
    )


class TestContents:
    def test_sums_are_right(self, folder: Path) -> None:
        lines = (folder.parent / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
        files = {path for path in folder.parent.rglob("*") if path.is_file() and path.name != "SHA256SUMS"}
        assert {folder.parent / name for name in sums} == files
        for name, digest in sums.items():
            assert hashlib.sha256((folder.parent / name).read_bytes()).hexdigest() == digest, name

    def test_files_name_no_path_of_this_computer(self, folder: Path) -> None:
        own = str(folder.parents[2]).encode()
        assert [path for path in folder.rglob("*") if path.is_file() and own in path.read_bytes()] == []

    def test_every_package_in_the_list_is_in_the_folder(self, folder: Path) -> None:
        bill = json.loads((folder / "parts.cdx.json").read_text(encoding="utf-8"))
        listed = {
            component["purl"].removeprefix("pkg:pypi/").partition("@")[0]
            for component in (bill["metadata"]["component"], *bill["components"])
            if component.get("purl", "").startswith("pkg:pypi/")
        }
        metadata = {
            re.sub(r"[-_.]+", "-", path.name.partition("-")[0]).lower()
            for path in (folder / "_internal").glob("*.dist-info")
        }
        assert listed - {"pyinstaller"} == metadata

    def test_every_part_has_licence_texts(self, folder: Path) -> None:
        bill = json.loads((folder / "parts.cdx.json").read_text(encoding="utf-8"))
        texts = {path.name for path in (folder / "licences").iterdir() if path.is_dir()}
        assert len(texts) == len(bill["components"]) + 1
        assert {"LGPL-NOTICE.txt", "LGPL-3.0.txt", "GPL-3.0.txt"} <= {
            path.name for path in (folder / "licences").iterdir()
        }

    def test_nothing_for_tests_or_for_windows_is_in_the_folder(self, folder: Path) -> None:
        names = {path.name.lower() for path in folder.rglob("*")}
        foreign = r"(pytest|pandas|polars|pydantic|tzdata|pywin32|setuptools|pip)\b|.*gtk"
        assert [name for name in names if re.match(foreign, name)] == []


class TestCommandLine:
    def test_version(self, folder: Path, environment: dict[str, str]) -> None:
        done = _run(folder, "--version", env=environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"Usage Viewer {__version__}\n", "")

    @pytest.mark.parametrize("form", ["tsv", "json", "markdown", "xlsx"])
    def test_table_of_the_demo_is_that_of_the_checkout(
        self, folder: Path, environment: dict[str, str], form: str
    ) -> None:
        words = [
            "--demo",
            "table",
            *WEEK,
            "--per",
            "day",
            "--group-by",
            "model,project_id",
            "--names",
            "--format",
            form,
        ]
        packaged = subprocess.run(
            [folder / "usage-viewer", *words], env=environment, capture_output=True, timeout=120, check=False
        )
        checkout = subprocess.run(
            [sys.executable, "-m", "usage_viewer", *words], capture_output=True, timeout=120, check=False
        )
        assert (packaged.returncode, packaged.stderr) == (0, b"")
        if form == "xlsx":  # its archive has the time of writing
            assert packaged.stdout.startswith(b"PK")
        else:
            assert packaged.stdout == checkout.stdout
            assert len(packaged.stdout) > 1000

    def test_zone_needs_no_package_of_zones(self, folder: Path, environment: dict[str, str]) -> None:
        done = _run(folder, "--demo", "table", *WEEK, "--zone", "Asia/Kolkata", "--per", "day", env=environment)
        assert (done.returncode, done.stderr) == (0, "")

    def test_usage_is_fetched_and_stored(self, folder: Path, environment: dict[str, str], tmp_path: Path) -> None:
        with DemoServer() as server:
            words = ["table", *WEEK, "--base-url", server.base_url, "--data-dir", str(tmp_path / "data")]
            environment["OPENAI_ADMIN_KEY"] = server.key
            first = _run(folder, *words, env=environment)
            assert (first.returncode, first.stderr) == (0, server_note(server))
            requests = len(server.requests)
            second = _run(folder, *words, env=environment)
            assert second.stdout == first.stdout
            assert len(server.requests) == requests

    @pytest.mark.secret_service
    def test_key_from_the_keyring(
        self, folder: Path, environment: dict[str, str], secret_service: SecretService, tmp_path: Path
    ) -> None:
        save = (
            "import sys; from usage_viewer.keystore import KeyScope, open_keystore; "
            "from usage_viewer.domain.admin_key import AdminKey; "
            "scope = KeyScope.of('default', sys.argv[1], sys.argv[2]); "
            "open_keystore(scope).save(AdminKey.parse(sys.stdin.read()))"
        )
        data = str(tmp_path / "data")
        with DemoServer() as server:
            subprocess.run(
                [sys.executable, "-c", save, server.base_url, data],
                input=server.key,
                env=secret_service.environment,
                text=True,
                check=True,
            )
            keyring = {"DBUS_SESSION_BUS_ADDRESS": secret_service.address}
            words = ["--base-url", server.base_url, "--data-dir", data]
            done = _run(folder, "table", *WEEK, *words, env=environment | keyring)
            assert (done.returncode, done.stderr) == (0, server_note(server))
            forgotten = _run(folder, "forget", "--yes", *words, env=environment | keyring)
            assert forgotten.returncode == 0, forgotten.stderr
            assert (
                "No admin key"
                in _run(folder, "table", *WEEK, *words, "--refetch", env=environment | keyring).stderr
            )


class TestWindow:
    def test_picture_of_the_demo(self, folder: Path, environment: dict[str, str], tmp_path: Path) -> None:
        picture = tmp_path / "window.png"
        done = _run(folder, "--demo", "--snapshot", str(picture), env=environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        _check_picture(picture)

    @pytest.mark.display
    def test_picture_on_an_x_server(self, folder: Path, environment: dict[str, str], tmp_path: Path) -> None:
        picture = tmp_path / "window.png"
        with x_server() as display:
            screen = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
            done = _run(folder, "--demo", "--snapshot", str(picture), env=environment | screen)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        _check_picture(picture)

    def test_server_of_the_demo_ends_with_the_program(self, folder: Path, environment: dict[str, str]) -> None:
        with subprocess.Popen([folder / "usage-viewer", "--demo"], env=environment) as program:
            try:
                server = _wait_for_child(program.pid)
                command = Path(f"/proc/{server}/cmdline").read_bytes().split(b"\0")
                assert command[1] == b"demo-server"
                os.kill(program.pid, signal.SIGKILL)
                until = time.monotonic() + 10
                while Path(f"/proc/{server}").exists() and time.monotonic() < until:
                    time.sleep(0.05)
                assert not Path(f"/proc/{server}").exists()
            finally:
                program.kill()


def _check_picture(path: Path) -> None:
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1280, 800)
    colours = {image.pixel(x, y) for x in range(0, 1280, 3) for y in range(0, 800, 3)}
    assert len(colours) > 50, "the table, its text and its icons are painted"


def _wait_for_child(pid: int) -> int:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            pids = children.read_text().split()
            if pids:
                return int(pids[0])
        time.sleep(0.05)
    raise AssertionError("the program has started no server")
