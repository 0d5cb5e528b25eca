"""Measures how long it takes to attribute the costs of a year, and to attribute one changed day again.

Also how much memory the process has used at most, how long writers had to wait for the store at most, and how long
another thread, such as the window's, was kept from running.
"""

import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from lines import Line

from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store import Store
from usage_viewer.store.spend.spend_store import SpendStore

DAY = 86400
FIRST = 1_764_547_200
DAYS, USERS, MODELS, KINDS = 365, 137, 5, ("input", "output")
CLASSES = (("false", None), ("true", None), ("false", "default"), ("true", "default"))
MOST_SECONDS, MOST_SECONDS_OF_A_DAY = 3.0, 0.1
MOST_MILLISECONDS, MOST_MEGABYTES = 33, 1000
CHANGED = 5
"""How many changed days are measured, one after the other."""
FETCHED = FIRST + (DAYS + 30) * DAY


def measure() -> Iterator[Line]:
    with TemporaryDirectory() as folder:
        yield from _measure(Path(folder) / "usage.duckdb")


def _measure(path: Path) -> Iterator[Line]:
    random = np.random.default_rng(1)
    store = Store.open(path)
    tokens = random.integers(1, 10**6, (DAYS, USERS, MODELS, len(CLASSES), len(KINDS)))
    store.put(_usage(tokens), FETCHED)
    store.put(_costs(tokens), FETCHED)
    starts = FIRST + np.arange(DAYS, dtype=np.int64) * DAY
    spend = SpendStore(store)

    def seconds() -> tuple[float, float]:
        """Return the seconds, and the seconds of processor time, which depend less on other work."""
        begun, used = time.perf_counter(), time.process_time()
        assert not spend.update(starts, starts, ["completions"])
        return time.perf_counter() - begun, time.process_time() - used

    sizes = f"{tokens.size // len(KINDS):,} rows of usage, {DAYS * USERS * MODELS * len(KINDS):,} of costs"
    with _blocks() as blocks, _lock_waits(store) as waits:
        year, processor = seconds()
    yield Line(f"{sizes}: attributed", year, "s", goal=f"≤ {MOST_SECONDS} s", limit=MOST_SECONDS)
    yield Line(f"{sizes}: processor time of all threads", processor, "s")
    with _blocks() as idle:
        time.sleep(year)
    goal = f"≤ {MOST_MILLISECONDS} ms"
    yield Line(
        f"{sizes}: longest block",
        max(blocks),
        "ms",
        peer="without attribution",
        beside=max(idle),
        goal=goal,
        limit=MOST_MILLISECONDS,
    )
    yield Line(f"{sizes}: longest wait of a writer", max(waits), "ms")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    yield Line(f"{sizes}: peak memory", peak, "MB", goal=f"≤ {MOST_MEGABYTES} MB", limit=MOST_MEGABYTES)
    changed, processors = list[float](), list[float]()
    for day in range(DAYS - CHANGED, DAYS):
        tokens[day, 0, 0, 0, 0] += 1
        store.put(_costs(tokens[day : day + 1], day), FETCHED + 1)
        for found, number in zip((changed, processors), seconds(), strict=True):
            found.append(number)
    goal = f"≤ {MOST_SECONDS_OF_A_DAY} s"
    yield Line(f"{sizes}: one changed day", median(changed), "s", goal=goal, limit=MOST_SECONDS_OF_A_DAY)
    yield Line(f"{sizes}: processor time of a day", median(processors), "s")
    store.close()


@contextmanager
def _blocks() -> Iterator[list[float]]:
    """Collect by how many milliseconds another thread was late that wants to run every millisecond."""
    ended, late = threading.Event(), [0.0]

    def watch() -> None:
        while not ended.is_set():
            begun = time.perf_counter()
            time.sleep(0.001)
            late.append((time.perf_counter() - begun - 0.001) * 1000)

    yield from _beside(watch, ended, late)


@contextmanager
def _lock_waits(store: Store) -> Iterator[list[float]]:
    """Collect how many milliseconds another thread waits for the store's write lock, again and again."""
    ended, waited = threading.Event(), [0.0]

    def watch() -> None:
        while not ended.wait(0.005):
            begun = time.perf_counter()
            with store._write_lock:
                waited.append((time.perf_counter() - begun) * 1000)

    yield from _beside(watch, ended, waited)


def _beside(watch: Callable[[], None], ended: threading.Event, found: list[float]) -> Iterator[list[float]]:
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _usage(tokens: np.ndarray) -> Batch:
    cells = [
        _cell("completions", user_id=f"user_{user}", model=f"model-{model}", batch=batch, service_tier=tier)
        for user in range(USERS)
        for model in range(MODELS)
        for batch, tier in CLASSES
    ]
    flat = tokens.reshape(len(tokens) * len(cells), len(KINDS))
    metrics = {"input_tokens": flat[:, 0], "output_tokens": flat[:, 1], "num_model_requests": flat[:, 0]}
    return _batch("completions", cells, metrics, 0, len(tokens))


def _costs(tokens: np.ndarray, first: int = 0) -> Batch:
    cells = [
        _cell(
            "costs",
            user_id=f"user_{user}",
            line_item=f"model-{model}, {kind}",
            currency="usd",
            quantity_unit="tokens",
        )
        for user in range(USERS)
        for model in range(MODELS)
        for kind in KINDS
    ]
    halves = np.array([1 if batch == "true" else 2 for batch, _ in CLASSES])
    amounts = (tokens * halves[:, None]).sum(axis=3).reshape(-1)
    metrics = {
        "amount": np.array([Decimal(amount).scaleb(-6) for amount in amounts.tolist()], np.object_),
        "quantity": np.array([Decimal(count) for count in tokens.sum(axis=3).reshape(-1).tolist()], np.object_),
    }
    return _batch("costs", cells, metrics, first, len(tokens))


def _cell(dataset: str, **values: str | None) -> Combination:
    return tuple(values.get(item.name) for item in DATASETS[dataset].dimensions)


def _batch(dataset: str, cells: list[Combination], metrics: dict[str, np.ndarray], first: int, days: int) -> Batch:
    starts = FIRST + (first + np.arange(days, dtype=np.int64)) * DAY
    size = days * len(cells)
    columns = {}
    for metric in DATASETS[dataset].metrics:
        empty = np.full(size, Decimal(), np.object_) if metric.kind is Kind.DECIMAL else np.zeros(size, np.int64)
        given = metrics.get(metric.name)
        columns[metric.name] = NumberColumn(empty, np.ones(size, bool)) if given is None else NumberColumn(given)
    return Batch(
        dataset,
        BucketWidth.DAY,
        starts,
        DATASETS[dataset].group_by,
        cells,
        np.repeat(starts, len(cells)),
        np.tile(np.arange(len(cells), dtype=np.int32), days),
        columns,
    )
