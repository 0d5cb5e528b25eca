"""Tests that the demo server ends with its parent process."""

import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit


def _listens(base_url: str) -> bool:
    # The process id is no proof: it exists until the parent of an ended process collects it.
    url = urlsplit(base_url)
    try:
        socket.create_connection((str(url.hostname), url.port or 0), timeout=5).close()
    except ConnectionError:
        return False
    return True


def test_server_without_a_pipe_ends_with_its_parent() -> None:
    # The server is a grandchild without our pipe as standard input: only the end of its parent can end it.
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'usage_viewer.demo', '--days', '10'],\n"
        "    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline().strip(), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        base_url = parent.stdout.readline().strip()
        assert base_url.startswith("http://127.0.0.1:")
        time.sleep(0.7)
        assert _listens(base_url)
        parent.kill()
    deadline = time.monotonic() + 10
    while _listens(base_url):
        assert time.monotonic() < deadline, "the demo server outlived its parent"
        time.sleep(0.05)
