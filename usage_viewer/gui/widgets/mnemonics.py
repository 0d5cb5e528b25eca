"""Gives the entries of a menu letters that no two of them share."""

from collections.abc import Iterable, Sequence

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from usage_viewer.gui.widgets.plain_text import menu_text, shown_menu_text


def with_letters(texts: Sequence[str]) -> list[str]:
    """Return plain texts as menu texts, each with a letter of its own as long as there are free letters.

    The first letter of a word is preferred to a letter within it.
    """
    taken: set[str] = set()
    return [_with_letter(text, taken) for text in texts]


def mend_letters(menu: QMenu) -> None:
    """Give each entry whose letter an earlier entry has a free letter; also in all menus below `menu`."""
    actions = [action for action in menu.actions() if not action.isSeparator()]
    letters = [QKeySequence.mnemonic(action.text()).toString()[-1:].casefold() for action in actions]
    taken = set(letters) - {""}
    seen: set[str] = set()
    for action, letter in zip(actions, letters, strict=True):
        if letter and letter in seen:
            action.setText(_with_letter(shown_menu_text(action.text()), taken))
        seen.add(letter)
        below = action.menu()
        if isinstance(below, QMenu):
            mend_letters(below)


def _with_letter(text: str, taken: set[str]) -> str:
    for place in _places(text):
        letter = text[place].casefold()
        if letter not in taken:
            taken.add(letter)
            return f"{menu_text(text[:place])}&{menu_text(text[place:])}"
    return menu_text(text)


def _places(text: str) -> Iterable[int]:
    """Yield the places of letters and digits: first those that begin a word."""
    beginnings = [place for place in range(len(text)) if place == 0 or not text[place - 1].isalnum()]
    yield from (place for place in beginnings if text[place].isalnum())
    yield from (place for place in range(len(text)) if place not in beginnings and text[place].isalnum())
