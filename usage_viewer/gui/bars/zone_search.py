"""Finds time zones by name, city, country, abbreviation or offset from UTC."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby

from PySide6.QtCore import QByteArray, QLocale, QTimeZone

from usage_viewer.domain.errors import InputError
from usage_viewer.domain.zones import zone_of
from usage_viewer.resources import asset

_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+\-−]?)\s*(\d{1,2})(?::?([0-5]\d))?")
_NO_MATCH = 9


@dataclass(frozen=True)
class _Terms:
    """Holds what a zone is found by, in lower case; offsets are those of January and July."""

    name: str
    words: tuple[str, ...]  # city, country, abbreviations, and large cities with another name
    offsets: tuple[timedelta, ...]
    has_country: bool  # old names of zones have none


def offset_text(zone: str, moment: datetime) -> str:
    """Return the zone's offset at a moment, such as `UTC+05:30`; "" if the zone is unknown."""
    offset = _offset(zone, moment)
    if offset is None:
        return ""
    minutes = round(offset.total_seconds() / 60)
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def find_zones(text: str, zones: Sequence[str], year: int) -> list[str]:
    """Return the zones that match a text, best first; zones that match equally well keep their order.

    A whole city, country or abbreviation is better than its beginning, and that better than a part of it. An offset
    such as `+5:30`, `UTC-3` or `GMT+1` matches the zones that have it in the winter or summer of `year`.
    """
    needle = " ".join(text.casefold().replace("_", " ").split())
    if not needle:
        return list(zones)
    offset = _parse_offset(needle)
    ranks = []
    for place, zone in enumerate(zones):
        terms = _terms(zone, year)
        rank = _rank(terms, needle) if offset is None else 0 if offset in terms.offsets else _NO_MATCH
        if rank < _NO_MATCH:
            ranks.append((rank, not terms.has_country, place, zone))
    return [zone for *_, zone in sorted(ranks)]


def _parse_offset(needle: str) -> timedelta | None:
    match = _OFFSET.fullmatch(needle)
    if match is None or not (match[1] or ":" in needle):
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return size if match[1] in ("+", "") else -size


def _rank(terms: _Terms, needle: str) -> int:
    if needle in terms.words or needle == terms.name:
        return 0
    if any(word.startswith(needle) for word in terms.words):
        return 1
    if needle in terms.name:
        return 2
    return 3 if any(needle in word for word in terms.words) else _NO_MATCH


@lru_cache(maxsize=1024)
def _terms(zone: str, year: int) -> _Terms:
    winter, summer = (datetime(year, month, 1, tzinfo=UTC) for month in (1, 7))
    try:
        rules = zone_of(zone)
    except InputError:
        return _Terms(zone.casefold(), (), (), False)
    local = [moment.astimezone(rules) for moment in (winter, summer)]
    country = _country(zone)
    abbreviations = {name for moment in local if (name := moment.tzname()) and not name.startswith(("+", "-"))}
    city = zone.rpartition("/")[2].replace("_", " ")
    words = (city, *country, *sorted(abbreviations), *_cities().get(zone, ()))
    return _Terms(
        zone.replace("_", " ").casefold(),
        tuple(word.casefold() for word in words),
        tuple({moment.utcoffset() or timedelta(0) for moment in local}),
        bool(country),
    )


def _country(zone: str) -> tuple[str, ...]:
    """Return the country's name in English and in its own language; nothing for zones without a country."""
    territory = QTimeZone(QByteArray(zone.encode())).territory()
    if territory == QLocale.Country.AnyTerritory:
        return ()
    native = QLocale(QLocale.Language.AnyLanguage, QLocale.Script.AnyScript, territory).nativeTerritoryName()
    return tuple(dict.fromkeys(name for name in (QLocale.territoryToString(territory), native) if name))


def _offset(zone: str, moment: datetime) -> timedelta | None:
    try:
        return moment.astimezone(zone_of(zone)).utcoffset()
    except InputError:
        return None


@lru_cache(maxsize=1)
def _cities() -> dict[str, tuple[str, ...]]:
    """Return large cities by zone whose name the zone doesn't have (`resources/zones/cities.tsv`)."""
    lines = asset("zones/cities.tsv").read_text(encoding="utf-8").splitlines()
    pairs = sorted((line.split("\t") for line in lines), key=lambda pair: pair[1])
    return {zone: tuple(city for city, _ in group) for zone, group in groupby(pairs, key=lambda pair: pair[1])}
