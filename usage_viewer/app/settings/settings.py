"""`Settings`: what the program remembers of how it is used, as one readable file; never a secret."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from usage_viewer.app.atomic_write import make_private_directory, write_atomically
from usage_viewer.app.profile.organizations import (
    DEFAULT,
    RESERVED,
    Organization,
    Organizations,
    check_label,
    with_id,
)
from usage_viewer.app.settings.view_serialization import restored_view, serialized_view
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import InputError, StoreNotWritable
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.zones import zone_of

T = TypeVar("T")

VERSION = 1
RECENT_ZONES = 8

Width = Annotated[int, Meta(ge=8, le=10_000)]
"""Of a column, in pixels."""


class ColourScheme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class ProfileSettings:
    """How one organization is looked at. `widths` go by a column's name; `columns` are the figures shown of each
    dataset, where they are not the default ones.
    """

    view: ViewState = field(default_factory=ViewState)
    widths: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """`geometry` is the window's, base64 of what the toolkit gives. `organization` is the id of the one looked at
    last; `combined` are those that were looked at together last. `note` says what went wrong when the settings were
    read; it is not stored.
    """

    profiles: Mapping[str, ProfileSettings] = field(default_factory=dict)
    geometry: str = ""
    bars: bool = True
    abbreviated: bool = False
    colour_scheme: ColourScheme = ColourScheme.SYSTEM
    recent_zones: tuple[str, ...] = ()
    organizations: Organizations = ()
    organization: str = DEFAULT
    combined: tuple[str, ...] = ()
    note: str = field(default="", compare=False)

    def profile(self, name: str) -> ProfileSettings:
        return self.profiles.get(name) or ProfileSettings()

    def with_profile(self, name: str, profile: ProfileSettings) -> "Settings":
        return replace(self, profiles={**self.profiles, name: profile})

    def with_zone(self, zone: str) -> "Settings":
        """`zone` as the one used last."""
        others = tuple(other for other in self.recent_zones if other != zone)
        return replace(self, recent_zones=(zone, *others)[:RECENT_ZONES])


def load(path: Path) -> Settings:
    """What is stored in `path`; defaults for whatever is not there or can't be used. Never raises.

    A file that can't be read as settings at all is kept aside as `settings.damaged.json`, and `note` says so.
    """
    try:
        stored = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        return Settings(note=f"The settings can't be read ({error.strerror}). The default ones are used.")
    except (ValueError, RecursionError):
        stored = None
    if isinstance(stored, dict):
        return _settings(stored)
    aside = path.with_name(f"{path.stem}.damaged{path.suffix}")
    with contextlib.suppress(OSError):
        path.replace(aside)
    return Settings(note=f"The settings were damaged. The default ones are used; the file is kept as {aside.name}.")


def organizations_of(path: Path) -> tuple[Organizations, str]:
    """Those stored in `path`, and the id of the one looked at last. Never raises, and leaves the file alone."""
    try:
        stored = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        stored = None
    settings = _settings(stored) if isinstance(stored, dict) else Settings()
    return settings.organizations, settings.organization


def save(path: Path, settings: Settings) -> None:
    """Replaces the file at once; nobody but the user may read it. Raises StoreNotWritable."""
    stored = {"version": VERSION, **msgspec.to_builtins(settings)}
    del stored["note"]
    for name, profile in settings.profiles.items():
        stored["profiles"][name]["view"] = serialized_view(profile.view)
    text = json.dumps(stored, indent=2) + "\n"
    try:
        make_private_directory(path.parent)
        write_atomically(path, [text.encode()], mode=0o600)
    except OSError as error:
        raise StoreNotWritable(f"{path}: {error.strerror}", title="The settings can't be saved") from error


def _settings(stored: dict[str, Any]) -> Settings:
    """Each field by itself, so that one that can't be used costs no other."""
    default = Settings()
    profiles: dict[str, Any] = _converted(stored.get("profiles"), dict[str, Any], {})
    return Settings(
        profiles={name: _profile(profile) for name, profile in profiles.items() if isinstance(profile, dict)},
        geometry=_converted(stored.get("geometry"), str, default.geometry),
        bars=_converted(stored.get("bars"), bool, default.bars),
        abbreviated=_converted(stored.get("abbreviated"), bool, default.abbreviated),
        colour_scheme=_converted(stored.get("colour_scheme"), ColourScheme, default.colour_scheme),
        recent_zones=_zones(_converted(stored.get("recent_zones"), tuple[Any, ...], ())),
        organizations=_organizations(_converted(stored.get("organizations"), tuple[Any, ...], ())),
        organization=_converted(stored.get("organization"), str, default.organization),
        combined=_converted(stored.get("combined"), tuple[str, ...], default.combined),
    )


def _profile(stored: dict[str, Any]) -> ProfileSettings:
    widths: dict[str, Any] = _converted(stored.get("widths"), dict[str, Any], {})
    columns: dict[str, Any] = _converted(stored.get("columns"), dict[str, Any], {})
    return ProfileSettings(
        view=restored_view(stored.get("view")),
        widths={name: width for name, width in widths.items() if _converted(width, Width, None) is not None},
        columns={
            name: shown
            for name, listed in columns.items()
            if name in DATASETS and (shown := _columns(name, _converted(listed, tuple[Any, ...], ())))
        },
    )


def _columns(dataset: str, names: tuple[Any, ...]) -> tuple[str, ...]:
    """Those that the dataset has, each once."""
    data = DATASETS[dataset]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and data.has_column(name)))


def _organizations(stored: tuple[Any, ...]) -> Organizations:
    """Those that can be profiles, each once."""
    listed: Organizations = ()
    for item in stored:
        one: Organization | None = _converted(item, Organization, None)
        try:
            if one is not None and one.id not in RESERVED and len(with_id(listed, one.id)) > len(listed):
                listed = (*listed, replace(one, label=check_label(listed, one.label)))
        except InputError:
            continue
    return listed


def _zones(names: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and _is_zone(name)))[:RECENT_ZONES]


def _is_zone(name: str) -> bool:
    try:
        zone_of(name)
    except InputError:
        return False
    return True


def _converted(value: object, kind: Any, default: T) -> T:
    """`value` as `kind`, or `default` where it isn't one."""
    try:
        converted: T = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return default
    return converted
