"""Every name once seen is kept; the newest wins."""

from usage_viewer.domain.names import Name
from usage_viewer.store.name_index import NameIndex

OLD = Name("user", "u1", "Ann", 100)
NEW = Name("user", "u1", "Anna", 200)


def test_the_one_seen_later_wins_in_either_order() -> None:
    assert NameIndex().newer([OLD, NEW]) == [NEW]
    assert NameIndex().newer([NEW, OLD]) == [NEW]
    assert NameIndex([NEW]).newer([OLD]) == []
    assert NameIndex([OLD]).newer([NEW]) == [NEW]


def test_what_is_known_already_is_not_new() -> None:
    assert NameIndex([NEW]).newer([NEW]) == []


def test_those_that_no_list_holds_any_longer_are_gone() -> None:
    book = NameIndex([OLD, Name("user", "u2", "Bob", 300), Name("project", "p1", "Search", 100)])
    assert book.deleted("user", 200) == [Name("user", "u1", "Ann", 100, deleted=True)]
    book.add(book.deleted("user", 200))
    assert book.deleted("user", 200) == [], "it is marked already"


def test_a_name_that_comes_back_is_not_deleted() -> None:
    book = NameIndex([Name("user", "u1", "Ann", 100, deleted=True)])
    book.add(book.newer([NEW]))
    assert book.names.by_id["user", "u1"] == NEW
