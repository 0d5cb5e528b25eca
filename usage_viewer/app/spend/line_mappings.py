"""Keeps what a person has decided that line items bill, in a file beside the organization's database."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from usage_viewer.app.atomic_write import make_private_directory, write_atomically
from usage_viewer.app.bounded_read import read_bounded
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.spend import MEASURES, Target

FILE_NAME: Final = "line-items.json"
MAX_BYTES: Final = 4 * 2**20
"""A larger file was not written by this program."""

_OF_TARGET: Final = ("service", "model", "measure", "tier")

LineKey = tuple[str, str | None]
Mappings = Mapping[LineKey, Target | None]
"""The usage that a line item (its text and unit) bills; None: a person said that it bills no usage."""


class LineMappings:
    """Holds the mappings of one organization. Without a `path` they last as long as the object.

    Any thread may use it. An entry of the file that this version can't read stays in it; a damaged file is kept as
    a copy.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._unread, self._is_damaged = list[object](), False
        self._by_line = dict(self._read())

    @property
    def by_line(self) -> Mappings:
        """A copy of the mappings."""
        with self._lock:
            return dict(self._by_line)

    def set(self, line: LineKey, target: Target | None) -> None:
        """Map a line item. Raises StoreNotWritable; then nothing has changed."""
        with self._lock:
            self._write({**self._by_line, line: target})

    def remove(self, line: LineKey) -> None:
        """Remove the mapping of a line item, if it has one. Raises StoreNotWritable; then nothing has changed."""
        with self._lock:
            if line in self._by_line:
                self._write({key: target for key, target in self._by_line.items() if key != line})

    def _read(self) -> Mappings:
        if self._path is None:
            return {}
        try:
            entries = json.loads(read_bounded(self._path, MAX_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            entries = None
        self._is_damaged = not isinstance(entries, list)
        found: dict[LineKey, Target | None] = {}
        for entry in () if self._is_damaged else entries:
            try:
                line, target = _parsed(entry)
            except (KeyError, TypeError, ValueError):
                self._unread.append(entry)
            else:
                found[line] = target
        return found

    def _write(self, by_line: Mappings) -> None:
        if self._path is not None:
            entries = [*(_entry(line, target) for line, target in by_line.items()), *self._unread]
            text = json.dumps(entries, ensure_ascii=True, indent=1)
            try:
                make_private_directory(self._path.parent)
                if self._is_damaged:
                    self._path.replace(self._path.with_suffix(".damaged.json"))
                    self._is_damaged = False
                write_atomically(self._path, [text.encode()], mode=0o600)
            except OSError as error:
                raise StoreNotWritable(
                    f"{self._path}: {error.strerror or error}",
                    title="The mapping could not be saved",
                    hint="Check the free space and the permissions of the data directory.",
                ) from error
        self._by_line = dict(by_line)


def _entry(line: LineKey, target: Target | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"line_item": line[0], "quantity_unit": line[1], "target": None}
    if target is not None:
        entry["target"] = {name: getattr(target, name) for name in _OF_TARGET}
    return entry


def _parsed(entry: Any) -> tuple[LineKey, Target | None]:
    """Return the line item and the target of an entry. Raises KeyError, TypeError, ValueError."""
    text, unit, target = entry["line_item"], entry["quantity_unit"], entry["target"]
    if not isinstance(text, str) or not isinstance(unit, str | None):
        raise TypeError
    if target is None:
        return (text, unit), None
    service, model, measure, tier = (target[name] for name in _OF_TARGET)
    if service not in API_DATASETS or measure not in MEASURES:
        raise ValueError
    if not (isinstance(model, str | None) and isinstance(tier, str | None)):
        raise TypeError
    return (text, unit), by_hand(service, model, measure, tier)


def by_hand(service: str, model: str | None, measure: str, tier: str | None = None) -> Target:
    """Return the target of a line item that a person maps: the usage of a model that a measure counts.

    Without a `tier`, it is that of all service tiers.
    """
    return Target(service, model, measure.replace("_", " "), measure, tier)
