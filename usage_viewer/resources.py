"""Finds the files of `resources/`: inside an installed package, or next to it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_DIRECTORIES = (_PACKAGE / "resources", _PACKAGE.parent / "resources")


def asset(name: str) -> Path:
    """Return the path of a resource; `name` is relative to `resources/`, with forward slashes.

    Raises FileNotFoundError if the resource is missing, which means that the installation is damaged.
    """
    for directory in _DIRECTORIES:
        path = directory / name
        if path.exists():
            return path
    raise FileNotFoundError(f"the resource {name!r} is not installed with usage_viewer")
