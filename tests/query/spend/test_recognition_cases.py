"""Which usage a line item gets, and which not: surfaces, dates, products, pairs, conflicts."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from usage_viewer.domain.spend import LineMeaning, Match, Reason, Target
from usage_viewer.query.spend.recognition import BilledLine, DailyUsage, LineKey, UsedSeries, recognise

DAYS = np.arange(20_454, 20_460)


def numbers(seed: int) -> list[int]:
    random = Random(seed)
    return [random.randrange(2000, 10**9) for _ in DAYS]


A, B, C, D = (numbers(seed) for seed in range(4))


def plus(*parts: Sequence[int]) -> list[int]:
    return [sum(day) for day in zip(*parts, strict=True)]


def used(
    model: str | None, tier: str | None = None, service: str = "completions", **metrics: Sequence[int]
) -> UsedSeries:
    return UsedSeries(service, model, tier, {name: np.array(days, np.int64) for name, days in metrics.items()})


def billed(text: str, quantities: Sequence[int | None], unit: str | None = "tokens") -> BilledLine:
    days = zip(DAYS.tolist(), quantities, strict=True)
    return BilledLine(text, unit, {day: Decimal(number) for day, number in days if number is not None})


def meanings(lines: Sequence[BilledLine], *series: UsedSeries) -> dict[LineKey, LineMeaning]:
    """Return the meanings, which are the same for lines and series in reverse order."""
    found = recognise(lines, DailyUsage(DAYS, series))
    assert list(recognise(lines[::-1], DailyUsage(DAYS, series[::-1])).items()) == list(found.items())
    return found


def targets(lines: Sequence[BilledLine], *series: UsedSeries) -> dict[str, tuple[Match, str | None, str | None]]:
    """Return match, model and tier of each line."""
    return {
        text: (one.match, *((None, None) if one.target is None else (one.target.model, one.target.tier)))
        for (text, _), one in meanings(lines, *series).items()
    }


@pytest.mark.parametrize(
    ("name", "models", "model"),
    [
        ("gpt-5", ["gpt-5-2025-08-07"], "gpt-5-2025-08-07"),
        ("gpt-5-2025-08-07", ["gpt-5"], "gpt-5"),
        ("gpt-5", ["gpt-5", "gpt-5-2025-08-07"], "gpt-5"),
        ("gpt-4-turbo-preview", ["gpt-4-turbo-0125-preview"], "gpt-4-turbo-0125-preview"),
        ("gpt-4-0613", ["gpt-4"], "gpt-4"),
        ("gpt-5", ["gpt-5-2025-08-07", "gpt-5-2026-01-01"], None),
        ("gpt-5-2025-08-07", ["gpt-5-2026-01-01"], None),
        ("gpt-5", ["gpt-5-mini"], None),
        ("ft-gpt-4o-2024-08-06", ["ft:gpt-4o-2024-08-06:acme::x1"], "ft:gpt-4o-2024-08-06:acme::x1"),
        ("ft-gpt-4o", ["ft:gpt-4o:acme::x1", "ft:gpt-4o:acme::x2"], None),
    ],
)
def test_model_by_name_alone(name: str, models: list[str], model: str | None) -> None:
    found = meanings([billed(f"{name}, output", [5] * 6)], *(used(one, output_tokens=[0] * 6) for one in models))
    (meaning,) = found.values()
    assert (meaning.target and meaning.target.model) == model
    assert meaning.match is (Match.NOT_CHECKABLE if model else Match.NONE)


def test_each_tier_with_a_line_of_its_own() -> None:
    tiers = {None: A, "default": B, "priority": C, "flex-tier": D}
    series = [used("m", tier, output_tokens=days) for tier, days in tiers.items()]
    lines = [billed("m, output", plus(A, B)), billed("priority | m, output", C), billed("flex | m, output", D)]
    assert targets(lines, *series) == {
        "m, output": (Match.CONFIRMED, "m", None),
        "priority | m, output": (Match.CONFIRMED, "m", "priority"),
        "flex | m, output": (Match.CONFIRMED, "m", "flex-tier"),
    }
    plain = meanings(lines, *series)["m, output", "tokens"].target
    assert plain is not None
    assert plain.other_tiers == ("flex-tier", "priority")


def test_tiers_that_usage_does_not_tell_apart_are_billed_together() -> None:
    lines = [billed("m, output", A), billed("priority | m, output", B)]
    expected = dict.fromkeys(("m, output", "priority | m, output"), (Match.CONFIRMED, "m", None))
    assert targets(lines, used("m", output_tokens=plus(A, B))) == expected


def test_line_of_batches_is_billed_beside_its_model() -> None:
    lines = [billed("m, output", A), billed("batch | m, output", B), billed("m, output, long context", C)]
    expected = {line.text: (Match.CONFIRMED, "m", None) for line in lines}
    assert targets(lines, used("m", output_tokens=plus(A, B, C))) == expected


def test_line_of_a_tier_without_a_kind() -> None:
    series = [used("m", None, input_tokens=A, output_tokens=B), used("m", "flex", input_tokens=C, output_tokens=D)]
    lines = [billed("flex | m", plus(C, D)), billed("m, input", A), billed("m, output", B)]
    found = meanings(lines, *series)
    assert {one.match for one in found.values()} == {Match.CONFIRMED}
    assert found["flex | m", "tokens"].target == Target(
        "completions", "m", "input and output", "input_and_output", "flex"
    )


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("evals | m, output", "tokens"),
        ("Vector storage", "gibibyte_hours"),
        ("m, output", "gibibyte_hours"),
        ("assistants api | file search", None),
        ("file search storage", None),
    ],
)
def test_no_counterpart_even_if_quantities_are_equal(text: str, unit: str | None) -> None:
    (meaning,) = meanings([billed(text, A, unit)], used("m", output_tokens=A)).values()
    assert meaning == LineMeaning(text, unit, None, Match.NONE, Reason.NO_COUNTERPART)


def test_calls_of_one_model_and_of_all() -> None:
    series = [used(model, None, "web_search_calls", num_requests=days) for model, days in (("a", A), ("b", B))]
    assert targets([billed("web search tool calls", plus(A, B), None)], *series) == {
        "web search tool calls": (Match.CONFIRMED, None, None)
    }
    assert targets([billed("a, web search tool calls", A, None)], *series) == {
        "a, web search tool calls": (Match.CONFIRMED, "a", None)
    }


@pytest.mark.parametrize(("unit", "scale"), [("1000_calls", 1000), ("100_requests", 100), ("searches", 1)])
def test_scaled_and_unknown_units(unit: str, scale: int) -> None:
    calls = [number * scale for number in (7, 8, 9, 10, 11, 12)]
    found = meanings(
        [billed("web search tool calls", [7, 8, 9, 10, 11, 12], unit)],
        used("m", None, "web_search_calls", num_requests=calls),
    )
    (meaning,) = found.values()
    assert meaning.match is Match.CONFIRMED
    assert meaning.target is not None
    assert meaning.target.per_unit == scale


def test_minutes_that_no_decimal_fraction_holds() -> None:
    seconds = [61, 122, 3_599, 86_399, 10_001, 7]
    minutes = {day: Decimal(repr(number / 60)) for day, number in zip(DAYS.tolist(), seconds, strict=True)}
    series = used("whisper-1", None, "audio_transcriptions", seconds=seconds)
    for name, match in (("whisper-1", Match.CONFIRMED), ("speech", Match.BY_QUANTITY)):
        (meaning,) = meanings([BilledLine(name, "duration_minutes", minutes)], series).values()
        assert meaning.match is match


def test_pair_of_unnamed_lines_that_only_together_have_the_quantities() -> None:
    series = [used("m", output_tokens=plus(A, B)), used("other", output_tokens=C)]
    found = targets([billed("qwertz", A), billed("asdfgh", B), billed("yxcvbn", D)], *series)
    assert found == {
        "asdfgh": (Match.BY_QUANTITY, "m", None),
        "qwertz": (Match.BY_QUANTITY, "m", None),
        "yxcvbn": (Match.NONE, None, None),
    }


def test_pair_with_two_candidates_is_none() -> None:
    series = [used(model, output_tokens=plus(A, B)) for model in ("m", "twin")]
    assert {one[0] for one in targets([billed("qwertz", A), billed("asdfgh", B)], *series).values()} == {Match.NONE}


def test_two_unnamed_lines_with_the_same_quantities_are_none() -> None:
    lines = [billed("qwertz", A), billed("asdfgh", A)]
    assert {one[0] for one in targets(lines, used("m", output_tokens=A)).values()} == {Match.NONE}


def test_unnamed_line_whose_usage_is_billed_already_is_none() -> None:
    series = [used("m", "default", output_tokens=A), used("m", "priority", output_tokens=[0, 0, 0, 0, 0, 5000])]
    lines = [billed("m, output", plus(A, [0, 0, 0, 0, 0, 5000])), billed("qwertz", A)]
    assert targets(lines, *series)["qwertz"] == (Match.NONE, None, None)


RARE = [0, 7000, 0, 0, 0, 0]
BESIDE = [A[0], None, *A[2:]]
"""The quantities of what was used on the days without RARE."""


def test_days_without_a_quantity_tell_measures_apart_by_name() -> None:
    plain = [day or 0 for day in BESIDE]
    series = used("m", input_tokens=plus(plain, RARE), input_text_tokens=plain, input_audio_tokens=RARE)
    (meaning,) = meanings([billed("m, input", BESIDE)], series).values()
    assert meaning.target == Target("completions", "m", "input", "input_without_audio")


def test_days_without_a_quantity_tell_tiers_apart_without_a_name() -> None:
    series = [
        used("m", "priority", output_tokens=[day or 0 for day in BESIDE]),
        used("m", None, output_tokens=RARE),
    ]
    assert targets([billed("qwertz", BESIDE)], *series)["qwertz"] == (Match.BY_QUANTITY, "m", "priority")


def test_audio_lines_leave_the_plain_line_without_audio() -> None:
    series = used("m", input_tokens=A, input_text_tokens=A, input_audio_tokens=[0] * 6)
    lines = [billed("m, input", A), billed("m, audio input", [0] * 6)]
    assert meanings(lines, series)["m, input", "tokens"].target == Target(
        "completions", "m", "input", "input_without_audio"
    )


def test_line_that_was_renamed_on_a_day() -> None:
    lines = [billed("qwertz", [*A[:3], None, None, None]), billed("m, output", [None, None, None, *A[3:]])]
    assert targets(lines, used("m", output_tokens=A)) == {
        "m, output": (Match.CONFIRMED, "m", None),
        "qwertz": (Match.BY_QUANTITY, "m", None),
    }


def test_free_tokens_keep_the_target_of_an_equal_name() -> None:
    half = [number // 2 for number in A]
    series = used("gpt-5-2025-08-07", output_tokens=A)
    assert targets([billed("gpt-5-2025-08-07, output", half)], series) == {
        "gpt-5-2025-08-07, output": (Match.CONTRADICTED, "gpt-5-2025-08-07", None)
    }
    (meaning,) = meanings([billed("gpt-5, output", half)], series).values()
    assert meaning == LineMeaning("gpt-5, output", "tokens", None, Match.CONTRADICTED, Reason.UNRECOGNISED)


def test_unknown_surface_is_mapped_only_if_quantities_agree() -> None:
    series = used("m", output_tokens=A)
    assert targets([billed("new api | m, output", A)], series)["new api | m, output"][0] is Match.CONFIRMED
    assert targets([billed("new api | m, output", B)], series)["new api | m, output"][1] is None


def test_line_mapped_by_hand_counts_in_the_sum() -> None:
    lines = [billed("m, output", A), billed("qwertz", B)]
    usage = DailyUsage(DAYS, [used("m", output_tokens=plus(A, B))])
    target = Target("completions", "m", "output", "output")
    found = recognise(lines, usage, {("qwertz", "tokens"): target, ("gone", "tokens"): target})
    assert {key[0]: one.match for key, one in found.items()} == {
        "m, output": Match.CONFIRMED,
        "qwertz": Match.BY_HAND,
    }


def test_person_may_say_that_there_is_no_usage() -> None:
    line = billed("m, output", A)
    found = recognise([line], DailyUsage(DAYS, [used("m", output_tokens=A)]), {line.key: None})
    assert found[line.key] == LineMeaning("m, output", "tokens", None, Match.BY_HAND, Reason.NO_COUNTERPART)


@pytest.mark.parametrize("size", [2**53, 2**62])
def test_figures_that_doubles_cannot_hold_prove_nothing(size: int) -> None:
    big = [size + day for day in range(6)]
    (meaning,) = meanings([billed("m, output", big)], used("m", output_tokens=big)).values()
    assert meaning.match is Match.NOT_CHECKABLE


def test_measures_of_each_row_are_preferred_to_sums_of_metrics() -> None:
    series = used("m", input_tokens=plus(A, B, C), input_cached_tokens=C, input_uncached_tokens=A, input=plus(A, B))
    assert targets([billed("m, input", plus(A, B))], series)["m, input"][0] is Match.CONFIRMED


def test_quantities_of_other_days_are_left_out() -> None:
    line = BilledLine("m, output", "tokens", {1: Decimal(7), 10**6: Decimal(8), int(DAYS[0]): Decimal(A[0])})
    (meaning,) = meanings([line], used("m", output_tokens=A)).values()
    assert meaning.match is Match.CONFIRMED
    assert recognise([line], DailyUsage(DAYS[:0], []))[line.key].match is Match.NONE
    assert recognise([], DailyUsage(DAYS, [])) == {}
