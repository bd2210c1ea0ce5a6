from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interest_migration.sources.fields import TimeField
from interest_migration.sources.times import parse_times


def _parse(values: pa.Array, **field: object) -> list[int | str]:
    """Seconds, or why there are none."""
    seconds, missing, bad = parse_times(values, TimeField(column="t", **field), ("NULL",))
    assert not (missing & bad).any()
    return ["missing" if m else "bad" if b else int(s) for s, m, b in zip(seconds, missing, bad, strict=True)]


# 2017-01-01 00:00:00 UTC is 1483228800.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-01-01", 1483228800),
        ("2017-01-01 01:00", 1483232400),
        ("2017-01-01T01:00:05", 1483232405),
        ("2017-01-01T00:00:01.999", 1483228801),
        ("2017-01-01 00:00:01,123456789123", 1483228801),
        ("2017-01-01T00:00:00Z", 1483228800),
        ("2017-01-01T02:00:00+02:00", 1483228800),
        ("2016-12-31T19:00:00.5-0500", 1483228800),
        ("2017-01-01T05:00+05", 1483228800),
        ("  2017-01-01 ", 1483228800),
        ("2016-02-29", 1456704000),
        ("2017-02-29", "bad"),
        ("2017-02-30", "bad"),
        ("2017-04-31", "bad"),
        ("2017-13-01", "bad"),
        ("2017-01-01T24:00:00", "bad"),
        ("2017-01-01T10:60:00", "bad"),
        ("01/02/2017", "bad"),
        ("1483228800", "bad"),
        ("soon", "bad"),
        ("", "missing"),
        ("NULL", "missing"),
    ],
)
def test_iso_text(text: str, expected: int | str) -> None:
    assert _parse(pa.array([text])) == [expected]
    # A neighbour of another form must not change the outcome.
    assert _parse(pa.array([text, "2017-01-01T00:00:00.5Z", "x", None])) == [expected, 1483228800, "bad", "missing"]


def test_naive_times_are_local() -> None:
    assert _parse(pa.array(["2016-12-31 19:00:00"]), timezone="America/New_York") == [1483228800]
    assert _parse(pa.array(["2017-01-01T00:00:00Z"]), timezone="America/New_York") == [1483228800]


def test_clock_changes_have_a_defined_outcome() -> None:
    # New York: 02:00-03:00 of 12 March 2017 did not happen, 01:00-02:00 of 5 November happened twice.
    skipped, first_of_two = _parse(
        pa.array(["2017-03-12 02:30:00", "2017-11-05 01:30:00"]), timezone="America/New_York"
    )
    assert skipped == 1489302000  # 03:00 EDT
    assert first_of_two == 1509859800  # 01:30 EDT


@pytest.mark.parametrize(
    ("unit", "value"), [("unix_s", "1483228800"), ("unix_ms", "1483228800999"), ("unix_us", "1483228800999999")]
)
def test_unix_numbers_in_any_type(unit: str, value: str) -> None:
    for column in (pa.array([value]), pa.array([int(value)]), pa.array([float(value)]), pa.array([value + ".0"])):
        assert _parse(column, format=unit) == [1483228800]


def test_bad_unix_numbers() -> None:
    column = pa.array(["1483228800", "-1.5", "x", "1e400", "nan", "", None, "0x10", "1e300"])
    assert _parse(column, format="unix_s") == [
        1483228800,
        -2,
        "bad",
        "bad",
        "missing",
        "missing",
        "missing",
        "bad",
        "bad",
    ]
    assert _parse(pa.array([float("nan"), float("inf")]), format="unix_s") == ["missing", "bad"]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("%d.%m.%Y %H:%M", "01.01.2017 00:00", 1483228800),
        ("%d/%b/%Y:%H:%M:%S %z", "31/Dec/2016:19:00:00 -0500", 1483228800),
        ("%d/%b/%Y:%H:%M:%S %z", "30/Feb/2017:19:00:00 -0500", "bad"),
        ("%m/%d/%Y", "2/30/2017", "bad"),
        ("%m/%d/%Y", "1/1/2017", 1483228800),
        ("%Y-%m-%d", "2017-01-01 later", "bad"),
        ("%Y-%m-%d", "", "missing"),
        ("%F %T %z", "2016-12-31 19:00:00 -0500", 1483228800),
        ("%F %R", "2017-02-30 10:00", "bad"),
        ("%D", "2/29/16", 1456704000),
        ("%Y-%j", "2017-060", 1488326400),
        ("%Y-%m-%d", "2017- 3- 1", 1488326400),
    ],
)
def test_patterns(pattern: str, text: str, expected: int | str) -> None:
    assert _parse(pa.array([text]), format=pattern) == [expected]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_typed_times_need_no_format(unit: str) -> None:
    moment = datetime(2017, 1, 1, 0, 0, 0)
    assert _parse(pa.array([moment, None], pa.timestamp(unit))) == [1483228800, "missing"]
    assert _parse(pa.array([moment], pa.timestamp(unit)), timezone="America/New_York") == [1483246800]
    assert _parse(pa.array([moment], pa.timestamp(unit, "UTC")), timezone="America/New_York") == [1483228800]


def test_fractions_before_1970_round_down() -> None:
    assert _parse(pa.array([-1], pa.timestamp("ns"))) == [-1]


def test_dates_and_shift() -> None:
    days = pa.array([date(2017, 1, 1)])
    assert _parse(days, shift_seconds=86399) == [1483228800 + 86399]
    assert _parse(days.cast(pa.date64()), timezone="America/New_York", shift_seconds=86399) == [1483246800 + 86399]


def test_extreme_times_do_no_harm() -> None:
    far = pa.array([2**62, -(2**62)]).cast(pa.timestamp("s"))
    assert all(isinstance(value, int) for value in _parse(far, timezone="America/New_York"))
    assert _parse(pa.array(["0000-01-01", "9999-12-31"]), timezone="Asia/Shanghai")[1] == 253402185600


@pytest.mark.parametrize("column", [pa.array([{"a": 1}, None]), pa.array([[1], None]), pa.array([True, None])])
def test_types_that_hold_no_time(column: pa.Array) -> None:
    assert _parse(column) == ["bad", "missing"]


def test_dictionaries() -> None:
    assert _parse(pa.array(["2017-01-01", None, "x"]).dictionary_encode()) == [1483228800, "missing", "bad"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), min_size=1, max_size=20))
def test_agrees_with_python(moments: list[datetime]) -> None:
    expected = [int(moment.replace(tzinfo=UTC, microsecond=0).timestamp()) for moment in moments]
    assert _parse(pa.array([moment.isoformat() for moment in moments])) == expected
    assert _parse(pa.array(moments, pa.timestamp("us"))) == expected
    assert (
        _parse(pa.array([f"{moment:%d.%m.%y %H:%M:%S}" for moment in moments]), format="%d.%m.%y %H:%M:%S") == expected
    )
