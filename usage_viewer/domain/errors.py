"""Everything that can go wrong, as one tree; each error has a title and a hint that the user can act on.

UsageViewerError
├── InputError              something typed can't be used: a date, a filter, a URL, an argument, a key
├── CredentialError         the key
│   ├── KeyMissing          there is none yet
│   ├── KeyRefused          401: wrong, revoked or expired
│   ├── NotAnAdminKey       401 or 403: a project's or a service account's key
│   └── ScopeMissing        403: an admin key without the scope that the call needs
├── KeyringError            the operating system's keyring
│   ├── NoKeyring           there is none
│   ├── KeyringLocked       it is locked, or its prompt was dismissed
│   └── KeyringFailed       it failed, lost the entry or did not answer
├── NetworkError            no answer came
│   ├── HostNotFound        the name has no address
│   ├── ConnectionFailed    refused, reset or cut off
│   ├── ProxyFailed         the proxy refused or could not be reached
│   ├── TlsFailed           the certificate was not accepted
│   └── TimedOut            the answer did not come, or did not end, in time
├── ServerError             an answer came: an error (`status`)
│   ├── RateLimited         429, after all retries
│   ├── ServerFailed        408, 5xx, after all retries
│   ├── NotFound            404
│   └── RequestRefused      400 and other 4xx (`param` names the parameter)
├── AnswerError             an answer came that can't be used (`path` names the place)
│   ├── NotJson             not JSON at all
│   ├── WrongShape          a required field is missing, or has a wrong type or value
│   ├── CursorError         a missing or repeated cursor
│   ├── BucketError         a bucket that was not asked for, or that is there twice
│   └── TooLarge            larger than any honest answer
├── StoreError              the database file
│   ├── StoreLocked         another process holds it
│   ├── StoreDamaged        it can't be read
│   ├── StoreNewer          a newer version of the program wrote it
│   └── StoreNotWritable    no permission, or no space
├── SnapshotError           a saved snapshot can't be opened
│   ├── NotASnapshot        it is something else
│   ├── SnapshotDamaged     a part is missing or was changed
│   ├── SnapshotNewer       a newer version of the program wrote it
│   └── SnapshotTooLarge    it would unpack to more than is taken
├── ExportError             a copy or a file could not be made
└── Cancelled               the user stopped it
"""

from typing import ClassVar


class UsageViewerError(Exception):
    """Base of all: `title` says what happened, `hint` what to do, `detail` what the other side said."""

    default_title: ClassVar[str] = "Something went wrong"
    default_hint: ClassVar[str] = "Try again."

    def __init__(self, detail: str = "", *, title: str | None = None, hint: str | None = None) -> None:
        self.title = title or self.default_title
        self.hint = hint or self.default_hint
        self.detail = detail
        super().__init__(f"{self.title}: {detail}" if detail else self.title)


class InputError(UsageViewerError):
    default_title = "That can't be used"
    default_hint = "Check what was typed."


class CredentialError(UsageViewerError):
    default_title = "The key can't be used"
    default_hint = "Change it to an admin key of your organization."


class KeyMissing(CredentialError):
    default_title = "There is no key yet"
    default_hint = "Enter an admin key of your organization."


class KeyRefused(CredentialError):
    default_title = "The key was refused"
    default_hint = "It may be mistyped, revoked or expired. Make a new admin key and replace this one."


class NotAnAdminKey(CredentialError):
    default_title = "This is not an admin key"
    default_hint = "Usage can be read with an admin key only; its text begins with sk-admin-."


class ScopeMissing(CredentialError):
    default_title = "The key lacks a permission"
    default_hint = "Edit the admin key's permissions and allow Usage: read."

    def __init__(
        self, detail: str = "", *, scope: str = "", title: str | None = None, hint: str | None = None
    ) -> None:
        self.scope = scope
        super().__init__(detail, title=title, hint=hint)


class KeyringError(UsageViewerError):
    default_title = "The keyring can't be used"
    default_hint = "The key is kept for this session only."


class NoKeyring(KeyringError):
    default_title = "This system has no keyring"
    default_hint = "The key is kept for this session only. Install a keyring service to keep it."


class KeyringLocked(KeyringError):
    default_title = "The keyring is locked"
    default_hint = "Unlock it and try again."


class KeyringFailed(KeyringError):
    default_title = "The keyring failed"
    default_hint = "Check the system's keyring and try again."


