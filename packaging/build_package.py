"""Builds the program for Linux as a folder that needs no Python, and as a Debian package, in build/packages.

Two builds of the same commit with the same Python give the same bytes. Needs only the standard library; the
packages are installed from the locks into an environment of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from linux_package import contents, deb, elf, licences, sbom
from linux_package.deb import UnknownLibrary
from linux_package.parts import PROGRAM, Installed, Part, UnknownFile, normal_name
from setup_environment import SetupFailed, restart, run
from system_packages import SystemPackagesMissing, ensure

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "package"
TARGET = ROOT / "build" / "packages"
LOCKS = ("runtime", "build", "package")
APP_ID = "io.github.usage_viewer.UsageViewer"
SPEC = ROOT / "packaging" / "linux_package" / "usage-viewer.spec"
NOT_PACKAGES = frozenset({PROGRAM, "python", "pyinstaller", "qt", "icu", "openblas", "gcc-libraries"})
"""The parts that no line of the run-time lock names."""


def main() -> int:
    """Build everything; return the exit status."""
    if not sys.platform.startswith("linux"):
        print("The package is for Linux and is built there.", file=sys.stderr)
        return 1
    try:
        if ensure(["python", "run", "folder", "package"]):
            restart()
        build()
    except (BuildFailed, SetupFailed, SystemPackagesMissing, UnknownFile, UnknownLibrary) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class BuildFailed(Exception):
    """Reports that the folder has something that it must not have."""


def build() -> None:
    """Build the folder, the list of parts and the Debian package. Raises SetupFailed and BuildFailed."""
    epoch = last_commit_time()
    python = create_environment()
    folder, entries = freeze(python, epoch)
    strip_python(folder)
    parts = describe(entries, find_packages(python))
    add_metadata(folder, entries, find_packages(python))
    version = parts[PROGRAM].version
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    licences.write_licences(parts, folder / "licences")
    bill = sbom.write_sbom(parts, epoch)
    (folder / "parts.cdx.json").write_text(bill, encoding="utf-8")
    (TARGET / f"{PROGRAM}-{version}.cdx.json").write_text(bill, encoding="utf-8")
    normalize(folder, epoch)
    product = TARGET / f"{PROGRAM}-{version}-linux-x86_64"
    shutil.copytree(folder, product, symlinks=True)
    build_deb(product, version, epoch)
    write_sums(TARGET)
    for path in sorted(TARGET.iterdir()):
        print(f"{size_of(path) / 1e6:8.1f} MB  {path.relative_to(ROOT)}")


def last_commit_time() -> int:
    """Return SOURCE_DATE_EPOCH, or else the time of the last commit, in seconds. Raises BuildFailed."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        given = done.stdout.strip()
    if not given.isdecimal():
        raise BuildFailed("Set SOURCE_DATE_EPOCH: there is no commit to take the time from.")
    return int(given)


def create_environment() -> Path:
    """Install the locked packages and the program into a new environment; return its Python. Raises SetupFailed."""
    environment = WORK / "environment"
    print("Installing the run-time packages and PyInstaller for the package", flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    run([sys.executable, "-m", "venv", environment])
    python = environment / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    files = [word for lock in LOCKS for word in ("-r", str(ROOT / "packaging" / "requirements" / f"{lock}.txt"))]
    run([*pip, "--require-hashes", "--only-binary=:all:", "--no-compile", *files])
    run([*pip, "--no-build-isolation", "--no-compile", ROOT])
    return python


def find_packages(python: Path) -> Path:
    """Return the directory of an environment's packages."""
    (packages,) = (python.parent.parent / "lib").glob("python3*/site-packages")
    return packages


def freeze(python: Path, epoch: int) -> tuple[Path, list[contents.Entry]]:
    """Run PyInstaller; return the folder and the files that it collected. Raises SetupFailed."""
    print("Collecting the files of the program", flush=True)
    work, output = WORK / "work", WORK / "output"
    for directory in (work, output):
        shutil.rmtree(directory, ignore_errors=True)
    # The order of sets, and so of the modules in the archive, depends on the hash seed.
    fixed = ["PYTHONHASHSEED=1", f"SOURCE_DATE_EPOCH={epoch}"]
    # Modules come from the environment alone, not from the current directory.
    isolated = ["PYTHONSAFEPATH=1", "PYTHONDONTWRITEBYTECODE=1"]
    command: list[str | Path] = ["env", *fixed, *isolated, python, "-m", "PyInstaller"]
    command += ["--noconfirm", "--log-level", "ERROR", "--distpath", output, "--workpath", work, SPEC]
    run(command)
    listing = json.loads((work / SPEC.stem / "files.json").read_text(encoding="utf-8"))
    return output / PROGRAM, [(place, source, kind) for place, source, kind in listing]


def strip_python(folder: Path) -> None:
    """Remove debug information from Python's own libraries, 20 MB in some builds; it would break numpy's."""
    inside = folder / "_internal"
    for library in sorted([*inside.glob("libpython*"), *inside.glob("python3*/lib-dynload/*.so")]):
        run(["objcopy", "--strip-debug", library])


def describe(entries: list[contents.Entry], packages: Path) -> dict[str, Part]:
    """Return the parts that the files belong to. Raises BuildFailed if one is not in the run-time lock."""
    installed = Installed(packages)
    keys = {PROGRAM, "pyinstaller", *(installed.find_owner(entry) for entry in entries)}
    lock = (ROOT / "packaging" / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    locked = {normal_name(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    strangers = sorted(keys - locked - NOT_PACKAGES)
    if strangers:
        raise BuildFailed(f"Not a run-time package, but in the folder: {', '.join(strangers)}")
    return installed.describe(keys)


def add_metadata(folder: Path, entries: list[contents.Entry], packages: Path) -> None:
    """Copy the metadata of all packages in the folder: some read their version there, and the list of licences."""
    installed = Installed(packages)
    keys = {PROGRAM, *(installed.find_owner(entry) for entry in entries)} - {"pyinstaller"}
    for key in sorted(keys):
        if installed.is_package(key):
            source = installed.metadata(key)
            target = folder / "_internal" / source.parent.name / source.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)


def normalize(tree: Path, epoch: int) -> None:
    """Set the modes and times of a tree: 755 for directories and programs, 644 for other files, and `epoch`."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if not path.is_symlink():
            is_program = path.is_dir() or (path.name == PROGRAM and elf.is_elf(path))
            path.chmod(0o755 if is_program else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    os.utime(tree, (epoch, epoch))


def build_deb(folder: Path, version: str, epoch: int) -> None:
    """Make the Debian package of the folder. Raises deb.UnknownLibrary."""
    print("Making the Debian package", flush=True)
    root = WORK / "deb"
    shutil.rmtree(root, ignore_errors=True)
    packaging = ROOT / "packaging"
    desktop = deb.Desktop(
        APP_ID,
        packaging / f"{APP_ID}.desktop",
        packaging / f"{APP_ID}.metainfo.xml",
        ROOT / "resources" / "icons" / "usage-viewer.svg",
    )
    texts = (ROOT / "LICENSE", ROOT / "CHANGELOG.md")
    deb.stage(folder, root, version, elf.read_folder(folder), desktop, texts)
    root.chmod(0o755)
    normalize(root, epoch)
    deb.build(root, TARGET / f"{PROGRAM}_{version}_amd64.deb", epoch)


def write_sums(directory: Path) -> None:
    """Write the SHA-256 of each file below a directory to SHA256SUMS, for `sha256sum --check`."""
    lines = []
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.relative_to(directory)}\n")
    (directory / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a directory."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())


if __name__ == "__main__":
    sys.exit(main())
