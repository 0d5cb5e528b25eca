"""Lists the third-party packages of this program with their versions and licences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageMetadata, PackageNotFoundError, distribution

PROGRAM = "usage-viewer"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r";.*\bextra\s*==")
_LONGEST = 60  # characters; some packages put the whole text of a licence into the field for its name


@dataclass(frozen=True, slots=True)
class Component:
    """Describes an installed package."""

    name: str
    version: str
    licence: str


def list_components(program: str = PROGRAM) -> list[Component]:
    """Return the installed packages that `program` requires directly or indirectly, sorted by name."""
    components: dict[str, Component] = {}
    todo = list(_direct_requirements(program))
    while todo:
        name = todo.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in components or key == program:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # required only on another system or by another Python version
        components[key] = Component(package.metadata["Name"], package.version, licence(package.metadata))
        todo += _requirement_names(package)
    return [components[key] for key in sorted(components)]


def licence(metadata: PackageMetadata) -> str:
    """Return the licence that a package declares: an SPDX expression, a short name, or its classifiers."""
    for field in ("License-Expression", "License"):
        text = str((metadata.get_all(field) or [""])[0]).strip()
        if text and len(text) <= _LONGEST and "\n" not in text:
            return text
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or ()
        if text.startswith("License ::") and text != "License :: OSI Approved"
    ]
    return ", ".join(classifiers) or "see the package"


def _direct_requirements(program: str) -> Iterator[str]:
    try:
        yield from _requirement_names(distribution(program))
    except PackageNotFoundError:
        return  # the program runs from a folder and is not installed


def _requirement_names(package: Distribution) -> Iterator[str]:
    for text in package.requires or ():
        name = _NAME.match(text)
        if name and not _EXTRA.search(text):
            yield name.group()
