"""Tests the demo's command line."""

import json
import subprocess
import sys
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from usage_viewer.demo.__main__ import main

MODULE = ("usage_viewer.demo",)
PROGRAM = ("usage_viewer", "demo-server")


def _run(*arguments: str, command: tuple[str, ...] = MODULE) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("command", [MODULE, PROGRAM], ids=["module", "program"])
def test_base_url_is_the_only_output(command: tuple[str, ...]) -> None:
    with _run("--watch-stdin", "--days", "20", "--latency-ms", "1", command=command) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        assert base_url.startswith("http://127.0.0.1:")
        request = urllib.request.Request(
            f"{base_url}/organization/users?limit=2",
            headers={"Authorization": "Bearer sk-admin-demo-0000-reads-usage-and-names"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            assert response.status == 200
        out, err = process.communicate(timeout=10)  # closes standard input
    assert (process.returncode, out, err) == (0, "", "")


def test_truth_is_complete_when_the_base_url_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    options = ("--watch-stdin", "--days", "3", "--currencies", "usd", "EUR", "--truth", str(path))
    with _run(*options) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        parts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        days = sorted({part["day"] for part in parts})
        start = int(datetime.fromisoformat(days[0]).replace(tzinfo=UTC).timestamp())
        request = urllib.request.Request(
            f"{base_url}/organization/costs?start_time={start}&end_time={start + 3 * 86400}",
            headers={"Authorization": "Bearer sk-admin-demo-0000-reads-usage-and-names"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            buckets = json.load(response, parse_float=Decimal)["data"]
        process.communicate(timeout=10)
    billed = {
        (day, result["amount"]["currency"]): Decimal(result["amount"]["value"])
        for day, bucket in zip(days, buckets, strict=True)
        for result in bucket["results"]
    }
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for part in parts:
        sums[part["day"], part["currency"]] += Decimal(part["amount"])
    assert len(sums) == 6
    assert billed == sums


def test_truth_that_can_not_be_written_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "truth.jsonl"
    with _run("--watch-stdin", "--days", "2", "--truth", str(path)) as process:
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(f"usage_viewer.demo: can't write {path}: ")
    assert len(err.splitlines()) == 1


def test_port_in_use_is_reported() -> None:
    with _run("--watch-stdin") as first:
        assert first.stdout is not None
        port = first.stdout.readline().strip().removesuffix("/v1").rpartition(":")[2]
        with _run("--watch-stdin", "--port", port) as second:
            _, err = second.communicate(timeout=10)
        assert second.returncode == 1
        assert f"can't listen on 127.0.0.1:{port}" in err
        first.communicate(timeout=10)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--days", "0"],
        ["--scale", "huge"],
        ["--refuse-dimension", "nonsense"],
        ["--refuse", "costs:"],
        ["--error", "/costs"],
        ["--currencies", "dollars"],
        ["--limit-per-minute", "0"],
        ["--port", "x"],
        ["--nonsense"],
    ],
)
def test_invalid_arguments_exit_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err
