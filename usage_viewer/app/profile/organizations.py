"""The list of organizations: each a profile with an id that never changes, and a name that may.

The id names the directory of its data and its entry in the keyring; so renaming moves neither.
"""

import re
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import InputError, StoreNotWritable

DEFAULT = "default"
RESERVED = frozenset({"demo", "snapshot", "combined"})
"""Names that other things than organizations go by in the settings."""

LONGEST_LABEL = 60
FIRST_LABEL = "My organization"


@dataclass(frozen=True, slots=True)
class Organization:
    """`base_url` "" is the vendor's own server."""

    id: str
    label: str
    base_url: str = ""


Organizations = tuple[Organization, ...]


def with_id(listed: Organizations, id: str) -> Organizations:
    """The list with this one in it. Raises InputError for an id that can't be a profile's."""
    if any(one.id == id for one in listed):
        return listed
    ProfilePaths(Path(), id)
    return (*listed, Organization(id, FIRST_LABEL if id == DEFAULT else id))


def find_id(listed: Organizations, name: str) -> str:
    """The id that `name` means: an id, or else the name that one goes by; else `name` itself, for a new one."""
    if any(one.id == name for one in listed):
        return name
    return next((one.id for one in listed if one.label.casefold() == name.casefold()), name)


def add(listed: Organizations, label: str, data_dir: Path, base_url: str = "") -> Organizations:
    """One more, the last. Its id is made from its name, and is not that of data which is there already.

    Raises InputError for a name or an address that can't be used.
    """
    label = check_label(listed, label)
    if base_url:
        from usage_viewer.api import check_base_url

        base_url = check_base_url(base_url)
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "organization"
    taken = {one.id for one in listed} | RESERVED
    id, number = stem, 1
    while id in taken or ProfilePaths(data_dir, id).directory.exists():
        number += 1
        id = f"{stem}-{number}"
    return (*listed, Organization(id, label, base_url))


def rename(listed: Organizations, id: str, label: str) -> Organizations:
    """Raises InputError for a name that can't be used."""
    label = check_label(tuple(one for one in listed if one.id != id), label)
    return tuple(replace(one, label=label) if one.id == id else one for one in listed)


def remove(listed: Organizations, id: str) -> Organizations:
    """Raises InputError where no other would be left."""
    rest = tuple(one for one in listed if one.id != id)
    if not rest:
        raise InputError(
            title="The last organization can't be removed", hint="Erase its data and forget its key instead."
        )
    return rest


def check_label(others: Sequence[Organization], label: str) -> str:
    """The name without space around it. Raises InputError."""
    label = " ".join(label.split())
    if not label:
        raise InputError(title="The organization needs a name", hint="Type one.")
    if len(label) > LONGEST_LABEL:
        raise InputError(title="The name is too long", hint=f"Use at most {LONGEST_LABEL} characters.")
    if visible(label) != label:
        raise InputError(title="The name has characters that can't be seen", hint="Type it anew.")
    if any(one.label.casefold() == label.casefold() for one in others):
        raise InputError(label, title="Another organization has this name", hint="Choose another name.")
    return label


def delete_data(place: ProfilePaths) -> None:
    """Removes the directory of an organization's data, which must not be open. Raises StoreNotWritable."""
    try:
        shutil.rmtree(place.directory)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreNotWritable(
            f"{place.directory}: {error.strerror or error}",
            title="The data could not be removed",
            hint="Close other programs that use it, check the permissions, and remove the folder by hand.",
        ) from error
