"""The window; the only part that knows Qt."""

import builtins

import PySide6.QtCore  # noqa: F401 (it replaces the import function)

# PySide reads and keeps the source of every module that is imported after it, to find the ones that may use its
# `__feature__` switch. This program does not use it: importing costs a tenth less without.
builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)
