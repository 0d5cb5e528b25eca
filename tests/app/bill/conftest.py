"""Provides the sessions of the tests of the lists about the bill: over one database file."""

from tests.rigs.sessions import rig_with_file

__all__ = ["rig_with_file"]
