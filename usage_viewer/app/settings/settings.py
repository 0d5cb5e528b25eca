"""Defines `Settings`, and loads and saves them in one readable JSON file, which has no secrets."""

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
from usage_viewer.app.bounded_read import read_bounded
from usage_viewer.app.json_text import parse_json
from usage_viewer.app.profile.data_directory import claim
from usage_viewer.app.profile.organizations import (
    DEFAULT,
    RESERVED,
    Organization,
    Organizations,
    check_label,
    new_organization,
)
from usage_viewer.app.settings.view_serialization import restored_view, serialized_view
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import InputError, StoreNotWritable
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.zones import zone_of

T = TypeVar("T")

LARGEST_SETTINGS = 64 * 2**20
"""Bytes that a settings file may have."""

VERSION = 1
RECENT_ZONES = 8

Width = Annotated[int, Meta(ge=8, le=10_000)]
"""Width of a column in pixels."""

ChartHeight = Annotated[int, Meta(ge=0, le=10_000)]
"""Height of the chart in pixels."""


class ColourScheme(StrEnum):
    """Lists the colour schemes of the window; `SYSTEM` follows the operating system."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class ProfileSettings:
    """Holds the view settings of one organization.

    `widths` are the columns' widths in pixels by column name. `views` are the last views by dataset, for each
    dataset that was shown; their ranges and zones are out of date.
    """

    view: ViewState = field(default_factory=ViewState)
    widths: Mapping[str, int] = field(default_factory=dict)
    views: Mapping[str, ViewState] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """Holds all settings of the program.

    `profiles` are the view settings by organization id. `geometry` is the window's geometry, as base64 of the
    toolkit's bytes. `bars` tells whether the bars above the table are visible, `abbreviated` whether numbers are
    shortened. `chart` tells whether the chart is shown, and `chart_height` how high in pixels; 0: as usual.
    `recent_zones` lists the last used zones, the latest first. `organization` is the id of the
    organization that was open last, `combined` are the ids of those that were combined last. `note` describes a
    problem when the settings were loaded; it is not saved.
    """

    profiles: Mapping[str, ProfileSettings] = field(default_factory=dict)
    geometry: str = ""
    bars: bool = True
    abbreviated: bool = False
    chart: bool = True
    chart_height: int = 0
    colour_scheme: ColourScheme = ColourScheme.SYSTEM
    recent_zones: tuple[str, ...] = ()
    organizations: Organizations = ()
    organization: str = DEFAULT
    combined: tuple[str, ...] = ()
    note: str = field(default="", compare=False)

    def profile(self, name: str) -> ProfileSettings:
        """Return the settings of an organization by its id, or the default ones."""
        return self.profiles.get(name) or ProfileSettings()

    def with_profile(self, name: str, profile: ProfileSettings) -> "Settings":
        """Return the settings with those of one organization replaced."""
        return replace(self, profiles={**self.profiles, name: profile})

    def with_zone(self, zone: str) -> "Settings":
        """Return the settings with `zone` as the latest recent zone."""
        others = tuple(other for other in self.recent_zones if other != zone)
        return replace(self, recent_zones=(zone, *others)[:RECENT_ZONES])


def load(path: Path) -> Settings:
    """Load the settings from `path`, with the default for each setting that is missing or invalid. Never raises.

    A file that is not a JSON object is renamed to `settings.damaged.json`, and `note` reports it.
    """
    try:
        stored = parse_json(read_bounded(path, LARGEST_SETTINGS))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        return Settings(note=f"The settings can't be read ({error.strerror}). The default settings are used.")
    except (ValueError, RecursionError):
        stored = None
    if isinstance(stored, dict):
        return _settings(stored)
    copy = path.with_name(f"{path.stem}.damaged{path.suffix}")
    with contextlib.suppress(OSError):
        path.replace(copy)
    return Settings(
        note=f"The settings were damaged. The default settings are used; the damaged file is kept as {copy.name}."
    )


def organizations_of(path: Path) -> tuple[Organizations, str]:
    """Return the organizations in the settings file `path`, and the id of the one that was open last.

    Never raises, and never changes the file.
    """
    try:
        stored = parse_json(read_bounded(path, LARGEST_SETTINGS))
    except (OSError, ValueError, RecursionError):
        stored = None
    settings = _settings(stored) if isinstance(stored, dict) else Settings()
    return settings.organizations, settings.organization


def save(path: Path, settings: Settings) -> None:
    """Save the settings in one step, readable by the user only (0600). Raises StoreNotWritable."""
    stored = {"version": VERSION, **msgspec.to_builtins(settings)}
    del stored["note"]
    for name, profile in settings.profiles.items():
        views = {dataset: serialized_view(view) for dataset, view in profile.views.items()}
        stored["profiles"][name].update(view=serialized_view(profile.view), views=views)
    text = json.dumps(stored, indent=2) + "\n"
    claim(path.parent)
    try:
        make_private_directory(path.parent)
        write_atomically(path, [text.encode()], mode=0o600)
    except OSError as error:
        raise StoreNotWritable(f"{path}: {error.strerror}", title="The settings can't be saved") from error


def _settings(stored: dict[str, Any]) -> Settings:
    """Convert each field separately, so that an invalid field doesn't affect the others."""
    default = Settings()
    profiles: dict[str, Any] = _converted(stored.get("profiles"), dict[str, Any], {})
    return Settings(
        profiles={name: _profile(profile) for name, profile in profiles.items() if isinstance(profile, dict)},
        geometry=_converted(stored.get("geometry"), str, default.geometry),
        bars=_converted(stored.get("bars"), bool, default.bars),
        abbreviated=_converted(stored.get("abbreviated"), bool, default.abbreviated),
        chart=_converted(stored.get("chart"), bool, default.chart),
        chart_height=_converted(stored.get("chart_height"), ChartHeight, default.chart_height),
        colour_scheme=_converted(stored.get("colour_scheme"), ColourScheme, default.colour_scheme),
        recent_zones=_zones(_converted(stored.get("recent_zones"), tuple[Any, ...], ())),
        organizations=_organizations(_converted(stored.get("organizations"), tuple[Any, ...], ())),
        organization=_converted(stored.get("organization"), str, default.organization),
        combined=_converted(stored.get("combined"), tuple[str, ...], default.combined),
    )


