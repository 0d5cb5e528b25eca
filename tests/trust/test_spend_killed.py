"""Kills the program (`kill -9`) while it attributes costs: the old parts stay, or the new ones are there."""

import random
import subprocess
import sys
import time
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest

from tests.rigs.billed_batches import DAY
from tests.rigs.bills import FIRST, Bill
from tests.trust.attributing import BILLS, bill
from tests.trust.test_killed import ROOT
from usage_viewer.store import Store
from usage_viewer.store.spend.spend_store import SpendStore


def attribute_and_kill(database: Path, seconds: float) -> list[str]:
    """Run the program and kill it that long after it has opened the database; return the lines that it printed."""
    command = [sys.executable, "-m", "tests.trust.attributing", str(database)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        try:
            assert program.stdout.readline() == "open\n", program.stderr.read()
            time.sleep(seconds)
        finally:
            program.kill()
        output, err = program.stdout.read(), program.stderr.read()
    assert err == ""
    return output.splitlines()


def stored(store: Store, table: str) -> dict[int, Decimal]:
    """Return the sum of each day."""
    with store.database.cursor() as cursor:
        tables = {name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if table not in tables:
            return {}
        return dict(cursor.execute(f"SELECT bucket, sum(amount) FROM {table} GROUP BY bucket").fetchall())


def days_of(one: Bill) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for cost in one.costs:
        start = FIRST + cost.day * DAY
        sums[start] = sums.get(start, Decimal()) + cost.amount
    return sums


def kill_again_and_again(folder: Path, times: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance, database = random.Random(seed), folder / "usage.duckdb"
    bills = [days_of(bill(number)) for number in range(BILLS)]
    starts = FIRST + np.arange(4, dtype=np.int64) * DAY
    begun = 0
    for _ in range(times):
        lines = attribute_and_kill(database, chance.uniform(0, 1.5))
        begun += any(line.startswith("attributed") for line in lines)
        store = Store.open(database)
        try:
            store.check()
            parts, costs = stored(store, "usage_spend_1d"), stored(store, "usage_costs_1d")
            for start, amount in parts.items():
                assert amount in [one[start] for one in bills], f"seed {seed}: a day is neither old nor new"
            if costs and store.stored_buckets("completions"):
                assert not SpendStore(store).update(starts, starts, ["completions"])
                assert stored(store, "usage_spend_1d") == costs
        finally:
            store.close()
    assert begun, "every program was killed before its work"


def test_killed_5_times_while_it_attributes(tmp_path: Path) -> None:
    with localcontext(prec=60):
        kill_again_and_again(tmp_path, 5)


@pytest.mark.fuzz
def test_killed_100_times_while_it_attributes(tmp_path: Path) -> None:
    with localcontext(prec=60):
        kill_again_and_again(tmp_path, 100)
