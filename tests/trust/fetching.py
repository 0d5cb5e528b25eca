"""Fetches into a database, then refreshes recent days again and again until it is killed."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.trust.known_usage import ANCHOR, JUST_AFTER, first
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.session import Session
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import MemoryKeystore

VIEWS = (
    ("completions", BucketWidth.DAY, Granularity.DAY, 90),
    ("completions", BucketWidth.HOUR, Granularity.HOUR, 7),
    ("costs", BucketWidth.DAY, Granularity.DAY, 90),
)


def open_session(base_url: str, key: str, database: Path) -> StoreSession:
    """Open a session whose clock stands still shortly after the last day: three days may still grow."""
    profile = Profile(
        "default", base_url=base_url, database=database, keystore=MemoryKeystore, clock=lambda: JUST_AFTER
    )
    session = profile.open_session().store_session
    assert session is not None
    session.connect(profile.source(AdminKey.parse(key)))
    return session


def fetch_all(session: Session, *, refresh: Refresh, tell: bool) -> None:
    for dataset, width, per, days in VIEWS:
        ends = (datetime.fromtimestamp(moment, UTC).replace(tzinfo=None) for moment in (first(days), ANCHOR))
        view = ViewState(dataset_name=dataset, range=DateRange(None, *ends), per=per, grouping=())
        for step in session.fetch(view, refresh=refresh):
            if step.stored and tell:
                print(dataset, width.value, session.coverage(view).stored, flush=True)


def main() -> None:
    base_url, key, database = sys.argv[1:]
    session = open_session(base_url, key, Path(database))
    print("open", flush=True)
    fetch_all(session, refresh=Refresh.NEEDED, tell=True)
    while True:
        print("complete", flush=True)
        fetch_all(session, refresh=Refresh.GROWING, tell=True)


if __name__ == "__main__":
    main()
