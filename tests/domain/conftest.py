"""Fixtures of the domain tests."""

from tests.rigs.tables import models, table_of, view_of
