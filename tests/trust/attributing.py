"""Stores one bill after the other, and attributes it, until it is killed."""

import sys
from pathlib import Path
from random import Random

import numpy as np

from tests.rigs.billed_batches import DAY
from tests.rigs.bills import FIRST, Bill, random_bill
from usage_viewer.store import Store
from usage_viewer.store.spend.spend_store import SpendStore

ALL_COSTS = ("project_id", "user_id", "api_key_id")
ALL_USAGE = (*ALL_COSTS, "model", "batch", "service_tier")
FETCHED = FIRST + 30 * DAY
BILLS = 2


def bill(number: int) -> Bill:
    """Return one of the bills, which all have as many days."""
    return next(found for found in map(random_bill, map(Random, range(number * 100, 10**6))) if found.days == 4)


def main() -> None:
    store = Store.open(Path(sys.argv[1]))
    bills = [bill(number) for number in range(BILLS)]
    spend = SpendStore(store)
    starts = FIRST + np.arange(4, dtype=np.int64) * DAY
    print("open", flush=True)
    while True:
        for number, one in enumerate(bills):
            store.put(one.usage_batch(ALL_USAGE, Random(1)), FETCHED)
            store.put(one.costs_batch(ALL_COSTS, Random(1)), FETCHED)
            print(f"stored {number}", flush=True)
            spend.update(starts, starts, ["completions"])
            print(f"attributed {number}", flush=True)


if __name__ == "__main__":
    main()
