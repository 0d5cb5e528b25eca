"""`table` prints exactly the sums that plain Python computes from the official SDK's responses."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any

import openai
import pytest

from tests.rigs.sample_organization import sample_organization
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import API_DATASETS, Aggregation, Dataset, Derived, Metric, OverTime, Statistic

NOW = int(datetime(2026, 11, 23, 12, 34, 5, tzinfo=UTC).timestamp())
DAY, HOUR, MINUTE = 86400, 3600, 60
LIMITS = {DAY: 31, HOUR: 168, MINUTE: 1440}
NAMES = ("completions",) * 6 + ("costs",) * 3 + tuple(API_DATASETS)
SEEDS = [*range(320), 2893376572]

Value = str | None
Row = Mapping[str, Any]


@dataclass(frozen=True)
class FactQuery:
    """Describes one random `table` command."""

    data: Dataset
    start: int
    end: int
    per: str
    grouping: tuple[str, ...]
    kept: Mapping[str, frozenset[Value]]
    dropped: Mapping[str, frozenset[Value]]
    metrics: tuple[str, ...]  # empty: the dataset's default
    order: tuple[tuple[str, bool], ...]  # a column, and whether the order is descending

    @property
    def arguments(self) -> list[str]:
        order = ",".join("-" * descending + name for name, descending in self.order)
        return [
            *("--dataset", self.data.name, "--from", written(self.start), "--to", written(self.end)),
            *("--per", self.per, "--group-by", ",".join(self.grouping), "--format", "json"),
            *(
                text
                for name, some in self.kept.items()
                for value in some
                for text in self._filter(name, "=", value)
            ),
            *(
                text
                for name, some in self.dropped.items()
                for value in some
                for text in self._filter(name, "!=", value)
            ),
            *(("--metrics", ",".join(self.metrics)) if self.metrics else ()),
            *(("--sort", order) if order else ()),
        ]

    def _filter(self, name: str, sign: str, value: Value) -> tuple[str, str]:
        return "--filter", f"{name}{sign}{value or ''}"

    @property
    def columns(self) -> tuple[str, ...]:
        return self.metrics or self.data.default_columns


def written(moment: int) -> str:
    text = datetime.fromtimestamp(moment, UTC).isoformat()
    return text.removesuffix("T00:00:00+00:00").replace("+00:00", "")


def question(seed: int, organization: SyntheticOrganization, now: int = NOW) -> FactQuery:
    chance = random.Random(seed)
    data = API_DATASETS[chance.choice(NAMES)]
    start, end, per = a_range(chance, now, days_only=data.name == "costs")
    dimensions = list(data.group_by)
    grouping = chance.sample(dimensions, chance.randint(0, len(dimensions)))
    kept: dict[str, frozenset[Value]] = {}
    dropped: dict[str, frozenset[Value]] = {}
    for name in chance.sample(dimensions, min(len(dimensions), chance.choice((0, 0, 1, 2)))):
        place = [item.name for item in data.dimensions].index(name)
        values = sorted({values[place] for values in organization.combinations(data.name)}, key=str)
        some = frozenset(chance.sample(values, chance.randint(1, min(4, len(values)))))
        (kept if chance.random() < 0.6 else dropped)[name] = some
    figures = [column.name for column in data.columns]
    metrics = tuple(chance.sample(figures, chance.randint(1, len(figures)))) if chance.random() < 0.7 else ()
    if "quantity" in metrics:
        grouping.append("quantity_unit")  # quantities of different units are never added
    shown = [*(() if per == "total" else ("period",)), *grouping, *(metrics or data.default_columns)]
    order = tuple(
        (name, chance.random() < 0.5) for name in chance.sample(shown, min(len(shown), chance.randint(0, 2)))
    )
    return FactQuery(data, start, end, per, tuple(grouping), kept, dropped, metrics, order)


def a_range(chance: random.Random, now: int, *, days_only: bool) -> tuple[int, int, str]:
    kind = "days" if days_only else chance.choice(("days", "days", "hours", "minutes", "until now"))
    if kind == "days":
        start = (now // DAY - chance.randint(5, 300)) * DAY
        length = chance.randint(1, 60)
        per = chance.choice(("total", "day", "week", "month", *(("hour",) if length < 8 and not days_only else ())))
        return start, min(start + length * DAY, now // DAY * DAY), per
    if kind == "hours":
        start = (now // HOUR - chance.randint(200, 3000)) * HOUR
        return start, start + chance.randint(1, 150) * HOUR, chance.choice(("total", "hour", "day", "month"))
    if kind == "minutes":
        start = (now // MINUTE - chance.randint(2000, 90_000)) * MINUTE
        return start, start + chance.randint(1, 400) * MINUTE, chance.choice(("total", "minute", "hour", "day"))
    return (
        (now // DAY - chance.randint(0, 9)) * DAY,
        (now // DAY + 3) * DAY,
        chance.choice(("total", "hour", "day")),
    )


class Oracle:
    """Requests all pages through the SDK and adds up row by row."""

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client

    def rows(self, question: FactQuery) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Return the figures by period start, period end and the value of each dimension."""
        computed: dict[tuple[Any, ...], list[tuple[int, Row]]] = {}
        buckets: dict[tuple[Any, ...], list[int]] = {}
        results = list(self._results(question))
        last_used = max((bucket for bucket, result in results if result is not None), default=-1)
        for bucket, result in results:
            if result is None:
                # A level is unknown in the buckets after the last one with usage.
                buckets.setdefault(period(bucket, question.per, question.start, question.end), []).extend(
                    [bucket] if bucket <= last_used else []
                )
            elif all(passes(result, name, some) for name, some in question.kept.items()) and not any(
                passes(result, name, some) for name, some in question.dropped.items()
            ):
                when = period(bucket, question.per, question.start, question.end)
                computed.setdefault((*when, *(result[name] for name in question.grouping)), []).append(
                    (bucket, result)
                )
        if question.per == "total" and not question.grouping:
            computed.setdefault((None, None), [])
        return {
            key: {name: figure(question, name, rows, buckets[key[:2]]) for name in question.columns}
            for key, rows in computed.items()
        }

    def _results(self, question: FactQuery) -> Iterator[tuple[int, Row | None]]:
        """Yield each bucket with None, then with each of its results."""
        more: dict[str, Any] = {}
        grouped = sorted({*question.grouping, *question.kept, *question.dropped} - {"quantity_unit"})
        if "quantity_unit" in question.grouping:
            grouped = sorted({*grouped, "line_item"})  # the server sends quantities only with line_item
        if grouped:
            more["group_by"] = grouped
        for name, some in question.kept.items():
            dimension = question.data.dimension(name)
            if dimension.filter and None not in some and (not dimension.boolean or len(some) == 1):
                more[dimension.filter] = next(iter(some)) == "true" if dimension.boolean else sorted(map(str, some))
        ask: Callable[..., Any] = getattr(
            self._client.admin.organization.usage.with_raw_response, question.data.name
        )
        for start, end, width in runs_of(question):
            limit = random.Random(str(question)).randint(LIMITS[width] // 4, LIMITS[width])
            more = {**more, "page": openai.omit, "limit": limit}
            while True:
                # The SDK's models parse decimals as floats, so the text of the response is parsed instead.
                raw = ask(start_time=start, end_time=end, bucket_width=WIDTHS[width], **more)
                page = json.loads(raw.text, parse_float=Decimal)
                for bucket in page["data"]:
                    yield bucket["start_time"], None
                    for result in bucket["results"]:
                        yield bucket["start_time"], result
                if not page["has_more"]:
                    break
                more["page"] = page["next_page"]


WIDTHS = {DAY: "1d", HOUR: "1h", MINUTE: "1m"}


def width_of(question: FactQuery) -> int:
    """Return the coarsest width whose bucket bounds include those of the range and its periods."""
    edges = (question.start, question.end)
    if question.per not in ("hour", "minute") and all(edge % DAY == 0 for edge in edges):
        return DAY
    return HOUR if question.per != "minute" and all(edge % HOUR == 0 for edge in edges) else MINUTE


def runs_of(question: FactQuery) -> list[tuple[int, int, int]]:
    """Return the requests as start, end and width.

    Statistics of a level depend on the width of the buckets: each period uses the coarsest width that divides it.
    """
    finest = width_of(question)
    if not question.data.has_levels or finest == DAY:
        return [(question.start, question.end, finest)]
    starts = range(question.start + finest, question.end, finest)
    bounds = [question.start, question.end]
    bounds += [
        start
        for start in starts
        if len({period(at, question.per, question.start, question.end) for at in (start - finest, start)}) == 2
    ]
    runs: list[tuple[int, int, int]] = []
    for start, end in pairwise(sorted(bounds)):
        width = next(one for one in WIDTHS if start % one == end % one == 0)
        if runs and runs[-1][2] == width:
            start = runs.pop()[0]
        runs.append((start, end, width))
    return runs


def passes(result: Row, name: str, some: frozenset[Value]) -> bool:
    value = result[name]
    return (str(value).lower() if isinstance(value, bool) else value) in some


@lru_cache(1 << 16)
def period(bucket: int, per: str, start_of_range: int, end_of_range: int) -> tuple[str | None, str | None]:
    if per == "total":
        return None, None
    moment = datetime.fromtimestamp(bucket, UTC)
    day = moment.replace(hour=0, minute=0)
    match per:
        case "minute":
            first, last = moment, moment + timedelta(minutes=1)
        case "hour":
            first = moment.replace(minute=0)
            last = first + timedelta(hours=1)
        case "day":
            first, last = day, day + timedelta(days=1)
        case "week":
            first = day - timedelta(days=day.weekday())
            last = first + timedelta(days=7)
        case _:
            first = day.replace(day=1)
            last = (first + timedelta(days=32)).replace(day=1)
    start, end = (datetime.fromtimestamp(moment, UTC) for moment in (start_of_range, end_of_range))
    return stamp(max(first, start)), stamp(min(last, end))


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def figure(question: FactQuery, name: str, rows: list[tuple[int, Row]], buckets: list[int]) -> Any:
    """Return a figure of a period; `buckets` are all its buckets, including those without rows."""
    column = question.data.column(name)
    if isinstance(column, OverTime):
        levels = by_bucket(column.level, rows)
        if not levels:
            return None
        peak = column.statistic is Statistic.PEAK
        return max(levels.values()) if peak else sum(levels.values()) / len(buckets)
    if isinstance(column, Metric) and column.aggregation is Aggregation.LEVEL:
        return by_bucket(name, rows).get(max(buckets))
    if not isinstance(column, Derived):
        return total(name, rows)
    above = [total(part, rows) for part in column.numerator]
    below = [total(part, rows) for part in column.denominator]
    if None in (*above, *below) or (below and not sum(below)):
        return None
    return sum(above) / sum(below) if below else sum(above)


def by_bucket(name: str, rows: list[tuple[int, Row]]) -> dict[int, int]:
    levels: dict[int, int] = {}
    for bucket, row in rows:
        levels[bucket] = levels.get(bucket, 0) + row[name]
    return levels


def total(name: str, rows: list[tuple[int, Row]]) -> Any:
    values = [value_of(name, row) for _, row in rows]
    given = [value for value in values if value is not None]
    return sum(given) if given else None


def value_of(name: str, row: Row) -> Any:
    if name == "amount":
        return Decimal(row["amount"]["value"])
    return Decimal(row[name]) if name == "quantity" and row[name] is not None else row.get(name)


def check(
    question: FactQuery, printed: list[dict[str, Any]], expected: dict[tuple[Any, ...], dict[str, Any]]
) -> None:
    times = [] if question.per == "total" else ["period_start", "period_end"]
    computed = {}
    for row in printed:
        assert list(row) == [*times, *question.grouping, *fields_of(question)]
        assert row.get("amount_attribution") in (None, "billed")
        key = (row.get("period_start"), row.get("period_end"), *(row[name] for name in question.grouping))
        computed[key] = {name: as_expected(row[name], expected.get(key, {}).get(name)) for name in question.columns}
    assert len(computed) == len(printed)
    assert computed == expected
    for name, descending in question.order[:1]:
        figures = [row["period_start" if name == "period" else name] for row in printed]
        if name not in question.grouping:
            given = [value for value in figures if value is not None]
            assert given == sorted(given, reverse=descending)
        assert all(value is None for value in figures[len([value for value in figures if value is not None]) :])


def fields_of(question: FactQuery) -> list[str]:
    """Return the fields of the figures: an amount is followed by how it was found."""
    parts = [[name, "amount_attribution"] if name == "amount" else [name] for name in question.columns]
    return [name for part in parts for name in part]


def as_expected(value: Any, expected: Any) -> Any:
    """Convert a printed quotient to a float; it has enough digits to give the same float."""
    return float(value) if isinstance(expected, float) and value is not None else value


@pytest.fixture(scope="module")
def settled() -> Iterator[DemoServer]:
    """A server with a fixed clock."""
    with DemoServer(sample_organization(NOW), clock=lambda: float(NOW)) as server:
        yield server


@pytest.fixture(scope="module")
def oracle(settled: DemoServer) -> Iterator[Oracle]:
    with openai.OpenAI(admin_api_key=settled.key, base_url=settled.base_url, max_retries=0) as client:
        yield Oracle(client)


@pytest.fixture(scope="module")
def ask(settled: DemoServer, make_table: Callable[[DemoServer, float], Any]) -> Any:
    """A `table` command with one database for all questions."""
    return make_table(settled, NOW)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_questions(seed: int, ask: Any, oracle: Oracle, settled: DemoServer) -> None:
    asked = question(seed, settled.organization)
    print(f"seed {seed}: usage-viewer table {' '.join(asked.arguments)}")
    printed = ask(*asked.arguments)
    assert printed.status == 0, printed.err
    check(asked, printed.rows, oracle.rows(asked))


def test_random_questions_cover_many_kinds(settled: DemoServer) -> None:
    """The random questions are only a good test if they differ enough."""
    questions = [question(seed, settled.organization) for seed in SEEDS]
    assert {width_of(item) for item in questions} == {DAY, HOUR, MINUTE}
    assert {item.per for item in questions} == {"total", "minute", "hour", "day", "week", "month"}
    assert {item.data.name for item in questions} == set(NAMES)
    assert sum(bool(item.kept) for item in questions) > 10
    assert sum(bool(item.dropped) for item in questions) > 10
    assert sum(item.end > NOW for item in questions) > 5
    assert {name for item in questions for name in item.grouping} >= set(API_DATASETS["completions"].group_by)


def test_child_process(child: Any, server: DemoServer) -> None:
    """Uses the real clock, arguments, environment, streams and exit status."""
    now = int(time.time())
    questions = (question(seed, server.organization, now) for seed in SEEDS)
    with openai.OpenAI(admin_api_key=server.key, base_url=server.base_url, max_retries=0) as client:
        for asked in islice((item for item in questions if item.end < now - DAY), 3):
            printed = child("table", *asked.arguments)
            assert printed.status == 0, printed.err
            check(asked, printed.rows, Oracle(client).rows(asked))


@pytest.mark.fuzz
def test_many_more_random_questions(ask: Any, oracle: Oracle, settled: DemoServer) -> None:
    for _ in range(500):
        seed = random.SystemRandom().randrange(2**32)
        test_random_questions(seed, ask, oracle, settled)
