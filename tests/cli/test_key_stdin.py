"""`--key-stdin` reads the key of one run from standard input."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.rigs.command_line import Program
from tests.rigs.keys import leaks
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import MAX_LENGTH

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "sk-admin-Hf4kUjY8bNc2WsXz9QeR6tGvD1mLpO3aIiSdBq7VxTnEwZrJ"
TABLE = ("table", "--from", "2026-10-20", "--to", "2026-10-21", "--key-stdin")


def run(program: Program, text: bytes | None, *more: str, key: str = OTHER) -> "subprocess.CompletedProcess[bytes]":
    """Run the table command with `text` as its standard input; None: it has none. `key` is in the environment."""
    command = [sys.executable, "-m", "usage_viewer", *program.options, *TABLE, *more]
    if text is None:
        command = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
    environment = program.environment({"OPENAI_ADMIN_KEY": key})
    return subprocess.run(command, input=text, env=environment, capture_output=True, timeout=60, check=False)


@pytest.fixture
def program(tmp_path: "Path", server: DemoServer) -> Program:
    return Program(server, tmp_path)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\n\n"])
def test_key_comes_before_that_of_the_environment(program: Program, ending: bytes) -> None:
    done = run(program, ADMIN_KEY.encode() + ending)
    assert (done.returncode, done.stdout != b"") == (0, True), done.stderr
    assert run(program, OTHER.encode(), "--refetch", key=ADMIN_KEY).returncode == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "There is no standard input"),
        (b"", "No key was entered"),
        (b"\n \n", "No key was entered"),
        (ADMIN_KEY.encode() + b"\n" + OTHER.encode(), "more than one line"),
        (ADMIN_KEY.encode() + b" " + OTHER.encode(), "no spaces"),
        (b"x" * (MAX_LENGTH + 1), "too long"),
        (b"x" * 10_000_000, "too long"),
        (b"sk-admin-\xff\xfe\x00abcdefgh", "invalid characters"),
    ],
)
def test_other_input_is_refused_and_never_printed(program: Program, text: bytes | None, words: str) -> None:
    done = run(program, text)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not any(leaks(done.stderr.decode(), key.removeprefix("sk-admin-")) for key in (ADMIN_KEY, OTHER))


def test_key_is_not_read_where_none_is_needed(program: Program) -> None:
    done = run(program, ADMIN_KEY.encode(), "--demo")
    assert done.returncode == 2
    assert b"--key-stdin can't be combined" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are pseudo-terminals of POSIX")
@pytest.mark.parametrize(
    ("typed", "status", "words"),
    [
        (ADMIN_KEY.encode() + b"\n", 0, "usage-viewer: "),
        (b"\n", 2, "No key was entered"),
        (b"\x04", 2, "No key was entered"),  # Ctrl+D
        (b"\x03", 2, "No key was entered"),  # Ctrl+C
    ],
)
def test_terminal_asks_for_the_key_and_does_not_show_it(
    program: Program, typed: bytes, status: int, words: str
) -> None:
    import pty

    process, terminal = pty.fork()
    if not process:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell ignores it for a command in the background
        command = [sys.executable, "-m", "usage_viewer", *program.options, *TABLE]
        os.execve(sys.executable, command, program.environment({"OPENAI_ADMIN_KEY": OTHER}))
    printed = b""
    while b"Admin key: " not in printed:
        printed += os.read(terminal, 1000)
    os.write(terminal, typed)
    with suppress(OSError):  # Linux reports the end of the terminal as an error
        while part := os.read(terminal, 1000):
            printed += part
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == status, printed
    assert words in printed.decode()
    assert "Traceback" not in printed.decode()
    assert not leaks(printed.decode(), ADMIN_KEY.removeprefix("sk-admin-"))
