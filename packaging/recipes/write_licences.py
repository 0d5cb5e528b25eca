"""Copies the licence texts of the installed packages beside a program for Windows or macOS.

Runs in the environment that the program was built from.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

from linux_package.licences import write_licences  # noqa: E402
from linux_package.parts import Installed, normal_name  # noqa: E402

TOOLS = frozenset(
    {"hatchling", "pip", "pluggy", "pathspec", "trove-classifiers", "setuptools", "packaging", "altgraph"}
)
TOOLS_OF_PYINSTALLER = frozenset({"pyinstaller-hooks-contrib", "macholib", "pefile"})
LIBRARIES = ("python", "qt", "openblas", "gcc-libraries")
"""The parts that are no packages. Qt's wheels for Windows and macOS have no ICU."""


def main(arguments: list[str]) -> int:
    """Write the texts to the directory that is named; return the exit status."""
    packages = Path(sysconfig.get_path("purelib"))
    names = {normal_name(one.name) for one in distributions(path=[str(packages)])}
    keys = [*sorted(names - TOOLS - TOOLS_OF_PYINSTALLER), *LIBRARIES]
    target = Path(arguments[0])
    shutil.rmtree(target, ignore_errors=True)
    write_licences(Installed(packages).describe(keys), target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
