"""Fixtures of single widgets."""

from tests.rigs.widgets import _english, _kept, shown, wanted
