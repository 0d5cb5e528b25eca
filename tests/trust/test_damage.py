"""Damages a database file: the program raises a typed error or shows the true figures.

The seed of random damage is printed; DAMAGE_SEED repeats it.
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.trust.known_usage import DatabaseFiles, examine, write
from usage_viewer.domain.errors import StoreDamaged
from usage_viewer.store import Store

ROOT: Final = Path(__file__).parents[2]
HEADERS: Final = 3 * 4096
"""The offset of a file's first block in bytes: after the main header and the two database headers."""

BLOCK: Final = 256 * 1024
WHOLE: Final = "stored 31 120 31 3"
WITHOUT_LOG: Final = "stored 31 120 0 3"
DAMAGED: Final = "StoreDamaged"
CRASHED: Final = "the engine crashed"
"""Where words of a block are exchanged, the engine itself crashes in about 1 of 3,000 cases while it reads them."""


class Examiner:
    """Examines files in a child process, so that a crash of the engine is detected and doesn't end the tests."""

    def __init__(self) -> None:
        self._children = ExitStack()
        self._child = self._start()

    def _start(self) -> "subprocess.Popen[str]":
        return self._children.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tests.trust.known_usage"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def __call__(self, path: Path) -> str:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{path}\n")
        self._child.stdin.flush()
        outcome = self._child.stdout.readline().strip()
        if outcome:
            return outcome
        _, err = self._child.communicate()
        status = self._child.returncode
        self._child = self._start()
        return CRASHED if status == -signal.SIGSEGV else f"ended with {status}: {err[-1500:]}"

    def close(self) -> None:
        self._child.kill()
        self._children.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> DatabaseFiles:
    return write(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    examiner = Examiner()
    yield examiner
    examiner.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profile" / "usage.duckdb"


def flipped(data: bytes, places: list[int], mask: int = 0x10) -> bytes:
    damaged = bytearray(data)
    for place in places:
        damaged[place] ^= mask
    return bytes(damaged)


def test_undamaged_file_is_complete(files: DatabaseFiles, path: Path) -> None:
    files.put(path)
    assert examine(path) == WHOLE
    assert examine(path) == WHOLE, "the log was not taken over"


PLACES: Final[dict[str, Callable[[DatabaseFiles], list[int]]]] = {
    "main header: its checksum": lambda files: [3],
    "main header: what kind of file": lambda files: [9],
    "main header: its version": lambda files: [12],
    "both headers of the database": lambda files: [4096 + 12, 8192 + 12],
    "both headers: their checksums": lambda files: [4096, 8192],
    "checksums of all blocks": lambda files: list(range(HEADERS, len(files.database), BLOCK)),
    "all blocks near their beginning": lambda files: list(range(HEADERS + 40, len(files.database), BLOCK)),
    "all blocks in the middle": lambda files: list(range(HEADERS + BLOCK // 2, len(files.database), BLOCK)),
    "all blocks at the end": lambda files: list(range(HEADERS + BLOCK - 9, len(files.database), BLOCK)),
}


@pytest.mark.parametrize("name", PLACES)
def test_damage_in_each_kind_of_block(name: str, files: DatabaseFiles, path: Path, examiner: Examiner) -> None:
    damaged = DatabaseFiles(flipped(files.database, PLACES[name](files)), files.log)
    damaged.put(path)
    assert examiner(path) == DAMAGED
    assert path.read_bytes() == damaged.database, "the damaged file has to stay as it was"


def test_damage_in_each_single_block(files: DatabaseFiles, path: Path, examiner: Examiner) -> None:
    """Damage in an unused block does no harm; damage in every other block is detected."""
    outcomes = Counter[str]()
    for begin in range(HEADERS, len(files.database), BLOCK):
        DatabaseFiles(flipped(files.database, [begin + 100]), files.log).put(path)
        outcomes[examiner(path)] += 1
    assert set(outcomes) <= {DAMAGED, WHOLE}
    assert outcomes[DAMAGED] >= 2


LOGS: Final[dict[str, tuple[Callable[[bytes], bytes], set[str]]]] = {
    "its first entry": (lambda log: flipped(log, [200]), {DAMAGED}),
    "the middle": (lambda log: flipped(log, [len(log) // 2]), {DAMAGED}),
    "zeros at the end": (lambda log: log[:-3000] + bytes(3000), {DAMAGED}),
    # A log of another file is ignored: no figure is wrong.
    "garbage": (lambda log: b"garbage" * 1000, {DAMAGED, WITHOUT_LOG}),
    # Truncated as by a sudden end: unfinished entries are ignored.
    "cut in the middle": (lambda log: log[: len(log) // 2], {WITHOUT_LOG}),
    "cut to nothing": (lambda log: b"", {WITHOUT_LOG}),
    "the last byte cut": (lambda log: log[:-1], {WITHOUT_LOG}),
}


@pytest.mark.parametrize("name", LOGS)
def test_damage_in_the_log(name: str, files: DatabaseFiles, path: Path, examiner: Examiner) -> None:
    damage, expected = LOGS[name]
    DatabaseFiles(files.database, damage(files.log)).put(path)
    assert examiner(path) in expected


@pytest.mark.parametrize("length", [1, 100, 4096, 8191, HEADERS, HEADERS + 1, HEADERS + BLOCK, -BLOCK, -1])
def test_truncated_file(length: int, files: DatabaseFiles, path: Path, examiner: Examiner) -> None:
    DatabaseFiles(files.database[:length], b"").put(path)
    assert examiner(path) == DAMAGED


def test_swapped_blocks(files: DatabaseFiles, path: Path, examiner: Examiner) -> None:
    """The checksum of each block is right, its place is wrong."""
    blocks = (len(files.database) - HEADERS) // BLOCK
    for one in range(blocks):
        for other in range(one + 1, blocks):
            damaged = bytearray(files.database)
            here, there = (slice(HEADERS + at * BLOCK, HEADERS + (at + 1) * BLOCK) for at in (one, other))
            damaged[here], damaged[there] = damaged[there], damaged[here]
            DatabaseFiles(bytes(damaged), b"").put(path)
            assert examiner(path) in (DAMAGED, WITHOUT_LOG), (one, other)


SECTOR: Final = 512
PAGE: Final = 4096


def damaged_somewhere(data: bytes, chance: random.Random) -> tuple[bytes, str]:
    """Return the file with flipped bits or overwritten sectors, as by faulty memory, cables or other programs."""
    damaged = bytearray(data)
    kind = chance.choice(["bit", "bit", "bits", "overwritten"])
    if kind in ("bit", "bits"):
        places = [chance.randrange(len(data)) for _ in range(1 if kind == "bit" else chance.choice([9, 99]))]
        for place in places:
            damaged[place] ^= 1 << chance.randrange(8)
        return bytes(damaged), f"{kind} {places}"
    begin = chance.randrange(0, len(data), SECTOR)
    sector = damaged[begin : begin + SECTOR * chance.choice([1, 1, 8])]
    damaged[begin : begin + len(sector)] = chance.randbytes(len(sector))
    return bytes(damaged), f"{kind} {begin} {len(sector)}"


def exchanged(data: bytes, chance: random.Random) -> tuple[bytes, str]:
    """Return the file with some pairs of unequal words, sectors or pages exchanged, mostly within a block.

    The checksum that DuckDB has of a block stays the same if words exchange their places within the block.
    """
    damaged = bytearray(data)
    size = chance.choice([8, 8, 8, SECTOR, PAGE])
    made = []
    for _ in range(chance.choice([1, 1, 1, 2, 9])):
        one, other = _pair(damaged, size, chance)
        damaged[one : one + size], damaged[other : other + size] = (
            damaged[other : other + size],
            damaged[one : one + size],
        )
        made.append((one, other))
    return bytes(damaged), f"exchange {size} {made}"


def _pair(data: bytearray, size: int, chance: random.Random) -> tuple[int, int]:
    """Return two places with unequal content of `size` bytes."""
    while True:
        begin, end = 0, len(data)
        if chance.random() < 0.9 and len(data) > HEADERS:
            begin = HEADERS + BLOCK * chance.randrange((len(data) - HEADERS) // BLOCK)
            end = begin + BLOCK
        one, other = (begin + size * chance.randrange((end - begin) // size) for _ in range(2))
        if data[one : one + size] != data[other : other + size]:
            return one, other


Damage = Callable[[bytes, random.Random], tuple[bytes, str]]


def random_damage(
    files: DatabaseFiles, path: Path, examiner: Examiner, cases: int, damaged: Damage = damaged_somewhere
) -> None:
    seed = int(os.environ.get("DAMAGE_SEED") or random.SystemRandom().randrange(2**32))
    print(f"seed {seed}")
    chance = random.Random(seed)
    outcomes = Counter[str]()
    for case in range(cases):
        in_log, in_headers = chance.random() < 0.2, chance.random() < 0.3
        if in_log:
            log, how = damaged(files.log, chance)
            DatabaseFiles(files.database, log).put(path)
        else:
            end = HEADERS if in_headers and damaged is damaged_somewhere else len(files.database)
            database, how = damaged(files.database[:end], chance)
            DatabaseFiles(database + files.database[end:], files.log).put(path)
        outcome = examiner(path)
        # A log with a damaged beginning is ignored: usage that only the log had is fetched again.
        possible = (DAMAGED, "StoreNewer", WHOLE, CRASHED, *([WITHOUT_LOG] if in_log else []))
        assert outcome in possible, f"seed {seed}, case {case}: {outcome} after {how} {in_log=}"
        outcomes[outcome] += 1
    print(outcomes)
    assert outcomes[CRASHED] <= 1 + cases // 1000
    assert outcomes[DAMAGED] > cases // 4


def test_damage_anywhere(files: DatabaseFiles, path: Path, examiner: Examiner) -> None:
    random_damage(files, path, examiner, 100)


@pytest.mark.fuzz
def test_damage_anywhere_in_5000_files(files: DatabaseFiles, path: Path, examiner: Examiner) -> None:
    random_damage(files, path, examiner, 5000)


def test_words_sectors_and_pages_exchanged(files: DatabaseFiles, path: Path, examiner: Examiner) -> None:
    random_damage(files, path, examiner, 100, exchanged)


@pytest.mark.fuzz
def test_words_sectors_and_pages_exchanged_in_5000_files(
    files: DatabaseFiles, path: Path, examiner: Examiner
) -> None:
    random_damage(files, path, examiner, 5000, exchanged)


def test_damaged_file_and_log_are_kept_as_copies(files: DatabaseFiles, path: Path) -> None:
    damaged = DatabaseFiles(flipped(files.database, [HEADERS + 40]), files.log)
    damaged.put(path)
    with pytest.raises(StoreDamaged):
        Store.open(path)
    aside = Store.set_aside(path)
    assert aside.read_bytes() == damaged.database
    assert aside.with_name(f"{aside.name}.wal").read_bytes() == damaged.log
    assert examine(path) == "stored 0 0 0 3"
