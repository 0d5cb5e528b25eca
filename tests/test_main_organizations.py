"""`main`: the chosen organization, and a snapshot instead of an organization."""

import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.rigs.sample_organization import sample_organization
from tests.rigs.sessions import open_store_session
from usage_viewer.__main__ import main
from usage_viewer.app.profile.organizations import Organization as Listed
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.settings.settings import Settings, save
from usage_viewer.app.snapshot.archive import save_snapshot
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import MemoryKeystore

DAY = 86400
NOW = int(time.time())
"""Read once: a run that passes midnight must not shift the dates against the snapshot."""


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A snapshot of the last week of completions, fetched from the stand-in server."""
    view, key = ViewState(range=DateRange(Preset.LAST_7_DAYS)), AdminKey.parse(ADMIN_KEY)
    with DemoServer(sample_organization(NOW), key=ADMIN_KEY, clock=lambda: NOW) as server:
        profile = Profile(
            "default", base_url=server.base_url, database=None, keystore=MemoryKeystore, clock=lambda: NOW
        )
        with closing(open_store_session(profile)) as session:
            session.connect(profile.source(key))
            list(session.fetch(view))
            save_snapshot(session, view, tmp_path / "week.zip")
    return tmp_path / "week.zip"


def _date(days_ago: int) -> str:
    return datetime.fromtimestamp(NOW - days_ago * DAY, UTC).strftime("%Y-%m-%d")


def test_table_of_a_snapshot_needs_no_key(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-not-to-be-used-not-to-be-used")
    data_dir = tmp_path / "data"
    common = ["--data-dir", str(data_dir), "table", "--open", str(snapshot), "--group-by", "model"]
    assert main([*common, "--from", _date(5), "--to", _date(1)]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) > 3
    assert err == ""
    assert not data_dir.exists()

    assert main([*common, "--from", _date(20), "--to", _date(1)]) == 3
    assert "the snapshot has 5 of 19 days" in capsys.readouterr().err
    assert main([*common, "--from", _date(5), "--to", _date(-30)]) == 3
    assert "the snapshot has 6 of 35 days, 29 of them were still to come." in capsys.readouterr().err


def test_file_that_is_no_snapshot_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("x")
    between = ["--from", _date(5), "--to", _date(1)]
    assert main(["table", "--open", str(tmp_path / "x"), *between]) == 1
    assert "not a snapshot" in capsys.readouterr().err
    assert main(["--demo", "--open", str(tmp_path / "x")]) == 2
    assert "can't be combined" in capsys.readouterr().err


def test_profile_is_chosen_by_label_and_uses_its_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", ADMIN_KEY)
    with DemoServer(sample_organization(NOW), key=ADMIN_KEY) as server:
        listed = (Listed("default", "Acme"), Listed("umbrella", "Umbrella Inc", server.base_url))
        save(ProfilePaths(tmp_path).settings, Settings(organizations=listed))
        table = ["table", "--from", _date(5), "--to", _date(3)]
        umbrella = ["--data-dir", str(tmp_path), "--profile", "umbrella inc", *table]
        assert main(umbrella) == 2, "a file does not decide where the environment's key is sent"
        assert server.requests == []
        refused = capsys.readouterr().err
        assert "https://api.openai.com" in refused
        assert server.base_url.removesuffix("/v1") in refused
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        assert main(umbrella) == 0
    assert ProfilePaths(tmp_path, "umbrella").database.exists()
    assert not ProfilePaths(tmp_path).database.exists()
