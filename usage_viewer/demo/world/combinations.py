"""The combinations of dimensions that occur in a dataset, with how often and how much each is used."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.catalog import CHOICES, FOREVER, MODELS, Model, day
from usage_viewer.demo.world.directory import ApiKey, Directory, Project, ServiceAccount, User
from usage_viewer.demo.world.rhythm import HOUR, NIGHT, PEOPLE, SERVICE, calibrate
from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import Dataset

_NO_MODEL = Model("", 0.0, 0.0)
_REFERENCE = (day("2025-11-23") // HOUR, day("2026-11-23") // HOUR)  # the year that activity is set by


@dataclass(frozen=True)
class Combinations:
    """n combinations of one dataset; `values[i]` are in the order of its dimensions."""

    dataset: Dataset
    values: list[Combination]
    models: list[Model]
    kind: NDArray[np.int8]  # the rhythm's curve
    since: NDArray[np.int64]  # hours since the epoch
    until: NDArray[np.int64]
    activity: NDArray[np.float64]  # probability at the curve's height
    rate: NDArray[np.float64]  # requests in a full hour
    runaway: int  # the combination of the incident

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class _Life:
    values: Combination
    model: Model
    kind: int
    since: int
    until: int


def make_combinations(
    dataset: Dataset, directory: Directory, seed: int, wanted: int, active: float
) -> Combinations:
    """About `wanted` combinations (fewer where there are not so many), `active` of them in an average hour."""
    chance = random.Random(f"{dataset.name}:{seed}")
    lives: dict[Combination, _Life] = {}
    for _ in range(wanted * 30):
        if len(lives) == wanted:
            break
        life = _draw(dataset, directory, chance)
        if life.since < life.until:
            lives.setdefault(life.values, life)
    found = list(lives.values())
    kinds = np.array([life.kind for life in found], np.int8)
    since = np.array([life.since // HOUR for life in found], np.int64)
    until = np.array([life.until // HOUR for life in found], np.int64)
    first, last = _REFERENCE
    alive = np.clip(np.minimum(until, last) - np.maximum(since, first), 0, None) / (last - first)
    weights = np.array([chance.random() ** 2.5 + 0.01 for _ in found])
    rate = np.array([2 + 2000 * chance.random() ** 6 for _ in found])
    return Combinations(
        dataset,
        [life.values for life in found],
        [life.model for life in found],
        kinds,
        since,
        until,
        calibrate(weights, kinds, alive, active),
        rate,
        _runaway(found),
    )


def _runaway(lives: Sequence[_Life]) -> int:
    """A key of a person that is still there."""
    for number, life in enumerate(lives):
        if life.kind == PEOPLE and life.until == FOREVER and None not in life.values:
            return number
    return 0


def _draw(dataset: Dataset, directory: Directory, chance: random.Random) -> _Life:
    key = chance.choices(directory.keys, [key.project.plan.weight for key in directory.keys])[0]
    project, user, used = _who(key, chance)
    models = MODELS.get(dataset.name, (_NO_MODEL,))
    model = chance.choices(models, [model.share for model in models])[0]
    drawn: dict[str, str | None] = {
        "project_id": project.id,
        "user_id": user.id if user else None,
        "api_key_id": used.id if used else None,
        "model": model.name,
        "vector_store_id": f"vs_{project.id[5:17]}{chance.randrange(3)}",
    }
    for name, choices in CHOICES.items():
        drawn[name] = chance.choices([value for value, _ in choices], [weight for _, weight in choices])[0]
    named = {dimension.name for dimension in dataset.dimensions}
    since, until = [project.created, model.since], [project.until, model.until]
    if used and "api_key_id" in named:
        since.append(used.created)
        until.append(used.until)
    elif user and "user_id" in named:
        since.append(user.added)
        until.append(user.until)
    values = tuple(drawn[dimension.name] for dimension in dataset.dimensions)
    return _Life(values, model, _kind(key, drawn["batch"], chance), max(since), min(until))


def _who(key: ApiKey, chance: random.Random) -> tuple[Project, User | None, ApiKey | None]:
    """Usage of a key; sometimes of a person without a key (the playground), seldom of nobody known."""
    user = None if isinstance(key.owner, ServiceAccount) else key.owner
    luck = chance.random()
    if luck < 0.02:
        return key.project, None, None
    if luck < 0.09 and user is not None:
        return key.project, user, None
    return key.project, user, key


def _kind(key: ApiKey, batch: str | None, chance: random.Random) -> int:
    if batch == "true":
        return NIGHT
    if isinstance(key.owner, ServiceAccount):
        return SERVICE
    return PEOPLE if chance.random() < 0.8 else SERVICE
