"""A line item is recognized by its name and its quantities, by its quantities alone, or not at all."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from usage_viewer.domain.spend import LineMeaning, Match, Reason, Target
from usage_viewer.query.spend.recognition import BilledLine, DailyUsage, UsedSeries, recognise

DAYS = 6


def used(service: str, model: str | None, tier: str | None = None, **metrics: Sequence[int]) -> UsedSeries:
    return UsedSeries(service, model, tier, {name: np.array(days, np.int64) for name, days in metrics.items()})


def billed(text: str, quantities: Sequence[int | None], unit: str | None = "tokens", scale: int = 1) -> BilledLine:
    given = {day: Decimal(number) / scale for day, number in enumerate(quantities) if number is not None}
    return BilledLine(text, unit, given)


def numbers(seed: int) -> list[int]:
    random = Random(seed)
    return [random.randrange(2000, 10**9) for _ in range(DAYS)]


A, B, C, D = (numbers(seed) for seed in range(4))
A_AND_B = [a + b for a, b in zip(A, B, strict=True)]


def meaning_of(lines: Sequence[BilledLine], *series: UsedSeries) -> LineMeaning:
    """Return what the first line means."""
    return recognise(lines, DailyUsage(np.arange(DAYS), series))[lines[0].key]


COMPLETIONS = used("completions", "gpt-4o-2024-08-06", input_tokens=A_AND_B, input_cached_tokens=B, output_tokens=C)


@pytest.mark.parametrize(
    ("text", "quantities", "measure", "kind"),
    [
        ("gpt-4o-2024-08-06, input", A, "input", "input"),
        ("gpt-4o-2024-08-06, cached input", B, "cached_input", "cached input"),
        ("gpt-4o-2024-08-06, output", C, "output", "output"),
        ("gpt-4o, output", C, "output", "output"),
    ],
)
def test_name_and_quantity(text: str, quantities: list[int], measure: str, kind: str) -> None:
    target = Target("completions", "gpt-4o-2024-08-06", kind, measure)
    assert meaning_of([billed(text, quantities)], COMPLETIONS) == LineMeaning(
        text, "tokens", target, Match.CONFIRMED
    )


def test_two_models_without_the_date_are_none() -> None:
    other = used("completions", "gpt-4o-2024-11-20", output_tokens=D)
    assert meaning_of([billed("gpt-4o, output", [7] * DAYS)], COMPLETIONS, other).target is None
    found = meaning_of([billed("gpt-4o, output", D)], COMPLETIONS, other)
    assert (found.match, found.target and found.target.model) == (Match.BY_QUANTITY, "gpt-4o-2024-11-20")


def test_quantities_choose_the_measure() -> None:
    audio = used("completions", "gpt-audio", input_tokens=A_AND_B, input_text_tokens=A, input_audio_tokens=B)
    found = recognise(
        [billed("gpt-audio, input", A), billed("gpt-audio, audio input", B)], DailyUsage(np.arange(DAYS), [audio])
    )
    measures = {key[0]: (one.match, one.target and one.target.measure) for key, one in found.items()}
    assert measures["gpt-audio, audio input"] == (Match.CONFIRMED, "audio_input")
    assert measures["gpt-audio, input"] == (Match.CONFIRMED, "input_without_audio")


def test_tier_with_its_own_line() -> None:
    series = (
        used("completions", "m", "default", output_tokens=A),
        used("completions", "m", "priority", output_tokens=B),
        used("completions", "m", None, output_tokens=C),
    )
    plain = [a + c for a, c in zip(A, C, strict=True)]
    lines = [billed("m, output", plain), billed("priority | m, output", B)]
    found = recognise(lines, DailyUsage(np.arange(DAYS), series))
    assert found["m, output", "tokens"].target == Target(
        "completions", "m", "output", "output", None, ("priority",)
    )
    assert found["priority | m, output", "tokens"].target == Target(
        "completions", "m", "output", "output", "priority"
    )
    assert {one.match for one in found.values()} == {Match.CONFIRMED}


def test_long_context_is_confirmed_together_with_the_plain_line() -> None:
    lines = [billed("m, output", A), billed("m, output, long context", B)]
    found = recognise(lines, DailyUsage(np.arange(DAYS), [used("completions", "m", output_tokens=A_AND_B)]))
    assert {one.match for one in found.values()} == {Match.CONFIRMED}


@pytest.mark.parametrize(
    ("text", "unit", "scale", "series", "target"),
    [
        ("whisper", "duration_minutes", 60, used("audio_transcriptions", "whisper-1", seconds=A), "seconds"),
        ("tts-1-hd", "characters", 1, used("audio_speeches", "tts-1-hd", characters=A), "characters"),
        ("gpt-image-1", "images", 1, used("images", "gpt-image-1-2025-04-23", images=A), "images"),
        ("embed, input", "1000_tokens", 1000, used("embeddings", "embed", input_tokens=A), "all_input"),
        ("web search tool calls", None, 1, used("web_search_calls", "m", num_requests=A), "calls"),
        ("code interpreter sessions", None, 1, used("code_interpreter_sessions", None, num_sessions=A), "sessions"),
    ],
)
def test_other_units(text: str, unit: str | None, scale: int, series: UsedSeries, target: str) -> None:
    found = meaning_of([billed(text, A, unit, scale)], series)
    assert found.target is not None
    assert (found.target.service, found.target.measure, found.target.per_unit) == (series.service, target, scale)
    assert found.match in (Match.CONFIRMED, Match.BY_QUANTITY)


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        ("Vector storage", "gibibyte_hours", Reason.NO_COUNTERPART),
        ("evals | gpt-4o-2024-08-06, output", "tokens", Reason.NO_COUNTERPART),
        ("unknown-model, output", "tokens", Reason.USAGE_MISSING),
        ("goodwill", None, Reason.UNRECOGNISED),
    ],
)
def test_without_usage(text: str, unit: str | None, reason: Reason) -> None:
    assert meaning_of([billed(text, [5] * DAYS, unit)], COMPLETIONS) == LineMeaning(
        text, unit, None, Match.NONE, reason
    )


def test_scrambled_name_is_found_by_its_quantities_alone() -> None:
    found = meaning_of([billed("qwertz 17", C)], COMPLETIONS, used("completions", "other", output_tokens=D))
    assert found.target == Target("completions", "gpt-4o-2024-08-06", "output", "output")
    assert found.match is Match.BY_QUANTITY


@pytest.mark.parametrize(
    "quantities", [C[:2] + [None] * 4, [900] * DAYS, [number + 1 for number in C], [*C[:5], C[5] + 1]]
)
def test_too_little_or_differing_evidence_finds_nothing(quantities: list[int | None]) -> None:
    small = used("completions", "gpt-4o-2024-08-06", output_tokens=[900] * DAYS)
    found = meaning_of([billed("qwertz 17", quantities)], COMPLETIONS if 900 not in quantities else small)
    assert found.target is None


def test_two_candidates_are_none() -> None:
    assert (
        meaning_of([billed("qwertz", C)], COMPLETIONS, used("completions", "twin", output_tokens=C)).target is None
    )


@pytest.mark.parametrize(
    ("quantities", "match"),
    [
        ([*C[:5], 0], Match.CONFIRMED),  # a late day
        ([number - 1 for number in C], Match.PLAUSIBLE),
        ([number // 2 for number in C], Match.CONTRADICTED),
    ],
)
def test_states(quantities: list[int], match: Match) -> None:
    found = meaning_of([billed("gpt-4o-2024-08-06, output", quantities)], COMPLETIONS)
    assert found.match is match
    assert found.target is not None


def test_name_without_quantities_cannot_be_checked() -> None:
    assert meaning_of([BilledLine("gpt-4o-2024-08-06, output", None, {})], COMPLETIONS).match is Match.NOT_CHECKABLE


def test_person_decides() -> None:
    target = Target("completions", "gpt-4o-2024-08-06", "input", "input")
    line = billed("gpt-4o-2024-08-06, output", C)
    found = recognise([line], DailyUsage(np.arange(DAYS), [COMPLETIONS]), {line.key: target})
    assert found[line.key] == LineMeaning(line.text, "tokens", target, Match.BY_HAND)
