"""Measures regrouping, from the request of a view to its repaint, against other engines with the same question."""

import statistics
import time
from collections.abc import Iterator, Sequence
from functools import partial

from data import DIMENSIONS, METRICS, HeldBuckets, million, ten_million
from lines import Line, interleaved
from peers import Peers
from window import BenchWindow, view_of

from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn

FRAME = 1000 / 60
FIXED = (
    "The window's own part is some 7 ms (12 before all cells were painted in one pass): 225 texts of 4 to 5 µs, "
    "the style's scroll bars 1.7 ms, heads, totals and chips 1.5 ms, layout and widths 2 ms. The query takes 1 to "
    "4 ms alone (2 to 13 of ten million rows), and up to twice that while the window repaints its controls and "
    "both share the interpreter's lock; the order of rows 0.1 to 5 ms (42 for 729,000 rows by day). Tried: texts "
    "laid out beforehand (a third of a frame's time once made, twice as long to make), one layout a column (1.5 "
    "times as long), glyph runs (twice as long), asking before the controls change (no difference), controls that "
    "change with the answer only (5 % less at best), days of ten million rows found once (kept: 8 to 15 instead of "
    "12 to 22 ms). The limit is the toolkit's drawing of each text and, of many rows, the passes that order them."
)
ROWS = (
    "Sorting the table's rows is most of it: 33 to 37 ms for a million. Tried: 16 bits at a time by counting "
    "(kept, from 157 ms), rows of some periods at a time (kept: 8 instead of 28 ms for their own order), pages "
    "that stay with the process (kept, from 37 to 25 ms), 8 bits at a time (slower), parts by magnitude (no gain), "
    "halves in two threads (5 ms less alone). The limit is two passes of 9 ms over 16 bits each, for numpy's "
    "wheel comes without its vectorised sorts."
)
Case = tuple[Granularity, tuple[str, ...]]
COARSE: Sequence[Case] = (
    (Granularity.TOTAL, ("model",)),
    (Granularity.TOTAL, ("project_id", "user_id")),
    (Granularity.TOTAL, DIMENSIONS),
    (Granularity.WEEK, ("project_id", "model")),
    (Granularity.WEEK, DIMENSIONS),
    (Granularity.DAY, ("model",)),
    (Granularity.DAY, ("project_id", "model", "batch")),
    (Granularity.DAY, ("user_id", "api_key_id")),
    (Granularity.DAY, DIMENSIONS),
)
FINE: Sequence[Case] = (
    (Granularity.HOUR, ("model",)),
    (Granularity.HOUR, ("project_id", "user_id")),
    (Granularity.HOUR, DIMENSIONS),
)
BETWEEN: Case = (Granularity.TOTAL, ("batch",))
SLOW: Sequence[Case] = (
    (Granularity.TOTAL, ("model",)),
    (Granularity.DAY, DIMENSIONS),
    (Granularity.HOUR, ("model",)),
)
"""The only questions for the slow peers."""


def measure() -> Iterator[Line]:
    yield from _measured(million(), "1M", rounds=5, slow_peers=True)
    yield from _measured(ten_million(), "10M", rounds=3, slow_peers=False)


def _measured(held: HeldBuckets, size: str, *, rounds: int, slow_peers: bool) -> Iterator[Line]:
    peers = Peers(held)
    ours: dict[Case, float] = {}
    duck: dict[Case, float] = {}
    with BenchWindow(held) as window:
        for case in (*COARSE, *FINE):
            ours[case], duck[case] = _side_by_side(window, held, peers, case, rounds)
            yield _line(size, case, ours[case], duck[case])
    yield from _summed_up(size, ours, duck)
    if slow_peers:
        yield from _slow(size, peers, ours)


def _side_by_side(
    window: BenchWindow, held: HeldBuckets, peers: Peers, case: Case, rounds: int
) -> tuple[float, float]:
    """Return the median milliseconds of our window and of bare DuckDB, in turns; check the shown table."""
    ours, duck = [], []
    for _ in range(rounds + 1):
        window.show(view_of(held, *BETWEEN))
        ours.append(window.show(view_of(held, *case)))
        begun = time.perf_counter()
        rows = peers.ask_duck(*case)
        duck.append((time.perf_counter() - begun) * 1000)
        check(window, held, rows)
    return statistics.median(ours[1:]), statistics.median(duck[1:])


def check(window: BenchWindow, held: HeldBuckets, rows: int) -> None:
    """Check that the totals are those of all stored rows, and the number of rows that of another engine."""
    table = window.table.usage_model.table
    assert len(window.table.usage_model.rows) == table.rows == rows, (table.rows, rows)
    for name in METRICS:
        column = table.by_name[name]
        assert isinstance(column, FigureColumn)
        assert column.total == int(column.figures.values.sum()) == held.total(name), name


def _line(size: str, case: Case, ours: float, duck: float) -> Line:
    per, grouping = case
    by = "all 7" if grouping == DIMENSIONS else "+".join(name.removesuffix("_id") for name in grouping)
    limit = 1.5 * duck + 10
    return Line(
        f"regroup {size}: {per.value} by {by}",
        ours,
        "ms",
        "bare DuckDB",
        duck,
        "≤ 1.5 × + 10 ms" + (", ≤ 16.7 ms" if case in COARSE else ""),
        min(limit, FRAME) if case in COARSE else limit,
        note=FIXED if case in COARSE else ROWS,
    )


def _summed_up(size: str, ours: dict[Case, float], duck: dict[Case, float]) -> Iterator[Line]:
    worst = max(ours, key=ours.__getitem__)
    coarse = max(COARSE, key=ours.__getitem__)
    middle, beside = statistics.median(ours.values()), statistics.median(duck.values())
    yield Line(f"regroup {size}: median of 12", middle, "ms", "bare DuckDB", beside)
    bound = 100.0 if size == "1M" else None
    yield Line(
        f"regroup {size}: worst of 12", ours[worst], "ms", "bare DuckDB", duck[worst], "≤ 100 ms", bound, note=ROWS
    )
    yield Line(
        f"regroup {size}: worst per day or coarser",
        ours[coarse],
        "ms",
        "one frame",
        FRAME,
        "≤ 16.7 ms",
        FRAME,
        note=FIXED,
    )


def _slow(size: str, peers: Peers, ours: dict[Case, float]) -> Iterator[Line]:
    middle = statistics.median(ours[case] for case in SLOW)
    for name, ask in (("SQLite", peers.ask_sqlite), ("pandas", peers.ask_pandas), ("polars", peers.ask_polars)):
        rounds = 1 if name == "SQLite" else 3
        taken = interleaved({str(case): partial(ask, *case) for case in SLOW}, rounds, 0)
        yield Line(f"regroup {size}: median of 3", middle, "ms", name, statistics.median(taken.values()))
