"""The admin key as a type that hides itself, and the masking of keys in text and log records."""

import hmac
import logging
import re
from collections.abc import Callable
from enum import Enum
from typing import Final, Never, Self, SupportsIndex, final

from usage_viewer.domain.errors import InputError

MAX_LENGTH: Final = 512
_TAIL = 4  # characters shown at the end of a masked key …
_TAIL_FROM = 24  # … if so many are secret; of a shorter one nothing is shown
_PART = 8  # a run of so many characters of a key counts as a leak

# What copying from a page, a shell or a JSON file leaves around a key; the last three are invisible.
_AROUND = " \t\r\n\f\v\"'`“”‘’«»\u00a0\ufeff\u200b\u2060"
_BEARER = re.compile(r"bearer(\s+|$)", re.IGNORECASE)
_KEY_LIKE = re.compile(
    r"(sk-(?:admin|proj|svcacct)-)[A-Za-z0-9_-]+"
    r"|(?<![A-Za-z0-9])(sk-)(?!(?:admin|proj|svcacct)-)[A-Za-z0-9_-]{8,}"
    r"|(sk-)[A-Za-z0-9]{32,}"  # also right behind a letter, as in an escaped line end: \nsk-…
)


class KeyKind(Enum):
    """What kind of key a text looks like, by how it begins; the server has the last word."""

    ADMIN = "sk-admin-"
    PROJECT = "sk-proj-"
    SERVICE_ACCOUNT = "sk-svcacct-"
    OTHER = ""


@final
class AdminKey:
    """A key whose text comes out through `reveal()` alone; whatever else prints it shows `masked`.

    Immutable, not hashable, not picklable, compared in constant time. It has no `__dict__`, and copying gives
    the key itself, so that `dataclasses.asdict` on a record that holds one stays masked too.
    """

    __slots__ = ("_open",)
    # A closure, not the text: inspecting the attributes (debuggers, crash reporters) finds a function.
    _open: Callable[[], str]

    def __init__(self) -> None:
        raise TypeError("a key is made by AdminKey.parse")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key in `text` as pasted: white space, quotes and a leading "Bearer " are taken off.

        Raises `InputError`, which never quotes the text, when it is empty or can't be any key.
        """
        cleaned = _BEARER.sub("", text.strip(_AROUND), count=1) if _starts_with_bearer(text) else text
        cleaned = cleaned.strip(_AROUND)
        fault = _fault(cleaned)
        if fault is not None:
            del text, cleaned  # a traceback that renders local variables must not find it here
            title, hint = fault
            raise InputError(title=title, hint=hint)
        key = object.__new__(cls)
        object.__setattr__(key, "_open", lambda: cleaned)
        return key

    def reveal(self) -> str:
        """The text itself: for the request header and the keyring, for nothing else."""
        return self._open()

    @property
    def kind(self) -> KeyKind:
        """What the key looks like, to explain that the wrong kind was pasted."""
        text = self.reveal()
        return next(kind for kind in KeyKind if text.startswith(kind.value))

    @property
    def looks_like_admin(self) -> bool:
        return self.kind is KeyKind.ADMIN

    @property
    def masked(self) -> str:
        """The one form to show: `sk-admin-…abcd`; of a short key the beginning only."""
        text = self.reveal()
        head = self.kind.value or ("sk-" if text.startswith("sk-") else "")
        tail = text[-_TAIL:] if len(text) - len(head) >= _TAIL_FROM else ""
        return f"{head}…{tail}"

    def __repr__(self) -> str:
        return f"<AdminKey {self.masked}>"

    def __str__(self) -> str:
        return self.masked

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AdminKey):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment] # a hash of the text would be a trace of it

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError("a key can't be changed")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError("a key can't be changed")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise TypeError("a key is never pickled")


def _starts_with_bearer(text: str) -> bool:
    return _BEARER.match(text.strip(_AROUND)) is not None


def _fault(cleaned: str) -> tuple[str, str] | None:
    """Title and hint of what is wrong with a key's text; None if it can be one."""
    if not cleaned:
        return "No key was entered", "Paste an admin key; its text begins with sk-admin-."
    if len(cleaned) > MAX_LENGTH:
        return "This is too long for a key", f"A key has at most {MAX_LENGTH} characters. Paste the key alone."
    if any(char.isspace() for char in cleaned):
        return "A key has no spaces or line breaks", "Paste the key alone, in one piece."
    if not all("!" <= char <= "~" for char in cleaned):
        return (
            "There are characters in it that no key has",
            "A key is made of plain letters, digits and signs. Copy it again from where it was made.",
        )
    return None


def mask_keys(text: str) -> str:
    """`text` with everything in it that looks like an OpenAI key (`sk-…`) cut down to its beginning."""
    return _KEY_LIKE.sub(lambda match: f"{match[1] or match[2] or match[3]}…", text)


def redact(text: str, key: AdminKey) -> str:
    """`text` without `key`: whole, or parts of it of 8 characters or more, and without anything like a key."""
    secret = key.reveal()
    text = mask_keys(text.replace(secret, key.masked))
    public = key.kind.value
    parts = {secret[i : i + _PART] for i in range(len(secret) - _PART + 1)}
    parts = {part for part in parts if part not in public}
    pieces: list[str] = []
    at, hidden_to = 0, 0
    while at < len(text):
        if text[at : at + _PART] in parts:
            if at >= hidden_to:  # one mark for a run of overlapping parts
                pieces.append("…")
            hidden_to = at + _PART
        if at >= hidden_to:
            pieces.append(text[at])
        at += 1
    return "".join(pieces)


class KeyFilter(logging.Filter):
    """Masks keys in a record's message, arguments, exception, stack and extra fields.

    Belongs on each handler, not on a logger: a logger's filters don't see what its children pass up. Anything
    like an OpenAI key is masked; `watch(key)` also masks one that looks otherwise.
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[AdminKey] = []

    def watch(self, key: AdminKey) -> None:
        """Mask this key too, whatever it looks like."""
        self._keys.append(key)

    def clean(self, text: str) -> str:
        """`text` with all keys masked."""
        for key in self._keys:
            text = redact(text, key)
        return mask_keys(text)

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, LookupError):
            # Arguments that don't fit: logging would print them, unmasked, to stderr by itself.
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = message, None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None  # else a formatter of its own would render it anew
        for name, value in list(vars(record).items()):
            if isinstance(value, str):
                setattr(record, name, self.clean(value))
        return True
