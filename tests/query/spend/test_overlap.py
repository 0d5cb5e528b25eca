"""Two targets overlap exactly if some row of usage counts for both."""

from itertools import combinations, product

import pytest

from usage_viewer.domain.spend import MEASURES, Target
from usage_viewer.query.spend.overlap import overlaps

TIERS = (None, "default", "priority", "flex")
MODELS = (None, "a", "b")
PARTS = (
    *("input_text_tokens", "input_audio_tokens", "input_image_tokens"),
    *("input_cached_text_tokens", "input_cached_audio_tokens", "input_cached_image_tokens"),
    *("input_cache_write_30m_tokens", "input_cache_write_12h_tokens"),
    *("output_text_tokens", "output_audio_tokens", "output_image_tokens"),
    *("images", "seconds", "characters", "num_requests", "num_sessions"),
)
SUMS = {
    "input_uncached_tokens": PARTS[:3],
    "input_cached_tokens": PARTS[3:6],
    "input_cache_write_tokens": PARTS[6:8],
    "input_tokens": PARTS[:8],
    "output_tokens": PARTS[8:11],
}


def metrics_of(part: str) -> dict[str, int]:
    """Return a row that has one token of one part alone."""
    return {part: 1} | {name: int(part in parts) for name, parts in SUMS.items()}


def counts(target: Target, model: str | None, tier: str | None, metrics: dict[str, int]) -> bool:
    if target.model not in (None, model):
        return False
    if tier != target.tier if target.tier is not None else tier in target.other_tiers:
        return False
    measure = MEASURES[target.measure]
    if measure.given in metrics:
        return metrics[measure.given] > 0
    plus = sum(metrics.get(name, 0) for name in measure.plus)
    return plus > sum(metrics.get(name, 0) for name in measure.minus)


ROWS = [(model, tier, metrics_of(part)) for model, tier, part in product(MODELS[1:], TIERS, PARTS)]


@pytest.mark.parametrize("measure", MEASURES)
def test_measures_overlap_if_a_row_counts_for_both(measure: str) -> None:
    one = Target("completions", "a", "", measure)
    for other in (Target("completions", "a", "", name) for name in MEASURES):
        both = any(counts(one, *row) and counts(other, *row) for row in ROWS)
        assert overlaps(one, other) == overlaps(other, one) == both, other


def test_models_and_tiers() -> None:
    tiers = [(tier, ()) for tier in TIERS] + [(None, others) for others in (("priority",), ("flex", "priority"))]
    targets = [
        Target("completions", model, "", "output", tier, others) for model in MODELS for tier, others in tiers
    ]
    for one, other in combinations(targets, 2):
        both = any(counts(one, *row) and counts(other, *row) for row in ROWS)
        assert overlaps(one, other) == overlaps(other, one) == both, (one, other)


def test_services_never_overlap() -> None:
    assert not overlaps(Target("completions", "a", "", "output"), Target("decisions", "a", "", "output"))
