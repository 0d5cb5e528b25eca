"""Fixtures of the domain tests."""

from tests.rigs.tables import models, pivot, table_of, view_of
