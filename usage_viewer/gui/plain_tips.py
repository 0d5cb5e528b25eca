"""Tooltips and menu texts that are shown as written: names come from outside and may look like markup."""

import html


def tip(text: str) -> str:
    """A tooltip's text: Qt would take what looks like markup for markup."""
    return f"<qt>{html.escape(text).replace(chr(10), '<br>')}</qt>" if text else ""


def menu_text(text: str) -> str:
    """A menu's or button's text: an ampersand is an ampersand, not a mnemonic."""
    return text.replace("&", "&&")
