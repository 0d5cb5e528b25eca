"""Pauses Python's collection of reference cycles while the program starts.

A start creates some hundred thousand objects that live as long as the process. Python searched them for cycles 190
times, a tenth of the start's time, and found next to nothing.
"""

import gc

RESUME_AFTER_MS = 1000
"""Milliseconds of the event loop after which the collection goes on: the first table is shown by then."""


def pause_collection() -> None:
    """Turn the collection off."""
    gc.disable()


def resume_collection() -> None:
    """Turn the collection on, without the objects that exist now: later searches are shorter by them."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def end_pause() -> None:
    """Turn the collection on for all objects. Without it, DuckDB reports objects that the exit does not release."""
    gc.unfreeze()
    gc.enable()
