"""Edits the list of organizations. Each has an id that never changes, and a name that can change.

The id is the name of the organization's data directory and of its entry in the keyring. A new name therefore moves
neither.
"""

import re
import shutil
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import InputError, StoreNotWritable

DEFAULT = "default"
RESERVED = frozenset({"demo", "snapshot", "combined"})
"""Ids in the settings that don't belong to organizations."""

LONGEST_LABEL = 60
FIRST_LABEL = "My organization"


@dataclass(frozen=True, slots=True)
class Organization:
    """Identifies an organization. `label` is its displayed name; `base_url` "" is OpenAI's own server."""

    id: str
    label: str
    base_url: str = ""


Organizations = tuple[Organization, ...]


def with_id(organizations: Organizations, id: str) -> Organizations:
    """Return the list, with an organization of this id added if there is none. Raises InputError for a bad id."""
    if any(one.id == id for one in organizations):
        return organizations
    return (*organizations, new_organization(id))


def new_organization(id: str) -> Organization:
    """Return an organization that has no name yet. Raises InputError for a bad id."""
    ProfilePaths(Path(), id)
    return Organization(id, FIRST_LABEL if id == DEFAULT else id)


def find_id(organizations: Organizations, name: str) -> str:
    """Return the id of the organization whose id or label (ignoring case) is `name`; if there is none, `name`."""
    if any(one.id == name for one in organizations):
        return name
    return next((one.id for one in organizations if one.label.casefold() == name.casefold()), name)


def add(organizations: Organizations, label: str, data_dir: Path, base_url: str = "") -> Organizations:
    """Return the list with a new organization at the end.

    Its id is derived from the label, and differs from all ids that are listed, reserved, or used by existing data.
    Raises InputError for an invalid label or base URL.
    """
    label = check_label(labels_of(organizations), label)
    if base_url:
        from usage_viewer.api import check_base_url

        base_url = check_base_url(base_url)
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "organization"
    taken = {one.id for one in organizations} | RESERVED
    id, number = stem, 1
    while id in taken or ProfilePaths(data_dir, id).directory.exists():
        number += 1
        id = f"{stem}-{number}"
    return (*organizations, Organization(id, label, base_url))


def rename(organizations: Organizations, id: str, label: str) -> Organizations:
    """Return the list with a new label for the organization `id`. Raises InputError for an invalid label."""
    label = check_label(labels_of(one for one in organizations if one.id != id), label)
    return tuple(replace(one, label=label) if one.id == id else one for one in organizations)


def move(organizations: Organizations, id: str, base_url: str) -> Organizations:
    """Return the list with another server for the organization `id`. Raises InputError for an invalid base URL."""
    from usage_viewer.api import check_base_url

    checked = check_base_url(base_url)
    return tuple(replace(one, base_url=checked) if one.id == id else one for one in organizations)


def remove(organizations: Organizations, id: str) -> Organizations:
    """Return the list without the organization `id`. Raises InputError for the last organization."""
    remaining = tuple(one for one in organizations if one.id != id)
    if not remaining:
        raise InputError(
            title="The last organization can't be removed", hint="Delete its data and remove its key instead."
        )
    return remaining


def labels_of(organizations: Iterable[Organization]) -> set[str]:
    """Return the labels in the form that `check_label` compares."""
    return {one.label.casefold() for one in organizations}


def check_label(taken: Collection[str], label: str) -> str:
    """Return the label with single spaces only. Raises InputError if it is empty, too long or one of `taken`."""
    label = " ".join(label.split())
    if not label:
        raise InputError(title="The name is missing", hint="Enter a name.")
    if len(label) > LONGEST_LABEL:
        raise InputError(title="The name is too long", hint=f"Use at most {LONGEST_LABEL} characters.")
    if visible(label) != label:
        raise InputError(title="The name has invisible characters", hint="Enter it again.")
    if label.casefold() in taken:
        raise InputError(label, title="Another organization has this name", hint="Choose another name.")
    return label


def delete_data(paths: ProfilePaths) -> None:
    """Delete an organization's data directory. Its database must not be open. Raises StoreNotWritable."""
    try:
        shutil.rmtree(paths.directory)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreNotWritable(
            f"{paths.directory}: {error.strerror or error}",
            title="The data could not be deleted",
            hint="Close other programs that use it, check the permissions, and delete the folder yourself.",
        ) from error
