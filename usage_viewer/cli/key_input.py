"""Reads the admin key from standard input, for `--key-stdin`."""

from getpass import getpass
from typing import TextIO

from usage_viewer.domain.admin_key import MAX_LENGTH, AdminKey
from usage_viewer.domain.errors import InputError

_HINT = "With --key-stdin, standard input has the admin key on one line, and nothing else."


def read_key(stream: TextIO | None) -> AdminKey:
    """Return the key on the only line of `stream`; at a terminal, ask for it without showing it.

    Raises InputError if there is no key, more than one line, or a text that can't be a key.
    """
    if stream is None or stream.closed:
        raise InputError(title="There is no standard input", hint=_HINT)
    try:
        text = _read(stream)
    except (EOFError, KeyboardInterrupt):
        text = ""  # the user ended the input
    except OSError as error:
        raise InputError(str(error), title="The key can't be read", hint=_HINT) from error
    if "\n" in text.strip():
        del text  # a traceback that prints local variables must not show it
        raise InputError(title="Standard input has more than one line", hint=_HINT)
    return AdminKey.parse(text)


def _read(stream: TextIO) -> str:
    if stream.isatty():
        return getpass("Admin key: ")
    # No more than needed: an endless stream has no line break.
    return stream.buffer.read(MAX_LENGTH + 3).decode("utf-8", "replace")
