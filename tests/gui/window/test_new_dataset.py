"""Tests that a new catalog entry is enough for the session, the command line and the window."""

import io
import json
import threading
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.sessions import open_store_session
from tests.rigs.window import WindowUnderTest
from usage_viewer.app.profile.profile import Profile
from usage_viewer.cli.arguments import build_parser
from usage_viewer.cli.table import run_table
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.api.cursor import make_cursor
from usage_viewer.demo.api.query import Query, parse_query
from usage_viewer.demo.api.refusal import Refusal
from usage_viewer.demo.server.faults import Request
from usage_viewer.demo.server.listener import Listener, Reply
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import DATASETS, registered
from usage_viewer.domain.dataset import (
    Aggregation,
    Dataset,
    Derived,
    Dimension,
    Kind,
    Metric,
    OverTime,
    PageLimit,
    Statistic,
)
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn, GroupColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import MemoryKeystore

HOUR, DAY = 3600, 86400
NOW = int(datetime(2026, 11, 20, 9, 30, tzinfo=UTC).timestamp())

ROBOTS = Dataset(
    name="robot_moves",
    label="Robot moves",
    path="/organization/usage/robots/moves",
    object="organization.usage.robots.result",
    dimensions=(
        Dimension("project_id", "Project", "project_ids", names="project"),
        Dimension("arm", "Arm", "arms"),
        Dimension("at_night", "At night", "at_night", boolean=True),
        Dimension("tariff", "Tariff", requested=False, path=("price", "tariff")),
    ),
    metrics=(
        Metric("moves", "Moves", "moves", required=True),
        Metric("parts", "Parts in stock", "parts", aggregation=Aggregation.LEVEL, required=True),
        Metric("price", "Price", "credits", Kind.DECIMAL, path=("price", "value"), unit_from="tariff"),
    ),
    page_limits={BucketWidth.HOUR: PageLimit(5, 13), BucketWidth.DAY: PageLimit(2, 3)},
    default_columns=("moves", "parts", "price", "parts_per_move"),
    default_grouping=("arm",),
    derived=(Derived("parts_per_move", "Parts per move", "parts", Kind.RATIO, ("parts",), ("moves",)),),
    over_time=(OverTime("parts_mean", "Parts, mean", "parts", Kind.RATIO, "parts", Statistic.MEAN),),
)


@dataclass(frozen=True)
class Fact:
    hour: int
    values: Mapping[str, str | None]
    moves: int
    parts: int
    price: Decimal


def facts() -> list[Fact]:
    """Return facts of ten days by hour; the second arm is idle on Sundays."""
    made = []
    start = NOW // DAY * DAY - 9 * DAY
    for number in range(10 * 24):
        hour = start + number * HOUR
        if hour > NOW:
            break
        for place, (project, arm) in enumerate((("p1", "left"), ("p1", "right"), ("p2", "left"), (None, "left"))):
            if arm == "right" and datetime.fromtimestamp(hour, UTC).weekday() == 6:
                continue
            night = "true" if number % 24 < 6 else "false"
            values = {"project_id": project, "arm": arm, "at_night": night, "tariff": ("gold", "tin")[place % 2]}
            made.append(Fact(hour, values, 10 * number + place, 1000 - number + place, Decimal(number + 1) / 8))
    return made


FACTS = facts()


class RobotServer:
    """Serves the new dataset and empty lists of names."""

    key = ADMIN_KEY

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Sequence[str]]] = []
        self._listener = Listener("127.0.0.1", 0, self._respond, lambda: float(NOW))
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_port}/v1"

    def __enter__(self) -> "RobotServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join()

    def _respond(self, request: Request) -> Reply:
        path = request.path.removeprefix("/v1")
        if path != ROBOTS.path:
            known = path.startswith("/organization/") and "usage" not in path
            body = {"object": "list", "data": [], "has_more": False}
            return Reply(
                200 if known else 404, json.dumps(body if known else {"error": {"message": "Unknown."}}).encode()
            )
        self.asked.append(request.query)
        try:
            return Reply(200, page(parse_query(ROBOTS, request.query, NOW)))
        except Refusal as refusal:
            return Reply(refusal.status, refusal.body)


