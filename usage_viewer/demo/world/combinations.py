"""Generates the combinations of dimension values of a dataset, and how much each is used."""

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
_CALIBRATION_YEAR = (day("2025-11-23") // HOUR, day("2026-11-23") // HOUR)  # hours since the epoch


@dataclass(frozen=True)
class Combinations:
    """n combinations of one dataset, in arrays (n,); `values[i]` has the order of the dataset's dimensions."""

    dataset: Dataset
    values: list[Combination]
    models: list[Model]
    kind: NDArray[np.int8]  # index of the weekly curve: PEOPLE, SERVICE or NIGHT
    since: NDArray[np.int64]  # first hour, in hours since the epoch
    until: NDArray[np.int64]  # end hour, exclusive
    activity: NDArray[np.float64]  # probability of use in an hour in which the curve is 1
    rate: NDArray[np.float64]  # requests in an hour in which the curve is 1
    runaway: int  # number of the combination with the incident

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A drawn combination; `since` and `until` are in epoch seconds."""

    values: Combination
    model: Model
    kind: int
    since: int
    until: int


def make_combinations(dataset: Dataset, directory: Directory, seed: int, count: int, active: float) -> Combinations:
    """Generate up to `count` different combinations, of which `active` are used in an average hour.

    There are fewer if the dataset's dimensions don't allow so many.
    """
    rng = random.Random(f"{dataset.name}:{seed}")
    candidates_by_values: dict[Combination, _Candidate] = {}
    for _ in range(count * 30):
        if len(candidates_by_values) == count:
            break
        candidate = _draw(dataset, directory, rng)
        if candidate.since < candidate.until:
            candidates_by_values.setdefault(candidate.values, candidate)
    candidates = list(candidates_by_values.values())
    kinds = np.array([candidate.kind for candidate in candidates], np.int8)
    since = np.array([candidate.since // HOUR for candidate in candidates], np.int64)
    until = np.array([candidate.until // HOUR for candidate in candidates], np.int64)
    first, last = _CALIBRATION_YEAR
    lifetime = np.clip(np.minimum(until, last) - np.maximum(since, first), 0, None) / (last - first)
    weights = np.array([rng.random() ** 2.5 + 0.01 for _ in candidates])
    rate = np.array([2 + 2000 * rng.random() ** 6 for _ in candidates])
    return Combinations(
        dataset,
        [candidate.values for candidate in candidates],
        [candidate.model for candidate in candidates],
        kinds,
        since,
        until,
        calibrate(weights, kinds, lifetime, active),
        rate,
        _runaway(candidates),
    )


def _runaway(candidates: Sequence[_Candidate]) -> int:
    """Return the number of the first combination that belongs to a person's key and is still in use."""
    for number, candidate in enumerate(candidates):
        if candidate.kind == PEOPLE and candidate.until == FOREVER and None not in candidate.values:
            return number
    return 0


def _draw(dataset: Dataset, directory: Directory, rng: random.Random) -> _Candidate:
    key = rng.choices(directory.keys, [key.project.plan.weight for key in directory.keys])[0]
    project, user, used_key = _owner_of_usage(key, rng)
    models = MODELS.get(dataset.name, (_NO_MODEL,))
    model = rng.choices(models, [model.share for model in models])[0]
    drawn: dict[str, str | None] = {
        "project_id": project.id,
        "user_id": user.id if user else None,
        "api_key_id": used_key.id if used_key else None,
        "model": model.name,
        "vector_store_id": f"vs_{project.id[5:17]}{rng.randrange(3)}",
    }
    for name, choices in CHOICES.items():
        drawn[name] = rng.choices([value for value, _ in choices], [weight for _, weight in choices])[0]
    names = {dimension.name for dimension in dataset.dimensions}
    since, until = [project.created, model.since], [project.until, model.until]
    if used_key and "api_key_id" in names:
        since.append(used_key.created)
        until.append(used_key.until)
    elif user and "user_id" in names:
        since.append(user.added)
        until.append(user.until)
    values = tuple(drawn[dimension.name] for dimension in dataset.dimensions)
    return _Candidate(values, model, _kind(key, drawn["batch"], rng), max(since), min(until))


def _owner_of_usage(key: ApiKey, rng: random.Random) -> tuple[Project, User | None, ApiKey | None]:
    """Return project, user and key: mostly of a key, 7 % without a key (playground), 2 % of an unknown user."""
    user = None if isinstance(key.owner, ServiceAccount) else key.owner
    fraction = rng.random()
    if fraction < 0.02:
        return key.project, None, None
    if fraction < 0.09 and user is not None:
        return key.project, user, None
    return key.project, user, key


def _kind(key: ApiKey, batch: str | None, rng: random.Random) -> int:
    if batch == "true":
        return NIGHT
    if isinstance(key.owner, ServiceAccount):
        return SERVICE
    return PEOPLE if rng.random() < 0.8 else SERVICE
