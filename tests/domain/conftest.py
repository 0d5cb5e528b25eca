"""Fixtures of the domain's tests."""

from tests.rigs.tables import models, pivot, table_of, view_of
