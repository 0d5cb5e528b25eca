"""Presses real keys on an X display, through the server's test extension."""

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NAMED = {
    "Return": 0xFF0D,
    "Escape": 0xFF1B,
    "Tab": 0xFF09,
    "Space": 0x20,
    "Home": 0xFF50,
    "Left": 0xFF51,
    "Up": 0xFF52,
    "Right": 0xFF53,
    "Down": 0xFF54,
    "End": 0xFF57,
    "Delete": 0xFFFF,
    "Shift": 0xFFE1,
    "Ctrl": 0xFFE3,
    "Alt": 0xFFE9,
} | {f"F{number}": 0xFFBD + number for number in range(1, 13)}
_VIEWABLE, _TO_PARENT = 2, 2
_BETWEEN = 0.03
"""Seconds between two keys; a fast typist needs 0.1."""


class _Attributes(ctypes.Structure):
    """`XWindowAttributes` of Xlib."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        ("visual", ctypes.c_void_p),
        ("root", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("class", "bit_gravity", "win_gravity", "backing_store")),
        *((name, ctypes.c_ulong) for name in ("backing_planes", "backing_pixel")),
        ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("map_installed", "map_state")),
        *((name, ctypes.c_long) for name in ("all_event_masks", "your_event_mask", "do_not_propagate_mask")),
        ("override_redirect", ctypes.c_int),
        ("screen", ctypes.c_void_p),
    )


class Keyboard:
    """Presses keys in the uppermost window. Letters are those of an English keyboard.

    There is no window manager on the tests' displays: the keyboard gives the window the focus. Popups, which a
    window manager wouldn't manage, get their keys through their window.
    """

    def __init__(self, display: str) -> None:
        self._x11, self._xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XKeysymToKeycode.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
        self._x11.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
        self._x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
        pointer, window = ctypes.c_void_p, ctypes.c_ulong
        self._x11.XDefaultRootWindow.argtypes = [pointer]
        self._x11.XDefaultRootWindow.restype = window
        self._x11.XQueryTree.argtypes = [pointer, window, pointer, pointer, pointer, pointer]
        self._x11.XGetWindowAttributes.argtypes = [pointer, window, pointer]
        self._x11.XSetInputFocus.argtypes = [pointer, window, ctypes.c_int, ctypes.c_ulong]
        self._x11.XFree.argtypes = [pointer]
        self._xtst.XTestFakeKeyEvent.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong]
        self._connection: Any = self._x11.XOpenDisplay(display.encode())
        assert self._connection, f"no display {display}"

    def press(self, chord: str) -> None:
        """Press keys together, such as `Ctrl+Shift+C`."""
        self._focus_uppermost()
        codes = [self._code(name) for name in chord.split("+")]
        for code in codes:
            self._send(code, down=True)
            time.sleep(_BETWEEN)  # Qt asks the screen reader about each key, and gives it to the window after that
        for code in reversed(codes):
            self._send(code, down=False)
        time.sleep(_BETWEEN)

    def type(self, text: str) -> None:
        """Type small letters, digits and spaces."""
        for sign in text:
            self.press("Space" if sign == " " else sign)

    def close(self) -> None:
        self._x11.XCloseDisplay(self._connection)

    def _focus_uppermost(self) -> None:
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        references = [ctypes.byref(item) for item in (root, parent, children, count)]
        self._x11.XQueryTree(self._connection, self._x11.XDefaultRootWindow(self._connection), *references)
        attributes = _Attributes()
        for place in reversed(range(count.value)):
            self._x11.XGetWindowAttributes(self._connection, children[place], ctypes.byref(attributes))
            if attributes.map_state == _VIEWABLE and not attributes.override_redirect:
                self._x11.XSetInputFocus(self._connection, children[place], _TO_PARENT, 0)
                break
        self._x11.XFree(children)
        self._x11.XSync(self._connection, 0)

    def _code(self, name: str) -> int:
        keysym = _NAMED[name] if name in _NAMED else ord(name.lower())
        code: int = self._x11.XKeysymToKeycode(self._connection, keysym)
        assert code, f"the keyboard has no {name}"
        return code

    def _send(self, code: int, *, down: bool) -> None:
        self._xtst.XTestFakeKeyEvent(self._connection, code, int(down), 0)
        self._x11.XSync(self._connection, 0)


@contextmanager
def keyboard(display: str) -> Iterator[Keyboard]:
    """Yield a keyboard on a display (as in `DISPLAY`)."""
    keys = Keyboard(display)
    try:
        yield keys
    finally:
        keys.close()
