"""The Debian package installs in a bare Debian without Python, runs there, and leaves nothing when removed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from usage_viewer import __version__

pytestmark = pytest.mark.package

DAY = datetime.now(UTC).date() - timedelta(days=10)
USER = 1000


class BareDebian:
    """A directory with Debian's required packages alone, as root file system of commands."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str, user: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run a command inside as this user; its home directory is /home/user."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "HOME": "/home/user" if user else "/root",
            "LANG": "C.UTF-8",
            "QT_QPA_PLATFORM": "offscreen",
        }
        return subprocess.run(
            ["chroot", f"--userspec={user}:{user}", self.root, *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def files(self) -> set[str]:
        """Return all files and directories, without those of the running system and of the package manager."""
        left_out = ("proc", "dev", "sys", "tmp", "home", "var/cache", "var/lib/apt", "var/lib/dpkg", "var/log")
        expression = [word for name in left_out for word in ("-path", f"{self.root}/{name}", "-prune", "-o")]
        done = subprocess.run(
            ["find", self.root, "-xdev", *expression, "-print"], capture_output=True, text=True, check=True
        )
        return set(done.stdout.splitlines())


@pytest.fixture(scope="module", params=["bookworm", "trixie"], ids=["Debian 12", "Debian 13"])
def debian(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[BareDebian]:
    """A bare Debian, made from Debian's packages."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip("needs root and debootstrap")
    root = tmp_path_factory.mktemp("debian") / "root"
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", request.param, root],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"Debian's packages can't be reached: {made.stdout.strip().splitlines()[-1:]}")
    (root / "home" / "user").mkdir()
    os.chown(root / "home" / "user", USER, USER)
    with ExitStack() as mounts:
        for name in ("proc", "dev"):
            subprocess.run(["mount", "--bind", f"/{name}", root / name], check=True)
            mounts.callback(_unmount, root / name)
        yield BareDebian(root)
    shutil.rmtree(root.parent)


def _unmount(directory: Path) -> None:
    subprocess.run(["umount", directory], check=True)


@pytest.fixture(scope="module")
def installed(debian: BareDebian, debian_package: Path) -> BareDebian:
    """The bare Debian with the package and what it depends on; nothing that is only recommended."""
    assert debian.run("sh", "-c", "command -v python3").returncode != 0
    shutil.copyfile(debian_package, debian.root / "tmp" / "usage-viewer.deb")
    assert debian.run("apt-get", "update").returncode == 0
    done = debian.run("apt-get", "install", "-y", "--no-install-recommends", "/tmp/usage-viewer.deb")
    assert done.returncode == 0, done.stdout + done.stderr
    assert debian.run("sh", "-c", "command -v python3").returncode != 0
    return debian


def test_program_starts(installed: BareDebian) -> None:
    done = installed.run("usage-viewer", "--version", user=USER)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Usage Viewer {__version__}\n", "")


def test_every_library_is_found(installed: BareDebian) -> None:
    """No file of the program needs a library that neither it nor a package that it depends on has."""
    script = (
        "export LD_LIBRARY_PATH=/usr/lib/usage-viewer/_internal; "
        "find /usr/lib/usage-viewer -name '*.so*' -exec ldd {} + 2>/dev/null | grep 'not found' || true"
    )
    assert installed.run("sh", "-c", script).stdout == ""


def test_table_of_the_demo(installed: BareDebian) -> None:
    days = ("--from", str(DAY), "--to", str(DAY + timedelta(days=2)))
    words = ("--demo", "table", *days, "--per", "day", "--zone", "Europe/Berlin", "--group-by", "model")
    done = installed.run("usage-viewer", *words, user=USER)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 4


def test_picture_of_the_window(installed: BareDebian) -> None:
    done = installed.run("usage-viewer", "--demo", "--snapshot", "/home/user/window.png", user=USER)
    assert (done.returncode, done.stderr) == (0, "")
    image = QImage(str(installed.root / "home" / "user" / "window.png"))
    assert (image.width(), image.height()) == (1280, 800)
    colours = {image.pixel(x, y) for x in range(0, 1280, 3) for y in range(0, 800, 3)}
    assert len(colours) > 50, "the table and its text are painted"


def test_desktop_finds_the_program(installed: BareDebian) -> None:
    share = installed.root / "usr" / "share"
    entry = (share / "applications" / "io.github.usage_viewer.UsageViewer.desktop").read_text(encoding="utf-8")
    assert "Exec=usage-viewer\n" in entry
    assert (share / "icons/hicolor/scalable/apps/io.github.usage_viewer.UsageViewer.svg").is_file()
    assert (share / "metainfo/io.github.usage_viewer.UsageViewer.metainfo.xml").is_file()


def test_files_are_those_of_the_package(installed: BareDebian) -> None:
    done = installed.run("dpkg", "--verify", "usage-viewer")
    assert (done.returncode, done.stdout) == (0, "")


def test_removal_leaves_nothing(installed: BareDebian) -> None:
    own = installed.run("dpkg", "--listfiles", "usage-viewer").stdout.splitlines()
    before = installed.files()
    done = installed.run("apt-get", "remove", "-y", "usage-viewer")
    assert done.returncode == 0, done.stderr
    after = installed.files()
    assert after <= before
    assert [path for path in own if "usage" in path and (installed.root / path.lstrip("/")).exists()] == []
    assert [path for path in after if "usage-viewer" in path or "usage_viewer" in path] == []
    assert installed.run("dpkg-query", "--status", "usage-viewer").returncode != 0
