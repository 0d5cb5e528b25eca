"""Decides which of the files that PyInstaller finds belong to the packaged program."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

Entry = tuple[str, str, str]
"""One file as PyInstaller lists it: its place in the folder, its source, and its kind."""

HIDDEN_MODULES = ["keyring.backends.SecretService", "usage_viewer.keystore.secret_service"]
"""Modules that the program imports by name."""

EXCLUDED_MODULES = [
    # What builds the program.
    "hatchling", "packaging", "pip", "pkg_resources", "setuptools",
    # The standard library's modules that need a library of the system and that the program does not use.
    "_bz2", "_curses", "_dbm", "_gdbm", "_lzma", "_sqlite3", "_tkinter", "_uuid", "nis", "readline", "tkinter",
]  # fmt: skip

PLUGINS = frozenset(
    {
        "iconengines/libqsvgicon.so",
        "imageformats/libqsvg.so",
        "platforminputcontexts/libcomposeplatforminputcontextplugin.so",
        "platforminputcontexts/libibusplatforminputcontextplugin.so",
        "platforms/libqoffscreen.so",
        "platforms/libqwayland.so",
        "platforms/libqxcb.so",
        # File dialogs and colours of the desktop. The plug-in for GTK would bring 17 MB of GTK with it.
        "platformthemes/libqxdgdesktopportal.so",
        "wayland-decoration-client/libadwaita.so",
        "wayland-decoration-client/libbradient.so",
        "wayland-shell-integration/libxdg-shell.so",
    }
)
"""The plug-ins of Qt that the program needs. It paints without OpenGL, and its sockets are httpx's."""

_QT = PurePosixPath("PySide6/Qt")


def keep_binaries(
    entries: Iterable[Entry], packages: Path, needed_by: Callable[[str], Iterable[str]]
) -> list[Entry]:
    """Return the programs and libraries to keep, sorted by place.

    Only files of the installed packages (`packages` is their directory) and of Python itself are kept: other
    libraries are the operating system's, which also updates them. A library of Qt is kept if a kept file needs it.
    `needed_by` returns the names of the libraries that a file needs.
    """
    own = [entry for entry in sorted(set(entries)) if _is_own(entry, packages)]
    qt_libraries = {Path(entry[0]).name: entry for entry in own if PurePosixPath(entry[0]).parent == _QT / "lib"}
    kept = [entry for entry in own if entry not in qt_libraries.values()]
    todo = list(kept)
    while todo:
        for name in needed_by(todo.pop()[1]):
            library = qt_libraries.pop(name, None)
            if library is not None:
                kept.append(library)
                todo.append(library)
    return sorted(kept)


def keep_data(entries: Iterable[Entry]) -> list[Entry]:
    """Return the other files to keep: no translations of Qt, no second names of libraries, no metadata.

    The build adds the metadata itself, as installed metadata names paths of the computer.
    """
    return sorted(
        entry
        for entry in set(entries)
        if entry[2] != "SYMLINK" and "translations" not in PurePosixPath(entry[0]).parts and not _in_metadata(entry)
    )


def _is_own(entry: Entry, packages: Path) -> bool:
    place, source, kind = entry
    if kind == "SYMLINK":
        return False
    path = PurePosixPath(place)
    if path.is_relative_to(_QT / "plugins"):
        return str(path.relative_to(_QT / "plugins")) in PLUGINS
    if Path(source).is_relative_to(packages):
        return True
    return "lib-dynload" in path.parts or path.name.startswith("libpython")


def _in_metadata(entry: Entry) -> bool:
    return any(part.endswith(".dist-info") for part in PurePosixPath(entry[0]).parts)
