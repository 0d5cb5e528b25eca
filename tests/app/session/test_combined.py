"""Two organizations on two servers as one session: fetched, proven and explained together, with two keys."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from usage_viewer.app.profile.combined_profile import CombinedProfile
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.session import Session
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.errors import InputError, KeyMissing, UsageViewerError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.verification import Cell, Verdict
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import MemoryKeystore

KEYS = {"acme": "sk-admin-acme-acme-acme-acme-acme", "umbrella": "sk-admin-umbrella-umbrella-umbrella"}
VIEW = ViewState(range=DateRange(Preset.LAST_7_DAYS), per=Granularity.DAY, grouping=("model",)).across(KEYS)
NOW = int(time.time())


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, DemoServer]]:
    with ExitStack() as running:
        yield {
            name: running.enter_context(
                DemoServer(SyntheticOrganization(anchor=NOW, seed=seed), key=key, clock=lambda: float(NOW))
            )
            for seed, (name, key) in enumerate(KEYS.items(), start=1)
        }


def _profile(server: DemoServer, name: str, key: str | None, database: Path | None = None) -> Profile:
    return Profile(
        name,
        label=name.capitalize(),
        base_url=server.base_url,
        database=database,
        keystore=lambda: MemoryKeystore(AdminKey.parse(key) if key else None),
        clock=lambda: float(NOW),
        wait=lambda seconds: False,
    )


def _combined(servers: dict[str, DemoServer], keys: dict[str, str | None] | None = None) -> CombinedProfile:
    keys = keys or dict(KEYS)
    profiles = [_profile(servers[name], name, key) for name, key in keys.items()]
    return CombinedProfile(profiles, clock=lambda: float(NOW))


@pytest.fixture
def session(servers: dict[str, DemoServer]) -> Iterator[Session]:
    with closing(_combined(servers).open_session()) as opened:
        yield opened


def _fetch(session: Session, view: ViewState = VIEW) -> list[tuple[int, int]]:
    return [(step.done, step.total) for step in session.fetch(view, cancelled=threading.Event())]


def _total(session: Session, view: ViewState = VIEW) -> int:
    column = session.look(view).table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    assert isinstance(column.total, int)
    return column.total


def test_each_is_fetched_from_its_own_server(session: Session, servers: dict[str, DemoServer]) -> None:
    assert session.empty
    assert session.connected
    steps = _fetch(session)
    assert steps[0] == (0, 2)
    assert steps[-1] == (2, 2)
    assert session.look(VIEW).coverage.summary == "14 of 14 days in 2 organizations"
    assert _fetch(session) == []
    apart = [_total(session, VIEW.only("profile", name)) for name in KEYS]
    assert min(apart) > 0
    assert sum(apart) == _total(session)
    assert session.values("completions", "profile") == tuple(KEYS)


def test_names_come_from_both(session: Session) -> None:
    _fetch(session)
    names = session.fetch_names(cancelled=threading.Event())
    projects = session.values("completions", "project_id")
    assert all(("project", value) in names.by_id for value in projects if value is not None)
    assert names.by_id["profile", "acme"].name == "Acme"


def test_it_is_proven_together(session: Session) -> None:
    _fetch(session)
    assert session.completeness(VIEW).verdict is Verdict.NOT_VERIFIED
    assert session.calls_to_prove(VIEW, session.coverage(VIEW)) == 2
    proved = session.prove(VIEW, cancelled=threading.Event())
    assert proved.completeness.verdict is Verdict.VERIFIED
    assert proved.completeness.buckets == 14
    assert session.completeness(VIEW).verdict is Verdict.VERIFIED
    assert session.breaches(VIEW).count == 0
    assert session.changes("completions", None).count == 0


def test_origins_of_a_cell_add_up_to_it(session: Session) -> None:
    _fetch(session)
    look = session.look(VIEW)
    every = session.origins(look, Cell(0), ["input_tokens"])
    alone = session.origins(look, Cell(0, (("profile", "acme"),)), ["input_tokens"])
    assert len(every) == 2 * len(alone) == 2
    figures = [origin.figures[0] for origin in every]
    column = session.look(VIEW.with_grouping(())).table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    assert sum(int(figure or 0) for figure in figures) == column.figures.at(0)


def test_one_without_a_key_keeps_no_other_from_being_fetched(servers: dict[str, DemoServer]) -> None:
    with closing(_combined(servers, {"acme": None, "umbrella": KEYS["umbrella"]}).open_session()) as session:
        with pytest.raises(KeyMissing) as raised:
            _fetch(session)
        assert raised.value.title == "Acme: No admin key"
        assert session.look(VIEW).coverage.summary == "7 of 14 days in 2 organizations"


def test_a_wrong_key_is_told_with_the_name(servers: dict[str, DemoServer]) -> None:
    keys: dict[str, str | None] = {**KEYS, "umbrella": "sk-admin-wrong-wrong-wrong-wrong"}
    with closing(_combined(servers, keys).open_session()) as session, pytest.raises(UsageViewerError) as raised:
        _fetch(session)
    assert raised.value.title.startswith("Umbrella: ")


def test_the_same_key_twice_is_refused(servers: dict[str, DemoServer]) -> None:
    with pytest.raises(InputError, match="same key"):
        _combined(servers, dict.fromkeys(KEYS, KEYS["acme"])).open_session()


def test_what_cannot_be_opened_is_named_and_the_rest_is_let_go(
    servers: dict[str, DemoServer], tmp_path: Path
) -> None:
    (tmp_path / "broken.duckdb").write_bytes(b"not a database at all" * 100)
    good = _profile(servers["acme"], "acme", KEYS["acme"], tmp_path / "good.duckdb")
    bad = _profile(servers["umbrella"], "umbrella", KEYS["umbrella"], tmp_path / "broken.duckdb")
    with pytest.raises(UsageViewerError, match="damaged") as raised:
        CombinedProfile([good, bad], clock=lambda: float(NOW)).open_session()
    assert raised.value.title.startswith("Umbrella: ")
    with closing(good.open_session()) as again:
        assert again.empty


def test_what_only_one_can_do_is_refused(session: Session, tmp_path: Path) -> None:
    for act in (session.erase, lambda: session.save_snapshot(VIEW, tmp_path), lambda: session.remember([])):
        with pytest.raises(InputError):
            act()
