"""Ends this process when the one that started it is gone, on Linux, macOS and Windows."""

import os
import sys
import threading
import time
from collections.abc import Callable


def watch_stdin(end: Callable[[], None]) -> None:
    """Calls `end` in a thread of its own when standard input ends: the parent holds the pipe's other end."""

    def wait() -> None:
        # Below `sys.stdin`, whose lock would hold up the interpreter's exit.
        while os.read(0, 4096):
            pass
        end()

    threading.Thread(target=wait, name="watch-stdin", daemon=True).start()


def watch_parent(end: Callable[[], None], period: float = 0.5) -> None:
    """Calls `end` in a thread of its own when the parent process has ended; looks every `period` seconds."""
    parent = os.getppid()
    if sys.platform == "win32":
        wait = _windows_wait(parent)
    else:

        def wait() -> None:
            while os.getppid() == parent:  # an orphan gets another parent
                time.sleep(period)

    def run() -> None:
        wait()
        end()

    threading.Thread(target=run, name="watch-parent", daemon=True).start()


if sys.platform == "win32":

    def _windows_wait(parent: int) -> Callable[[], None]:
        import ctypes

        synchronize, infinite = 0x0010_0000, 0xFFFF_FFFF
        kernel = ctypes.WinDLL("kernel32")
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = ctypes.c_void_p(kernel.OpenProcess(synchronize, False, parent))

        def wait() -> None:
            if handle.value:
                kernel.WaitForSingleObject(handle, infinite)

        return wait
