"""`Hours`: a dataset's usage, hour by hour, made a week at a time; and levels, which are stocks, not flows."""

from collections import OrderedDict
from threading import Lock

import numpy as np

from usage_viewer.demo.world.combinations import Combinations
from usage_viewer.demo.world.draw import Draw
from usage_viewer.demo.world.recipes import RECIPES, Ints, leaves
from usage_viewer.demo.world.rhythm import CURVES, HOUR, Events, growth, hour_of_week
from usage_viewer.demo.world.rows import UsageRows, joined, split_hours

_BLOCK = 168  # hours made at once
_KEPT_ROWS = 400_000


class Hours:
    """Rows of hours and minutes of one dataset, with its leaf metrics. Safe to call from several threads."""

    def __init__(self, combinations: Combinations, seed: int, events: Events) -> None:
        self.combinations = combinations
        self._events = events
        self._draw = Draw(seed, combinations.dataset.name)
        self._lead = RECIPES[combinations.dataset.name].lead
        self._blocks: OrderedDict[int, UsageRows] = OrderedDict()
        self._lock = Lock()

    def hours(self, first: int, last: int) -> UsageRows:
        """Whole hours (since the epoch), `last` exclusive, ordered by time and combination."""
        if last <= first:
            return self._block(first // _BLOCK).take(slice(0, 0))
        parts = [self._block(number) for number in range(first // _BLOCK, -(-last // _BLOCK))]
        parts[0] = parts[0].between(first * HOUR, last * HOUR)
        if len(parts) > 1:
            parts[-1] = parts[-1].between(first * HOUR, last * HOUR)
        return joined(parts)

    def minutes(self, start: int, end: int) -> UsageRows:
        """Whole minutes: both in epoch seconds, at multiples of 60."""
        rows = self.hours(start // HOUR, -(-end // HOUR))
        return split_hours(rows, self._lead, self._draw).between(start, end)

    def window(self, start: int, end: int) -> UsageRows:
        """Rows of whole hours, with minutes at the ends where they are not on the hour; multiples of 60."""
        first, last = -(-start // HOUR), end // HOUR
        if last < first:
            return self.minutes(start, end)
        parts = [self.hours(first, last)]
        if start < first * HOUR:
            parts.insert(0, self.minutes(start, first * HOUR))
        if end > last * HOUR:
            parts.append(self.minutes(last * HOUR, end))
        return joined(parts)

    def _block(self, number: int) -> UsageRows:
        with self._lock:
            if number in self._blocks:
                self._blocks.move_to_end(number)
                return self._blocks[number]
            rows = self._blocks[number] = self._make(number * _BLOCK)
            while len(self._blocks) > 2 and sum(map(len, self._blocks.values())) > _KEPT_ROWS:
                self._blocks.popitem(last=False)
            return rows

    def _make(self, first: int) -> UsageRows:
        them = self.combinations
        hours = np.arange(first, first + _BLOCK, dtype=np.int64)
        ids = np.arange(len(them), dtype=np.int32)
        curve = CURVES[them.kind][:, hour_of_week(hours)].T
        active = self._draw.uniform(hours[:, None], ids[None, :], 1) < them.activity * curve
        active |= self._events.in_incident(hours)[:, None] & (ids == them.runaway)
        active &= (hours[:, None] >= them.since) & (hours[:, None] < them.until)
        active[hours == self._events.outage] = False
        row, combination = np.nonzero(active)
        at, chosen = hours[row], combination.astype(np.int32)
        volume = them.rate[chosen] * (0.3 + 0.7 * curve[row, combination]) * growth(at) / 2
        requests = 1 + (volume * (0.4 + 1.2 * self._draw.uniform(at, chosen, 2))).astype(np.int64)
        ran_away = self._events.in_incident(at) & (chosen == them.runaway)
        requests = np.where(ran_away, 40 * requests + int(1.5 * them.rate.sum()), requests)
        return UsageRows(
            at * HOUR, chosen, {self._lead: requests, **leaves(them, self._draw, at, chosen, requests)}
        )


class Levels:
    """A dataset of levels: how much there is at each moment, whatever was before."""

    def __init__(self, combinations: Combinations, seed: int) -> None:
        self.combinations = combinations
        self._draw = Draw(seed, combinations.dataset.name)

    def at(self, buckets: Ints, moments: Ints) -> UsageRows:
        """The level at each of n moments (epoch seconds), said of n buckets (their beginnings)."""
        them = self.combinations
        hours = moments // HOUR
        alive = (hours[:, None] >= them.since) & (hours[:, None] < them.until)
        row, combination = np.nonzero(alive)
        chosen, at = combination.astype(np.int32), hours[row]
        size = them.rate[chosen] * 4e6 * growth(at) * (1 + 0.02 * self._draw.uniform(at, chosen, 1))
        metric = them.dataset.metrics[0].name
        return UsageRows(buckets[row], chosen, {metric: size.astype(np.int64)})
