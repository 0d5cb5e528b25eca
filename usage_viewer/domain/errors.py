"""Defines the errors of the program, each with a title and a hint that tells the user what to do.

Those of requests and responses are in `network_errors`.

UsageViewerError
├── InputError              invalid input: a date, a filter, a URL, an argument, a key
├── CredentialError         a problem with the admin key
│   ├── KeyMissing          no key is stored
│   ├── KeyRefused          401: wrong, revoked or expired
│   ├── NotAnAdminKey       401 or 403: the key of a project or a service account
│   ├── KeyForAnotherServer the key was given for another server, or in another data directory
│   └── ScopeMissing        403: an admin key without the required scope
├── KeyringError            a problem with the operating system's keyring
│   ├── NoKeyring           the system has no keyring
│   ├── KeyringLocked       the keyring is locked, or the user dismissed its prompt
│   └── KeyringFailed       the keyring failed, lost the entry or did not respond
├── StoreError              a problem with the database file
│   ├── StoreLocked         another process has it open
│   ├── StoreDamaged        the file can't be read
│   ├── StoreNewer          a newer version of the program wrote the file
│   └── StoreNotWritable    no permission, or no space
├── SnapshotError           a saved snapshot can't be opened
│   ├── NotASnapshot        the file is not a snapshot
│   ├── SnapshotDamaged     a file in the snapshot is missing or was changed
│   ├── SnapshotNewer       a newer version of the program wrote the snapshot
│   └── SnapshotTooLarge    unpacked, the snapshot exceeds the size limit
├── ViewFileError           a file of saved views can't be imported
│   ├── NotAViewFile        the file does not have saved views
│   ├── ViewFileDamaged     the file was cut off or changed
│   ├── ViewFileNewer       a newer version of the program wrote the file
│   └── ViewFileTooLarge    the file exceeds the size limit
├── ExportError             a copy or a file could not be written
└── Cancelled               the user stopped the operation
"""

from typing import ClassVar


class UsageViewerError(Exception):
    """Base class of all errors of the program.

    `title` says what happened, `hint` what the user can do, `detail` holds the original message (of the server, the
    operating system or the database), or the text that the user entered.
    """

    default_title: ClassVar[str] = "Something went wrong"
    default_hint: ClassVar[str] = "Retry."

    def __init__(self, detail: str = "", *, title: str | None = None, hint: str | None = None) -> None:
        self.title = title or self.default_title
        self.hint = hint or self.default_hint
        self.detail = detail
        super().__init__(f"{self.title}: {detail}" if detail else self.title)


class InputError(UsageViewerError):
    """Reports input that can't be used: a date, a filter, a URL, an argument or a key."""

    default_title = "The input can't be used"
    default_hint = "Check the text that you entered."


class CredentialError(UsageViewerError):
    """Base class of errors about the admin key."""

    default_title = "The admin key can't be used"
    default_hint = "Change it to a valid admin key of your organization."


class KeyMissing(CredentialError):
    """Reports that an admin key is required and none is stored."""

    default_title = "No admin key"
    default_hint = "Add an admin key of your organization."


class KeyRefused(CredentialError):
    """Reports that the server refused the key (HTTP 401)."""

    default_title = "The admin key was refused"
    default_hint = "It may be mistyped, revoked or expired. Create a new admin key and replace this one."


class NotAnAdminKey(CredentialError):
    """Reports a key of a project or a service account (HTTP 401 or 403)."""

    default_title = "This is not an admin key"
    default_hint = "Only an admin key can read usage; it begins with sk-admin-."


class KeyForAnotherServer(CredentialError):
    """Reports a key that is not sent, because it was given for another server or data directory.

    `given_for` and `server` are origins: the server that the key was given for, and the one to fetch from now. If
    they are equal, the data directory is in doubt. `reusable` says that the key can be used for `server` once the
    user agrees.
    """

    default_title = "The admin key was given for another server"

    def __init__(
        self,
        detail: str = "",
        *,
        given_for: str = "",
        server: str = "",
        title: str | None = None,
        hint: str | None = None,
        reusable: bool = True,
    ) -> None:
        self.given_for, self.server, self.reusable = given_for, server, reusable
        facts = f"It was given for {given_for}. The server is now {server}. Nothing was sent there."
        if given_for == server:
            title = title or "The admin key may belong to another data directory"
            facts = f"An older version stored it for {server}, without a data directory. Nothing was sent there."
        super().__init__(detail, title=title, hint=hint or facts)


