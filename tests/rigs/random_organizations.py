"""Draws random organizations: models with batches, tiers, long context, changes of price and of names.

This is the only generator of bills; `Options` says what an organization has.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random

from tests.rigs.billed_organizations import (
    FIRST_DAY,
    UNIT,
    BilledOrganization,
    BilledPart,
    CostRow,
    UsageRow,
    decimal,
    usage_class,
)
from usage_viewer.domain.spend import Target, UsageClass


@dataclass(frozen=True)
class _Kind:
    """A way to name a kind of tokens, and the measure that it bills."""

    texts: tuple[str, ...]  # {} stands for the model; the first is the usual one
    measure: str


_PLAIN = (
    _Kind(("{}, input", "{}, input_tokens", "{} , Input"), "input"),
    _Kind(("{}, cached input", "{}, cached_input_tokens"), "cached_input"),
    _Kind(("{}, output", "{}, output_tokens"), "output"),
)
_WRITES = (_Kind(("{}, cache writes", "{}, cache_write_tokens"), "cache_writes"),)
_SPLIT_WRITES = (
    _Kind(("{}, cache writes",), "cache_writes_30m"),
    _Kind(("{}, cache writes - 12hr",), "cache_writes_12h"),
)
_AUDIO = (
    _Kind(("{}, input", "{} text, input"), "input_without_audio"),
    _Kind(("{}, audio input", "{} audio, input", "{}, audio_input_tokens"), "audio_input"),
    _Kind(("{}, cached input",), "cached_input_without_audio"),
    _Kind(("{}, cached audio input", "{} audio, cached input"), "cached_audio_input"),
    _Kind(("{}, output", "{}, text output"), "output_without_audio"),
    _Kind(("{} audio, output", "{}, audio output"), "audio_output"),
)
_AUDIO_TOGETHER = (
    _Kind(("{}, input",), "input_without_audio"),
    _Kind(("{}, audio input",), "all_audio_input"),
    _Kind(("{}, cached input",), "cached_input_without_audio"),
    _Kind(("{}, output",), "output_without_audio"),
    _Kind(("{}, audio output",), "audio_output"),
)
_IMAGE = (
    _Kind(("{} text, input", "{}, text input"), "text_input"),
    _Kind(("{} image, input",), "image_input"),
    _Kind(("{} text, cached input",), "cached_text_input"),
    _Kind(("{} image, cached input",), "cached_image_input"),
    _Kind(("{} text, output",), "text_output"),
    _Kind(("{} image, output",), "image_output"),
)


def _amount(random: Random, sizes: Sequence[int]) -> int:
    return random.choice([0, *(random.randrange(size) for size in sizes)])


def _plain_metrics(random: Random, sizes: Sequence[int]) -> dict[str, int]:
    cached, uncached, writes = _amount(random, sizes), _amount(random, sizes), 0
    return {
        "num_model_requests": 1 + random.randrange(100),
        "input_tokens": cached + uncached + writes,
        "input_cached_tokens": cached,
        "output_tokens": _amount(random, sizes),
    }


def _writes_metrics(random: Random, sizes: Sequence[int]) -> dict[str, int]:
    metrics = _plain_metrics(random, sizes)
    short, long = _amount(random, sizes), _amount(random, sizes)
    metrics["input_uncached_tokens"] = metrics["input_tokens"] - metrics["input_cached_tokens"]
    metrics["input_tokens"] += short + long
    return metrics | {
        "input_cache_write_tokens": short + long,
        "input_cache_write_30m_tokens": short,
        "input_cache_write_12h_tokens": long,
    }


Draw = Callable[[Random, Sequence[int]], dict[str, int]]
"""Draws the metrics of a row; the sizes are the upper ends of its numbers of tokens."""


def _split_metrics(*modalities: str) -> Draw:
    def draw(random: Random, sizes: Sequence[int]) -> dict[str, int]:
        metrics = {"num_model_requests": 1 + random.randrange(100)}
        sums = {}
        for part in ("input", "input_cached", "output"):
            counts = {f"{part}_{modality}_tokens": _amount(random, sizes) for modality in modalities}
            metrics |= counts
            sums[part] = sum(counts.values())
        return metrics | {
            "input_tokens": sums["input"] + sums["input_cached"],
            "input_uncached_tokens": sums["input"],
            "input_cached_tokens": sums["input_cached"],
            "output_tokens": sums["output"],
        }

    return draw


def _one_metric(name: str, most: int) -> Draw:
    return lambda random, sizes: {"num_model_requests": 1 + random.randrange(100), name: random.randrange(most)}


@dataclass(frozen=True)
class Family:
    """Models of one kind: their dataset, their usage, and their line items."""

    service: str
    name: str  # {} stands for a number
    draw: Draw
    kinds: tuple[_Kind, ...]
    units: tuple[tuple[str | None, int], ...] = (("tokens", 1),)
    has_classes: bool = False  # batches and service tiers
    has_model: bool = True


FAMILIES = (
    Family("completions", "gpt-{}", _plain_metrics, _PLAIN, (("tokens", 1), ("1000_tokens", 1000)), True),
    Family("completions", "gpt-{}-mini", _plain_metrics, _PLAIN, has_classes=True),
    Family("completions", "astra-{}", _writes_metrics, _PLAIN + _WRITES, has_classes=True),
    Family("decisions", "judge-{}", _writes_metrics, _PLAIN + _SPLIT_WRITES),
    Family("completions", "gpt-audio-{}", _split_metrics("text", "audio"), _AUDIO),
    Family("completions", "gpt-realtime-{}", _split_metrics("text", "audio", "image"), _AUDIO_TOGETHER),
    Family("completions", "gpt-image-{}", _split_metrics("text", "image"), _IMAGE),
    Family("embeddings", "text-embedding-{}", _one_metric("input_tokens", 10**7), (_Kind(("{}, input", "{}"),
            "all_input"),)),
    Family("audio_transcriptions", "whisper-{}", _one_metric("seconds", 10**5), (_Kind(("{}",), "seconds"),),
            (("duration_seconds", 1), ("duration_minutes", 60), ("duration_hours", 3600))),
    Family("audio_speeches", "tts-{}-hd", _one_metric("characters", 10**6), (_Kind(("{}",), "characters"),),
            (("characters", 1),)),
    Family("images", "dall-e-{}", _one_metric("images", 5000), (_Kind(("{}",), "images"),), (("images", 1),)),
    Family("web_search_calls", "", _one_metric("num_requests", 9000),
            (_Kind(("web search tool calls",), "calls"),), ((None, 1),), has_model=False),
    Family("code_interpreter_sessions", "", _one_metric("num_sessions", 5000),
            (_Kind(("code interpreter sessions",), "sessions"),), ((None, 1),), has_model=False),
)  # fmt: skip
PLAIN_FAMILIES = FAMILIES[:2]
"""Completions whose line items are input, cached input and output."""
_OWN_TIERS = ("priority", "flex")


@dataclass(frozen=True)
class Options:
    """What a random organization has. The default is everything, over a few weeks.

    `days` and `models` are drawn if they are None. `is_plain`: each line item is named after its model and bills
    all of its tokens of one kind: no other names, no tiers with line items of their own, no long context.
    `ordinary_tiers` are the tiers of models without special ones. `tokens` are the upper ends of the numbers of
    tokens of a row, `rows` the possible numbers of rows of a model on a day. `users_in_costs`: the bill tells
    users, besides projects and keys. Prices are multiples of `price_step` in 10^-12 of the currency for a token.
    `others` is the probability of each line item without usage.
    """

    days: int | None = None
    models: int | None = None
    families: Sequence[Family] = FAMILIES
    is_plain: bool = False
    ordinary_tiers: Sequence[str | None] = (None,)
    projects: Sequence[str] = ("proj_a", "proj_b")
    tokens: Sequence[int] = (3000, 10**5, 10**8)
    rows: Sequence[int] = (0, 1, 3, 6)
    users_in_costs: bool = False
    price_step: int = 50_000
    others: float = 0.5


EVERYTHING = Options()


def random_organization(random: Random, options: Options = EVERYTHING) -> BilledOrganization:
    """Make an organization: batches, tiers, long context, renamed lines, credits and storage."""
    organization = BilledOrganization(options.days or random.randrange(3, 40))
    organization.factors = {UsageClass(True, tier): Fraction(1, 2) for tier in (None, "default")}
    organization.factors[UsageClass(False, "flex")] = Fraction(1, 2)
    organization.factors[UsageClass(False, "priority")] = Fraction(random.choice(["1", "2", "17/10"]))
    single = set[str]()
    for number in range(options.models or random.randrange(1, 9)):
        family = random.choice(options.families)
        if family.has_model or family.service not in single:
            single.add(family.service)
            _add_model(organization, family, number, options, random)
    _add_others(organization, options, random)
    return organization


@dataclass(frozen=True)
class _Billing:
    """How the usage of one model is billed."""

    used_name: str | None
    billed_name: str
    unit: tuple[str | None, int]
    own_tiers: tuple[str, ...]
    has_long_context: bool
    renamed_on: int
    changes: Mapping[int, Fraction]  # of the price, by the first day


def _add_model(
    organization: BilledOrganization, family: Family, number: int, options: Options, random: Random
) -> None:
    name = family.name.format(number)
    dated = f"{name}-2026-0{random.randrange(1, 10)}-1{number % 10}"
    used, billed = random.choice([(name, name), (dated, dated), (name, dated), (dated, name)])
    change = random.choice([None, random.randrange(organization.days)])
    has_tiers = family.has_classes and random.random() < 0.4 and not options.is_plain
    if options.is_plain:
        used = billed = name
    billing = _Billing(
        used if family.has_model else None,
        billed,
        random.choice(family.units),
        tuple(tier for tier in _OWN_TIERS if has_tiers and random.random() < 0.5),
        family.has_classes and random.random() < 0.2 and not options.is_plain,
        random.choice([0, 0, 0, random.randrange(organization.days)]),
        {} if change is None else {FIRST_DAY + change: Fraction(random.choice(["1/2", "4/5", "5/4"]))},
    )
    tiers = list(options.ordinary_tiers)
    if has_tiers:
        tiers = ["default", "default", *_OWN_TIERS]
    rows = _usage_of(organization, family, billing, tiers, options, random)
    organization.usage += [row for row, _ in rows]
    for kind in family.kinds:
        _bill(organization, family, kind, billing, rows, options, random)


def _usage_of(
    organization: BilledOrganization,
    family: Family,
    billing: _Billing,
    tiers: Sequence[str | None],
    options: Options,
    random: Random,
) -> list[tuple[UsageRow, bool]]:
    """Return rows of usage, and whether each has long context."""
    rows = []
    for day in organization.day_numbers:
        for _ in range(random.choice(options.rows)):
            dimensions: dict[str, str | None] = {
                "project_id": random.choice(options.projects),
                "user_id": random.choice([None, "user_a", "user_b"]),
                "api_key_id": random.choice([None, "key_a", "key_b"]),
            }
            if family.has_model or family.service == "web_search_calls":
                dimensions["model"] = billing.used_name or random.choice(["gpt-4o", "o5"])
            if family.has_classes:
                dimensions["service_tier"] = random.choice(tiers)
                is_batch = dimensions["service_tier"] in (None, "default") and random.random() < 0.3
                dimensions["batch"] = str(is_batch).lower()
            row = UsageRow(family.service, day, dimensions, family.draw(random, options.tokens))
            rows.append((row, billing.has_long_context and random.random() < 0.5))
    return rows


def _bill(
    organization: BilledOrganization,
    family: Family,
    kind: _Kind,
    billing: _Billing,
    rows: Iterable[tuple[UsageRow, bool]],
    options: Options,
    random: Random,
) -> None:
    texts = kind.texts[:1] if options.is_plain else random.sample(kind.texts, len(kind.texts))
    unit, per_unit = billing.unit
    price = Fraction(
        random.randrange(1, 20_000_000 // options.price_step) * options.price_step, UNIT
    )  # of one token
    sums: dict[tuple[int, str | None, str | None, str | None, str], list[Fraction]] = {}
    for row, is_long in rows:
        own = row.tier if row.tier in billing.own_tiers else None
        others = () if own is not None else billing.own_tiers
        token_kind = kind.measure.replace("_", " ")
        target = Target(family.service, billing.used_name, token_kind, kind.measure, own, others, per_unit)
        if not (count := row.count(target)):
            continue
        text = texts[0 if row.day - FIRST_DAY >= billing.renamed_on else -1].format(billing.billed_name)
        text = f"{own} | {text}" if own is not None else text
        text += ", long context" if is_long else ""
        organization.truth[text, unit] = target
        standard = price * (2 if is_long else 1)
        for first, change in billing.changes.items():
            standard *= change if row.day >= first else 1
        organization.prices.setdefault((text, unit), {})[row.day] = standard * per_unit
        factor = organization.factors.get(usage_class(row), Fraction(1)) if own is None else 1
        user = row.dimensions["user_id"] if options.users_in_costs else None
        place = (row.day, row.dimensions["project_id"], row.dimensions["api_key_id"], user, text)
        entry = sums.setdefault(place, [Fraction(), Fraction()])
        amount = standard * factor * count
        organization.parts.append(BilledPart(row, (text, unit), decimal(amount)))
        entry[0] += amount
        entry[1] += Fraction(count, per_unit)
    for (day, project, api_key, user, text), (amount, quantity) in sums.items():
        organization.costs.append(
            CostRow(day, project, api_key, text, unit, decimal(amount), decimal(quantity, 17), user)
        )


def _add_others(organization: BilledOrganization, options: Options, random: Random) -> None:
    others: list[tuple[str, str | None, str, str | None]] = [
        ("Vector storage", "gibibyte_hours", "1.25", "130.5"),
        ("evals | gpt-4o-mini-2024-07-18, input", "tokens", "0.75", "1234567"),
        ("promotional credit", None, "-3.10", None),
        ("something new", None, "0.000000000000000000000007", None),
    ]
    for text, unit, amount, quantity in others:
        if random.random() < options.others:
            organization.truth[text, unit] = None
            organization.costs += [
                CostRow(
                    day,
                    "proj_a",
                    None,
                    text,
                    unit,
                    Decimal(amount),
                    None if quantity is None else Decimal(quantity),
                )
                for day in organization.day_numbers
            ]
