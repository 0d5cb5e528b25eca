"""Tests the projects, users, service accounts and keys."""

from collections import Counter

from usage_viewer.demo.world.directory import ServiceAccount, make_directory


def test_directory_is_realistic() -> None:
    directory = make_directory(1)
    assert len(directory.projects) == 24
    assert len(directory.users) == 40
    assert len(directory.keys) == 80
    names = Counter(project.name for project in directory.projects)
    assert [name for name, count in names.items() if count > 1] == ["search"]
    assert sum(project.archived is not None for project in directory.projects) == 1
    assert len(directory.listed_projects) == 22
    assert 0 < sum(user.deleted is not None for user in directory.users) < 10
    assert 0 < sum(key.deleted is not None for key in directory.keys) < 10
    assert any(isinstance(key.owner, ServiceAccount) for key in directory.keys)


def test_ids_are_unique_and_depend_on_the_seed() -> None:
    one, same, other = make_directory(1), make_directory(1), make_directory(2)
    ids = [item.id for items in (one.projects, one.users, one.accounts, one.keys) for item in items]
    assert len(set(ids)) == len(ids)
    assert one == same
    assert not {project.id for project in one.projects} & {project.id for project in other.projects}
    assert all(project.id.startswith("proj_") for project in one.projects)
    assert all(user.id.startswith("user-") for user in one.users)
    assert all(key.id.startswith("key_") for key in one.keys)


def test_users_have_different_email_addresses() -> None:
    addresses = [user.email for user in make_directory(1).users]
    assert len(set(addresses)) == len(addresses)


def test_key_exists_only_while_its_project_does() -> None:
    for key in make_directory(1).keys:
        assert key.created >= key.project.created
        assert key.until <= key.project.until
