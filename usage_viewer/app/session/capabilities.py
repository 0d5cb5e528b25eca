"""Defines `Capabilities`, which says what can be done with a source of usage."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the window and the command line may offer for a source."""

    needs_key: bool  # the user enters, replaces and removes its admin key
    can_fetch: bool
    can_save_snapshot: bool
    can_erase: bool


ORGANIZATION = Capabilities(needs_key=True, can_fetch=True, can_save_snapshot=True, can_erase=True)
"""One organization with a store and a key of its own."""

COMBINED = Capabilities(needs_key=False, can_fetch=True, can_save_snapshot=False, can_erase=False)
"""Several organizations in one view, each with its own store and key."""

SNAPSHOT = Capabilities(needs_key=False, can_fetch=False, can_save_snapshot=True, can_erase=False)
"""A saved snapshot, read-only."""
