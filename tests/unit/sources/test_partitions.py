from datetime import date
from pathlib import Path

import pytest

from interest_migration.errors import ConfigError, DataError
from interest_migration.sources.partition_settings import PartitionSettings, Selection
from interest_migration.sources.partitions import (
    choose_span,
    find_gaps,
    list_partitions,
    name_spans,
    select_window,
)
from interest_migration.sources.span_patterns import span_of_day

DAILY = {"pattern": "logs/{YYYY}-{MM}-{DD}"}


def settings(**values: object) -> PartitionSettings:
    return PartitionSettings.from_values({**DAILY, **values}, source="test")


def make(root: Path, *days: str, text: str = "x") -> str:
    for day in days:
        (root / "logs" / day).mkdir(parents=True)
        (root / "logs" / day / "log.csv").write_text(text)
    (root / "items.csv").write_text("outside")
    return str(root)


def day(text: str) -> int:
    return span_of_day(date.fromisoformat(text))


def test_partitions_are_listed_with_files_and_bytes_but_without_markers(tmp_path: Path):
    root = make(tmp_path, "2024-01-02", "2024-01-01", text="four")
    (tmp_path / "logs" / "2024-01-01" / "_SUCCESS").write_text("no data")
    (tmp_path / "logs" / "2024-01-01" / "more").mkdir()
    (tmp_path / "logs" / "2024-01-01" / "more" / "b.csv").write_text("12")
    first, second = list_partitions(root, settings())
    assert (first.span, first.places, first.files, first.size_bytes) == (day("2024-01-01"), ("logs/2024-01-01",), 2, 6)
    assert (second.span, second.files, second.size_bytes, second.complete) == (day("2024-01-02"), 1, 4, True)


def test_one_span_can_have_several_places(tmp_path: Path):
    for name in ("orders", "views"):
        (tmp_path / name / "2024-01-01").mkdir(parents=True)
        (tmp_path / name / "2024-01-01" / "a.csv").write_text("x")
    (partition,) = list_partitions(str(tmp_path), settings(pattern="*/{YYYY}-{MM}-{DD}"))
    assert partition.places == ("orders/2024-01-01", "views/2024-01-01")
    assert partition.files == 2


def test_files_can_be_partitions(tmp_path: Path):
    (tmp_path / "events-20240101.csv").write_text("abc")
    (partition,) = list_partitions(str(tmp_path), settings(pattern="events-{YYYY}{MM}{DD}.csv"))
    assert (partition.files, partition.size_bytes) == (1, 3)
    with pytest.raises(DataError, match="expected partitions that are folders"):
        list_partitions(str(tmp_path), settings(pattern="events-{YYYY}{MM}{DD}.csv", complete_marker="_SUCCESS"))


def test_a_file_as_input_is_refused(tmp_path: Path):
    make(tmp_path, "2024-01-01")
    with pytest.raises(DataError, match=r"expected a folder as input, since data\.partitions is set"):
        list_partitions(str(tmp_path / "items.csv"), settings())


def test_the_latest_complete_span_is_chosen(tmp_path: Path):
    root = make(tmp_path, "2024-01-01", "2024-01-02", "2024-01-03")
    for name in ("2024-01-01", "2024-01-02"):
        (tmp_path / "logs" / name / "_SUCCESS").touch()
    marked = settings(complete_marker="_SUCCESS")
    partitions = list_partitions(root, marked)
    assert choose_span(partitions, marked, None) == day("2024-01-02")
    assert choose_span(list_partitions(root, settings()), settings(), None) == day("2024-01-03")
    assert choose_span(partitions, marked, day("2024-01-01")) == day("2024-01-01")
    with pytest.raises(DataError, match=r"expected _SUCCESS in logs/2024-01-03, received none.*still being written"):
        choose_span(partitions, marked, day("2024-01-03"))


def test_a_span_that_is_not_there_is_said_with_its_neighbours(tmp_path: Path):
    partitions = list_partitions(make(tmp_path, "2024-01-01", "2024-01-02"), settings())
    with pytest.raises(DataError, match=r"2024-02-01 \(span 19754\), received none; nearest: 2024-01-01 .* 2024-01-02"):
        choose_span(partitions, settings(), day("2024-02-01"))


def test_no_partition_at_all_is_said(tmp_path: Path):
    (tmp_path / "logs").mkdir()
    partitions = list_partitions(str(tmp_path), settings())
    with pytest.raises(DataError, match=r"expected partitions logs/.* below the input, received none"):
        choose_span(partitions, settings(), None)


def test_a_window_reaches_back_and_holds_nothing_newer(tmp_path: Path):
    partitions = list_partitions(make(tmp_path, *(f"2024-01-0{number}" for number in range(1, 8))), settings())
    assert select_window(partitions, settings(), day("2024-01-05")).spans == tuple(range(19723, 19728))
    narrow = select_window(partitions, settings(window_spans=2), day("2024-01-05"))
    assert narrow.spans == (19726, 19727)
    assert narrow.newest == day("2024-01-05")
    assert narrow.keeps("items.csv")
    assert narrow.keeps("logs/2024-01-05/log.csv")
    assert not narrow.keeps("logs/2024-01-06/log.csv")
    assert not narrow.keeps("logs/2024-01-03/log.csv")


