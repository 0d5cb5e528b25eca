"""Finds the parts of the packaged program: which project each file comes from, with version and licence."""

from __future__ import annotations

import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from linux_package.contents import Entry

PROGRAM = "usage-viewer"
LICENCE_TEXTS = Path(__file__).resolve().parent / "licences"
"""Licence texts that the packages lack."""

_LGPL = (LICENCE_TEXTS / "LGPL-3.0.txt", LICENCE_TEXTS / "GPL-3.0.txt")
_LICENCE_FILE = re.compile(r"^(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
_SPDX = re.compile(r"[\w.+-]+( (AND|OR|WITH) [\w.+-]+)*")
_CLASSIFIERS = {"License :: OSI Approved :: MIT License": "MIT"}
_LICENCES = {"pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception"}
"""Licences that a package describes in other words than SPDX's."""
_TOP_MODULES = ("pyimod", "pyiboot", "pyi_rth_", "_pyi_rth_")
"""The modules that PyInstaller adds to each program."""


@dataclass(frozen=True)
class Part:
    """Describes one part; `requires` are ids of other parts, `texts` the licence files.

    `id` is a package URL. `licence` is an SPDX expression. `version` is "" if the part does not tell it.
    """

    id: str
    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]
    requires: tuple[str, ...] = ()
    homepage: str = ""


class UnknownFile(Exception):
    """Reports a file in the folder that belongs to no part."""


class Installed:
    """The installed packages of one environment, and the parts that are inside of them."""

    def __init__(self, packages: Path) -> None:
        self._packages = packages
        self._distributions = {normal_name(one.name): one for one in distributions(path=[str(packages)])}
        self._owners = {
            path.resolve(): name
            for name, one in self._distributions.items()
            for path in (Path(str(one.locate_file(file))) for file in one.files or ())
        }

    def find_owner(self, entry: Entry) -> str:
        """Return the key of the part that a file belongs to. Raises UnknownFile."""
        place, source, _ = entry
        path = Path(source).resolve() if source else Path()
        name = self._owners.get(path)
        if name == "pyside6-essentials" and PurePosixPath(place).is_relative_to("PySide6/Qt"):
            return "icu" if path.name.startswith("libicu") else "qt"
        if name == "numpy" and "numpy.libs" in path.parts:
            return "openblas" if "openblas" in path.name else "gcc-libraries"
        if name in ("pyinstaller", "pyinstaller-hooks-contrib") or place.startswith(_TOP_MODULES):
            return "pyinstaller"
        if name is not None:
            return name
        if place == "start":
            return PROGRAM
        if _is_python(place, path):
            return "python"
        raise UnknownFile(f"{place} ({source}) belongs to no known part.")

    def metadata(self, name: str) -> Path:
        """Return the file of a package's metadata."""
        (directory,) = self._packages.glob(f"{_file_name(self._distributions[name])}.dist-info")
        return directory / "METADATA"

    def describe(self, keys: Iterable[str]) -> dict[str, Part]:
        """Return the parts of these keys; each requires only others of them."""
        own = set(keys)
        parts = {key: self._describe(key) for key in sorted(own)}
        requires = {key: sorted(parts[one].id for one in self._requirements(key) & own) for key in own}
        return {key: replace(part, requires=tuple(requires[key])) for key, part in parts.items()}

    def is_package(self, key: str) -> bool:
        """Report whether a part is an installed package."""
        return key in self._distributions

    def _describe(self, key: str) -> Part:
        described = self._library(key)
        if described is not None:
            return described
        one = self._distributions[key]
        version = one.version
        return Part(
            id=f"pkg:pypi/{key}@{version}",
            name=one.name,
            version=version,
            licence=_LICENCES.get(key) or spdx_licence(one),
            texts=_texts(key, one),
            homepage=_homepage(one),
        )

    def _library(self, key: str) -> Part | None:
        """Return a part that is no package of Python; None if it is one."""
        qt = self._distributions["pyside6-essentials"].version if key in ("qt", "icu") else ""
        numpy = _licence_files(self._distributions["numpy"]) if key in ("openblas", "gcc-libraries") else ()
        numpy = tuple(path for path in numpy if path.parent.name == "licenses")
        if key == "python":
            version = platform.python_version()
            return Part(f"pkg:generic/python@{version}", "Python", version, "PSF-2.0", _python_licence())
        if key == "qt":
            texts = (*_LGPL, LICENCE_TEXTS / "qt-third-party.txt")
            return Part(f"pkg:generic/qt@{qt}", "Qt", qt, "LGPL-3.0-only", texts, homepage="https://www.qt.io")
        if key == "icu":
            (library,) = self._packages.glob("PySide6/Qt/lib/libicudata.so.*")
            version = library.name.rpartition(".")[2]
            return Part(
                f"pkg:generic/icu@{version}", "ICU", version, "Unicode-DFS-2016", (LICENCE_TEXTS / "icu.txt",)
            )
        if key == "openblas":
            return Part("pkg:generic/openblas", "OpenBLAS", "", "BSD-3-Clause", numpy)
        if key == "gcc-libraries":
            licence = "GPL-3.0-or-later WITH GCC-exception-3.1 AND LGPL-2.1-or-later"
            return Part("pkg:generic/gcc-libraries", "libgfortran and libquadmath", "", licence, numpy)
        return None

    def _requirements(self, key: str) -> set[str]:
        """Return the keys of the parts that a part needs, also such as are not in the program."""
        inside: Mapping[str, set[str]] = {
            PROGRAM: {"python", "pyinstaller"},
            "pyside6-essentials": {"qt"},
            "qt": {"icu"},
            "numpy": {"openblas"},
            "openblas": {"gcc-libraries"},
        }
        one = self._distributions.get(key)
        named = () if one is None or key == "pyinstaller" else requirement_names(one.requires or ())
        return {*named, *inside.get(key, ())} - {key}


