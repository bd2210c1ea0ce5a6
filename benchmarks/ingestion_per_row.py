"""The work of ingestion as most Beam pipelines do it: one Python dict per row, one user at a time.

Same purchases, same rows dropped, same kinds of cuts, same features and labels, same kind of files; stock Beam
transforms for reading, grouping and writing.
"""

import hmac
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from interest_migration.examples.log import DAY_SECONDS, TimeRange
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.splits import SPLITS, Schedule, plan_cuts
from schemas.features import DECAY_HALF_LIFE_DAYS, HORIZONS, WINDOW_DAYS

_KEY = b"k" * 32
Row = dict[str, Any]
Features = dict[str, list[Any]]


def ingest_per_row(transactions: Path, products: Path, output: Path, settings: ExampleSettings) -> int:
    """Writes `Split-*/data-*.gz` and returns the number of examples."""
    log = _measure(transactions)
    schedule = plan_cuts(log, settings)
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        examples = (
            pipeline
            | beam.io.ReadFromParquet(str(transactions))
            | beam.Filter(_is_usable)
            | beam.ParDo(_Clean(products))
            | beam.GroupByKey()
            | beam.ParDo(_BuildUser(log, schedule, settings))
        )
        for split in SPLITS:
            _ = (
                examples
                | f"Only{split}" >> beam.Filter(lambda pair, split=split: pair[0] == split)
                | f"Encode{split}" >> beam.Map(_encode)
                | f"Write{split}"
                >> beam.io.WriteToTFRecord(
                    str(output / f"Split-{split}" / "data"), file_name_suffix=".gz", num_shards=4
                )
            )
        _ = (
            examples
            | beam.combiners.Count.Globally()
            | beam.Map(lambda count: (output / "count").write_text(str(count)) and None)
        )
    return int((output / "count").read_text())


def _measure(transactions: Path) -> TimeRange:
    times = pq.read_table(transactions, columns=["transaction_timestamp"])["transaction_timestamp"]
    bounds = pc.min_max(times).as_py()
    return TimeRange(int(bounds["min"].timestamp()), int(bounds["max"].timestamp()) + 1)


def _is_usable(row: Row) -> bool:
    return row["household_id"] is not None and row["quantity"] > 0 and row["sales_value"] >= 0


class _Clean(beam.DoFn):
    """Row -> (pseudonym, event) with the item's categories joined."""

    def __init__(self, products: Path) -> None:
        self._products = products

    def setup(self) -> None:
        self._items = {row["product_id"]: row for row in pq.read_table(self._products).to_pylist()}

    def process(self, row: Row) -> Iterator[tuple[str, tuple[Any, ...]]]:
        user = hmac.digest(_KEY, str(row["household_id"]).encode(), "sha256")[:16].hex()
        item = self._items.get(row["product_id"], {})
        time_s = int(row["transaction_timestamp"].timestamp())
        levels = [item.get(name) for name in ("department", "product_category", "product_type")]
        path = [level for level in levels if level]
        parent, category = " > ".join(path[:1]), " > ".join(path[:2])
        child = " > ".join(path) if len(path) > 2 else ""
        price = row["sales_value"] / row["quantity"]
        yield (
            user,
            (time_s, str(row["product_id"]), category, parent, child, item.get("brand") or "", price, row["quantity"]),
        )


@dataclass
class _History:
    """A user's events in order, with the step and session of each."""

    events: list[tuple[Any, ...]]
    times: list[int]
    steps: list[int]
    sessions: list[int]


