"""Defines the options of the key, of names and of what is loaded, which `table` and `chart` share."""

import argparse


def add_name_options(table: argparse.ArgumentParser) -> None:
    """Add the options that choose between names and ids."""
    labels = table.add_mutually_exclusive_group()
    labels.add_argument(
        "--names",
        action="store_true",
        help="load and show the names of projects, users and API keys; json has both ids and names",
    )
    labels.add_argument("--ids", dest="names", action="store_false", help="show ids, not names (default)")


def add_loading_options(table: argparse.ArgumentParser) -> None:
    """Add the options of the key, of what is loaded, and of the local database."""
    table.add_argument(
        "--key-stdin",
        action="store_true",
        help="read the admin key from standard input (one line) for this run only; it is not stored",
    )
    database = table.add_mutually_exclusive_group()
    table.add_argument(
        "--refetch", action="store_true", help="load the whole range again, also days that are final"
    )
    table.add_argument(
        "--ask-again",
        action="store_true",
        help="ask again for groupings that the server refused in the last 7 days",
    )
    database.add_argument("--no-store", action="store_true", help="do not use or change the local database")
    database.add_argument(
        "--start-over",
        action="store_true",
        help="if the local database is damaged, keep it as a copy and start with an empty one",
    )