class NetworkError(UsageViewerError):
    default_title = "The server can't be reached"
    default_hint = "Check the network connection and try again."


class HostNotFound(NetworkError):
    default_title = "The server's name can't be found"
    default_hint = "Check the network connection, the name server and the base URL."


class ConnectionFailed(NetworkError):
    default_title = "The connection failed"


class ProxyFailed(NetworkError):
    default_title = "The proxy can't be used"
    default_hint = "Check the proxy settings of the system or of the environment (HTTPS_PROXY)."


class TlsFailed(NetworkError):
    default_title = "The server's certificate was not accepted"
    default_hint = (
        "If your company inspects traffic, install its certificate in the system's trust store, or name its file "
        "with --ca-file."
    )


class TimedOut(NetworkError):
    default_title = "The server did not answer in time"
    default_hint = "Try again; what has arrived is kept."


class ServerError(UsageViewerError):
    default_title = "The server answered with an error"

    def __init__(
        self,
        detail: str = "",
        *,
        status: int = 0,
        param: str = "",
        title: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.status = status
        self.param = param
        super().__init__(detail, title=title, hint=hint)


class RateLimited(ServerError):
    default_title = "The server limits the rate of requests"
    default_hint = "Wait a minute, then retry; what has arrived is kept."


class ServerFailed(ServerError):
    default_title = "The server failed"
    default_hint = "Try again later; what has arrived is kept."


class NotFound(ServerError):
    default_title = "The server doesn't know this address"
    default_hint = "Check the base URL. Some organizations don't have every dataset."


class RequestRefused(ServerError):
    default_title = "The server refused the request"
    default_hint = "Change the range or the grouping and try again."


class AnswerError(UsageViewerError):
    default_title = "The server's answer can't be used"
    default_hint = "Try again; if it happens again, the server or a proxy on the way changes the answers."

    def __init__(
        self, detail: str = "", *, path: str = "", title: str | None = None, hint: str | None = None
    ) -> None:
        self.path = path
        super().__init__(f"{detail} (at {path})" if path else detail, title=title, hint=hint)


class NotJson(AnswerError):
    default_title = "The server's answer is not JSON"
    default_hint = "A proxy or a log-in page may have answered instead. Check the base URL and the network."


class WrongShape(AnswerError):
    default_title = "The server's answer has an unexpected form"


class CursorError(AnswerError):
    default_title = "The server's pages don't follow one another"


class BucketError(AnswerError):
    default_title = "The server answered with other buckets than asked for"


class TooLarge(AnswerError):
    default_title = "The server's answer is too large"


class StoreError(UsageViewerError):
    default_title = "The local database can't be used"


class StoreLocked(StoreError):
    default_title = "The local database is in use"
    default_hint = "Another Usage Viewer has it open. Close that one, or use --no-store."


class StoreDamaged(StoreError):
    default_title = "The local database is damaged"
    default_hint = "Start anew: the damaged file is kept aside and the usage is fetched again."


class StoreNewer(StoreError):
    default_title = "The local database was written by a newer version"
    default_hint = "Install that version again, or choose another data directory with --data-dir."


class StoreNotWritable(StoreError):
    default_title = "The data directory can't be written"
    default_hint = "Check the permissions and the free space, or choose another one with --data-dir."


class SnapshotError(UsageViewerError):
    default_title = "The snapshot can't be opened"
    default_hint = "Check that the file is still there and that you may read it."


class NotASnapshot(SnapshotError):
    default_title = "This is not a snapshot"
    default_hint = "Choose the .zip file or the folder that Save snapshot wrote."


class SnapshotDamaged(SnapshotError):
    default_title = "The snapshot is damaged"
    default_hint = "Copy it again from where it came, or save it anew."


class SnapshotNewer(SnapshotError):
    default_title = "The snapshot was written by a newer version"
    default_hint = "Install a newer Usage Viewer. Its Parquet files can be read by other programs as they are."


class SnapshotTooLarge(SnapshotError):
    default_title = "The snapshot is too large"
    default_hint = "Save one of a shorter range, or unpack it and open the folder."


class ExportError(UsageViewerError):
    default_title = "The copy could not be made"
    default_hint = "Check the folder's permissions and the free space, or choose another place."


class Cancelled(UsageViewerError):
    default_title = "Stopped"
    default_hint = "What has arrived is kept."
