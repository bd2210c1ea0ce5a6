from datetime import date

import pytest

from interest_migration.errors import ConfigError, DataError
from interest_migration.sources.span_patterns import SpanPattern, compile_pattern, day_of, span_of_day


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("{YYYY}-{MM}-{DD}", "1970-01-01/a.csv", (0, "1970-01-01")),
        ("logs/{YYYY}-{MM}-{DD}", "logs/2024-01-31/part/a.csv", (19753, "logs/2024-01-31")),
        ("logs/date={YYYY}-{MM}-{DD}", "logs/date=2024-01-31", (19753, "logs/date=2024-01-31")),
        ("{YYYY}/{MM}/{DD}", "2024/01/31/a.csv", (19753, "2024/01/31")),
        ("events-{YYYY}{MM}{DD}.csv", "events-20240131.csv", (19753, "events-20240131.csv")),
        ("*/{YYYY}-{MM}-{DD}", "orders/2024-01-31/a.csv", (19753, "orders/2024-01-31")),
        ("logs/span-{SPAN}", "logs/span-12/a.csv", (12, "logs/span-12")),
        ("span-{SPAN:3}", "span-012/a.csv", (12, "span-012")),
    ],
)
def test_a_path_gives_its_span_and_partition(pattern: str, path: str, found: tuple[int, str]):
    assert SpanPattern(pattern).find(path) == found


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("logs/{YYYY}-{MM}-{DD}", "items.csv"),
        ("logs/{YYYY}-{MM}-{DD}", "logs/2024-01-31.csv"),
        ("logs/{YYYY}-{MM}-{DD}", "other/logs/2024-01-31/a.csv"),
        ("{YYYY}-{MM}-{DD}", "2024-1-31/a.csv"),
        ("*/{YYYY}-{MM}-{DD}", "a/b/2024-01-31/x.csv"),
        ("a.b/{SPAN}", "aXb/1/x.csv"),
        ("span-{SPAN:3}", "span-12/a.csv"),
    ],
)
def test_other_paths_are_outside_of_partitions(pattern: str, path: str):
    assert SpanPattern(pattern).find(path) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "logs",
        "{YYYY}-{MM}",
        "{YYYY}-{MM}-{DD}-{DD}",
        "{SPAN}/{YYYY}-{MM}-{DD}",
        "{SPAN}/{SPAN}",
        "{YYYY}-{MM}-{DD}/{VERSION}",
        "{YYYY}-{MM}-{DD}/{HH}",
        "/logs/{SPAN}",
        "../{SPAN}",
        "{SPAN}/",
    ],
)
def test_what_is_no_pattern_is_said_with_an_example(pattern: str):
    with pytest.raises(ConfigError, match=r"expected (a path below|.*as in events/\{YYYY\}-\{MM\}-\{DD\})"):
        SpanPattern(pattern)


def test_a_day_that_no_calendar_has_is_named():
    with pytest.raises(DataError, match=r"2024-02-30/a\.csv: expected a day of the calendar"):
        SpanPattern("{YYYY}-{MM}-{DD}").find("2024-02-30/a.csv")


def test_spans_and_days_are_each_others_inverse_and_have_names():
    assert day_of(19753) == date(2024, 1, 31)
    assert span_of_day(date(2024, 1, 31)) == 19753
    assert compile_pattern("{YYYY}-{MM}-{DD}").name(19753) == "2024-01-31 (span 19753)"
    assert compile_pattern("{SPAN}").name(7) == "span 7"
