"""Odd paths, files of other kinds and closed streams end with a typed error and the right exit status."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.rigs.command_line import Program
from usage_viewer.demo.server.server import DemoServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes, devices and descriptors of POSIX")

TABLE = ("table", "--from", "2026-10-20", "--to", "2026-10-21")


@pytest.fixture
def program(tmp_path: Path, server: DemoServer) -> Program:
    return Program(server, tmp_path)


def make_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE a (b)")
    connection.commit()
    connection.close()


def make_other(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE a (b INTEGER)")


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "SQLite": (make_sqlite, "is an SQLite database"),
    "Parquet": (lambda path: path.write_bytes(b"PAR1" + bytes(100) + b"PAR1"), "is a Parquet file"),
    "zip": (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)), "is a zip archive"),
    "folder": (Path.mkdir, "is a folder"),
    "pipe": (os.mkfifo, "is a pipe"),
    "device": (link_to("/dev/zero"), "is a device"),
    "text": (lambda path: path.write_text("hello" * 100), "not a valid DuckDB database file"),
    "zeros": (lambda path: path.write_bytes(bytes(100_000)), "not a valid DuckDB database file"),
    "other program's DuckDB": (make_other, "not written by Usage Viewer"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_file_of_another_kind_is_named_and_kept_aside_on_request(kind: str, program: Program) -> None:
    make, words = KINDS[kind]
    database = program.place.database
    database.parent.mkdir(parents=True)
    make(database)
    refused = program(*TABLE)
    assert (refused.status, refused.out) == (1, "")
    assert words in refused.err
    assert "Add --start-over" in refused.err
    again = program(*TABLE, "--start-over")
    assert again.status == 0, again.err
    assert again.out
    assert len(list(database.parent.glob("usage.damaged-*"))) == 1
    assert program(*TABLE).out == again.out


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
@pytest.mark.parametrize("name", ["settings.json", "profiles/default/last-look.json", "usage-viewer.tag"])
def test_other_files_of_another_kind_stop_nothing(kind: str, name: str, program: Program) -> None:
    path = program.place.data_dir / name
    path.parent.mkdir(parents=True)
    KINDS[kind][0](path)
    done = program(*TABLE)
    assert done.status == 0, done.err
    assert done.out


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE usage_completions_1d ALTER input_tokens TYPE VARCHAR",
        "ALTER TABLE combination_completions ALTER model TYPE INTEGER USING 1",
        "UPDATE usage_completions_1d SET combination = 99999",
        "UPDATE usage_completions_1d SET combination = -5",
        "ALTER TABLE held ALTER start TYPE VARCHAR",
        "ALTER TABLE meta ALTER version TYPE VARCHAR",
        "DROP TABLE held",
        "DROP TABLE change; CREATE VIEW change AS SELECT 1",
    ],
)
def test_tables_of_other_types_or_contents_are_damage(sql: str, program: Program) -> None:
    assert program(*TABLE).status == 0
    with duckdb.connect(str(program.place.database)) as connection:
        connection.execute(sql)
    done = program(*TABLE)
    assert (done.status, done.out) == (1, "")
    assert "The local database is damaged" in done.err
    assert "Traceback" not in done.err


ODD_NAMES = {
    "question mark": ("a?b", "question mark"),
    "number sign": ("a#b", ""),
    "per cent": ("a%20b", ""),
    "spaces": (" a b ", ""),
    "line break": ("a\nb", ""),
    "escape sequence": ("a\x1b[31mb", ""),
    "quotes": ("a'b\"c", ""),
    "emoji": ("a😀b", ""),
    "not UTF-8": (os.fsdecode(b"a\xff\xfeb"), "not UTF-8"),
    "5,000 characters": ("x" * 5000, "can't be used: File name too long"),
    "5,000 characters in folders": ("/".join(["x" * 199] * 25), "can't be used: File name too long"),
}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_of_the_data_directory(name: str, program: Program, tmp_path: Path) -> None:
    text, words = ODD_NAMES[name]
    done = program(*TABLE, "--data-dir", str(tmp_path / text))
    assert "Traceback" not in done.err
    assert "\x1b" not in done.err
    assert len(done.err) < 2000
    if words:
        assert (done.status, done.out) == (2, "")
        assert words in done.err
    else:
        assert done.status == 0, done.err
        assert (tmp_path / text / "profiles" / "default" / "usage.duckdb").is_file()


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize(
    "option",
    [("--output", "--format", "csv"), ("--ca-file",), ("--open",), ("--snapshot",)],
    ids=lambda one: one[0],
)
def test_odd_names_of_other_files(name: str, option: tuple[str, ...], program: Program, tmp_path: Path) -> None:
    path = str(tmp_path / ODD_NAMES[name][0])
    arguments = ("--demo", "--snapshot", path) if option[0] == "--snapshot" else (*TABLE, option[0], path)
    if option[0] == "--snapshot":
        pytest.importorskip("PySide6")
        program.variables["QT_QPA_PLATFORM"] = "offscreen"
        if "5,000" not in name:
            return  # a picture takes a second; the long names are those that fail
    done = program(*arguments, *option[1:])
    assert "Traceback" not in done.err
    assert "\x1b" not in done.err
    works = option[0] == "--output" and "5,000" not in name
    assert (done.status == 0) == works, done.err
    assert works or "usage-viewer: " in done.err


def run(program: Program, redirection: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "usage_viewer", *program.options, *arguments]
    shell = shutil.which("sh")
    assert shell is not None
    return subprocess.run(
        [shell, "-c", f'exec "$@" {redirection}', "sh", *command],
        env=program.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(TABLE, 0), (("table", "--from", "x"), 2), (("forget", "--yes"), 0), ((*TABLE, "--profile", "a/b"), 2)],
)
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&-", "2>&- <&-"])
def test_standard_error_that_cannot_be_written_changes_no_status(
    redirection: str, arguments: tuple[str, ...], status: int, program: Program
) -> None:
    done = run(program, redirection, *arguments)
    assert done.returncode == status, done.stderr
    assert (len(done.stdout) > 0) == (arguments == TABLE)


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", ">&- 2>&- <&-", ">/dev/full"])
def test_table_that_cannot_be_printed_is_an_error(redirection: str, program: Program, tmp_path: Path) -> None:
    done = run(program, redirection, *TABLE)
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"2>&-" in redirection.encode() or b"usage-viewer: The" in done.stderr
    if redirection != ">/dev/full":
        saved = tmp_path / "saved.csv"
        assert run(program, redirection, *TABLE, "--format", "csv", "--output", str(saved)).returncode == 0
        assert saved.stat().st_size > 0


def test_reader_that_ends_early_is_no_error(program: Program) -> None:
    done = run(program, "| head -c 5", *TABLE)
    assert (done.returncode, len(done.stdout)) == (0, 5)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_missing_keyring_is_named_as_the_reason_for_a_missing_key(program: Program) -> None:
    done = program(*TABLE, env={"OPENAI_ADMIN_KEY": ""})
    assert done.status == 3
    assert "No admin key" in done.err
    assert "no running Secret Service" in done.err
