"""Makes tooltips and menu texts that are shown as written: names from the server may look like markup."""

import html

from PySide6.QtWidgets import QWidget

from usage_viewer.domain.display_text import visible


def tip(text: str) -> str:
    """Return a tooltip that shows `text` literally: Qt would render a plain string with markup as rich text."""
    return f"<qt>{'<br>'.join(html.escape(visible(line)) for line in text.split(chr(10)))}</qt>" if text else ""


def explain(widget: QWidget, text: str) -> None:
    """Set the tooltip of a widget, and the same text as its accessible description.

    Screen readers would read the tooltip's markup if there were no description.
    """
    widget.setToolTip(tip(text))
    widget.setAccessibleDescription("\n".join(map(visible, text.split("\n"))))


def shown_menu_text(text: str) -> str:
    """Return a menu's or button's text as it is shown: without the marks of mnemonics."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def menu_text(text: str) -> str:
    """Return a text for a menu or button with its ampersands doubled: a single one would mark a mnemonic."""
    return visible(text).replace("&", "&&")
