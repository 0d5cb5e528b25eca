from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from usage_viewer.domain.batch import Batch, Combination, concat_batches
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth

Row = tuple[int, Combination, int | None, Decimal]


def batch(
    starts: list[int],
    rows: Sequence[Row],
    extra: dict[int, str] | None = None,
) -> Batch:
    """Return a batch; each row is bucket, combination, tokens, money."""
    combinations = list(dict.fromkeys(row[1] for row in rows))
    tokens = [row[2] for row in rows]
    missing = np.array([one is None for one in tokens], np.bool_)
    money = np.empty(len(rows), np.object_)
    money[:] = [row[3] for row in rows]
    return Batch(
        "completions",
        BucketWidth.DAY,
        np.array(starts, np.int64),
        ("model",),
        combinations,
        np.array([row[0] for row in rows], np.int64),
        np.array([combinations.index(row[1]) for row in rows], np.int32),
        {
            "tokens": NumberColumn(
                np.array([one or 0 for one in tokens], np.int64), missing if missing.any() else None
            ),
            "money": NumberColumn(money),
        },
        extra or {},
    )


def rows_of(one: Batch) -> list[Row]:
    columns = [one.metrics[name].listed() for name in ("tokens", "money")]
    combinations = [one.combinations[number] for number in one.combination.tolist()]
    return list(zip(one.bucket.tolist(), combinations, *columns, strict=True))


A, B, C = ("a", None), ("b", "x"), (None, None)
LATER: list[Row] = [(86400, A, 1, Decimal("1.5")), (86400, B, 2**40, Decimal(2))]
EARLIER: list[Row] = [(0, B, None, Decimal("0.1")), (0, C, 4, Decimal(0)), (0, A, 5, Decimal(7))]


def test_concat_keeps_every_row_with_its_values() -> None:
    joined = concat_batches(
        [batch([86400, 172800], LATER, {1: '{"mood":1}'}), batch([0], EARLIER, {0: '{"mood":2}'})]
    )
    assert joined.starts.tolist() == [0, 86400, 172800]
    assert rows_of(joined) == [*LATER, *EARLIER]
    assert joined.extra == {1: '{"mood":1}', 2: '{"mood":2}'}
    assert len(joined.combinations) == len(set(joined.combinations)) == 3
    assert (joined.dataset, joined.width, joined.grouped) == ("completions", BucketWidth.DAY, ("model",))
    assert joined.combination.dtype == np.int32


def test_empty_batches_add_their_buckets() -> None:
    joined = concat_batches([batch([0], []), batch([86400], LATER), batch([172800], [])])
    assert joined.starts.tolist() == [0, 86400, 172800]
    assert rows_of(joined) == LATER
    assert joined.metrics["tokens"].missing is None


def test_single_batch_is_returned_unchanged() -> None:
    alone = batch([0], EARLIER)
    assert concat_batches([alone]) is alone
