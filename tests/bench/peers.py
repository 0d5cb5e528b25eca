"""Asks other engines, which have the same rows in memory, the same questions."""

import sqlite3
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from data import DIMENSIONS, METRICS, HeldBuckets

from usage_viewer.domain.period import Granularity

SECONDS = {Granularity.HOUR: 3600, Granularity.DAY: 86_400, Granularity.WEEK: 7 * 86_400, Granularity.TOTAL: 0}
"""Seconds of each period; the peers need no calendar."""
MONDAY = 4 * 86_400
"""The start of a week in epoch seconds, from which weeks are counted."""
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in METRICS)


class Peers:
    """Holds `rows` in DuckDB (in memory, dimensions as ENUM), SQLite (in memory), pandas and polars."""

    def __init__(self, held: HeldBuckets) -> None:
        self._held = held

    @cached_property
    def _codes(self) -> Mapping[str, tuple[Any, list[str]]]:
        """Returns, for each dimension, the code of each row (n,) and the texts."""
        codes = {}
        for place, name in enumerate(DIMENSIONS):
            texts = [values[place] or "(none)" for values in self._held.combinations]
            known = sorted(set(texts))
            of = np.array([known.index(text) for text in texts], np.int32)
            codes[name] = of[self._held.combination], known
        return codes

    @cached_property
    def frame(self) -> pd.DataFrame:
        columns: dict[str, Any] = {"bucket": np.asarray(self._held.bucket)}
        for name, (codes, known) in self._codes.items():
            columns[name] = pd.Categorical.from_codes(codes, known)
        return pd.DataFrame(columns | {name: np.asarray(self._held.metrics[name]) for name in METRICS})

    @cached_property
    def polars(self) -> pl.DataFrame:
        columns: dict[str, Any] = {"bucket": np.asarray(self._held.bucket)}
        for name, (codes, known) in self._codes.items():
            columns[name] = pl.Series(codes.astype(np.uint32)).cat.to(pl.Enum(known))
        return pl.DataFrame(columns | {name: np.asarray(self._held.metrics[name]) for name in METRICS})

    @cached_property
    def duck(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:", config={"threads": 2})
        for name, (_, known) in self._codes.items():
            listed = ", ".join("'" + text.replace("'", "''") + "'" for text in known)
            connection.execute(f"CREATE TYPE {name}_enum AS ENUM ({listed})")
        connection.register("numbers", self._plain(codes=True))
        texts = {name: list(known) for name, (_, known) in self._codes.items()}
        for name, known in texts.items():
            connection.register(f"{name}_text", {"text": np.array(known, object), "code": np.arange(len(known))})
        joins = " ".join(f"JOIN {name}_text ON {name}_text.code = numbers.{name}" for name in texts)
        chosen = ", ".join(f"{name}_text.text::{name}_enum AS {name}" for name in texts)
        metrics = ", ".join(METRICS)
        connection.execute(
            f"CREATE TABLE usage AS SELECT bucket, {chosen}, {metrics} FROM numbers {joins} ORDER BY bucket"
        )
        return connection

    @cached_property
    def sqlite(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:")
        names = ["bucket", *DIMENSIONS, *METRICS]
        connection.execute(f"CREATE TABLE usage ({', '.join(names)})")
        columns = []
        for name in names:
            if name in self._codes:
                codes, known = self._codes[name]
                columns.append(np.array(known, object)[codes].tolist())
            else:
                columns.append((self._held.bucket if name == "bucket" else self._held.metrics[name]).tolist())
        connection.executemany(
            f"INSERT INTO usage VALUES ({', '.join('?' * len(names))})", zip(*columns, strict=True)
        )
        return connection

    def _plain(self, *, codes: bool) -> dict[str, Any]:
        columns: dict[str, Any] = {"bucket": np.asarray(self._held.bucket)}
        for name, (numbers, known) in self._codes.items():
            columns[name] = numbers if codes else np.array(known, object)[numbers]
        return columns | {name: np.asarray(self._held.metrics[name]) for name in METRICS}

    # The question to each engine: sums by period and grouping, largest input first.

    def ask_duck(self, per: Granularity, grouping: tuple[str, ...]) -> int:
        """Return the number of rows of the answer, which arrives as numpy arrays."""
        found = self.duck.execute(_sql(per, grouping)).fetchnumpy()
        return len(found["input_tokens"])

    def ask_sqlite(self, per: Granularity, grouping: tuple[str, ...]) -> int:
        return len(self.sqlite.execute(_sql(per, grouping, whole="/")).fetchall())

    def ask_pandas(self, per: Granularity, grouping: tuple[str, ...]) -> int:
        frame, keys = self.frame, list(grouping)
        if SECONDS[per]:
            frame, keys = frame.assign(period=(frame["bucket"] - MONDAY) // SECONDS[per]), ["period", *keys]
        summed = frame.groupby(keys, observed=True, sort=False)[list(METRICS)].sum()
        return len(summed.sort_values("input_tokens", ascending=False))

    def ask_polars(self, per: Granularity, grouping: tuple[str, ...]) -> int:
        keys: list[Any] = list(grouping)
        if SECONDS[per]:
            keys.insert(0, ((pl.col("bucket") - MONDAY) // SECONDS[per]).alias("period"))
        summed = self.polars.group_by(keys).agg([pl.col(name).sum() for name in METRICS])
        return len(summed.sort("input_tokens", descending=True))


def _sql(per: Granularity, grouping: tuple[str, ...], whole: str = "//") -> str:
    period = (f"(bucket - {MONDAY}) {whole} {SECONDS[per]} AS period",) if SECONDS[per] else ()
    keys = ", ".join((*period, *grouping))
    by = ", ".join(str(place) for place in range(1, len(period) + len(grouping) + 1))
    return f"SELECT {keys}, {_SUMS} FROM usage GROUP BY {by} ORDER BY input_tokens DESC"
