"""Implements `usage-viewer forget`: removes the key from the keyring, or deletes all data of the program."""

import argparse
from collections.abc import Callable
from typing import TextIO

from usage_viewer.app.erase_all import all_organizations, erase_all
from usage_viewer.app.profile.data_directory import check_own
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.cli.error_output import write_error
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import InputError, StoreLocked, UsageViewerError
from usage_viewer.keystore import ENVIRONMENT_VARIABLE, Keystore

DONE, FAILED, BAD_ARGUMENTS, NOT_CONFIRMED = 0, 1, 2, 3


def run_forget(
    arguments: argparse.Namespace,
    paths: ProfilePaths,
    organization: Organization,
    keystore: Callable[[str], Keystore],
    *,
    ask: Callable[[str], str],
    err: TextIO,
) -> int:
    """Run the command, report the result on `err`, and return the exit status.

    `ask` shows a question and returns the answer; it is not called with `--yes`. `keystore` returns the keystore of
    an organization's id.
    """
    try:
        if arguments.all and arguments.profile is not None:
            raise InputError(title="--profile and --all can't be combined", hint="Use either --profile or --all.")
        if arguments.all:
            check_own(paths.data_dir)
        if not arguments.yes and not _is_confirmed(_question(arguments.all, paths, organization), ask):
            err.write("usage-viewer: Nothing was removed.\n")
            return NOT_CONFIRMED
        return _erase_all(paths, keystore, err) if arguments.all else _remove_key(organization, keystore, err)
    except StoreLocked as error:
        write_error(StoreLocked(error.detail, hint="Close the window first. Nothing was removed."), err)
        return FAILED
    except InputError as error:
        write_error(error, err)
        return BAD_ARGUMENTS
    except UsageViewerError as error:
        write_error(error, err)
        return FAILED


def _question(everything: bool, paths: ProfilePaths, organization: Organization) -> str:
    if not everything:
        return f"Remove the key of {visible(organization.label)} from the keyring?"
    labels = ", ".join(visible(one.label) for one in all_organizations(paths.data_dir))
    return (
        f"Remove all keys ({labels}) from the keyring, and delete all usage, names and settings in "
        f"{visible(str(paths.data_dir))}?"
    )


def _is_confirmed(question: str, ask: Callable[[str], str]) -> bool:
    try:
        return ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        return False


def _remove_key(organization: Organization, keystore: Callable[[str], Keystore], err: TextIO) -> int:
    store = keystore(organization.id)
    if not store.persistent:
        err.write(f"usage-viewer: There is no keyring, so no key is stored. {store.description}\n")
        return DONE
    store.forget()
    err.write(f"The key of {visible(organization.label)} was removed from the keyring.\n{_NOT_AFFECTED}\n")
    return DONE


def _erase_all(paths: ProfilePaths, keystore: Callable[[str], Keystore], err: TextIO) -> int:
    errors = erase_all(paths.data_dir, keystore)
    for error in errors:
        write_error(error, err)
    if not errors:
        err.write(f"All keys, usage, names and settings were removed.\n{_NOT_AFFECTED}\n")
    return FAILED if errors else DONE


_NOT_AFFECTED = (
    f"A key in the variable {ENVIRONMENT_VARIABLE}, tables and snapshots that you saved elsewhere, and your OpenAI "
    "account are not affected."
)