class _BuildUser(beam.DoFn):
    """(pseudonym, events) -> (split, features) for every cut."""

    def __init__(self, log: TimeRange, schedule: Schedule, settings: ExampleSettings) -> None:
        self._log, self._schedule, self._settings = log, schedule, settings

    def process(self, element: tuple[str, Any]) -> Iterator[tuple[str, Features]]:
        user, events = element
        history = self._number(sorted(set(events)))
        number = int(user[:15], 16)
        for split in SPLITS:
            for window in self._schedule.windows[split]:
                cut_s = window.first_s + number % (window.last_s - window.first_s + 1)
                end = bisect_left(history.times, cut_s)
                if end and history.times[end - 1] >= cut_s - self._settings.active_days * DAY_SECONDS:
                    yield split, self._build(user, history, cut_s, end)

    def _number(self, events: list[tuple[Any, ...]]) -> _History:
        steps, sessions, step, session, before = [], [], 0, 0, None
        for event in events:
            if before is not None and event[0] != before:
                step += 1
                session += event[0] - before > self._settings.session_gap_minutes * 60
            before = event[0]
            steps.append(step)
            sessions.append(session)
        return _History(events, [event[0] for event in events], steps, sessions)

    def _build(self, user: str, history: _History, cut_s: int, end: int) -> Features:
        features: Features = {"user": [user], "cut_time_s": [cut_s]}
        self._list_history(features, history, cut_s, end)
        profile = self._list_interests(features, history, cut_s, end)
        self._aggregate(features, history, profile, cut_s, end)
        self._label(features, history, profile, cut_s, end)
        return features

    def _list_history(self, features: Features, history: _History, cut_s: int, end: int) -> None:
        first = max(0, end - self._settings.max_events)
        if first and history.steps[first] == history.steps[first - 1]:
            whole = bisect_left(history.steps, history.steps[first] + 1)
            first = whole if whole < end else first
        kept = history.events[first:end]
        features["event_item"] = [event[1] for event in kept]
        features["event_category"] = [event[2] for event in kept]
        features["event_parent_category"] = [event[3] for event in kept]
        features["event_child_category"] = [event[4] for event in kept]
        features["event_brand"] = [event[5] for event in kept]
        features["event_action"] = ["purchase"] * len(kept)
        features["event_platform"] = [""] * len(kept)
        features["event_price"] = [event[6] for event in kept]
        features["event_age_seconds"] = [cut_s - event[0] for event in kept]
        newest = history.sessions[end - 1]
        features["event_session"] = [newest - session for session in history.sessions[first:end]]

    def _list_interests(self, features: Features, history: _History, cut_s: int, end: int) -> dict[str, list[float]]:
        profile: dict[str, list[float]] = {}
        for event in history.events[:end]:
            if event[2]:
                age_days = (cut_s - event[0]) / DAY_SECONDS
                entry = profile.setdefault(event[2], [0.0, 0.0, 0.0, 0.0, 0.0])
                entry[0] += 1
                entry[1] = age_days
                for index, half_life in enumerate(DECAY_HALF_LIFE_DAYS, 2):
                    entry[index] += 0.5 ** (age_days / half_life)
        ranked = sorted(profile.items(), key=lambda pair: (-pair[1][3], pair[0]))[: self._settings.max_interests]
        features["interest_category"] = [name for name, _ in ranked]
        names = ("count", "recency_days", *(f"decayed_{days}d" for days in DECAY_HALF_LIFE_DAYS))
        for index, name in enumerate(names):
            features[f"interest_{name}"] = [float(entry[index]) for _, entry in ranked]
        return profile

    def _aggregate(
        self, features: Features, history: _History, profile: dict[str, list[float]], cut_s: int, end: int
    ) -> None:
        starts = [bisect_left(history.times, cut_s - days * DAY_SECONDS, 0, end) for days in WINDOW_DAYS]
        spends = [event[6] * event[7] for event in history.events[:end]]
        steps = [history.steps[end - 1] - history.steps[start] + 1 if start < end else 0 for start in starts]
        features["window_events"] = [float(end - start) for start in starts]
        features["window_steps"] = [float(count) for count in steps]
        features["window_spend"] = [float(sum(spends[start:])) for start in starts]
        features["window_categories"] = [
            float(sum(entry[1] <= days for entry in profile.values())) for days in WINDOW_DAYS
        ]
        times = sorted(set(history.times[:end]))
        gaps = [(after - before) / DAY_SECONDS for before, after in pairwise(times)]
        mean = sum(gaps) / len(gaps) if gaps else 0.0
        deviation = sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) if gaps else 0.0
        features["recency_days"] = [(cut_s - times[-1]) / DAY_SECONDS]
        features["tenure_days"] = [(cut_s - times[0]) / DAY_SECONDS]
        features["lifetime_events"] = [float(end)]
        features["lifetime_steps"] = [float(len(times))]
        features["lifetime_spend"] = [sum(spends)]
        features["gap_mean_days"], features["gap_deviation_days"] = [mean], [deviation]
        features["gap_last_days"] = [gaps[-1] if gaps else 0.0]
        features["window_visits"] = features["window_steps"]  # all events are purchases
        features["visit_recency_days"] = features["recency_days"]
        spells = [*gaps, *features["recency_days"]]
        features["absence_days"] = [sum(max(spell - days, 0.0) for spell in spells) for days in WINDOW_DAYS]
        recent = steps[WINDOW_DAYS.index(28)]
        activity = ("0", "1-2", "3-5", "6-10", "11+")[(recent >= 1) + (recent >= 3) + (recent >= 6) + (recent >= 11)]
        tenure = features["tenure_days"][0]
        features["slice_activity"] = [activity]
        features["slice_tenure"] = [
            ("<28", "28-83", "84-181", "182+")[(tenure >= 28) + (tenure >= 84) + (tenure >= 182)]
        ]
        features["slice_category"] = features["interest_category"][:1] or [""]
        features["slice_action"], features["slice_platform"] = ["purchase"], [""]

    def _label(
        self, features: Features, history: _History, profile: dict[str, list[float]], cut_s: int, end: int
    ) -> None:
        next_s = next((event[0] for event in history.events[end:] if event[2]), None)
        if next_s is not None and next_s < cut_s + self._schedule.embargo_s:
            step = [event for event in history.events[end:] if event[0] == next_s]
            following = {event[2] for event in step if event[2]}
            newest = max((event[0] for event in history.events[:end] if event[2]), default=None)
            last = {event[2] for event in history.events[:end] if event[0] == newest and event[2]}
            features["next_categories"] = sorted(following)
            features["next_items"] = sorted({event[1] for event in step})
            features["switched"] = [int(not last & following)] if last else []
        for horizon in HORIZONS:
            limit_s = cut_s + int(getattr(self._settings.horizons_days, horizon) * DAY_SECONDS)
            future = history.events[end : bisect_left(history.times, limit_s)]
            categories = {event[2] for event in future if event[2]}
            fresh = {
                name
                for name in categories
                if name not in profile or profile[name][1] > self._settings.new_interest_days
            }
            features[f"horizon_observed_{horizon}"] = [int(limit_s <= self._log.end_s)]
            features[f"future_categories_{horizon}"] = sorted(categories)
            features[f"new_categories_{horizon}"] = sorted(fresh)
            features[f"churn_{horizon}"] = [int(not future)]


def _encode(pair: tuple[str, Features]) -> bytes:
    import tensorflow as tf

    example = tf.train.Example()
    for name, values in pair[1].items():
        feature = example.features.feature[name]
        if values and isinstance(values[0], str):
            feature.bytes_list.value.extend(value.encode() for value in values)
        elif values and isinstance(values[0], int):
            feature.int64_list.value.extend(values)
        else:
            feature.float_list.value.extend(values)
    return example.SerializeToString()