def page(query: Query) -> bytes:
    step = query.width.seconds
    buckets = []
    for start in range(query.start, min(query.page_end, NOW + 1), step):
        results = [result(query, group, here) for group, here in grouped(query, start, start + step).items()]
        buckets.append({"object": "bucket", "start_time": start, "end_time": start + step, "results": results})
    end = query.page_end
    more = end < query.end and end <= NOW
    cursor = make_cursor(end, query.parameters) if more else None
    return json.dumps({"object": "page", "data": buckets, "has_more": more, "next_page": cursor}).encode()


def grouped(query: Query, start: int, end: int) -> dict[tuple[str | None, ...], list[Fact]]:
    found: dict[tuple[str | None, ...], list[Fact]] = defaultdict(list)
    for fact in FACTS:
        if start <= fact.hour < end:
            names = (item for item in ROBOTS.dimensions)
            group = (
                fact.values[item.name] if item.name in query.group_by or not item.requested else None
                for item in names
            )
            found[tuple(group)].append(fact)
    return found


def result(query: Query, group: tuple[str | None, ...], here: list[Fact]) -> dict[str, Any]:
    last = max(fact.hour for fact in here)
    return {
        "object": ROBOTS.object,
        "project_id": group[0],
        "arm": group[1],
        "at_night": None if group[2] is None else group[2] == "true",
        "moves": sum(fact.moves for fact in here),
        "parts": sum(fact.parts for fact in here if fact.hour == last),
        "price": {"value": str(sum(fact.price for fact in here)), "tariff": group[3]},
    }


@pytest.fixture
def server() -> Iterator[RobotServer]:
    with registered(ROBOTS), RobotServer() as running:
        yield running


def profile(server: RobotServer, data_dir: Path | None) -> Profile:
    key = AdminKey.parse(ADMIN_KEY)
    return Profile(
        "robots",
        base_url=server.base_url,
        database=data_dir / "usage.duckdb" if data_dir else None,
        keystore=lambda: MemoryKeystore(key),
        clock=lambda: float(NOW),
    )


RANGE = DateRange.days(date(2026, 11, 12), date(2026, 11, 18))
WITHIN = [fact for fact in FACTS if 12 <= datetime.fromtimestamp(fact.hour, UTC).day <= 18]


def test_table_command_prints_a_new_dataset(server: RobotServer, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="already registered"), registered(ROBOTS):
        pass
    arguments: Namespace = build_parser().parse_args(
        [
            *("table", "--dataset", "robot_moves", "--from", "2026-11-12", "--to", "2026-11-19"),
            *("--group-by", "arm,at_night", "--metrics", "all", "--format", "json", "--filter", "project_id=p1"),
        ]
    )
    out, err = io.StringIO(), io.StringIO()
    assert run_table(arguments, profile(server, tmp_path), out, err) == 0, err.getvalue()
    assert {name for query in server.asked for name in query["group_by"]} == {"project_id", "arm", "at_night"}
    assert all(int(query["limit"][0]) <= 3 for query in server.asked)
    rows = {
        (row["arm"], row["at_night"], row["tariff"]): row for row in json.loads(out.getvalue(), parse_float=Decimal)
    }
    expected: dict[tuple[Any, ...], list[Fact]] = defaultdict(list)
    for fact in WITHIN:
        if fact.values["project_id"] == "p1":
            expected[fact.values["arm"], fact.values["at_night"] == "true", fact.values["tariff"]].append(fact)
    assert rows.keys() == expected.keys()
    for key, here in expected.items():
        assert rows[key]["moves"] == sum(fact.moves for fact in here)
        assert rows[key]["price"] == sum(fact.price for fact in here)
        last_day = datetime(2026, 11, 18, tzinfo=UTC).timestamp()
        last = max(fact.hour for fact in here)
        assert rows[key]["parts"] == (sum(f.parts for f in here if f.hour == last) if last >= last_day else None)


