"""Fixtures of the domain's tests."""

from tests.rigs.tables import models, table_of, view_of
