"""Writes the lock files in `requirements/` from pyproject.toml, or checks that they match it.

The check needs no network and ignores newer releases: a lock becomes outdated only when pyproject.toml changes,
never when a package index changes.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "packaging" / "requirements"

# Development is first: the other locks take their versions from it, so each version is chosen only once.
LOCKS: dict[str, list[str]] = {
    "development": ["pyproject.toml", "--group", "build", "--group", "test", "--group", "check"],
    "runtime": ["pyproject.toml", "--constraint", "packaging/requirements/development.txt"],
    "build": ["--group", "build", "--constraint", "packaging/requirements/development.txt"],
    "bench": ["--group", "bench", "--constraint", "packaging/requirements/development.txt"],
    "audit": ["--group", "audit"],  # tools with a separate environment
    "package": ["--group", "package", "--constraint", "packaging/requirements/development.txt"],
}
GROUPS: dict[str, list[str]] = {
    "development": ["build", "test", "check"],
    "runtime": [],
    "build": ["build"],
    "bench": ["bench"],
    "audit": ["audit"],
    "package": ["package"],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
DIGEST_LINE = re.compile(r"^# pyproject: sha256:([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """Holds one locked version: the requirement `name==version` with its marker, and its hashes."""

    requirement: Requirement
    hashes: tuple[str, ...]


def parse(text: str) -> list[Pin]:
    """Return the pins in the text of a lock file."""
    joined = re.sub(r"\\\n\s*", "", text)
    pins = []
    for line in joined.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        pins.append(Pin(Requirement(requirement), tuple(hashes)))
    return pins


def inputs_digest(project: dict[str, Any]) -> str:
    """Return the SHA-256 (hexadecimal) of the tables of pyproject.toml that determine the locks."""
    inputs = {
        "requires-python": project["project"]["requires-python"],
        "dependencies": project["project"]["dependencies"],
        "groups": project["dependency-groups"],
        "build": project["build-system"]["requires"],
        "uv": project.get("tool", {}).get("uv", {}),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def required(project: dict[str, Any], lock: str) -> list[Requirement]:
    """Return the direct requirements that a lock must satisfy."""
    texts = [] if lock in ("build", "bench", "audit", "package") else list(project["project"]["dependencies"])
    for group in GROUPS[lock]:
        texts += project["dependency-groups"][group]
    return [Requirement(text) for text in texts]


def environments() -> list[dict[str, str]]:
    """Return the marker environments of all supported Python versions and platforms."""
    return [
        {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "sys_platform": platform,
            "platform_system": system,
            "os_name": "nt" if platform == "win32" else "posix",
            "platform_python_implementation": "CPython",
            "implementation_name": "cpython",
            "platform_machine": "x86_64",
        }
        for python, (platform, system) in itertools.product(PYTHONS, PLATFORMS.items())
    ]


def applies(marker: Marker | None, environment: dict[str, str]) -> bool:
    """Report whether a marker matches an environment; a missing marker always does."""
    return marker is None or marker.evaluate(dict(environment))


def versions_in(pins: list[Pin], environment: dict[str, str]) -> dict[str, str]:
    """Return the version of each package in one environment. Raises ValueError if a package has two."""
    versions: dict[str, str] = {}
    for pin in pins:
        if not applies(pin.requirement.marker, environment):
            continue
        name = canonicalize_name(pin.requirement.name)
        if name in versions:
            raise ValueError(f"{name} is locked twice for one environment")
        versions[name] = next(iter(pin.requirement.specifier)).version
    return versions


def find_problems(project: dict[str, Any], texts: dict[str, str]) -> list[str]:
    """Return a sentence for each problem of the locks; none if they match pyproject.toml."""
    problems: list[str] = []
    digest = inputs_digest(project)
    for lock, text in texts.items():
        written = DIGEST_LINE.search(text)
        if written is None or written[1] != digest:
            problems.append(f"{lock}.txt was not written from this pyproject.toml.")
        pins = parse(text)
        problems += [f"{lock}.txt has no hash for {pin.requirement}." for pin in pins if not pin.hashes]
        for environment in environments():
            problems += find_environment_problems(project, lock, pins, environment)
    development = {
        (str(pin.requirement.name), str(pin.requirement.specifier)) for pin in parse(texts["development"])
    }
    names = {name for name, _ in development}
    for lock in ("runtime", "build", "bench", "package"):
        for pin in parse(texts[lock]):
            is_own = lock in ("bench", "package") and pin.requirement.name not in names
            if (pin.requirement.name, str(pin.requirement.specifier)) not in development and not is_own:
                problems.append(f"{lock}.txt has {pin.requirement}, development.txt has another version.")
    return list(dict.fromkeys(problems))


def find_environment_problems(
    project: dict[str, Any], lock: str, pins: list[Pin], environment: dict[str, str]
) -> list[str]:
    """Return a sentence for each direct requirement that a lock lacks or violates in one environment."""
    versions = versions_in(pins, environment)
    where = f"Python {environment['python_version']} on {environment['platform_system']}"
    problems = []
    for requirement in required(project, lock):
        if not applies(requirement.marker, environment):
            continue
        version = versions.get(canonicalize_name(requirement.name))
        if version is None:
            problems.append(f"{lock}.txt lacks {requirement.name} for {where}.")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{lock}.txt has {requirement.name} {version}, not {requirement}, for {where}.")
    return problems


def renew(upgrade: bool) -> None:
    """Resolve the locks again and write them. Valid pins are kept; with `upgrade`, the newest releases are used."""
    digest = inputs_digest(read_project())
    for lock, sources in LOCKS.items():
        path = REQUIREMENTS / f"{lock}.txt"
        command = [sys.executable, "-m", "uv", "pip", "compile", *sources, "--quiet"]
        command += ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest"]
        command += ["--generate-hashes", "--no-header", "--no-annotate"]
        command += ["--no-emit-index-url", "--no-emit-find-links"]
        command += ["--upgrade"] if upgrade and lock == "development" else []
        command += ["--output-file", str(path.relative_to(ROOT))]
        subprocess.run(command, cwd=ROOT, check=True)
        header = f"# Written by `make lock` from pyproject.toml; do not edit.\n# pyproject: sha256:{digest}\n"
        path.write_text(header + path.read_text(encoding="utf-8"), encoding="utf-8")


def read_project() -> dict[str, Any]:
    """Return the content of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def read_locks() -> dict[str, str]:
    """Return the text of each lock file by its name."""
    return {lock: (REQUIREMENTS / f"{lock}.txt").read_text(encoding="utf-8") for lock in LOCKS}


def main(arguments: list[str] | None = None) -> int:
    """Renew the locks if requested, check them, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["renew", "check"])
    parser.add_argument("--upgrade", action="store_true", help="use the newest releases")
    options = parser.parse_args(arguments)
    if options.action == "renew":
        renew(options.upgrade)
    problems = find_problems(read_project(), read_locks())
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print("Run `make lock` and commit packaging/requirements/.", file=sys.stderr)
        return 1
    print("The locks match pyproject.toml.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