def test_minutes_fall_back_to_the_finest_width(server: RobotServer) -> None:
    robots = profile(server, None)
    session = open_store_session(robots)
    session.connect(robots.source(AdminKey.parse(ADMIN_KEY)))
    view = ViewState("robot_moves", RANGE, Granularity.MINUTE, ("arm",), zone="Asia/Kolkata")
    list(session.fetch(view))
    look = session.look(view)
    assert look.notes == ("Robot moves are only available per UTC hour; shown by hour, in UTC.",)
    assert (look.effective_view.per, look.effective_view.zone) == (Granularity.HOUR, "UTC")
    assert look.coverage.complete
    assert all(int(query["limit"][0]) <= 13 for query in server.asked)
    berlin = session.look(
        ViewState("robot_moves", RANGE, Granularity.DAY, (), zone="Europe/Berlin", columns=("moves",))
    )
    assert berlin.notes == ()
    days: dict[int, int] = defaultdict(int)
    for fact in FACTS:
        days[datetime.fromtimestamp(fact.hour + HOUR, UTC).day] += fact.moves  # an hour ahead of UTC in November
    (moves,) = berlin.table.figures
    # The last day's last hours were not asked for: nothing in this view needed them.
    assert moves.figures.listed()[1:-1] == [days[day] for day in range(13, 18)]
    session.close()


def test_window_shows_a_new_dataset(rig: Any) -> None:
    rig.clock.ahead = NOW - rig.clock.now
    window: WindowUnderTest = rig.start()
    # The first dataset is reported as not available; no error covers the other datasets.
    assert window.page.banner.error is None
    assert not window.page.dataset.menu_actions["completions"].isEnabled()
    assert "The server does not have this data" in window.page.dataset.menu_actions["completions"].toolTip()
    rig.settle(
        window, lambda: window.workspace.show_view(ViewState("robot_moves", RANGE, Granularity.TOTAL, ("arm",)))
    )
    page = window.page
    assert page.banner.error is None
    assert page.dataset.menu_actions["robot_moves"].isChecked()
    assert list(page.dataset.menu_actions)[:-1] == list(DATASETS)[:-1]
    names = [column.name for column in page.model.columns]
    # Prices in two tariffs are never added: the tariff is one more column.
    assert names == ["arm", "tariff", "moves", "parts", "price", "parts_per_move"]
    arm, tariff, moves, _, price = page.model.columns[:5]
    assert isinstance(arm, GroupColumn)
    assert isinstance(tariff, GroupColumn)
    assert isinstance(moves, FigureColumn)
    assert isinstance(price, FigureColumn)
    assert (moves.total, price.total) == (sum(fact.moves for fact in WITHIN), None)
    rows = zip(
        arm.codes.tolist(), tariff.codes.tolist(), moves.figures.listed(), price.figures.listed(), strict=True
    )
    assert {(arm.values[a], tariff.values[t]): (m, p) for a, t, m, p in rows} == {
        key: (sum(fact.moves for fact in here), sum(fact.price for fact in here)) for key, here in _by_arm().items()
    }
    shown = window.workspace.view.with_columns(("moves", "parts_mean"))
    rig.settle(window, lambda: window.workspace.show_view(shown))
    assert page.model.columns[-1].name == "parts_mean"


def _by_arm() -> dict[tuple[str | None, str | None], list[Fact]]:
    found: dict[tuple[str | None, str | None], list[Fact]] = defaultdict(list)
    for fact in WITHIN:
        found[fact.values["arm"], fact.values["tariff"]].append(fact)
    return found
