"""`usage-viewer forget`: removes the key from the keyring, or all that the program keeps."""

import argparse
from collections.abc import Callable
from typing import TextIO

from usage_viewer.app.erase_all import all_organizations, erase_all
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.cli.error_output import tell
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import InputError, StoreLocked, UsageViewerError
from usage_viewer.keystore import ENVIRONMENT_VARIABLE, Keystore

DONE, FAILED, BAD_ARGUMENTS, NOT_CONFIRMED = 0, 1, 2, 3


def run_forget(
    arguments: argparse.Namespace,
    place: ProfilePaths,
    organization: Organization,
    keystore: Callable[[str], Keystore],
    *,
    ask: Callable[[str], str],
    err: TextIO,
) -> int:
    """Asks with `ask` unless `--yes` was given; says on `err` what was done. Returns the exit status."""
    try:
        if arguments.all and arguments.profile is not None:
            raise InputError(title="--all is about every organization", hint="Leave --profile or --all out.")
        if not arguments.yes and not _confirmed(_question(arguments.all, place, organization), ask):
            err.write("usage-viewer: Nothing was removed.\n")
            return NOT_CONFIRMED
        return _erase_all(place, keystore, err) if arguments.all else _forget(organization, keystore, err)
    except StoreLocked as error:
        tell(StoreLocked(error.detail, hint="Close the window first. Nothing was removed."), err)
        return FAILED
    except InputError as error:
        tell(error, err)
        return BAD_ARGUMENTS
    except UsageViewerError as error:
        tell(error, err)
        return FAILED


def _question(everything: bool, place: ProfilePaths, organization: Organization) -> str:
    if not everything:
        return f"Remove the key of {visible(organization.label)} from the keyring?"
    labels = ", ".join(visible(one.label) for one in all_organizations(place.data_dir))
    return (
        f"Remove all keys ({labels}) from the keyring, and all usage, names and settings in "
        f"{visible(str(place.data_dir))}?"
    )


def _confirmed(question: str, ask: Callable[[str], str]) -> bool:
    try:
        return ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        return False


def _forget(organization: Organization, keystore: Callable[[str], Keystore], err: TextIO) -> int:
    store = keystore(organization.id)
    if not store.persistent:
        err.write(f"usage-viewer: There is no keyring here, so no key is kept. {store.description}\n")
        return DONE
    store.forget()
    err.write(f"The key of {visible(organization.label)} is no longer in the keyring.\n{_ENVIRONMENT}\n")
    return DONE


def _erase_all(place: ProfilePaths, keystore: Callable[[str], Keystore], err: TextIO) -> int:
    faults = erase_all(place.data_dir, keystore)
    for fault in faults:
        tell(fault, err)
    if not faults:
        err.write(f"All keys, usage, names and settings were removed.\n{_ENVIRONMENT}\n")
    return FAILED if faults else DONE


_ENVIRONMENT = (
    f"A key in the variable {ENVIRONMENT_VARIABLE}, tables and snapshots that you saved elsewhere, and the key "
    "itself at the vendor's are not touched."
)