def test_gaps_are_found_inside_the_window_only(tmp_path: Path):
    days = ("2024-01-01", "2024-01-03", "2024-01-04", "2024-01-07", "2024-01-08")
    partitions = list_partitions(make(tmp_path, *days), settings())
    last = day("2024-01-08")
    assert find_gaps(partitions, settings(), last) == (day("2024-01-02"), day("2024-01-05"), day("2024-01-06"))
    assert find_gaps(partitions, settings(window_spans=3), last) == (day("2024-01-06"),)
    assert find_gaps(partitions, settings(window_spans=2), last) == ()
    assert find_gaps(partitions, settings(), day("2024-01-04")) == (day("2024-01-02"),)


def test_weekly_partitions_follow_each_other_in_steps_of_seven(tmp_path: Path):
    weekly = settings(days=7)
    partitions = list_partitions(make(tmp_path, "2024-01-01", "2024-01-08", "2024-01-22"), weekly)
    assert find_gaps(partitions, weekly, day("2024-01-22")) == (day("2024-01-15"),)
    assert select_window(partitions, settings(days=7, window_spans=3), day("2024-01-22")).spans == (19730, 19744)


def test_an_unfinished_partition_inside_the_window_is_a_gap(tmp_path: Path):
    root = make(tmp_path, "2024-01-01", "2024-01-02", "2024-01-03")
    for name in ("2024-01-01", "2024-01-03"):
        (tmp_path / "logs" / name / "_SUCCESS").touch()
    marked = settings(complete_marker="_SUCCESS")
    partitions = list_partitions(root, marked)
    assert find_gaps(partitions, marked, day("2024-01-03")) == (day("2024-01-02"),)
    assert day("2024-01-02") not in select_window(partitions, marked, day("2024-01-03")).spans


def test_an_empty_newest_partition_is_refused_and_an_older_one_is_not(tmp_path: Path):
    root = make(tmp_path, "2024-01-01", "2024-01-03")
    (tmp_path / "logs" / "2024-01-02").mkdir()
    partitions = list_partitions(root, settings())
    assert len(select_window(partitions, settings(), day("2024-01-03")).spans) == 3
    with pytest.raises(DataError, match=r"expected data in logs/2024-01-02, received 0 data files"):
        select_window(partitions, settings(), day("2024-01-02"))


def test_many_spans_are_named_up_to_ten():
    text = name_spans(settings(pattern="{SPAN}"), range(13))
    assert text.startswith("span 0, span 1")
    assert text.endswith("span 9 and 3 more")


def test_a_plain_string_is_the_pattern():
    assert PartitionSettings.model_validate("logs/{SPAN}").pattern == "logs/{SPAN}"
    assert PartitionSettings.model_validate("logs/{SPAN}").missing_spans == "refuse"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pattern": "logs"}, "expected .*SPAN"),
        ({"timezone": "Mars"}, "expected an IANA time zone"),
        ({"missing_spans": "ignore"}, "'refuse' or 'warn'"),
        ({"complete_marker": "a/b"}, "complete_marker"),
        ({"window_spans": 0}, "window_spans"),
        ({"late": 1}, "Extra inputs"),
    ],
)
def test_settings_that_do_not_fit_are_named(values: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        settings(**values)


def test_times_of_a_partition_follow_its_zone_and_the_tolerance():
    selection = settings(tolerance_hours=2, max_late_days=1).select([day("2024-01-01"), day("2024-01-02")])
    times = selection.times("logs/2024-01-01/a.csv", "UTC")
    assert times is not None
    assert (times.start_s, times.last_s, times.late_s) == (1_704_067_200, 1_704_067_200 + 26 * 3600 - 1, 86_400)
    berlin = selection.times("logs/2024-01-01/a.csv", "Europe/Berlin")
    assert berlin is not None
    assert berlin.start_s == 1_704_067_200 - 3600
    outside = selection.times("orders.csv", "UTC")
    assert outside is not None
    assert (outside.start_s, outside.last_s) == (None, 1_704_067_200 + 50 * 3600 - 1)


def test_a_day_on_which_clocks_change_has_its_own_length():
    selection = settings(timezone="Europe/Berlin").select([day("2024-03-31")])
    start_s, end_s = selection.day_bounds(day("2024-03-31"), "UTC")
    assert end_s - start_s == 23 * 3600


def test_numbered_spans_have_no_times():
    assert settings(pattern="{SPAN}").select([1]).times("1/a.csv", "UTC") is None


def test_a_selection_survives_its_way_to_the_workers():
    selection = settings(days=7).select([19723, 19730])
    assert Selection.parse(selection.model_dump_json()) == selection
    assert Selection.parse("") is None
