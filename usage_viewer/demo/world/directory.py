"""Generates the projects, users, service accounts and API keys of the synthetic organization."""

import hashlib
import random
from dataclasses import dataclass
from functools import cached_property

from usage_viewer.demo.world.catalog import FOREVER, day
from usage_viewer.demo.world.people import PEOPLE, PROJECTS, ProjectPlan

FOUNDED = day("2025-09-01")


@dataclass(frozen=True, slots=True)
class Project:
    """A project; times are in epoch seconds."""

    id: str
    name: str
    created: int
    plan: ProjectPlan
    archived: int | None = None
    deleted: int | None = None

    @property
    def until(self) -> int:
        """The end of its usage, in epoch seconds."""
        return min(self.archived or FOREVER, self.deleted or FOREVER)


@dataclass(frozen=True, slots=True)
class User:
    """A user; times are in epoch seconds."""

    id: str
    name: str | None
    email: str
    role: str
    added: int
    deleted: int | None = None

    @property
    def until(self) -> int:
        """The end of the user's usage, in epoch seconds."""
        return self.deleted or FOREVER


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account of a project; `created` is in epoch seconds."""

    id: str
    name: str
    project: Project
    created: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key of a user or service account; times are in epoch seconds."""

    id: str
    name: str
    project: Project
    owner: User | ServiceAccount
    created: int
    deleted: int | None = None

    @property
    def until(self) -> int:
        """The end of its usage, in epoch seconds: also that of its project and its owner."""
        owner = self.owner.until if isinstance(self.owner, User) else FOREVER
        return min(self.deleted or FOREVER, self.project.until, owner)


@dataclass(frozen=True)
class Directory:
    """All projects, users, service accounts and keys, including deleted ones."""

    projects: tuple[Project, ...]
    users: tuple[User, ...]
    accounts: tuple[ServiceAccount, ...]
    keys: tuple[ApiKey, ...]

    @cached_property
    def listed_projects(self) -> dict[str, Project]:
        """The projects that are not deleted, by id."""
        return {project.id: project for project in self.projects if project.deleted is None}


def make_directory(seed: int) -> Directory:
    """Generate 24 projects, 40 users, 16 service accounts and 80 API keys.

    Two projects have the same name, one is archived and two are deleted.
    """
    rng = random.Random(f"directory {seed}")
    projects = tuple(
        Project(
            _id("proj_", seed, f"project {number}", 24),
            plan.name,
            _time_of_day(plan.created, rng),
            plan,
            day(plan.archived) if plan.archived else None,
            day(plan.deleted) if plan.deleted else None,
        )
        for number, plan in enumerate(PROJECTS)
    )
    users = tuple(_user(seed, number, rng) for number in range(len(PEOPLE)))
    accounts = tuple(
        ServiceAccount(
            _id("user-", seed, f"account {project.id} {name}", 24), name, project, project.created + 3600
        )
        for project in projects
        for name in project.plan.accounts
    )
    return Directory(projects, users, accounts, tuple(_keys(seed, projects, users, accounts, rng)))


def _user(seed: int, number: int, rng: random.Random) -> User:
    name, role, deleted = PEOPLE[number]
    same_names = [other for other, _, _ in PEOPLE[:number]].count(name)
    local = name.lower().replace(" ", ".").replace("'", "").encode("ascii", "ignore").decode()
    return User(
        _id("user-", seed, f"user {number}", 24),
        name if number != 17 else None,  # one user has no name
        f"{local}{same_names + 1 if same_names else ''}@northwind.example",
        role,
        FOUNDED + rng.randrange(60 * 86400) if deleted or number < 30 else day("2026-03-01") + number * 86400,
        day(deleted) if deleted else None,
    )


def _keys(
    seed: int,
    projects: tuple[Project, ...],
    users: tuple[User, ...],
    accounts: tuple[ServiceAccount, ...],
    rng: random.Random,
) -> list[ApiKey]:
    keys: list[ApiKey] = []

    def add(name: str, project: Project, owner: User | ServiceAccount, since: int, deleted: str = "") -> None:
        created = max(project.created, since) + rng.randrange(20 * 86400)
        key_id = _id("key_", seed, f"key {len(keys)}", 16)
        keys.append(ApiKey(key_id, name, project, owner, created, day(deleted) if deleted else None))

    for account in accounts:
        add(f"{account.name}-key", account.project, account, account.created)
    deleted = {20: "2026-03-20", 31: "2026-06-11", 44: "2026-08-02", 52: "2026-10-09", 60: "2026-11-10"}
    while len(keys) < 80:
        project = projects[len(keys) % len(projects)]
        user = users[(len(keys) * 7) % len(users)]
        names = (
            "local dev",
            "prod",
            "staging",
            "notebook",
            f"{project.name} ci",
            "",
            "-old key-",
            "Überprüfung, test",
        )
        add(names[rng.randrange(len(names))], project, user, user.added, deleted.get(len(keys), ""))
    return keys


def _time_of_day(date: str, rng: random.Random) -> int:
    return day(date) + rng.randrange(8 * 3600, 18 * 3600)


def _id(prefix: str, seed: int, what: str, length: int) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    number = int.from_bytes(hashlib.blake2b(f"{seed} {what}".encode()).digest(), "little")
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        text += alphabet[digit]
    return prefix + text