def requirement_names(texts: Iterable[str]) -> set[str]:
    """Return the normal names in requirements; those of extras are left out."""
    names = set()
    for text in texts:
        match = re.match(r"[A-Za-z0-9][\w.-]*", text)
        if match and not re.search(r";.*\bextra\b", text):
            names.add(normal_name(match[0]))
    return names


def normal_name(name: str) -> str:
    """Return a package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def spdx_licence(one: Distribution) -> str:
    """Return the licence that a package declares, as an SPDX expression. Raises ValueError if it declares none."""
    for field in ("License-Expression", "License"):
        text = str((one.metadata.get_all(field) or [""])[0]).strip()
        if text and _SPDX.fullmatch(text):
            return text
    for classifier in one.metadata.get_all("Classifier") or ():
        if classifier in _CLASSIFIERS:
            return _CLASSIFIERS[classifier]
    raise ValueError(f"{one.name} declares no licence in SPDX's form.")


def _texts(key: str, one: Distribution) -> tuple[Path, ...]:
    files = _licence_files(one)
    has_licence = any("sboms" not in file.parts for file in files)
    return files if has_licence else (*files, *_missing_texts(key))


def _licence_files(one: Distribution) -> tuple[Path, ...]:
    """Return a package's licence texts, and its own lists of the code that is compiled into its libraries."""
    files = (PurePosixPath(str(file)) for file in one.files or ())
    texts = (
        file
        for file in files
        if file.parts[0].endswith(".dist-info")
        and (_LICENCE_FILE.match(file.name) or {"licenses", "sboms"} & set(file.parts))
        and file.suffix != ".py"
    )
    return tuple(sorted(Path(str(one.locate_file(str(file)))) for file in texts))


def _missing_texts(key: str) -> tuple[Path, ...]:
    """Return the texts for a package that has none. Raises ValueError for one that is not expected to lack them."""
    if key in ("pyside6-essentials", "shiboken6"):
        return _LGPL
    raise ValueError(f"{key} has no licence text.")


def _homepage(one: Distribution) -> str:
    return str((one.metadata.get_all("Home-page") or [""])[0]).strip()


def _file_name(one: Distribution) -> str:
    return f"{re.sub(r'[-_.]+', '[-_.]', one.name.lower())}-{one.version}"


def _is_python(place: str, path: Path) -> bool:
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    if path.is_relative_to(standard) and "site-packages" not in path.parts:
        return True
    return place.startswith("libpython") or place == "base_library.zip"


def _python_licence() -> tuple[Path, ...]:
    """Return the file with Python's licence. Raises FileNotFoundError."""
    version = f"{platform.python_version_tuple()[0]}.{platform.python_version_tuple()[1]}"
    candidates = [
        Path(sysconfig.get_path("stdlib")) / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",  # Windows
        Path(f"/usr/share/doc/python{version}/copyright"),
        Path(f"/usr/share/doc/libpython{version}-minimal/copyright"),
        *sorted(Path("/usr/share/licenses").glob("python3*/LICENSE")),
        *sorted(Path("/usr/share/licenses").glob("python/LICENSE")),
    ]
    for path in candidates:
        if path.is_file():
            return (path.resolve(),)
    raise FileNotFoundError("The text of Python's licence was not found.")
