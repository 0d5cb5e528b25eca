"""Tooltips and menu texts that are shown as written: names come from outside and may look like markup."""

import html

from usage_viewer.domain.display_text import visible


def tip(text: str) -> str:
    """A tooltip's text, line by line as it is written: Qt would take what looks like markup for markup."""
    return f"<qt>{'<br>'.join(html.escape(visible(line)) for line in text.split(chr(10)))}</qt>" if text else ""


def menu_text(text: str) -> str:
    """A menu's or button's text: an ampersand is an ampersand, not a mnemonic."""
    return visible(text).replace("&", "&&")
