"""Provides two organizations on two servers, and their profiles."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.rigs.sample_organization import sample_organization
from usage_viewer.app.fetch.api_source import ConnectionOptions
from usage_viewer.app.profile.combined_profile import CombinedProfile
from usage_viewer.app.profile.profile import Profile
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import MemoryKeystore

KEYS = {"acme": "sk-admin-acme-acme-acme-acme-acme", "umbrella": "sk-admin-umbrella-umbrella-umbrella"}
NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
"""Epoch seconds; the clock of the servers and the profiles."""

LAST_WEEK = ViewState(range=DateRange(Preset.LAST_7_DAYS), per=Granularity.DAY, grouping=("model",))
"""The last 7 days of completions by model, for one organization."""

Servers = Mapping[str, DemoServer]
"""The servers by profile id."""


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Run a server for each organization, with its own data and key."""
    with ExitStack() as running:
        yield {
            name: running.enter_context(
                DemoServer(sample_organization(NOW, seed=seed), key=key, clock=lambda: float(NOW))
            )
            for seed, (name, key) in enumerate(KEYS.items(), start=1)
        }


def profile_of(servers: Servers, name: str, key: str | None, database: Path | None = None) -> Profile:
    """Return the profile of one organization; `key` None: no key is stored."""
    return Profile(
        name,
        label=name.capitalize(),
        base_url=servers[name].base_url,
        database=database,
        keystore=lambda: MemoryKeystore(AdminKey.parse(key) if key else None),
        clock=lambda: float(NOW),
        connection=ConnectionOptions(wait=lambda seconds: False),
    )


def combined_profile(servers: Servers, keys: Mapping[str, str | None] | None = None) -> CombinedProfile:
    """Return the profile of both organizations, with KEYS by default."""
    profiles = [profile_of(servers, name, key) for name, key in (keys or KEYS).items()]
    return CombinedProfile(profiles, clock=lambda: float(NOW))
