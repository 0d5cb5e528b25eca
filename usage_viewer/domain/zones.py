"""Zones: moments out of what a clock on the wall shows, and into what a person reads.

Inside, a moment is an integer: seconds since 1970-01-01 UTC. A zone exists at the edges only.
"""

import os
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from usage_viewer.domain.errors import InputError

_NAMELESS = "local"
"""The key of a zone whose rules were found in a file without a name."""


def zone_of(name: str) -> tzinfo:
    """`UTC`, `local` (this computer's zone) or an IANA name. Raises InputError."""
    if name == "UTC":
        return UTC
    if name == "local":
        return local_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            name, title="There is no such time zone", hint="Use UTC, local or a name like Europe/Berlin."
        ) from error


def local_zone() -> tzinfo:
    """This computer's zone with its rules; its present offset alone where no rules can be found."""
    return _local_zone(os.environ.get("TZ"))


@lru_cache(maxsize=4)
def _local_zone(_named: str | None) -> tzinfo:
    """Looked up once for each value of `TZ`: that takes a millisecond, and a view asks often."""
    import tzlocal

    try:
        return tzlocal.reload_localzone()
    except (ZoneInfoNotFoundError, ValueError, OSError):  # TZ=CET-1CEST, or two files that don't agree
        return datetime.now().astimezone().tzinfo or UTC


def moment_of(wall: datetime, zone: tzinfo) -> int:
    """Epoch seconds of a naive wall-clock time; a time that a zone skips is taken as the end of the gap."""
    moment = int(wall.replace(tzinfo=zone).timestamp())
    back = datetime.fromtimestamp(moment, zone).replace(tzinfo=None)
    if back == wall:
        return moment
    # In a gap, Python answers with the offset from before it: the same distance after the gap's end. Its
    # start is the first moment whose wall-clock time is not before the one asked for.
    low, high = moment - 86400, moment
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle
    return high


def end_of_day(now: int, zone: tzinfo) -> int:
    """The moment at which the zone's present day ends."""
    tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return moment_of(datetime.combine(tomorrow, time()), zone)


def iso(moment: int, zone: tzinfo = UTC) -> str:
    """ISO 8601 with the offset, `Z` for UTC: the raw form of a moment in exports."""
    return datetime.fromtimestamp(moment, zone).isoformat().replace("+00:00", "Z")


def zone_name(zone: tzinfo, moment: int) -> str:
    """`Europe/Berlin`, `UTC`; for a zone without a name its distance from UTC at `moment`, as `UTC+02:00`."""
    if zone is UTC:
        return "UTC"
    if isinstance(zone, ZoneInfo) and zone.key not in (None, _NAMELESS):
        return zone.key
    offset = datetime.fromtimestamp(moment, zone).strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}"
