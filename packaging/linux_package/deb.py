"""Makes the Debian package of the folder."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from linux_package.elf import C_LIBRARY, Needs
from system_packages import LISTS, Need, read_list

PACKAGE = "usage-viewer"
ALWAYS = ("fonts-dejavu-core | fonts-liberation | fonts-noto-core", "libx11-6", "tzdata")
"""Packages with files that no library names: Qt draws no text without a font, zones are tzdata's."""
_INDIRECT = {"libbrotlicommon.so.1": "libbrotli1", "libxcb.so.1": "libxcb1"}
"""Libraries that come with those of the list."""

CONTROL = """\
Package: {package}
Version: {version}
Architecture: amd64
Maintainer: Usage Viewer contributors <usage-viewer@localhost>
Installed-Size: {size}
Depends: {depends}
Recommends: ca-certificates, gnome-keyring | kwalletmanager
Section: utils
Priority: optional
Description: See, filter, regroup and copy your organization's API usage
 Usage Viewer downloads an organization's OpenAI API usage and costs once, keeps
 them in a database on this computer, and answers every question about them
 there: by model, project, person, key, hour or month.
 .
 It has a window and a command line, and contains the Python and Qt that it uses.
"""

COPYRIGHT = """\
Usage Viewer is copyright of the Usage Viewer contributors, under the MIT licence:

{licence}
It contains other software. /usr/lib/{package}/licences/PARTS.txt lists all of it with its licences; the texts are
in the same directory. LGPL-NOTICE.txt there says how to replace Qt, PySide6 and Shiboken.
"""


class UnknownLibrary(Exception):
    """Reports a library that the folder needs and that no Debian package is known for."""


@dataclass(frozen=True)
class Desktop:
    """The files that a desktop reads; each is named after `app_id`."""

    app_id: str
    entry: Path
    metainfo: Path
    icon: Path


def depends(needs: Needs, known: Iterable[Need]) -> str:
    """Return the packages that the folder needs, for the field `Depends`. Raises UnknownLibrary."""
    packages = dict(_INDIRECT)
    packages |= {need.probe.partition(":")[2]: need.package for need in known if need.probe.startswith("library:")}
    libraries = sorted(needs.libraries - C_LIBRARY)
    unknown = [name for name in libraries if name not in packages]
    if unknown:
        raise UnknownLibrary(f"No Debian package is known for {', '.join(unknown)}.")
    libc = f"libc6 (>= {'.'.join(map(str, needs.glibc))})"
    return ", ".join(sorted({libc, *ALWAYS, *(packages[name] for name in libraries)}))


def known_packages() -> list[Need]:
    """Return the libraries of Debian's list of system packages."""
    sections = read_list((LISTS / "debian.txt").read_text(encoding="utf-8"))
    return [*sections["run"], *sections["folder"]]


def stage(folder: Path, root: Path, version: str, needs: Needs, desktop: Desktop, texts: tuple[Path, Path]) -> None:
    """Lay out the package in `root`; `texts` are the licence and the list of changes. Raises UnknownLibrary."""
    licence, changes = texts
    shutil.copytree(folder, root / "usr/lib" / PACKAGE, symlinks=True)
    binary = root / "usr/bin" / PACKAGE
    binary.parent.mkdir(parents=True)
    binary.symlink_to(f"../lib/{PACKAGE}/{PACKAGE}")
    share = root / "usr/share"
    for source, place in (
        (desktop.entry, f"applications/{desktop.app_id}.desktop"),
        (desktop.metainfo, f"metainfo/{desktop.app_id}.metainfo.xml"),
        (desktop.icon, f"icons/hicolor/scalable/apps/{desktop.app_id}.svg"),
    ):
        (share / place).parent.mkdir(parents=True)
        shutil.copyfile(source, share / place)
    documents = share / "doc" / PACKAGE
    documents.mkdir(parents=True)
    text = COPYRIGHT.format(package=PACKAGE, licence=licence.read_text(encoding="utf-8"))
    (documents / "copyright").write_text(text, encoding="utf-8")
    (documents / "changelog.gz").write_bytes(gzip.compress(changes.read_bytes(), mtime=0))
    _write_control(root, version, depends(needs, known_packages()))


def build(root: Path, target: Path, epoch: int) -> None:
    """Make the package `target` of a tree whose times and modes are set; `epoch` is its own time in seconds.

    Raises subprocess.CalledProcessError.
    """
    command: list[str | Path] = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, target]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def _write_control(root: Path, version: str, depends: str) -> None:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    size = sum(-(-path.stat().st_size // 1024) for path in files)
    sums = "".join(f"{_md5(path)}  {path.relative_to(root)}\n" for path in files)
    control = root / "DEBIAN"
    control.mkdir()
    text = CONTROL.format(package=PACKAGE, version=version, size=size, depends=depends)
    (control / "control").write_text(text, encoding="utf-8")
    (control / "md5sums").write_text(sums, encoding="utf-8")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
