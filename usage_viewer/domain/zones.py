"""Finds time zones, and converts between wall-clock times and moments.

Inside the program a moment is an integer: seconds since 1970-01-01 UTC (epoch seconds). Zones are only used where a
user enters or reads a time.
"""

import os
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from usage_viewer.domain.errors import InputError

_NAMELESS = "local"
"""The key that tzlocal gives to a zone whose rules come from a file without a name."""


def zone_of(name: str) -> tzinfo:
    """Return the zone of a name: `UTC`, `local` (this computer's zone) or an IANA name. Raises InputError."""
    if name == "UTC":
        return UTC
    if name == "local":
        return local_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            name, title="Unknown time zone", hint="Use UTC, local or a name like Europe/Berlin."
        ) from error


def local_zone() -> tzinfo:
    """Return this computer's zone with its rules, or only its current offset if no rules are found."""
    return _local_zone(os.environ.get("TZ"))


@lru_cache(maxsize=4)
def _local_zone(_named: str | None) -> tzinfo:
    """Find the local zone, once for each value of `TZ`: a lookup takes 1 ms, and every view needs it."""
    import tzlocal

    try:
        return tzlocal.reload_localzone()
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # for example TZ=CET-1CEST, or two system files that disagree
        return datetime.now().astimezone().tzinfo or UTC


def moment_of(wall: datetime, zone: tzinfo) -> int:
    """Return the epoch seconds of a naive wall-clock time; a time that the zone skips becomes the gap's end."""
    moment = int(wall.replace(tzinfo=zone).timestamp())
    round_trip = datetime.fromtimestamp(moment, zone).replace(tzinfo=None)
    if round_trip == wall:
        return moment
    # Inside a gap Python uses the offset before the gap, so `moment` lies after the gap's end. The end is the first
    # moment whose wall-clock time is at or after `wall`.
    low, high = moment - 86400, moment
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle
    return high


def end_of_day(now: int, zone: tzinfo) -> int:
    """Return the end of the zone's day that contains `now` (both epoch seconds)."""
    tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return moment_of(datetime.combine(tomorrow, time()), zone)


def iso(moment: int, zone: tzinfo = UTC) -> str:
    """Return `moment` (epoch seconds) in ISO 8601 with the offset (`Z` for UTC), as exports write it."""
    return datetime.fromtimestamp(moment, zone).isoformat().replace("+00:00", "Z")


def zone_name(zone: tzinfo, moment: int) -> str:
    """Return the zone's name (`Europe/Berlin`), or its offset at `moment` (epoch seconds) as `UTC+02:00`."""
    if zone is UTC:
        return "UTC"
    if isinstance(zone, ZoneInfo) and zone.key not in (None, _NAMELESS):
        return zone.key
    offset = datetime.fromtimestamp(moment, zone).strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}"
