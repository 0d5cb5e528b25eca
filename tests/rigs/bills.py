"""Makes random organizations whose costs follow from their usage, and knows what each part of the bill cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from tests.rigs import billed_batches
from tests.rigs.billed_batches import DAY
from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.spend import Factor, LineMeaning, Match, Reason, Target, UsageClass

FIRST = 1_793_491_200
"""Start of the first day, epoch seconds."""

MEASURED = {"input": "input_uncached_tokens", "cached input": "input_cached_tokens", "output": "output_tokens"}
"""The metric that each kind of tokens is counted in."""

MEASURES = {"input": "input", "cached input": "cached_input", "output": "output"}


@dataclass(frozen=True)
class Used:
    """Usage of one day and combination of all dimensions: tokens by kind."""

    day: int
    project_id: str | None
    user_id: str | None
    api_key_id: str | None
    model: str
    batch: str
    service_tier: str | None
    tokens: Mapping[str, int]


@dataclass(frozen=True)
class Cost:
    """A part of the bill, with all dimensions that the bill knows."""

    day: int
    project_id: str | None
    user_id: str | None
    api_key_id: str | None
    line_item: str
    quantity_unit: str | None
    amount: Decimal
    quantity: Decimal | None


@dataclass
class Bill:
    """A random organization: its usage, its costs in full detail, and the meaning of its line items."""

    used: list[Used] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    meanings: dict[tuple[str, str | None], LineMeaning] = field(default_factory=dict)
    truth: dict[tuple[Any, ...], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    factors: dict[tuple[str, str | None], dict[UsageClass, Factor]] = field(default_factory=dict)
    days: int = 1

    @property
    def total(self) -> Decimal:
        return sum((cost.amount for cost in self.costs), Decimal())

    def costs_batch(self, grain: Sequence[str], random: Random) -> Batch:
        """Return the costs as the API gives them, grouped by `grain` and by line item, in random order."""
        kept = {"line_item", "quantity_unit", *grain}
        sums: dict[tuple[int, tuple[str | None, ...]], list[Any]] = {}
        names = [item.name for item in DATASETS["costs"].dimensions]
        for cost in self.costs:
            values = {**vars(cost), "currency": "usd", "api_source": None}
            cell = tuple(values[name] if name in kept or name == "currency" else None for name in names)
            entry = sums.setdefault((cost.day, cell), [Decimal(), None])
            entry[0] += cost.amount
            if cost.quantity is not None:
                entry[1] = (entry[1] or Decimal()) + cost.quantity
        grouped = tuple(name for name in DATASETS["costs"].group_by if name in kept)
        rows = [(day, cell, {"amount": a, "quantity": q}) for (day, cell), (a, q) in sums.items()]
        return batch_of("costs", self.days, grouped, rows, random)

    def usage_batch(self, grain: Sequence[str], random: Random) -> Batch:
        """Return the usage grouped by `grain`, in random order."""
        names = [item.name for item in DATASETS["completions"].dimensions]
        sums: dict[tuple[int, tuple[str | None, ...]], dict[str, int]] = {}
        for used in self.used:
            values = {**vars(used), "api_source": None}
            cell = tuple(values[name] if name in grain else None for name in names)
            entry = sums.setdefault((used.day, cell), defaultdict(int))
            for kind, tokens in used.tokens.items():
                entry[MEASURED[kind]] += tokens
        rows = []
        for (day, cell), metrics in sums.items():
            read = metrics["input_uncached_tokens"] + metrics["input_cached_tokens"]
            rows.append((day, cell, {"num_model_requests": 1, "input_tokens": read, "output_tokens": 0, **metrics}))
        return batch_of("completions", self.days, tuple(grain), rows, random)


def batch_of(
    dataset: str,
    days: int,
    grouped: tuple[str, ...],
    rows: Iterable[tuple[int, Combination, Mapping[str, Any]]],
    random: Random,
) -> Batch:
    """Return a batch from rows of day, combination and metrics, shuffled. Days are counted from `FIRST`."""
    first = FIRST // DAY
    dated = [(first + day, cell, metrics) for day, cell, metrics in rows]
    return billed_batches.batch_of(dataset, range(first, first + days), grouped, dated, random)


MODELS = ("gpt-6-astra", "gpt-6-astra-mini", "o5")
KINDS = ("input", "cached input", "output")


def random_bill(random: Random) -> Bill:
    """Make an organization of some days whose batches cost half, with a credit, storage and an unknown line."""
    bill = Bill(days=random.randrange(1, 5))
    projects = [f"proj_{number}" for number in range(random.randrange(1, 4))]
    users = [None, *(f"user_{number}" for number in range(random.randrange(1, 4)))]
    prices = {(model, kind): random.randrange(1, 10**7) for model in MODELS for kind in KINDS}  # 10^-12 a token
    for day in range(bill.days):
        for _ in range(random.randrange(0, 25)):
            tokens = {
                kind: random.choice([0, 1, random.randrange(10**6), random.randrange(10**12)]) for kind in KINDS
            }
            who = (random.choice(projects), random.choice(users), random.choice([None, "key_a", "key_b"]))
            what = (
                random.choice(MODELS),
                random.choice(["false", "false", "true"]),
                random.choice([None, "default"]),
            )
            bill.used.append(Used(day, *who, *what, tokens))
    for model in MODELS:
        for kind in KINDS:
            text = f"{model}, {kind}"
            target = Target("completions", model, kind, MEASURES[kind])
            bill.meanings[text, "tokens"] = LineMeaning(text, "tokens", target, Match.CONFIRMED)
            half = Factor(Fraction(1, 2), measured=True)
            bill.factors[text, "tokens"] = {UsageClass(batch=True, tier=tier): half for tier in (None, "default")}
    for used in bill.used:
        for kind, count in used.tokens.items():
            if count:
                price = Decimal(prices[used.model, kind]) / (2 if used.batch == "true" else 1)
                amount = (price * count).scaleb(-12)
                place = (used.project_id, used.user_id, used.api_key_id)
                bill.costs.append(Cost(used.day, *place, f"{used.model}, {kind}", "tokens", amount, Decimal(count)))
                bill.truth[used.day, *place, used.model, used.batch, kind] += amount
    _add_others(bill, projects, random)
    return bill


def _add_others(bill: Bill, projects: Sequence[str], random: Random) -> None:
    others: list[tuple[str, str | None, Reason, Decimal, Decimal | None]] = [
        ("Vector storage", "gibibyte_hours", Reason.NO_COUNTERPART, Decimal("1.5"), Decimal("12.25")),
        ("something new", None, Reason.UNRECOGNISED, Decimal("0.000000000000000000000007"), None),
        ("goodwill", None, Reason.UNRECOGNISED, Decimal("-3.10"), None),
    ]
    for text, unit, reason, amount, quantity in others:
        bill.meanings[text, unit] = LineMeaning(text, unit, None, Match.NONE, reason)
        bill.costs += [
            Cost(day, random.choice(projects), None, None, text, unit, amount, quantity) for day in range(bill.days)
        ]
