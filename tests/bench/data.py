"""Makes the measured rows once and keeps them in `build/bench-data/`, as columns and as a store."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth

ROOT = Path(__file__).absolute().parent.parent.parent
FOLDER = ROOT / "build" / "bench-data"
MADE_BY = 4
"""Version of the rows; a new number makes them again."""

DATASET = "completions"
LAST = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
"""Start of the last day (epoch seconds); fixed, so that every run measures the same rows."""
DAY = 86_400
DAYS = 365
NOW = LAST + DAY + 100 * DAY
"""A later time (epoch seconds), at which all stored usage is final."""
DIMENSIONS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source")
METRICS = ("num_model_requests", "input_tokens", "input_cached_tokens", "output_tokens")
"""The metrics that the default columns need."""


@dataclass(frozen=True)
class HeldBuckets:
    """Holds `rows` rows of hours: columns as memory-mapped files, and the same rows in a store."""

    rows: int
    folder: Path

    @property
    def place(self) -> ProfilePaths:
        return ProfilePaths(self.folder)

    @property
    def range(self) -> DateRange:
        first = int(self.bucket[0]) // DAY * DAY
        return DateRange(
            None,
            datetime.fromtimestamp(first, UTC).replace(tzinfo=None),
            datetime.fromtimestamp(LAST + DAY, UTC).replace(tzinfo=None),
        )

    @cached_property
    def bucket(self) -> NDArray[np.int64]:
        """The bucket of each row in epoch seconds, ascending (n,)."""
        return self.column("bucket")

    @cached_property
    def combination(self) -> NDArray[np.int64]:
        return self.column("combination")

    @cached_property
    def metrics(self) -> dict[str, NDArray[np.int64]]:
        return {name: self.column(name) for name in METRICS}

    @cached_property
    def combinations(self) -> list[Combination]:
        text = (self.folder / "combinations.json").read_text(encoding="utf-8")
        return [tuple(values) for values in json.loads(text)]

    def column(self, name: str) -> NDArray[np.int64]:
        column: NDArray[np.int64] = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        return column

    def total(self, metric: str) -> int:
        return int(self.metrics[metric].sum())


def million() -> HeldBuckets:
    return _held(1_000_000, _million_rows)


def ten_million() -> HeldBuckets:
    return _held(10_000_000, _ten_million_rows)


def weeks(seed: int = 1) -> Iterator[Batch]:
    """Yield a large organization's hours, a week at a time, as a client decodes them."""
    organization = SyntheticOrganization(seed=seed, scale="large", days=DAYS, anchor=LAST)
    for start in range(LAST + DAY - DAYS * DAY, LAST + DAY, 7 * DAY):
        yield organization.batch(DATASET, start, min(start + 7 * DAY, LAST + DAY), BucketWidth.HOUR, NOW)


def _held(rows: int, made: Callable[[int], Iterator[Batch]]) -> HeldBuckets:
    held = HeldBuckets(rows, FOLDER / str(rows))
    stamp = held.folder / "made-by"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != str(MADE_BY):
        shutil.rmtree(held.folder, ignore_errors=True)
        held.folder.mkdir(parents=True)
        _write(held, made(rows))
        stamp.write_text(str(MADE_BY), encoding="utf-8")
    return held


def _write(held: HeldBuckets, batches: Iterator[Batch]) -> None:
    from usage_viewer.store import Store

    parts: dict[str, list[NDArray[np.int64]]] = {}
    store = Store.open(held.place.database)
    for batch in batches:
        store.put(batch, NOW)
        columns = {"bucket": batch.bucket, "combination": batch.combination.astype(np.int64)}
        for name, column in (columns | {name: batch.metrics[name].values for name in METRICS}).items():
            parts.setdefault(name, []).append(column)
        combinations = batch.combinations
    store.close()
    for name, pieces in parts.items():
        np.save(held.folder / f"{name}.npy", np.concatenate(pieces))
    (held.folder / "combinations.json").write_text(json.dumps(combinations), encoding="utf-8")


def _million_rows(rows: int) -> Iterator[Batch]:
    """Yield a large organization, and combinations of a second one up to the number of rows."""
    first, second = list(weeks()), list(weeks(seed=2))
    lacking = rows - sum(map(len, first))
    counts = np.bincount(np.concatenate([batch.combination for batch in second]))
    chosen = np.arange(len(counts)) <= np.searchsorted(np.cumsum(counts), lacking)
    for batch, other in zip(first, second, strict=True):
        more = np.flatnonzero(chosen[other.combination])[:lacking]
        lacking -= len(more)
        yield _together(batch, _taken(other, more))


def _together(batch: Batch, other: Batch) -> Batch:
    combinations = [*batch.combinations, *map(_renamed, other.combinations)]
    bucket = np.concatenate([batch.bucket, other.bucket])
    order = np.argsort(bucket, kind="stable")
    combination = np.concatenate([batch.combination, other.combination + np.int32(len(batch.combinations))])
    metrics = {}
    for name, figures in batch.metrics.items():
        parts = (figures, other.metrics[name])
        gone = [np.zeros(len(part), np.bool_) if part.missing is None else part.missing for part in parts]
        metrics[name] = NumberColumn(np.concatenate([part.values for part in parts]), np.concatenate(gone)).take(
            order
        )
    return replace(
        batch,
        combinations=combinations,
        bucket=bucket[order],
        combination=combination[order],
        metrics=metrics,
        extra={},
    )


def _ten_million_rows(rows: int) -> Iterator[Batch]:
    """Yield ten times as many rows an hour: each hour has others of 2,000 combinations, figures drawn from all."""
    random = np.random.default_rng(7)
    batches = list(weeks())
    known = batches[0].combinations
    combinations = [*known, *map(_renamed, known)]
    often = np.bincount(np.concatenate([batch.combination for batch in batches]), minlength=len(known)) + 1.0
    weight = np.concatenate([often, often])[: len(combinations)] ** 0.5
    hours = DAYS * 24
    for number, batch in enumerate(batches):
        edges = [rows * hour // hours for hour in range(number * 168, min((number + 1) * 168, hours) + 1)]
        counts = np.diff(edges)
        draw = random.random((len(counts), len(combinations))) ** (1 / weight)
        ranked = np.argsort(-draw, axis=1)[:, : int(counts.max())]
        combination = np.concatenate([np.sort(row[:count]) for row, count in zip(ranked, counts, strict=True)])
        picked = np.sort(random.integers(0, len(batch), len(combination)))
        taken = _taken(batch, picked)
        bucket = np.repeat(batch.starts, counts)
        yield replace(taken, combinations=combinations, bucket=bucket, combination=combination.astype(np.int32))


def _renamed(values: Combination) -> Combination:
    """Return the combination with another project, user and key, or another model if it has none of these."""
    places = range(3) if any(values[:3]) else (DIMENSIONS.index("model"),)
    return tuple(
        f"{value}x" if place in places and value is not None else value for place, value in enumerate(values)
    )


def _taken(batch: Batch, rows: NDArray[np.int64]) -> Batch:
    metrics: dict[str, NumberColumn] = {name: figures.take(rows) for name, figures in batch.metrics.items()}
    return replace(batch, bucket=batch.bucket[rows], combination=batch.combination[rows], metrics=metrics, extra={})
