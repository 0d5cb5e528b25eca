"""Contains general widgets that know nothing about usage data."""
