"""What every test runs with: Qt without a display, and a real keyring or display for the tests that ask for one."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.rigs.display import x_server
from tests.rigs.secret_service import SecretService, skip_without_secret_service

# Without a display, Qt would abort the process. Read once, when the first QApplication is made.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_unconfigure() -> None:
    """Removes hypothesis's callback from `gc.callbacks`.

    That list outlives the last collection of the interpreter, and with it everything that its callbacks reach: at
    exit, DuckDB's binding (nanobind) reported dozens of leaked objects. Without this callback it reports none.
    """
    gc.callbacks[:] = [one for one in gc.callbacks if "hypothesis" not in getattr(one, "__module__", "")]


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory with a short path: a socket's path has 107 bytes at most, pytest's own can be longer."""
    with tempfile.TemporaryDirectory(prefix="keyring-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
def start_secret_service(short_directory: Path) -> Iterator[Callable[[str | None], SecretService]]:
    """Starts a Secret Service with the given display or without one; ends it after the test."""
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
