"""Generates the usage of a dataset for any window: hourly sums, or levels (amounts stored at a time)."""

from collections import OrderedDict
from threading import Lock

import numpy as np

from usage_viewer.demo.world.combinations import Combinations
from usage_viewer.demo.world.draw import RandomStream
from usage_viewer.demo.world.recipes import RECIPES, IntArray, draw_leaf_metrics
from usage_viewer.demo.world.rhythm import CURVES, HOUR, Events, growth, hour_of_week
from usage_viewer.demo.world.rows import UsageRows, concat_rows, split_hours

_BLOCK = 168  # hours generated at once
_MAX_CACHED_ROWS = 400_000


class HourlyUsage:
    """Generates rows of hours and minutes, with the leaf metrics of the dataset. Safe for several threads."""

    def __init__(self, combinations: Combinations, seed: int, events: Events) -> None:
        self.combinations = combinations
        self._events = events
        self._stream = RandomStream(seed, combinations.dataset.name)
        self._request_metric = RECIPES[combinations.dataset.name].request_metric
        self._blocks: OrderedDict[int, UsageRows] = OrderedDict()
        self._lock = Lock()

    def hours(self, first: int, last: int) -> UsageRows:
        """Return the rows of hours from `first` to `last` (since the epoch, exclusive), by time and combination."""
        if last <= first:
            return self._block(first // _BLOCK).take(slice(0, 0))
        parts = [self._block(number) for number in range(first // _BLOCK, -(-last // _BLOCK))]
        parts[0] = parts[0].between(first * HOUR, last * HOUR)
        if len(parts) > 1:
            parts[-1] = parts[-1].between(first * HOUR, last * HOUR)
        return concat_rows(parts)

    def minutes(self, start: int, end: int) -> UsageRows:
        """Return the rows of minutes from `start` to `end` (epoch seconds, multiples of 60)."""
        rows = self.hours(start // HOUR, -(-end // HOUR))
        return split_hours(rows, self._request_metric, self._stream).between(start, end)

    def window(self, start: int, end: int) -> UsageRows:
        """Return the rows of whole hours between two times, and rows of minutes for a part of an hour.

        Both times are in epoch seconds and multiples of 60.
        """
        first, last = -(-start // HOUR), end // HOUR
        if last < first:
            return self.minutes(start, end)
        parts = [self.hours(first, last)]
        if start < first * HOUR:
            parts.insert(0, self.minutes(start, first * HOUR))
        if end > last * HOUR:
            parts.append(self.minutes(last * HOUR, end))
        return concat_rows(parts)

    def _block(self, number: int) -> UsageRows:
        with self._lock:
            if number in self._blocks:
                self._blocks.move_to_end(number)
                return self._blocks[number]
            rows = self._blocks[number] = self._generate(number * _BLOCK)
            while len(self._blocks) > 2 and sum(map(len, self._blocks.values())) > _MAX_CACHED_ROWS:
                self._blocks.popitem(last=False)
            return rows

    def _generate(self, first: int) -> UsageRows:
        combinations = self.combinations
        hours = np.arange(first, first + _BLOCK, dtype=np.int64)
        ids = np.arange(len(combinations), dtype=np.int32)
        curve = CURVES[combinations.kind][:, hour_of_week(hours)].T
        active = self._stream.uniform(hours[:, None], ids[None, :], 1) < combinations.activity * curve
        active |= self._events.in_incident(hours)[:, None] & (ids == combinations.runaway)
        active &= (hours[:, None] >= combinations.since) & (hours[:, None] < combinations.until)
        active[hours == self._events.outage] = False
        row, column = np.nonzero(active)
        at, combination = hours[row], column.astype(np.int32)
        volume = combinations.rate[combination] * (0.3 + 0.7 * curve[row, column]) * growth(at) / 2
        requests = 1 + (volume * (0.4 + 1.2 * self._stream.uniform(at, combination, 2))).astype(np.int64)
        is_runaway = self._events.in_incident(at) & (combination == combinations.runaway)
        requests = np.where(is_runaway, 40 * requests + int(1.5 * combinations.rate.sum()), requests)
        return UsageRows(
            at * HOUR,
            combination,
            {
                self._request_metric: requests,
                **draw_leaf_metrics(combinations, self._stream, at, combination, requests),
            },
        )


class LevelUsage:
    """Generates the amounts that a dataset of levels has stored at given times."""

    def __init__(self, combinations: Combinations, seed: int) -> None:
        self.combinations = combinations
        self._stream = RandomStream(seed, combinations.dataset.name)

    def at(self, buckets: IntArray, moments: IntArray) -> UsageRows:
        """Return the levels at n times (epoch seconds), as rows of n buckets (their starts or numbers)."""
        combinations = self.combinations
        hours = moments // HOUR
        exists = (hours[:, None] >= combinations.since) & (hours[:, None] < combinations.until)
        row, column = np.nonzero(exists)
        combination, at = column.astype(np.int32), hours[row]
        size = (
            combinations.rate[combination]
            * 4e6
            * growth(at)
            * (1 + 0.02 * self._stream.uniform(at, combination, 1))
        )
        metric = combinations.dataset.metrics[0].name
        return UsageRows(buckets[row], combination, {metric: size.astype(np.int64)})
