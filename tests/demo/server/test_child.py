"""Tests the demo server as a child process."""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.rigs.load import slowdown
from usage_viewer.demo.server.child import start_demo
from usage_viewer.domain.network_errors import DemoFailed


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
    with pytest.raises(DemoFailed, match="invalid choice: 'huge'"):
        start_demo(scale="huge")


def test_missing_command_is_a_start_error(tmp_path: object) -> None:
    with pytest.raises(DemoFailed, match=r"No such file|cannot find"):
        start_demo(argv=[f"{tmp_path}/nothing"])


def test_silent_child_is_a_start_error_after_the_timeout() -> None:
    silent = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with pytest.raises(DemoFailed, match=r"no answer within 0\.3 s"):
        start_demo(argv=silent, timeout=0.3)


def test_child_that_ends_without_output_is_a_start_error_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(DemoFailed, match="ended with status 7"):
        start_demo(argv=[sys.executable, "-c", "import sys; sys.exit(7)"])
    assert time.monotonic() - begun < 5 * slowdown()


def test_lines_before_the_base_url_are_no_start_error() -> None:
    script = "import sys; print('a warning'); print('http://127.0.0.1:9/v1', flush=True); sys.stdin.read()"
    with start_demo(argv=[sys.executable, "-c", script]) as demo:
        assert demo.base_url == "http://127.0.0.1:9/v1"


def test_server_that_ended_has_a_failure() -> None:
    with start_demo(days=2) as demo:
        assert demo.failure() is None
        demo.kill()
        failure = demo.failure()
    assert failure is not None
    assert failure.title == "The demo's server has ended"
    if sys.platform != "win32":
        assert failure.detail == f"its process was ended by signal {signal.SIGKILL.value}"


def test_failure_has_the_last_output() -> None:
    script = (
        "import sys; print('http://127.0.0.1:9/v1', flush=True); sys.stdin.readline(); sys.exit('out of memory')"
    )
    with start_demo(argv=[sys.executable, "-c", script]) as demo:
        assert demo._process.stdin is not None
        demo._process.stdin.close()
        demo._process.wait(10)
        failure = demo.failure()
    assert failure is not None
    assert failure.detail == "out of memory"


def test_closed_server_has_no_failure() -> None:
    demo = start_demo(days=2)
    demo.close()
    assert demo.failure() is None


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
