"""The pages for users and contributors name every option and link only to existing files."""

import re
from pathlib import Path

import pytest

from usage_viewer.cli.arguments import build_parser

ROOT = Path(__file__).parents[1]
COMMAND_LINE = ROOT / "usage_viewer" / "cli" / "README.md"
PAGES = [
    "packaging/recipes/README.md",
    "README.md",
    ".github/CONTRIBUTING.md",
    "tests/README.md",
    "usage_viewer/ARCHITECTURE.md",
    "usage_viewer/cli/README.md",
    "usage_viewer/decisions/README.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "usage_viewer" / "decisions").glob("[0-9]*.md"))),
]


def _help_texts() -> tuple[set[str], list[str]]:
    """Return all options and the names of all commands."""
    parser = build_parser()
    command = next(action for action in parser._actions if action.dest == "command")
    assert command.choices
    commands = dict(command.choices)
    texts = [parser.format_help(), *(one.format_help() for one in commands.values())]
    options = {option for text in texts for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)}
    return options, list(commands)


def test_command_line_page_lists_every_option() -> None:
    text = COMMAND_LINE.read_text(encoding="utf-8")
    options, commands = _help_texts()
    assert options - {"--help"}
    assert sorted(option for option in options - {"--help"} if f"`{option}" not in text) == []
    assert all(f"usage-viewer {name}" in text for name in commands)


@pytest.mark.parametrize("page", [COMMAND_LINE, ROOT / "README.md"], ids=["command line", "README"])
def test_only_existing_options_are_listed(page: Path) -> None:
    options, _ = _help_texts()
    named = set(re.findall(r"`(--[a-z][a-z-]+)", page.read_text(encoding="utf-8")))
    assert sorted(named - options) == []


@pytest.mark.parametrize("page", PAGES)
def test_linked_files_exist(page: str) -> None:
    path = ROOT / page
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_named_modules_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in re.findall(r"`((?:domain|app|api|store|query|keystore|gui|cli|demo)/[\w/]+\.py)", text):
        assert (ROOT / "usage_viewer" / name).is_file(), name
    for name in re.findall(r"`(tests/[\w/]+\.py)", text):
        assert (ROOT / name).is_file(), name
