"""How an amount was found follows from its parts, exactly, row by row and for rows that are added."""

from decimal import Decimal

import numpy as np
import pytest

from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.money_origin import ASSUMED, BILLED, BY_TOKENS, origin_of, origin_text


def column(*values: str | None) -> NumberColumn:
    numbers = np.empty(len(values), np.object_)
    numbers[:] = [Decimal(value or 0) for value in values]
    return NumberColumn(numbers, np.array([value is None for value in values]))


CASES = [
    (("5", None, None), BILLED),
    (("5", "5", None), BY_TOKENS),
    (("5", None, "5"), ASSUMED),
    (("5", "3", None), BILLED | BY_TOKENS),
    (("5", "3", "2"), BY_TOKENS | ASSUMED),
    (("5", "2", "2"), BILLED | BY_TOKENS | ASSUMED),
    (("0", None, None), BILLED),
    (("-5", None, None), BILLED),
    (("2", "3", None), BILLED | BY_TOKENS),  # a credit of 1 beside usage of 3
    ((f"1{'0' * 19}.{'0' * 12}1", f"1{'0' * 19}", None), BILLED | BY_TOKENS),
    ((None, None, None), 0),
]


@pytest.mark.parametrize(("parts", "code"), CASES)
def test_code_follows_from_the_parts(parts: tuple[str | None, ...], code: int) -> None:
    sums = {
        name: column(part)
        for name, part in zip(("amount", "amount_by_tokens", "amount_assumed"), parts, strict=True)
    }
    origin = origin_of(SPEND, SPEND.column("amount"), sums["amount"], sums)
    assert origin.codes(1).tolist() == [code]
    assert origin.total == code
    assert origin.text(0) == origin_text(code)


def test_rows_that_are_taken_added_and_joined_keep_their_codes() -> None:
    amounts, tokens = column("5", "4", None), column(None, "4", None)
    sums = {"amount": amounts, "amount_by_tokens": tokens, "amount_assumed": column(None, None, None)}
    origin = origin_of(SPEND, SPEND.column("amount"), amounts, sums)
    assert origin.codes(3).tolist() == [BILLED, BY_TOKENS, 0]
    assert origin.at(np.array([1, -1, 0])).codes(3).tolist() == [BY_TOKENS, 0, BILLED]
    assert origin.followed_by(3, 2).codes(5).tolist() == [BILLED, BY_TOKENS, 0, 0, 0]
    assert origin.joined(origin.at(np.array([1, 2, 0]))).codes(3).tolist() == [
        BILLED | BY_TOKENS,
        BY_TOKENS,
        BILLED,
    ]
    assert origin.limited_to(column("1", None, "1")).total == BILLED
    assert origin.at(np.array([0])).joined(None).total == BILLED | BY_TOKENS


def test_words_name_all_that_apply() -> None:
    assert origin_text(BILLED | BY_TOKENS | ASSUMED) == "billed · attributed by tokens · assumed factor"
    assert origin_text(0) == ""
