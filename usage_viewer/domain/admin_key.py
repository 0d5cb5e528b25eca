"""Holds the admin key in a type that never prints it."""

import hmac
import re
import weakref
from collections.abc import Callable
from enum import Enum
from typing import Final, Never, Self, SupportsIndex, final

from usage_viewer.domain.errors import InputError

MAX_LENGTH: Final = 512
_TAIL = 4  # characters shown at the end of a masked key
_TAIL_FROM = 24  # secret characters that a key must have for its tail to be shown

# Characters that surround a key copied from a page, a shell or a JSON file; the last three are invisible.
_AROUND = " \t\r\n\f\v\"'`“”‘’«»\u00a0\ufeff\u200b\u2060"
_BEARER = re.compile(r"bearer(\s+|$)", re.IGNORECASE)


class KeyKind(Enum):
    """Names the kind of key that a text looks like by its prefix; only the server knows for sure."""

    ADMIN = "sk-admin-"
    PROJECT = "sk-proj-"
    SERVICE_ACCOUNT = "sk-svcacct-"
    OTHER = ""


_IN_USE: "list[weakref.ref[AdminKey]]" = []
"""Every key of this process, so that all output can be searched for them."""


def keys_in_use() -> "list[AdminKey]":
    """Return every key that exists in this process."""
    return [key for reference in _IN_USE.copy() if (key := reference()) is not None]


@final
class AdminKey:
    """Hides the text of a key: only `reveal()` returns it, every other output is `masked`.

    A key is immutable, not hashable, not picklable, and compared in constant time. It has no `__dict__`, and a copy
    is the same object, so `dataclasses.asdict` of a record with a key is masked too.
    """

    __slots__ = ("__weakref__", "_open")
    # A closure instead of the text: debuggers and crash reporters that list attributes see only a function.
    _open: Callable[[], str]

    def __init__(self) -> None:
        raise TypeError("use AdminKey.parse to create a key")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key in pasted `text`, without surrounding white space, quotes and a leading "Bearer ".

        Raises InputError if the text is empty or can't be a key; the error never quotes the text.
        """
        cleaned = _BEARER.sub("", text.strip(_AROUND), count=1) if _starts_with_bearer(text) else text
        cleaned = cleaned.strip(_AROUND)
        problem = _find_problem(cleaned)
        if problem is not None:
            del text, cleaned  # a traceback that prints local variables must not show the text
            title, hint = problem
            raise InputError(title=title, hint=hint)
        key = object.__new__(cls)
        object.__setattr__(key, "_open", lambda: cleaned)
        _IN_USE.append(weakref.ref(key, _IN_USE.remove))
        return key

    def reveal(self) -> str:
        """Return the key's text. Use it only for the request header, the keyring and to mask output."""
        return self._open()

    @property
    def kind(self) -> KeyKind:
        """Return the kind that the key's prefix suggests; used to explain that a wrong kind was pasted."""
        text = self.reveal()
        return next(kind for kind in KeyKind if text.startswith(kind.value))

    @property
    def looks_like_admin(self) -> bool:
        """Report whether the key has the prefix of an admin key."""
        return self.kind is KeyKind.ADMIN

    @property
    def masked(self) -> str:
        """Return the displayable form, like `sk-admin-…abcd`; a short key shows only its prefix."""
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

    __hash__ = None  # type: ignore[assignment] # a hash would reveal information about the text

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


def _find_problem(cleaned: str) -> tuple[str, str] | None:
    """Return the title and hint of the error in a key's text; None if the text can be a key."""
    if not cleaned:
        return "No key was entered", "Paste an admin key; it begins with sk-admin-."
    if len(cleaned) > MAX_LENGTH:
        return "The key is too long", f"A key has at most {MAX_LENGTH} characters. Paste only the key."
    if any(char.isspace() for char in cleaned):
        return "A key has no spaces or line breaks", "Paste only the key, on one line."
    if not all("!" <= char <= "~" for char in cleaned):
        return (
            "The key has invalid characters",
            "A key has only plain letters, digits and punctuation marks. Copy it again from its source.",
        )
    return None
