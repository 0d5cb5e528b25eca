"""Prepares every test run: Qt without a display; a real keyring or display for the tests that need one."""

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.rigs.display import x_server
from tests.rigs.secret_service import SecretService, skip_without_secret_service

# Without a display, Qt would abort the process. Read once, when the first QApplication is made.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# A slow machine is no failure.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# No test, nor a process that it starts, may use the computer's own proxies and keys.
for _name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("OPENAI_")]:
    del os.environ[_name]


def pytest_unconfigure() -> None:
    """Releases what keeps DuckDB's objects alive until exit, where its binding (nanobind) reports leaks.

    Hypothesis has a callback in `gc.callbacks`; that list outlives the last collection, and everything that its
    callbacks reach. The windows of the last test wait to be deleted, by an event loop that no longer runs.
    """
    gc.callbacks[:] = [one for one in gc.callbacks if "hypothesis" not in getattr(one, "__module__", "")]
    qt = sys.modules.get("PySide6.QtCore")
    if qt is not None and qt.QCoreApplication.instance() is not None:
        qt.QCoreApplication.sendPostedEvents(None, qt.QEvent.Type.DeferredDelete)


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory with a short path: a socket's path has 107 bytes at most, pytest's own can be longer."""
    with tempfile.TemporaryDirectory(prefix="keyring-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
def start_secret_service(short_directory: Path) -> Iterator[Callable[[str | None], SecretService]]:
    """Start a Secret Service with the given display or without one; end it after the test."""
    skip_without_secret_service()
    with ExitStack() as running:

        def start(display: str | None = None) -> SecretService:
            return running.enter_context(closing(SecretService(short_directory, display=display)))

        yield start


@pytest.fixture
def secret_service(start_secret_service: Callable[[str | None], SecretService]) -> SecretService:
    """An unlocked keyring in a D-Bus session of its own, without a display."""
    return start_secret_service(None)


@pytest.fixture
def display() -> Iterator[str]:
    """The name of a display (as in `DISPLAY`) on which the keyring can show its prompt."""
    if not Path("/usr/libexec/gcr-prompter").exists():
        pytest.skip("needs the password prompt of the package gcr")
    with x_server("800x600x24") as name:
        yield name
