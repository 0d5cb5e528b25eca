"""A start that shows stored data imports nothing of the network before the table is painted."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import usage_viewer
from tests.rigs.command_line import Program
from usage_viewer.demo.server.server import DemoServer

THIRD_PARTY = {
    "PySide6",
    "_duckdb",
    "duckdb",
    "msgspec",
    "numpy",
    "platformdirs",
    "shiboken6",
    "shibokensupport",
    "typing_extensions",
    "tzdata",
    "tzlocal",
}
"""The packages that a start may import before the first table with rows is painted."""

KEYRING = {
    *("_cffi_backend", "backports", "cryptography", "dbus", "gi", "importlib_metadata", "jaraco", "jeepney"),
    *("keyring", "lazy_importer", "more_itertools", "secretstorage"),
}
"""The keyring's packages: a worker imports them once the rows are read, maybe before they are painted."""

NETWORK = ("httpcore", "httpx", "usage_viewer.api")

FOR_LATER = (
    *("numpy.ma", "usage_viewer.app.chart", "usage_viewer.app.export", "usage_viewer.app.session.comparison"),
    *("usage_viewer.gui.bars.range_popup", "usage_viewer.gui.chart", "usage_viewer.gui.clipboard.clipboard"),
    *("usage_viewer.query.comparison", "usage_viewer.query.spend", "usage_viewer.store.spend.spend_store"),
)
"""Modules that a table of stored rows of usage does not need."""

PROBE = """
import json, linecache, os, sys
from usage_viewer.__main__ import main
from usage_viewer.gui.table.table_view import TableView

paint = TableView.paintEvent

def painted(view, event):
    paint(view, event)
    if view.model().rowCount():
        files = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
        print(json.dumps([files, list(linecache.cache)]), flush=True)
        os._exit(0)

TableView.paintEvent = painted
main(sys.argv[1:])
"""


def test_start_imports_what_the_table_of_stored_rows_needs(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    with DemoServer() as server:
        program = Program(server, tmp_path)
        days = ("--from", str(today - timedelta(days=8)), "--to", str(today - timedelta(days=1)))
        assert program("table", *days).status == 0
        done = subprocess.run(
            [sys.executable, "-c", PROBE, "--data-dir", str(program.data)],
            env=program.environment({"OPENAI_ADMIN_KEY": "", "QT_QPA_PLATFORM": "offscreen"}),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    files, read_sources = json.loads(done.stdout)
    third_party = {name.partition(".")[0] for name, file in files.items() if "site-packages" in file}
    assert third_party - {"_distutils_hack"} <= THIRD_PARTY | KEYRING
    assert [name for name in (*NETWORK, *FOR_LATER) if name in files] == []
    own = str(Path(usage_viewer.__file__).parent)
    assert [name for name in read_sources if name.startswith(own)] == []  # PySide's import function would read them
