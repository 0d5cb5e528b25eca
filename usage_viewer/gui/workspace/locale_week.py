"""Says on which day a week starts for the user."""

from PySide6.QtCore import QLocale


def week_start(locale: QLocale) -> int:
    """Return the first day of the locale's week; 0 is Monday."""
    return locale.firstDayOfWeek().value - 1
