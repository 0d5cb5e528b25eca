"""Measures how long costs take to be attributed, and to be recognized: 300 line items, 60 models, 400 days."""

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from statistics import median

import numpy as np
from attribution import measure as measure_attribution
from lines import Line

from usage_viewer.query.spend.recognition import BilledLine, DailyUsage, UsedSeries, recognise

MODELS, DAYS, ROUNDS = 60, 400, 5
MOST_MILLISECONDS = 500
_BILLED = {
    "input": ("input_text_tokens", "input_image_tokens"),
    "audio input": ("input_audio_tokens",),
    "cached input": ("input_cached_tokens",),
    "output": ("output_tokens",),
    "cache writes": ("input_cache_write_tokens",),
}


def measure() -> Iterator[Line]:
    yield from measure_attribution()
    usage, named = _organization(np.random.default_rng(1))
    unnamed = [BilledLine(f"line {number}", line.unit, line.quantities) for number, line in enumerate(named)]
    shifted = [*named[7:], *named[:7]]
    contradicted = [BilledLine(a.text, a.unit, b.quantities) for a, b in zip(named, shifted, strict=True)]
    sizes = f"{len(named)} line items × {MODELS} models × {DAYS} days"
    for name, lines in (("named", named), ("by quantity", unnamed), ("wrong names", contradicted)):
        goal = f"≤ {MOST_MILLISECONDS} ms"
        yield Line(f"{sizes}: {name}", _milliseconds(lines, usage), "ms", goal=goal, limit=MOST_MILLISECONDS)


def _milliseconds(lines: Sequence[BilledLine], usage: DailyUsage) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        recognise(lines, usage)
        times.append((time.perf_counter() - begun) * 1000)
    return median(times)


def _organization(random: np.random.Generator) -> tuple[DailyUsage, list[BilledLine]]:
    days = np.arange(20_000, 20_000 + DAYS)
    series, lines = list[UsedSeries](), list[BilledLine]()
    parts = ("input_text_tokens", "input_image_tokens", "input_audio_tokens")
    for model in range(MODELS):
        metrics = {
            name: random.integers(0, 10**7, DAYS)
            for name in (*parts, "input_cached_tokens", "input_cache_write_tokens", "output_tokens")
        }
        metrics["input_uncached_tokens"] = np.sum([metrics[name] for name in parts], axis=0)
        metrics["input_tokens"] = (
            metrics["input_uncached_tokens"] + metrics["input_cached_tokens"] + metrics["input_cache_write_tokens"]
        )
        series += [UsedSeries("completions", f"model-{model}", tier, metrics) for tier in (None, "priority")]
        for kind, names in _BILLED.items():
            counts = 2 * np.sum([metrics[name] for name in names], axis=0)
            quantities = {day: Decimal(count) for day, count in zip(days.tolist(), counts.tolist(), strict=True)}
            lines.append(BilledLine(f"model-{model}, {kind}", "tokens", quantities))
    return DailyUsage(days, series), lines
