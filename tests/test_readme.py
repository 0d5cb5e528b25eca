"""The README lists every option, and links only to existing files."""

import re
from pathlib import Path

from usage_viewer.cli.arguments import build_parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_lists_every_option() -> None:
    text = build_parser().format_help()
    table = next(action for action in build_parser()._actions if action.dest == "command")
    assert table.choices
    commands = dict(table.choices)
    texts = [text, *(command.format_help() for command in commands.values())]
    options = {option for one in texts for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", one)}
    options -= {"--help"}
    assert options
    missing = sorted(option for option in options if f"`{option}" not in README)
    assert missing == []
    assert all(f"`{name}`" in README or f"usage-viewer {name}" in README for name in commands)


def test_readme_lists_only_existing_options() -> None:
    text = build_parser().format_help()
    table = next(action for action in build_parser()._actions if action.dest == "command")
    everything = text + "".join(command.format_help() for command in dict(table.choices).values())  # type: ignore[arg-type]
    named = set(re.findall(r"`(--[a-z][a-z-]+)", README))
    assert sorted(option for option in named if option not in everything) == []


def test_linked_files_exist() -> None:
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / path).is_file(), path
    for path in re.findall(r"`((?:domain|app|api|store|gui|cli|demo)/[\w/]+\.py)`", README):
        assert (ROOT / "usage_viewer" / path).is_file(), path
