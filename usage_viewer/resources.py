"""Where the files of `resources/` are: inside an installed package, or beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "resources", _PACKAGE.parent / "resources")


def asset(name: str) -> Path:
    """The path of a resource, named relative to `resources/` with forward slashes.

    Raises FileNotFoundError when there is no such resource: the installation is damaged.
    """
    for place in _PLACES:
        path = place / name
        if path.exists():
            return path
    raise FileNotFoundError(f"the resource {name!r} is not installed with usage_viewer")
