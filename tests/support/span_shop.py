"""The small platform with its log in weekly partitions."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from small_shop import MAPPING, RULE, write_yaml
from synthetic_log import DAY_S, START_S, write_log

FIRST = date(2023, 1, 1)
DATA_GATES: dict[str, Any] = {
    "volume": [{"measure": "newest_span_events", "shrinks_by_at_most": 0.7}],
    "rejected": {"total": 0.2},
    "freshness": {"newest_event_hours": 48},
    "events": {"default": {"jensen_shannon": 0.1}},
    "drift": {"default": {"jensen_shannon": 0.15}, "ignore": ["tenure_days"]},
}
Row = dict[str, str]


def week(number: int) -> date:
    """First day of a week of the log; 0 is the first."""
    return FIRST + timedelta(days=7 * number)


def open_span_shop(folder: Path, weeks: int) -> Path:
    """Writes log, mapping, gates and configuration; returns the configuration."""
    write_log(folder / "whole.csv")
    split_by_week(folder / "whole.csv", folder / "data" / "events", weeks)
    mapping = {**MAPPING, "streams": [{**MAPPING["streams"][0], "files": "events"}]}  # type: ignore[index, dict-item]
    write_yaml(folder / "mapping.yaml", mapping)
    write_yaml(folder / "gates.yaml", {"slices": ["switched"], "rules": [RULE]})
    write_yaml(folder / "data-gates.yaml", DATA_GATES)
    config = {
        "name": "span-shop",
        "workspace": "workspace",
        "seed": 3,
        "data": {
            "mapping": "mapping.yaml",
            "input": "data",
            "shards": 2,
            "partitions": {"pattern": "events/{YYYY}-{MM}-{DD}", "days": 7},
        },
        "examples": {"cut_every_days": 14, "eval_cuts": 1, "test_cuts": 1, "active_days": 42, "new_interest_days": 28},
        "transform": {name: {"min_count": 1} for name in ("items", "parents", "children", "brands", "platforms")},
        "model": {"width": 16, "layers": 1, "heads": 1, "feedforward_width": 16, "max_steps": 16},
        "training": {"epochs": 2, "batch_size": 64},
        "comparison": {"resamples": 20},
        "baselines": {"churn_trees": 5, "pair_trees": 5},
        "gates": "gates.yaml",
        "data_gates": "data-gates.yaml",
        "serving_gate": {"enabled": False},  # the small shop has it, and its model costs as much to load
    }
    return write_yaml(folder / "config.yaml", config)


def split_by_week(log: Path, folder: Path, weeks: int) -> None:
    """Writes `YYYY-MM-DD/log.csv` for each of the first weeks of a log."""
    with log.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number in range(weeks):
        start_s = START_S + 7 * DAY_S * number
        inside = [row for row in rows if start_s <= int(row["ts"]) < start_s + 7 * DAY_S]
        write_rows(folder / str(week(number)) / "log.csv", inside)


def change_rows(path: Path, change: Callable[[Row], Row]) -> None:
    """Rewrites a partition."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    write_rows(path, [change(row) for row in rows])


def write_rows(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def set_data_gates(folder: Path, **values: object) -> Path:
    """Writes another data gates file beside the first."""
    path = folder / "other-data-gates.yaml"
    path.write_text(yaml.safe_dump({**DATA_GATES, **values}), encoding="utf-8")
    return path
