"""Answers as the desktop's portal, and refuses the processes that the portal refuses.

Run as a program; it prints "ready", then a line for each question. Real: the bus, and the look at the process that
asks. Replaced: the portal's settings and dialogs.
"""

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    MessageType,
    new_error,
    new_method_call,
    new_method_return,
)
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

NAME = "org.freedesktop.portal.Desktop"
_DELAY = 0.2
"""Seconds before it looks at a process, as on a busy computer: one that does not wait is protected by then."""

_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")


def answer_questions(bus: "DBusConnection", lookups: "DBusConnection") -> None:
    """Answer until the bus ends; like the portal, remember each connection that was once allowed to ask.

    `lookups` is a second connection: questions that arrive on the first one during a lookup would be dropped.
    """
    bus.send_and_get_reply(new_method_call(_BUS, "RequestName", "su", (NAME, 4)))
    print("ready", flush=True)
    allowed: set[str] = set()
    while True:
        question = bus.receive()
        if question.header.message_type is not MessageType.method_call:
            continue
        sender, member = (question.header.fields[field] for field in (HeaderFields.sender, HeaderFields.member))
        if sender not in allowed and _can_be_identified(lookups, sender):
            allowed.add(sender)
        if sender in allowed:
            reply = _reply(question, member)
        else:
            reply = new_error(question, "org.freedesktop.DBus.Error.AccessDenied", "s", ("not allowed",))
        print(member, "allowed" if sender in allowed else "refused", flush=True)
        bus.send(reply)


def _can_be_identified(lookups: "DBusConnection", sender: str) -> bool:
    """Report whether the root directory of the sender's process can be opened: its /.flatpak-info names the app."""
    time.sleep(_DELAY)
    reply = lookups.send_and_get_reply(new_method_call(_BUS, "GetConnectionUnixProcessID", "s", (sender,)))
    try:
        os.close(os.open(f"/proc/{reply.body[0]}/root", os.O_RDONLY))
    except OSError:
        return False
    return True


def _reply(question: Any, member: str) -> Any:
    if member == "ReadAll":
        return new_method_return(question, "a{sa{sv}}", ({},))
    return new_method_return(question, "v", (("u", 2),))


if __name__ == "__main__":
    try:
        answer_questions(open_dbus_connection(sys.argv[1]), open_dbus_connection(sys.argv[1]))
    except (ConnectionError, EOFError):
        sys.exit(0)
