"""Tests that every name is kept, in the version seen last."""

from usage_viewer.domain.names import Name
from usage_viewer.store.name_index import NameIndex

OLD = Name("user", "u1", "Ann", 100)
NEW = Name("user", "u1", "Anna", 200)


def test_name_seen_later_is_kept_in_either_order() -> None:
    assert NameIndex().newer([OLD, NEW]) == [NEW]
    assert NameIndex().newer([NEW, OLD]) == [NEW]
    assert NameIndex([NEW]).newer([OLD]) == []
    assert NameIndex([OLD]).newer([NEW]) == [NEW]


def test_stored_name_is_not_newer() -> None:
    assert NameIndex([NEW]).newer([NEW]) == []


def test_names_that_lists_no_longer_have_are_deleted() -> None:
    index = NameIndex([OLD, Name("user", "u2", "Bob", 300), Name("project", "p1", "Search", 100)])
    assert index.deleted("user", 200) == [Name("user", "u1", "Ann", 100, deleted=True)]
    index.add(index.deleted("user", 200))
    assert index.deleted("user", 200) == [], "the name is already marked"


def test_name_seen_again_is_not_deleted() -> None:
    index = NameIndex([Name("user", "u1", "Ann", 100, deleted=True)])
    index.add(index.newer([NEW]))
    assert index.names.by_id["user", "u1"] == NEW
