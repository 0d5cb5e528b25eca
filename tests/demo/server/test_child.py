"""Tests the demo server as a child process."""

import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.rigs.load import slowdown
from usage_viewer.demo.server.child import start_demo
from usage_viewer.domain.errors import ServerError


def _status(base_url: str, key: str, query: str = "") -> int:
    request = urllib.request.Request(
        f"{base_url}/organization/usage/completions?start_time=1795000000{query}",
        headers={"Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_server_answers_until_it_is_closed() -> None:
    with start_demo(days=30, seed=3, key="sk-admin-my-own", refuse=["api_source"], anchor=1_795_437_245) as demo:
        assert _status(demo.base_url, "sk-admin-my-own") == 200
        assert _status(demo.base_url, "sk-admin-another-one") == 401
        assert _status(demo.base_url, "sk-admin-my-own", "&group_by=api_source") == 400
        begun = time.monotonic()
        demo.close()
        assert time.monotonic() - begun < 2 * slowdown()
        with pytest.raises(urllib.error.URLError):
            _status(demo.base_url, demo.key)
        demo.close()


def test_start_error_contains_the_output() -> None:
    with pytest.raises(ServerError, match="invalid choice: 'huge'"):
        start_demo(scale="huge")


def test_missing_command_is_a_start_error(tmp_path: object) -> None:
    with pytest.raises(ServerError, match=r"No such file|cannot find"):
        start_demo(argv=[f"{tmp_path}/nothing"])


def test_silent_child_is_a_start_error_after_the_timeout() -> None:
    silent = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with pytest.raises(ServerError, match=r"no answer within 0\.3 s"):
        start_demo(argv=silent, timeout=0.3)


def test_server_ends_if_its_parent_is_killed() -> None:
    script = (
        "from usage_viewer.demo.server.child import start_demo\n"
        "import time\n"
        "demo = start_demo(days=10)\n"
        "print(demo.base_url, demo.key, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        base_url, key = parent.stdout.readline().split()
        assert _status(base_url, key) == 200
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            _status(base_url, key)
        except (urllib.error.URLError, ConnectionError):
            return
        time.sleep(0.05)
    pytest.fail("the demo server outlived its parent")
