"""Reads what a program or library for Linux needs from the system."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

C_LIBRARY = frozenset(
    {
        "ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2",
        "librt.so.1", "libutil.so.1",
    }
)  # fmt: skip
"""The libraries of glibc."""


@dataclass(frozen=True)
class Needs:
    """The libraries that a file needs, and the newest version of glibc, such as (2, 34)."""

    libraries: frozenset[str]
    glibc: tuple[int, ...]


def is_elf(path: Path) -> bool:
    """Report whether a file is a program or library for Linux."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def read_needs(path: Path) -> Needs:
    """Return the needs of one file. Raises subprocess.CalledProcessError."""
    done = subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=True)
    libraries = frozenset(re.findall(r"^ +NEEDED +(\S+)$", done.stdout, re.MULTILINE))
    versions = [tuple(map(int, text.split("."))) for text in re.findall(r"\bGLIBC_(\d+(?:\.\d+)+)\b", done.stdout)]
    return Needs(libraries, max(versions, default=(2, 0)))


def read_folder(folder: Path) -> Needs:
    """Return the libraries that the files of a folder need and that are not in it, and the newest glibc."""
    regular = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    files = [path for path in regular if is_elf(path)]
    needs = [read_needs(path) for path in files]
    libraries = frozenset[str]().union(*(one.libraries for one in needs))
    return Needs(libraries - {path.name for path in files}, max((one.glibc for one in needs), default=(2, 0)))
