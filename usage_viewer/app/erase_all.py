"""Deletes all data of the program on this computer: keys in the keyring, usage, names, settings."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer.app.file_permissions import stored_files
from usage_viewer.app.profile.data_directory import check_own
from usage_viewer.app.profile.organizations import Organization, Organizations, new_organization, with_id
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.settings import organizations_of
from usage_viewer.domain.errors import InputError, StoreError, StoreLocked, StoreNotWritable, UsageViewerError

if TYPE_CHECKING:
    from usage_viewer.keystore import Keystore


def all_organizations(data_dir: Path) -> Organizations:
    """Return the organizations in the settings, those with data in `data_dir`, and the default one."""
    organizations, _ = organizations_of(ProfilePaths(data_dir).settings)
    by_id = {one.id: one for one in with_id(organizations, ProfilePaths(data_dir).profile)}
    profiles = ProfilePaths(data_dir).directory.parent
    for path in sorted(profiles.iterdir()) if profiles.is_dir() else ():
        if path.name not in by_id:
            with suppress(InputError):  # the program did not create this folder
                by_id[path.name] = new_organization(path.name)
    return tuple(by_id.values())


def erase_all(data_dir: Path, keystore: "Callable[[str], Keystore]") -> list[UsageViewerError]:
    """Delete every organization's key and data, and the settings; return an error for each failed deletion.

    `keystore` returns the keystore of an organization's id. Raises StoreLocked, before anything is deleted, if a
    window has a database open; InputError if the directory has files of another program.
    """
    check_own(data_dir)
    organizations = all_organizations(data_dir)
    for organization in organizations:
        _check_not_open(ProfilePaths(data_dir, organization.id))
    errors: list[UsageViewerError] = []
    for organization in organizations:
        try:
            keystore(organization.id).forget()
        except UsageViewerError as error:
            errors.append(_with_organization(error, organization))
    for path in stored_files(data_dir):
        try:
            _remove(path)
        except OSError as error:
            errors.append(
                StoreNotWritable(
                    f"{error.filename or path}: {error.strerror}",
                    title="Some files could not be deleted",
                    hint="Check the permissions, and delete the remaining files yourself.",
                )
            )
    _remove_if_empty(data_dir)
    return errors


def _check_not_open(paths: ProfilePaths) -> None:
    from usage_viewer.store import Store

    if not paths.database.is_file():
        return
    try:
        Store.open(paths.database).close()
    except StoreLocked:
        raise
    except StoreError:
        return  # damaged, or of a newer version, but not open elsewhere


def _with_organization(error: UsageViewerError, organization: Organization) -> UsageViewerError:
    return UsageViewerError(
        error.detail, title=f"The key of {organization.label} could not be removed: {error.title}", hint=error.hint
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
        return  # the directory has other files, which are not the program's
