"""Provides fixtures for widgets that are tested without the main window."""

from tests.rigs.widgets import _english, _kept, shown, wanted
