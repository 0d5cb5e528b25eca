"""Erases what the program keeps on this computer: keys in the keyring, usage, names, settings."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer.app.file_permissions import stored_files
from usage_viewer.app.profile.organizations import Organization, Organizations, with_id
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.settings import organizations_of
from usage_viewer.domain.errors import InputError, StoreError, StoreLocked, StoreNotWritable, UsageViewerError

if TYPE_CHECKING:
    from usage_viewer.keystore import Keystore


def all_organizations(data_dir: Path) -> Organizations:
    """Those in the settings, those whose data lies in `data_dir`, and the one to begin with."""
    listed, _ = organizations_of(ProfilePaths(data_dir).settings)
    listed = with_id(listed, ProfilePaths(data_dir).profile)
    profiles = ProfilePaths(data_dir).directory.parent
    for path in sorted(profiles.iterdir()) if profiles.is_dir() else ():
        try:
            listed = with_id(listed, path.name)
        except InputError:
            continue  # nothing that the program has made
    return listed


def erase_all(data_dir: Path, keystore: "Callable[[str], Keystore]") -> list[UsageViewerError]:
    """Removes every organization's key, data and settings; returns what could not be removed.

    `keystore` gives that of an organization by its id. Raises StoreLocked, before anything is removed, if a window
    has the data of one open.
    """
    organizations = all_organizations(data_dir)
    for one in organizations:
        _check_free(ProfilePaths(data_dir, one.id))
    faults: list[UsageViewerError] = []
    for one in organizations:
        try:
            keystore(one.id).forget()
        except UsageViewerError as error:
            faults.append(_of(one, error))
    for path in stored_files(data_dir):
        try:
            _remove(path)
        except OSError as error:
            faults.append(
                StoreNotWritable(
                    f"{error.filename or path}: {error.strerror}",
                    title="Not all files could be removed",
                    hint="Check the permissions, and remove what is left by hand.",
                )
            )
    _remove_if_empty(data_dir)
    return faults


def _check_free(place: ProfilePaths) -> None:
    from usage_viewer.store import Store

    if not place.database.is_file():
        return
    try:
        Store.open(place.database).close()
    except StoreLocked:
        raise
    except StoreError:
        return  # damaged, or of a newer version: in nobody's hands at least


def _of(one: Organization, error: UsageViewerError) -> UsageViewerError:
    return UsageViewerError(
        error.detail, title=f"The key of {one.label} could not be removed: {error.title}", hint=error.hint
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _remove_if_empty(data_dir: Path) -> None:
    try:
        data_dir.rmdir()
    except OSError:
        return  # not the program's alone