def _profile(stored: dict[str, Any]) -> ProfileSettings:
    widths: dict[str, Any] = _converted(stored.get("widths"), dict[str, Any], {})
    view = restored_view(stored.get("view"))
    return ProfileSettings(
        view=view,
        widths={name: width for name, width in widths.items() if _converted(width, Width, None) is not None},
        views={**_views(stored), view.dataset_name: view},
    )


def _views(stored: dict[str, Any]) -> dict[str, ViewState]:
    """Return the views by dataset. Until 0.1 there were only the figures by dataset, under `columns`."""
    columns: dict[str, Any] = _converted(stored.get("columns"), dict[str, Any], {})
    views: dict[str, Any] = _converted(stored.get("views"), dict[str, Any], {})
    parts = {name: {"columns": names} for name, names in columns.items()} | views
    return {
        name: restored_view({**part, "dataset": name})
        for name, part in parts.items()
        if name in DATASETS and isinstance(part, dict)
    }


def _organizations(stored: tuple[Any, ...]) -> Organizations:
    """Return the organizations with a valid id and label, each id once."""
    valid: dict[str, Organization] = {}
    labels: set[str] = set()
    for item in stored:
        one: Organization | None = _converted(item, Organization, None)
        if one is None or one.id in RESERVED or one.id in valid:
            continue
        try:
            new_organization(one.id)
            label = check_label(labels, one.label)
        except InputError:
            continue
        valid[one.id] = replace(one, label=label)
        labels.add(label.casefold())
    return tuple(valid.values())


def _zones(names: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and _is_zone(name)))[:RECENT_ZONES]


def _is_zone(name: str) -> bool:
    try:
        zone_of(name)
    except InputError:
        return False
    return True


def _converted(value: object, kind: Any, default: T) -> T:
    """Return `value` converted to the type `kind`, or `default` if that fails."""
    try:
        converted: T = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return default
    return converted
