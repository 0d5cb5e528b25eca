"""`Parser`: argparse that says what is wrong as a typed error, and takes values that begin with a dash."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from usage_viewer.domain.errors import InputError


class Parser(argparse.ArgumentParser):
    """Says what is wrong as an InputError, so that one place decides how it is told.

    `--sort -input_tokens` is understood as `--sort=-input_tokens`: by itself argparse takes a value that begins
    with a dash for an option.
    """

    def parse_known_args(  # type: ignore[override] # the namespace is always a plain one
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        return super().parse_known_args(_joined(sys.argv[1:] if args is None else args), namespace)

    def error(self, message: str) -> NoReturn:
        raise InputError(message, title="The command can't be understood", hint=self.format_usage().strip())


def _joined(args: Sequence[str]) -> list[str]:
    joined: list[str] = []
    for argument in args:
        if joined and joined[-1] == "--sort" and argument[:1] == "-" and argument[:2] != "--":
            joined[-1] = f"--sort={argument}"
        else:
            joined.append(argument)
    return joined
