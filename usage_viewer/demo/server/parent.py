"""Detects the end of the parent process on Linux, macOS and Windows."""

import os
import sys
import threading
import time
from collections.abc import Callable


def watch_stdin(end: Callable[[], None]) -> None:
    """Call `end` in a separate thread at the end of standard input, the parent's pipe."""

    def wait() -> None:
        # Not through `sys.stdin`: its lock would delay the exit of the interpreter.
        while os.read(0, 4096):
            pass
        end()

    threading.Thread(target=wait, name="watch-stdin", daemon=True).start()


def watch_parent(end: Callable[[], None], period: float = 0.5) -> None:
    """Call `end` in a separate thread after the parent process has ended; check every `period` seconds."""
    parent = os.getppid()
    if sys.platform == "win32":
        wait = _windows_wait(parent)
    else:

        def wait() -> None:
            while os.getppid() == parent:  # the system gives an orphaned process another parent
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
