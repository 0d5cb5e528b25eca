"""What this program is made of: every package that it ships with, its version and its licence."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageMetadata, PackageNotFoundError, distribution

PROGRAM = "usage-viewer"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r";.*\bextra\s*==")
_LONGEST = 60  # characters; some packages give a licence's whole text for its name


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    version: str
    licence: str


def list_components(program: str = PROGRAM) -> list[Component]:
    """All that `program` needs and that is installed here, and what that needs in turn, by name."""
    found: dict[str, Component] = {}
    todo = list(_needs(program))
    while todo:
        name = todo.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found or key == program:
            continue
        try:
            here = distribution(name)
        except PackageNotFoundError:
            continue  # for another system or another Python
        found[key] = Component(here.metadata["Name"], here.version, licence(here.metadata))
        todo += _required(here)
    return [found[key] for key in sorted(found)]


def licence(metadata: PackageMetadata) -> str:
    """As the package states it: an SPDX expression, a short name, or the classifier's words."""
    for field in ("License-Expression", "License"):
        text = str((metadata.get_all(field) or [""])[0]).strip()
        if text and len(text) <= _LONGEST and "\n" not in text:
            return text
    classified = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or ()
        if text.startswith("License ::") and text != "License :: OSI Approved"
    ]
    return ", ".join(classified) or "see the package"


def _needs(program: str) -> Iterator[str]:
    try:
        yield from _required(distribution(program))
    except PackageNotFoundError:
        return  # run from a folder without being installed


def _required(here: Distribution) -> Iterator[str]:
    for text in here.requires or ():
        name = _NAME.match(text)
        if name and not _EXTRA.search(text):
            yield name.group()
