import pytest

from usage_viewer.domain.durations import duration


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 seconds"),
        (1.4, "1 second"),
        (90, "90 seconds"),
        (119.6, "120 seconds"),
        (120, "2 minutes"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
        (2 * 86400, "2 days"),
        (729 * 86400, "729 days"),
        (1e9, "32 years"),
    ],
)
def test_the_largest_unit_that_fits_twice(seconds: float, told: str) -> None:
    assert duration(seconds) == told
