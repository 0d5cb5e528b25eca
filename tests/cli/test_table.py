"""`usage-viewer table` in this process: formats, exit statuses, and messages about missing usage."""

import csv
import errno
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.rigs.sample_organization import sample_organization
from tests.rigs.workbook_reader import read_sheets
from usage_viewer.app.profile.profile import Profile
from usage_viewer.cli.arguments import FORMATS, build_parser
from usage_viewer.cli.table import run_table
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.zones import iso
from usage_viewer.keystore import Keystore, MemoryKeystore

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
OCTOBER = ("--from", "2026-10-01", "--to", "2026-11-01")
BY_MODEL = (*OCTOBER, "--group-by", "model", "--metrics", "input_tokens,cached_share")

Table = Callable[..., Any]
TEXT_FORMATS = [form for form in FORMATS if form != "xlsx"]


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """A server with a fixed clock."""
    with DemoServer(sample_organization(NOW), clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def ask(table: Any) -> Any:
    table.now = lambda: NOW
    return table


def fail_with(server: DemoServer, status: int, **more: Any) -> None:
    """Make the server answer every request with `status`; retries follow at once."""
    server.faults = lambda request: Fault(status=status, headers={"retry-after-ms": "1"}, **more)


class TestFormats:
    def test_json_is_one_array_of_objects(self, ask: Table) -> None:
        printed = ask(*BY_MODEL, "--per", "month", "--format", "json")
        assert (printed.status, printed.err) == (0, "")
        rows = printed.rows
        assert len(rows) > 5
        for row in rows:
            assert list(row) == ["period_start", "period_end", "model", "input_tokens", "cached_share"]
            assert (row["period_start"], row["period_end"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
            assert isinstance(row["input_tokens"], int)
            assert isinstance(row["cached_share"], Decimal)

    def test_json_has_raw_ids_and_null_for_none(self, ask: Table, server: DemoServer) -> None:
        rows = ask(*OCTOBER, "--group-by", "project_id,user_id,batch", "--format", "json").rows
        projects = {project.id for project in server.organization.directory.projects}
        assert {row["project_id"] for row in rows} <= {*projects, None}
        assert {row["batch"] for row in rows} <= {True, False, None}
        assert True in {row["batch"] for row in rows}
        assert None in {row["user_id"] for row in rows}

    def test_json_has_exact_numbers(self, ask: Table, server: DemoServer) -> None:
        large = 2**63 - 2

        def bend(page: Any) -> Any:
            for bucket in page["data"]:
                for result in bucket["results"]:
                    result["input_tokens"] = large
            return page

        server.faults = lambda request: Fault(edit=bend)
        (row,) = ask(*OCTOBER, "--metrics", "input_tokens", "--format", "json").rows
        assert row["input_tokens"] % large == 0
        assert row["input_tokens"] > 2**64

    def test_missing_figure_is_null(self, ask: Table) -> None:
        command = (
            "--from",
            "2026-01-01",
            "--to",
            "2026-01-05",
            "--metrics",
            "input_cache_write_tokens,cached_share",
        )
        (row,) = ask(*command, "--format", "json").rows
        assert row["input_cache_write_tokens"] is None
        assert ask(*command).out.splitlines()[1].startswith("\t")

    def test_all_formats_have_the_same_values(self, ask: Table) -> None:
        wanted = ask(*BY_MODEL, "--sort", "-input_tokens", "--format", "json").rows
        tsv, comma, markdown = (
            ask(*BY_MODEL, "--sort", "-input_tokens", "--format", form).out for form in ("tsv", "csv", "markdown")
        )
        header = ["Model", "Input", "Cached share"]
        lists = [
            list(csv.reader(io.StringIO(tsv, newline=""), delimiter="\t")),
            list(csv.reader(io.StringIO(comma, newline=""))),
            [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()],
        ]
        assert lists[2].pop(1) == ["---", "---:", "---:"]
        for lines in lists:
            assert lines[0] == header
            assert [line[0].replace("\\", "") for line in lines[1:]] == [row["model"] for row in wanted]
            assert [int(line[1]) for line in lines[1:]] == [row["input_tokens"] for row in wanted]
            for line, row in zip(lines[1:], wanted, strict=True):
                assert float(line[2]) == pytest.approx(float(row["cached_share"]), rel=1e-5)
        assert comma.count("\r\n") == len(wanted) + 1

    @pytest.mark.parametrize("form", TEXT_FORMATS)
    def test_empty_table(self, ask: Table, form: str) -> None:
        printed = ask(*BY_MODEL, "--filter", "model=no-such-model", "--format", form)
        assert (printed.status, printed.err) == (0, "")
        if form == "json":
            assert json.loads(printed.out) == []
        else:
            assert "Cached share" in printed.out

    def test_empty_rows_are_included_on_request(self, ask: Table, server: DemoServer) -> None:
        options = (
            *OCTOBER,
            "--group-by",
            "api_key_id",
            "--metrics",
            "num_model_requests",
            "--names",
            "--format",
            "json",
        )
        used = {row["api_key_id"] for row in ask(*options).rows}
        printed = ask(*options, "--include-empty")
        assert printed.status == 0
        assert "Rows without usage are included." in printed.err
        unused = {
            row["api_key_id"]: row["num_model_requests"] for row in printed.rows if row["api_key_id"] not in used
        }
        assert unused
        assert set(unused.values()) == {0}
        assert set(unused) <= {key.id for key in server.organization.directory.keys}

    def test_last_use_of_keys_and_people_is_a_column_to_sort_by(self, ask: Table, server: DemoServer) -> None:
        options = (*OCTOBER, "--group-by", "user_id,api_key_id", "--metrics", "num_model_requests", "--names")
        order = ("--include-empty", "--sort", "-api_key_id_last_used")
        rows = ask(*options, *order, "--format", "json").rows
        listed = server.organization.last_used(int(server.clock()))
        of_key = {row["api_key_id"]: row["api_key_id_last_used"] for row in rows}
        moments = {key: iso(moment, UTC) for key, moment in listed.items()}
        assert len({key for key, moment in of_key.items() if moment is not None}) > 10
        assert all(moment in (None, "never", moments.get(key or "")) for key, moment in of_key.items())
        shown = [row["api_key_id_last_used"] for row in rows]
        dates = [moment for moment in shown if moment not in (None, "never")]
        assert shown == sorted(dates, reverse=True) + ["never"] * shown.count("never") + [None] * shown.count(None)
        assert {"api_key_id_last_used", "user_id_last_used"} < set(rows[0])
        assert "API key last used (UTC)" in ask(*options, *order, "--format", "csv").out.splitlines()[0]

    @pytest.mark.parametrize("form", TEXT_FORMATS)
    def test_output_ends_with_a_line_end(self, ask: Table, form: str) -> None:
        assert ask(*BY_MODEL, "--format", form).out.endswith("\n")

    def test_workbook_goes_to_a_file(self, ask: Table, tmp_path: Path) -> None:
        path = tmp_path / "usage.xlsx"
        printed = ask(*BY_MODEL, "--per", "month", "--format", "xlsx", "--output", str(path))
        assert (printed.status, printed.out, printed.err) == (0, "", "")
        sheets = read_sheets(path)
        rows = ask(*BY_MODEL, "--per", "month", "--format", "json").rows
        _, *lines, total = sheets["Usage"]
        assert [line["C"].value for line in lines] == [row["input_tokens"] for row in rows]
        assert total["C"].value == sum(row["input_tokens"] for row in rows)
        assert any(row["A"].value == "Dataset" for row in sheets["Source"])

    def test_workbook_on_a_terminal_is_refused(self, ask: Table) -> None:
        printed = ask(*BY_MODEL, "--format", "xlsx")
        assert (printed.status, printed.out) == (2, "")
        assert "--output FILE.xlsx" in printed.err

    def test_output_file_equals_the_printed_table(self, ask: Table, tmp_path: Path) -> None:
        path = tmp_path / "usage.tsv"
        assert ask(*BY_MODEL, "--output", str(path)).out == ""
        assert path.read_text() == ask(*BY_MODEL).out

    def test_tsv_is_the_default(self, ask: Table) -> None:
        assert ask(*BY_MODEL).out == ask(*BY_MODEL, "--format", "tsv").out

    def test_rows_follow_the_sort_option(self, ask: Table) -> None:
        figures = [
            row["input_tokens"] for row in ask(*BY_MODEL, "--sort", "-input_tokens", "--format", "json").rows
        ]
        assert figures == sorted(figures, reverse=True)


class TestRefetch:
    def test_final_days_are_loaded_again_on_request(self, ask: Any, tmp_path: Path, server: DemoServer) -> None:
        ask.database = tmp_path / "usage.duckdb"
        before = ask(*BY_MODEL).out
        server.requests.clear()
        assert ask(*BY_MODEL).out == before
        assert not server.requests
        printed = ask(*BY_MODEL, "--refetch")
        assert (printed.status, printed.out) == (0, before)
        assert [request.query["start_time"] for request in server.requests] == [["1790812800"]]


class TestMissingUsage:
    def test_nothing(self, ask: Table) -> None:
        printed = ask(*OCTOBER)
        assert (printed.status, printed.err) == (0, "")

    def test_range_that_ends_in_the_future_is_complete(self, ask: Table) -> None:
        printed = ask("--from", "2026-11-01", "--to", "2026-12-01")
        assert printed.status == 0
        assert printed.err == "The range ends in the future. Complete: 20 days, 10 still to come.\n"

    def test_no_key(self, ask: Any) -> None:
        ask.key = None
        printed = ask(*BY_MODEL)
        assert printed.status == 3
        assert printed.out == "Model\tInput\tCached share\n"
        assert "No admin key" in printed.err
        assert "OPENAI_ADMIN_KEY" in printed.err
        assert (
            "Incomplete: 0 of 31 days loaded. Missing:\n  2026-10-01T00:00:00Z to 2026-11-01T00:00:00Z (31 days)"
            in printed.err
        )

    def test_stored_usage_needs_no_key(self, ask: Any, tmp_path: Path, server: DemoServer) -> None:
        ask.database = tmp_path / "usage.duckdb"
        first = ask(*BY_MODEL)
        ask.key = None
        server.requests.clear()
        assert ask(*BY_MODEL) == first
        assert server.requests == []

    def test_refused_key_is_reported(self, ask: Any) -> None:
        ask.key = "sk-admin-of-somebody-else-entirely-0000"
        printed = ask(*OCTOBER)
        assert printed.status == 3
        assert "The admin key was refused" in printed.err
        assert "somebody" not in printed.err

    def test_key_without_the_scope_is_reported(self, ask: Any) -> None:
        ask.key = "sk-admin-demo-0002-reads-names-only"
        printed = ask(*OCTOBER)
        assert printed.status == 3
        assert "Usage: read" in printed.err

    def test_missing_days_are_listed_after_a_server_error(
        self, ask: Any, tmp_path: Path, server: DemoServer
    ) -> None:
        ask.database = tmp_path / "usage.duckdb"
        ask("--from", "2026-10-04", "--to", "2026-11-01")
        fail_with(server, 503)
        printed = ask(*OCTOBER, "--format", "json")
        assert printed.status == 3
        assert printed.rows[0]["input_tokens"] > 0
        assert printed.err.startswith("usage-viewer: The server failed")
        assert "Retry later; data loaded so far is kept." in printed.err
        assert (
            "Incomplete: 28 of 31 days loaded. Missing:\n  2026-10-01T00:00:00Z to 2026-10-04T00:00:00Z (3 days)\n"
            in printed.err
        )
        server.faults = None
        assert ask(*OCTOBER).status == 0

    def test_stale_days_are_listed_after_a_server_error(self, ask: Any, tmp_path: Path, server: DemoServer) -> None:
        ask.database = tmp_path / "usage.duckdb"
        command = ("--from", "2026-11-10", "--to", "2026-11-20")
        assert ask(*command).status == 0
        fail_with(server, 503)
        assert ask(*command).status == 0  # no request within 5 minutes
        ask.now = server.clock = lambda: NOW + 3600
        printed = ask(*command)
        assert printed.status == 3
        assert "Incomplete" not in printed.err
        assert "Complete: 10 days, but these may have changed since they were loaded:\n" in printed.err
        assert "  2026-11-17T00:00:00Z to 2026-11-20T00:00:00Z (3 days)\n" in printed.err

    def test_unusable_response_is_reported(self, ask: Table, server: DemoServer) -> None:
        fail_with(server, 200, body=b"<html>log in</html>")
        printed = ask(*OCTOBER)
        assert printed.status == 3
        assert "not JSON" in printed.err

    def test_unavailable_dimension_is_reported(self, server: DemoServer, ask: Any) -> None:
        with DemoServer(server.organization, refused=RefusedGroupings.of("api_source"), clock=lambda: NOW) as other:
            printed = replace(ask, server=other)(*BY_MODEL)
        assert printed.out == ask(*BY_MODEL).out
        assert printed.status == 0
        assert printed.err == "API source (api_source) is not available for this organization.\n"

    def test_terminal_shows_progress_and_clears_it(self, ask: Any, server: DemoServer) -> None:
        ask.terminal = True
        assert "Loading: 0 of 1 request" in ask(*OCTOBER).err
        assert ask(*OCTOBER).err.endswith("\r\x1b[K")
        server.faults = lambda request: (
            Fault(status=429, headers={"retry-after-ms": "1"}) if request.number == 2 else None
        )
        assert "Rate limited; retrying in 1 s" in ask(*OCTOBER).err
        fail_with(server, 404)
        printed = ask(*OCTOBER)
        assert printed.err.rpartition("\x1b[K")[2].startswith("usage-viewer: Address not found")


class TestFailures:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("--from", "soon", "--to", "2026-11-01"),
            ("--from", "2026-11-01", "--to", "2026-11-01"),
            (*OCTOBER, "--filter", "model"),
            (*OCTOBER, "--metrics", "money"),
            (*OCTOBER, "--sort", "-money"),
            (*OCTOBER, "--dataset", "emails"),
            (*OCTOBER, "--per", "fortnight"),
            (*OCTOBER, "--zone", "Europe/Atlantis"),
            ("--from", "2024-01-01", "--to", "2026-01-01", "--per", "minute"),
        ],
    )
    def test_invalid_arguments_exit_with_2_without_a_request(
        self, ask: Table, server: DemoServer, arguments: tuple[str, ...]
    ) -> None:
        printed = ask(*arguments)
        assert (printed.status, printed.out) == (2, "")
        first, hint = printed.err.splitlines()
        assert first.startswith("usage-viewer: ")
        assert hint
        assert server.requests == []

    def test_damaged_database_is_reported(self, ask: Any, tmp_path: Path) -> None:
        ask.database = tmp_path / "usage.duckdb"
        ask.database.write_bytes(b"no database" * 5000)
        printed = ask(*OCTOBER)
        assert (printed.status, printed.out) == (1, "")
        assert printed.err.startswith("usage-viewer: The local database is damaged")

    def test_changed_figure_is_damage(self, ask: Any, tmp_path: Path) -> None:
        ask.database = tmp_path / "usage.duckdb"
        assert ask(*OCTOBER).status == 0
        with duckdb.connect(str(ask.database)) as connection:
            connection.execute("UPDATE usage_completions_1d SET input_tokens = input_tokens + 1")
        printed = ask(*OCTOBER)
        assert (printed.status, printed.out) == (1, "")
        assert printed.err.startswith("usage-viewer: The local database is damaged")

    def test_locked_keyring_is_reported(self, server: DemoServer) -> None:
        from usage_viewer.domain.errors import KeyringLocked

        def locked() -> Keystore:
            raise KeyringLocked

        profile = Profile("default", base_url=server.base_url, database=None, keystore=locked)
        err = io.StringIO()
        status = run_table(build_parser().parse_args(["table", *OCTOBER]), profile, io.StringIO(), err)
        assert status == 3
        assert "The keyring is locked" in err.getvalue()

    def test_full_disk_is_reported(self, server: DemoServer) -> None:
        class Full(io.StringIO):
            def write(self, text: str) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

        key = AdminKey.parse(server.key)
        profile = Profile("default", base_url=server.base_url, database=None, keystore=lambda: MemoryKeystore(key))
        err = io.StringIO()
        assert run_table(build_parser().parse_args(["table", *OCTOBER]), profile, Full(), err) == 1
        assert err.getvalue().startswith("usage-viewer: The table can't be written (No space left on device)\n")


def test_minute_buckets_are_fetched_for_uneven_times(ask: Table, server: DemoServer) -> None:
    printed = ask("--from", "2026-11-19T10:17", "--to", "2026-11-19T10:40", "--per", "minute", "--format", "json")
    assert printed.status == 0
    (asked,) = server.requests
    assert asked.query["bucket_width"] == ["1m"]
    assert asked.query["limit"] == ["23"]
    first = datetime(2026, 11, 19, 10, 17, tzinfo=UTC)
    starts = [datetime.fromisoformat(row["period_start"]) for row in printed.rows]
    assert starts
    assert all(first <= start < first + timedelta(minutes=23) for start in starts)


class TestComparison:
    def test_comparison_adds_the_figures_of_the_other_period(self, ask: Table) -> None:
        columns = ("--group-by", "model", "--metrics", "input_tokens", "--format", "json")
        printed = ask(*OCTOBER, *columns, "--compare", "previous")
        assert printed.status == 0
        assert "Compared with 1 Sep 2026 to 30 Sep 2026.\n" in printed.err
        assert "The periods differ in length: 31 days and 30 days.\n" in printed.err
        rows = printed.rows
        old = ask("--from", "2026-09-01", "--to", "2026-10-01", *columns).rows
        before = {row["model"]: row["input_tokens@compared"] for row in rows if row["new_or_gone"] != "new"}
        assert before == {row["model"]: row["input_tokens"] for row in old}
        assert len(before) > 5
        changes = [row["input_tokens@change"] for row in rows]
        assert changes == sorted(changes, reverse=True)
        for row in rows:
            assert row["input_tokens@change"] == (row["input_tokens"] or 0) - (row["input_tokens@compared"] or 0)

    def test_rows_are_sorted_by_a_column_of_the_comparison(self, ask: Table) -> None:
        columns = ("--group-by", "model", "--metrics", "input_tokens", "--format", "json")
        rows = ask(*OCTOBER, *columns, "--compare", "month", "--sort", "input_tokens@change_percent").rows
        shares = [
            row["input_tokens@change_percent"] for row in rows if row["input_tokens@change_percent"] is not None
        ]
        assert shares == sorted(shares)
        assert len(shares) > 5

    def test_missing_days_of_the_other_period_are_an_incomplete_answer(
        self, ask: Table, server: DemoServer
    ) -> None:
        assert ask(*BY_MODEL).status == 0
        fail_with(server, 500)
        printed = ask(*BY_MODEL, "--compare", "previous")
        assert printed.status == 3
        assert "Compared period incomplete: " in printed.err


class TestPivot:
    BY_PROJECT = ("--group-by", "project_id", "--format", "json")

    def test_months_across_have_the_figures_of_the_flat_table(self, ask: Table) -> None:
        months = ("--from", "2026-09-01", "--to", "2026-11-01")
        printed = ask(*months, *self.BY_PROJECT, "--columns-by", "month", "--figure", "output_tokens")
        assert printed.status == 0
        flat = ask(*months, *self.BY_PROJECT, "--per", "month", "--metrics", "output_tokens").rows
        expected = {(row["project_id"], row["period_start"][:10]): row["output_tokens"] for row in flat}
        cells = {
            (row["project_id"], start): row[f"output_tokens@period={start}T00:00:00Z"]
            for row in printed.rows
            for start in ("2026-09-01", "2026-10-01")
        }
        assert {place: number for place, number in cells.items() if number is not None} == expected
        totals = [row["output_tokens"] for row in printed.rows]
        assert totals == sorted(totals, reverse=True)
        assert sum(totals) == sum(expected.values())

    def test_a_share_is_computed_from_the_sums_of_its_cell(self, ask: Table) -> None:
        options = ("--columns-by", "model", "--figure", "cached_share")
        rows = ask(*OCTOBER, *self.BY_PROJECT, *options, "--sort", "project_id").rows
        flat = ask(*OCTOBER, "--group-by", "project_id,model", "--metrics", "cached_share", "--format", "json").rows
        assert {
            (row["project_id"], name.removeprefix("cached_share@where=model=")): share
            for row in rows
            for name, share in row.items()
            if "@" in name and share is not None
        } == {
            (row["project_id"], row["model"]): row["cached_share"]
            for row in flat
            if row["cached_share"] is not None
        }
        alone = ask(*OCTOBER, *self.BY_PROJECT, "--metrics", "cached_share").rows
        assert {row["project_id"]: row["cached_share"] for row in rows} == {
            row["project_id"]: row["cached_share"] for row in alone
        }

    @pytest.mark.parametrize(
        ("options", "title"),
        [
            (("--columns-by", "model", "--compare", "previous"), "A comparison needs figures as columns"),
            (("--columns-by", "model", "--group-by", "model"), "model is in rows and in columns"),
            (("--columns-by", "model", "--metrics", "input_tokens"), "A table with --columns-by has one figure"),
            (("--columns-by", "month", "--per", "day"), "Rows and columns can't have different periods"),
            (("--columns-by", "period"), "The whole range is one period"),
            (("--columns-by", "colour"), "Completions can't be grouped or filtered by colour"),
            (("--columns-by", "model", "--figure", "colour"), "Completions has no figure called colour"),
            (("--figure", "input_tokens"), "--figure needs --columns-by"),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, ask: Table, options: tuple[str, ...], title: str) -> None:
        printed = ask(*OCTOBER, *options)
        assert printed.status == 2
        assert title in printed.err
