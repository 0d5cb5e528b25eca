"""Who is in the synthetic organization: projects, people, service accounts and API keys, with their lives."""

import hashlib
import random
from dataclasses import dataclass
from functools import cached_property

from usage_viewer.demo.world.catalog import FOREVER, day
from usage_viewer.demo.world.people import PEOPLE, PROJECTS, Plan

FOUNDED = day("2025-09-01")


@dataclass(frozen=True, slots=True)
class Project:
    id: str
    name: str
    created: int
    plan: Plan
    archived: int | None = None  # when, in epoch seconds
    deleted: int | None = None

    @property
    def until(self) -> int:
        return min(self.archived or FOREVER, self.deleted or FOREVER)


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str | None
    email: str
    role: str
    added: int
    deleted: int | None = None

    @property
    def until(self) -> int:
        return self.deleted or FOREVER


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    id: str
    name: str
    project: Project
    created: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    name: str
    project: Project
    owner: User | ServiceAccount
    created: int
    deleted: int | None = None

    @property
    def until(self) -> int:
        owner = self.owner.until if isinstance(self.owner, User) else FOREVER
        return min(self.deleted or FOREVER, self.project.until, owner)


@dataclass(frozen=True)
class Directory:
    """Everybody who ever was there; the lists leave out who was deleted."""

    projects: tuple[Project, ...]
    users: tuple[User, ...]
    accounts: tuple[ServiceAccount, ...]
    keys: tuple[ApiKey, ...]

    @cached_property
    def listed_projects(self) -> dict[str, Project]:
        return {project.id: project for project in self.projects if project.deleted is None}


def make_directory(seed: int) -> Directory:
    """24 projects (two of one name, one archived, two deleted), 40 users, 16 service accounts, 80 keys."""
    chance = random.Random(f"directory {seed}")
    projects = tuple(
        Project(
            _id("proj_", seed, f"project {number}", 24),
            plan.name,
            _moment(plan.created, chance),
            plan,
            day(plan.archived) if plan.archived else None,
            day(plan.deleted) if plan.deleted else None,
        )
        for number, plan in enumerate(PROJECTS)
    )
    users = tuple(_user(seed, number, chance) for number in range(len(PEOPLE)))
    accounts = tuple(
        ServiceAccount(
            _id("user-", seed, f"account {project.id} {name}", 24), name, project, project.created + 3600
        )
        for project in projects
        for name in project.plan.accounts
    )
    return Directory(projects, users, accounts, tuple(_keys(seed, projects, users, accounts, chance)))


def _user(seed: int, number: int, chance: random.Random) -> User:
    name, role, deleted = PEOPLE[number]
    twins = [other for other, _, _ in PEOPLE[:number]].count(name)
    local = name.lower().replace(" ", ".").replace("'", "").encode("ascii", "ignore").decode()
    return User(
        _id("user-", seed, f"user {number}", 24),
        name if number != 17 else None,  # one has never filled in a name
        f"{local}{twins + 1 if twins else ''}@northwind.example",
        role,
        FOUNDED + chance.randrange(60 * 86400) if deleted or number < 30 else day("2026-03-01") + number * 86400,
        day(deleted) if deleted else None,
    )


def _keys(
    seed: int,
    projects: tuple[Project, ...],
    users: tuple[User, ...],
    accounts: tuple[ServiceAccount, ...],
    chance: random.Random,
) -> list[ApiKey]:
    keys: list[ApiKey] = []

    def add(name: str, project: Project, owner: User | ServiceAccount, since: int, deleted: str = "") -> None:
        begun = max(project.created, since) + chance.randrange(20 * 86400)
        key_id = _id("key_", seed, f"key {len(keys)}", 16)
        keys.append(ApiKey(key_id, name, project, owner, begun, day(deleted) if deleted else None))

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
        add(names[chance.randrange(len(names))], project, user, user.added, deleted.get(len(keys), ""))
    return keys


def _moment(date: str, chance: random.Random) -> int:
    return day(date) + chance.randrange(8 * 3600, 18 * 3600)


def _id(prefix: str, seed: int, what: str, length: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    number = int.from_bytes(hashlib.blake2b(f"{seed} {what}".encode()).digest(), "little")
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(letters))
        text += letters[digit]
    return prefix + text
