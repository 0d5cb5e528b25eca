"""Fixtures of widgets on their own."""

from tests.rigs.widgets import _english, _kept, shown, wanted
