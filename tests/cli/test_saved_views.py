"""`--view` prints the figures of a saved view, says what it leaves out, and `views` lists the names."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.command_line import Program, Table
from usage_viewer.app.settings.saved_views import READY_MADE, SavedView, add, new_view
from usage_viewer.app.settings.view_file import change_views
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
MINE = ViewState(
    range=DateRange(Preset.THIS_MONTH),
    grouping=("model",),
    filters=(Filter("batch", frozenset(["true"])),),
    columns=("input_tokens",),
    order=(SortKey("input_tokens", descending=True),),
)
EQUAL = (
    "--from 2026-11-01 --to 2026-11-21 --group-by model --filter batch=yes --metrics input_tokens"
    " --sort -input_tokens --format json"
)


@pytest.fixture
def ask(make_table: Callable[[DemoServer, float], Table], tmp_path: Path) -> Any:
    """Run `table` with a data directory that has saved views."""
    with DemoServer(SyntheticOrganization(anchor=NOW), clock=lambda: NOW) as server:
        table = make_table(server, NOW)
        yield lambda *arguments: table("--data-dir", str(tmp_path), *arguments)


def save(tmp_path: Path, *saved: SavedView) -> None:
    for one in saved:
        change_views(tmp_path / "views.json", lambda views, one=one: add(views, one))  # type: ignore[misc]


def test_saved_view_prints_the_figures_of_its_options(ask: Any, tmp_path: Path) -> None:
    save(tmp_path, new_view("Mine", MINE))
    printed = ask("--view", "mine", "--format", "json")
    assert printed == ask(*EQUAL.split())
    assert printed.status == 0
    assert printed.rows


def test_ready_made_view_is_printed_without_a_file(ask: Any, tmp_path: Path) -> None:
    printed = ask("--view", "This month by model", "--format", "json")
    assert printed.status == 0
    assert printed.rows[0].keys() >= {"model", "input_tokens"}
    assert not (tmp_path / "views.json").exists()


def test_unknown_parts_are_reported_and_the_rest_is_printed(ask: Any, tmp_path: Path) -> None:
    stored = {**new_view("", MINE).stored, "hologram": 1}
    stored["grouping"] = ["model", "mood"]
    save(tmp_path, SavedView("x", "Mine", stored))
    printed = ask("--view", "Mine", "--format", "json")
    assert printed.status == 3
    assert "can't be grouped by “mood”" in printed.err
    assert "“hologram”" in printed.err
    assert printed.rows == ask(*EQUAL.split()).rows


@pytest.mark.parametrize(("first_day", "start"), [(0, "2026-11-16"), (6, "2026-11-15")])
def test_weeks_begin_as_in_the_window(tmp_path: Path, first_day: int, start: str) -> None:
    weekly = ViewState(range=DateRange(Preset.THIS_WEEK), per=Granularity.WEEK, grouping=())
    change_views(tmp_path / "views.json", lambda views: add(views, new_view("Week", weekly)), first_day)
    with DemoServer(SyntheticOrganization(anchor=NOW), clock=lambda: NOW) as server:
        table = Table(server, None, server.key, lambda: NOW)
        rows = table("--data-dir", str(tmp_path), "--view", "Week", "--format", "json").rows
    assert [row["period_start"] for row in rows] == [f"{start}T00:00:00Z"]


@pytest.mark.parametrize("given", ["--per=day", "--from=2026-11-01", "--include-empty", "--compare=none"])
def test_options_of_a_view_beside_a_saved_view_are_refused(ask: Any, given: str) -> None:
    printed = ask("--view", "Who spends", given)
    assert printed.status == 2
    assert given.partition("=")[0] in printed.err


def test_unknown_name_lists_the_names(ask: Any) -> None:
    printed = ask("--view", "nobody\x1b[31m")
    assert printed.status == 2
    assert "Who spends" in printed.err
    assert "\x1b" not in printed.err


def test_damaged_file_is_reported(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "views.json").write_text("{")
    printed = ask("--view", "This month by model")
    assert printed.status == 3
    assert "The saved views are damaged" in printed.err
    assert (tmp_path / "views.json").read_text() == "{"


def test_views_are_listed_and_charted(child: Program) -> None:
    listed = child("views")
    assert listed.status == 0
    assert [line.split("\t")[0] for line in listed.out.splitlines()] == [one.name for one in READY_MADE]
    save(child.data, new_view("Mine", MINE), new_view("Größe ✓", MINE))
    assert child("views").out.endswith("Mine\tcompletions\tthis-month\nGröße ✓\tcompletions\tthis-month\n")
    assert child("views", within=["sh", "-c", 'exec "$@" >/dev/full', "sh"]).status == 1
    assert child("views", env={"LC_ALL": "C", "PYTHONUTF8": "0"}).status == 0
    picture = child.home / "mine.svg"
    drawn = child("chart", "--view", "Mine", "--output", str(picture))
    assert (drawn.status, drawn.err) == (0, child.server_note)
    assert "<svg" in picture.read_text()