class ScopeMissing(CredentialError):
    """Reports an admin key without the required permission; `scope` is its name, "" if unknown."""

    default_title = "The admin key lacks a permission"
    default_hint = "Edit the key's permissions and allow Usage: read."

    def __init__(
        self, detail: str = "", *, scope: str = "", title: str | None = None, hint: str | None = None
    ) -> None:
        self.scope = scope
        super().__init__(detail, title=title, hint=hint)


class KeyringError(UsageViewerError):
    """Base class of errors of the operating system's keyring."""

    default_title = "The keyring can't be used"
    default_hint = "The key is kept only until the program is closed."


class NoKeyring(KeyringError):
    """Reports that the system has no keyring."""

    default_title = "This system has no keyring"
    default_hint = (
        "A key that you enter is kept only until the program is closed. To store it, install gnome-keyring or "
        "kwalletmanager and log in again."
    )


class KeyringLocked(KeyringError):
    """Reports that the keyring is locked, or that the user dismissed its prompt."""

    default_title = "The keyring is locked"
    default_hint = "Unlock it, then retry."


class KeyringFailed(KeyringError):
    """Reports that the keyring failed, lost the entry or did not respond."""

    default_title = "The keyring failed"
    default_hint = "Check the system's keyring, then retry."


class StoreError(UsageViewerError):
    """Base class of errors of the database file."""

    default_title = "The local database can't be used"


class StoreLocked(StoreError):
    """Reports that another process has the database open."""

    default_title = "The local database is in use"
    default_hint = "Another Usage Viewer has it open. Close its window, or use --no-store."


class StoreDamaged(StoreError):
    """Reports that the database can't be read."""

    default_title = "The local database is damaged"
    default_hint = "Start with an empty database: the damaged file is kept as a copy, and usage is loaded again."


class StoreNewer(StoreError):
    """Reports a database that a newer version of the program wrote."""

    default_title = "The local database was written by a newer version"
    default_hint = "Install that version again, or choose another data directory with --data-dir."


class StoreNotWritable(StoreError):
    """Reports that files can't be written: no permission or no space."""

    default_title = "The data directory can't be written"
    default_hint = "Check the permissions and the free space, or choose another directory with --data-dir."


class SnapshotError(UsageViewerError):
    """Reports that a saved snapshot can't be opened."""

    default_title = "The snapshot can't be opened"
    default_hint = "Check that the file exists and that you may read it."


class NotASnapshot(SnapshotError):
    """Reports a file or folder that is not a snapshot."""

    default_title = "This is not a snapshot"
    default_hint = "Choose a .zip file or a folder that was saved with Save snapshot."


class SnapshotDamaged(SnapshotError):
    """Reports that a file in the snapshot is missing or was changed."""

    default_title = "The snapshot is damaged"
    default_hint = "Copy it again from its source, or save a new snapshot."


class SnapshotNewer(SnapshotError):
    """Reports a snapshot that a newer version of the program wrote."""

    default_title = "The snapshot was written by a newer version"
    default_hint = "Install a newer Usage Viewer. Other programs can read the Parquet files in the snapshot."


class SnapshotTooLarge(SnapshotError):
    """Reports a snapshot that exceeds the size limit when unpacked."""

    default_title = "The snapshot is too large"
    default_hint = "Save a snapshot of a shorter range, or unpack this one and open the folder."


class ViewFileError(UsageViewerError):
    """Reports that a file of saved views can't be imported."""

    default_title = "The file can't be read"
    default_hint = "Check that the file exists and that you may read it."


class NotAViewFile(ViewFileError):
    """Reports a file that does not have saved views."""

    default_title = "This file has no saved views"
    default_hint = "Choose a .json file that was written with Export."


class ViewFileDamaged(ViewFileError):
    """Reports a file of saved views that was cut off or changed."""

    default_title = "The file of saved views is damaged"
    default_hint = "Copy it again from its source, or export the views again. Nothing was imported."


class ViewFileNewer(ViewFileError):
    """Reports saved views that a newer version of the program wrote."""

    default_title = "The saved views were written by a newer version"
    default_hint = "Install a newer Usage Viewer. Nothing was changed."


class ViewFileTooLarge(ViewFileError):
    """Reports a file of saved views that exceeds the size limit."""

    default_title = "The file of saved views is too large"
    default_hint = "Export fewer views. Nothing was imported."


class ExportError(UsageViewerError):
    """Reports that a copy or a file could not be written."""

    default_title = "The copy could not be written"
    default_hint = "Check the folder's permissions and the free space, or choose another place."


class Cancelled(UsageViewerError):
    """Reports that the user stopped the operation."""

    default_title = "Stopped"
    default_hint = "Data loaded so far is kept."
