"""The work of ingestion in plain single-process Polars: the yardstick for CPU-seconds.

Reads the same purchases, drops the same rows, makes the same features and labels at the same kind of cuts, and writes
the same kind of files. It holds the whole log in memory, knows one source only, and keeps no record of what it drops.
"""

import hmac
import math
from pathlib import Path

import polars as pl

from interest_migration.examples.encode import ExampleEncoder
from interest_migration.examples.lists import EXAMPLE_SCHEMA
from interest_migration.examples.log import DAY_SECONDS, TimeRange
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.splits import SPLITS, plan_cuts
from interest_migration.storage.tfrecords import write_tfrecords
from schemas.features import DECAY_HALF_LIFE_DAYS, HORIZONS, WINDOW_DAYS

_KEY = b"k" * 32


def ingest_with_polars(transactions: Path, products: Path, output: Path, settings: ExampleSettings) -> int:
    """Writes `Split-*/data.gz` and returns the number of examples."""
    events = _number(_read(transactions, products))
    log = TimeRange(*events.select(pl.col("time_s").min(), end=pl.col("time_s").max() + 1).row(0))
    schedule = plan_cuts(log, settings)
    cuts = _cut(events, schedule, settings)
    pairs = _pair(cuts, events)
    frame = (
        cuts.join(_history(cuts, events, settings), on="example", how="left", maintain_order="left")
        .join(_interests(pairs, settings), on="example", how="left", maintain_order="left")
        .join(_aggregates(cuts, events, pairs), on="example", how="left", maintain_order="left")
        .join(_labels(cuts, events, pairs, log, schedule, settings), on="example", how="left", maintain_order="left")
    )
    return _write(_slices(frame), output)


def _read(transactions: Path, products: Path) -> pl.DataFrame:
    events = (
        pl.read_parquet(transactions)
        .filter(pl.col("household_id").is_not_null() & (pl.col("quantity") > 0) & (pl.col("sales_value") >= 0))
        .select(
            pl.col("household_id").cast(pl.String),
            pl.col("transaction_timestamp").dt.epoch("s").alias("time_s"),
            pl.col("product_id").cast(pl.String).alias("item"),
            "quantity",
            (pl.col("sales_value") / pl.col("quantity")).alias("price"),
            pl.col("sales_value").alias("spend"),
        )
    )
    ids = events["household_id"].unique()
    names = [hmac.digest(_KEY, value.encode(), "sha256")[:16].hex() for value in ids]
    items = pl.read_parquet(products).select(
        pl.col("product_id").cast(pl.String).alias("item"),
        pl.col("department").fill_null("").alias("parent"),
        pl.col("product_category").fill_null("").alias("category"),
        pl.col("product_type").fill_null("").alias("child"),
        pl.col("brand").fill_null(""),
    )
    return (
        events.join(pl.DataFrame({"household_id": ids, "user": names}), on="household_id")
        .drop("household_id")
        .join(items, on="item", how="left")
        .with_columns(pl.col("parent", "category", "child", "brand").fill_null(""))
    )


def _number(events: pl.DataFrame) -> pl.DataFrame:
    """Sorts, drops duplicates, numbers events, steps and sessions."""
    new_step = (pl.col("time_s") != pl.col("time_s").shift(1)) | (pl.col("user") != pl.col("user").shift(1))
    new_session = (pl.col("time_s").diff().over("user") > 1800).fill_null(value=True)
    return (
        events.unique()
        .sort("user", "time_s", "item", "price", "quantity")
        .with_row_index("event")
        .with_columns(
            pl.col("event").cast(pl.Int64),
            new_step.fill_null(value=True).cum_sum().cast(pl.Int64).alias("step"),
            new_session.cum_sum().cast(pl.Int64).alias("session"),
            pl.col("spend").cum_sum().alias("spend_so_far"),
        )
        .with_columns(pl.col("event").min().over("step").alias("step_start"))
    )


def _cut(events: pl.DataFrame, schedule, settings: ExampleSettings) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    windows = pl.DataFrame(
        [(split, w.first_s, w.last_s) for split in SPLITS for w in schedule.windows[split]],
        schema=["split", "first_s", "last_s"],
        orient="row",
    )
    users = events.group_by("user", maintain_order=True).agg(
        pl.col("event").min().alias("start"), pl.col("time_s").min().alias("born_s")
    )
    shift = pl.struct("user", "first_s").hash(settings.seed) % (pl.col("last_s") - pl.col("first_s") + 1).cast(
        pl.UInt64
    )
    before = events.select("user", pl.col("time_s").alias("last_time_s"), "event", "step", "session", "step_start")
    return (
        users.join(windows, how="cross")
        .with_columns((pl.col("first_s") + shift.cast(pl.Int64)).alias("cut_time_s"))
        .sort("user", "cut_time_s")
        .with_row_index("example")
        .with_columns((pl.col("cut_time_s") - 1).alias("before_s"))
        .join_asof(
            before, left_on="before_s", right_on="last_time_s", by="user", coalesce=False, check_sortedness=False
        )
        .filter(pl.col("last_time_s") >= pl.col("cut_time_s") - int(settings.active_days * DAY_SECONDS))
        .with_columns((pl.col("event") + 1).alias("end"))
        .select("example", "split", "user", "cut_time_s", "start", "end", "step", "session", "last_time_s", "born_s")
    )


def _history(cuts: pl.DataFrame, events: pl.DataFrame, settings: ExampleSettings) -> pl.DataFrame:
    first = pl.max_horizontal("start", pl.col("end") - settings.max_events)
    ranges = cuts.select("example", "cut_time_s", "session", "end", first=first)
    cut_start = events["step_start"].gather(ranges["first"])
    next_step = events.group_by("step", maintain_order=True).agg(pl.col("event").max() + 1)["event"]
    following = next_step.gather(events["step"].gather(ranges["first"]) - 1)
    ranges = ranges.with_columns(
        pl.when((cut_start == pl.col("first")) | (following >= pl.col("end")))
        .then(pl.col("first"))
        .otherwise(following)
        .alias("first")
    )
    rows = ranges.with_columns(pl.int_ranges("first", "end").alias("event")).explode("event")
    past = events.select(
        "item", "category", "parent", "child", "brand", "price", "time_s", pl.col("session").alias("of")
    )
    return (
        pl.concat([rows.select("example", "cut_time_s", "session"), past[rows["event"]]], how="horizontal")
        .group_by("example", maintain_order=True)
        .agg(
            pl.col("item").alias("event_item"),
            pl.col("category").alias("event_category"),
            pl.col("parent").alias("event_parent_category"),
            pl.col("child").alias("event_child_category"),
            pl.col("brand").alias("event_brand"),
            pl.lit("purchase").repeat_by(pl.len()).first().alias("event_action"),
            pl.lit("").repeat_by(pl.len()).first().alias("event_platform"),
            pl.col("price").cast(pl.Float32).alias("event_price"),
            (pl.col("cut_time_s") - pl.col("time_s")).alias("event_age_seconds"),
            (pl.col("session") - pl.col("of")).alias("event_session"),
        )
    )


def _pair(cuts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """One row per example and category the user ever touches, with what lies before and after the cut."""
    codes = events.filter(pl.col("category") != "").select("user", pl.col("category").cast(pl.Categorical), "time_s")
    cut_times = cuts.select("example", "user", "cut_time_s")
    touches = cut_times.join(codes, on="user").drop("user").with_columns(age_s=pl.col("cut_time_s") - pl.col("time_s"))
    names = [f"interest_decayed_{days}d" for days in DECAY_HALF_LIFE_DAYS]
    weights = [
        (pl.col("age_s") * (-math.log(2) / (days * DAY_SECONDS))).exp().alias(name)
        for name, days in zip(names, DECAY_HALF_LIFE_DAYS, strict=True)
    ]
    past = (
        touches.filter(pl.col("age_s") > 0)
        .with_columns(*weights)
        .group_by("example", "category")
        .agg(pl.len().cast(pl.Float32).alias("interest_count"), pl.col("age_s").min(), pl.col(names).sum())
    )
    future = touches.filter(pl.col("age_s") <= 0).group_by("example", "category").agg(next_s=pl.col("time_s").min())
    return (
        past.join(future, on=["example", "category"], how="full", coalesce=True)
        .join(cut_times.select("example", "cut_time_s"), on="example")
        .with_columns(
            pl.col("category").cast(pl.String), pl.col("interest_count").fill_null(0), pl.col(names).cast(pl.Float32)
        )
    )


def _interests(pairs: pl.DataFrame, settings: ExampleSettings) -> pl.DataFrame:
    decayed = [f"interest_decayed_{days}d" for days in DECAY_HALF_LIFE_DAYS]
    return (
        pairs.filter(pl.col("interest_count") > 0)
        .sort("example", pl.col("interest_decayed_28d") * -1, "category")
        .group_by("example", maintain_order=True)
        .agg(
            pl.col("category").head(settings.max_interests).alias("interest_category"),
            pl.col("interest_count").head(settings.max_interests),
            (pl.col("age_s") / DAY_SECONDS)
            .cast(pl.Float32)
            .head(settings.max_interests)
            .alias("interest_recency_days"),
            *(pl.col(name).head(settings.max_interests) for name in decayed),
        )
    )


def _aggregates(cuts: pl.DataFrame, events: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    spend = pl.concat([pl.Series([0.0]), events["spend_so_far"]])
    step = events["step"]
    frame = cuts.select("example", "user", "cut_time_s", "start", "end", "last_time_s", "born_s", "step")
    times = events.select("user", "time_s", pl.col("event").alias("at"))
    windows: dict[str, list[pl.Series]] = {"events": [], "steps": [], "spend": []}
    for days in WINDOW_DAYS:
        opening = (
            frame.select("user", (pl.col("cut_time_s") - days * DAY_SECONDS).alias("time_s"))
            .join_asof(times, on="time_s", by="user", strategy="forward", check_sortedness=False)["at"]
            .fill_null(0)
        )
        opening = pl.Series(pl.select(pl.min_horizontal(opening, frame["end"])).to_series())
        inside = opening < frame["end"]
        opened = step.gather(pl.select(pl.min_horizontal(opening, frame["end"] - 1)).to_series())
        windows["events"].append(frame["end"] - opening)
        windows["steps"].append((frame["step"] - opened + 1) * inside)
        windows["spend"].append(spend.gather(frame["end"]) - spend.gather(opening))
    lists = [
        pl.concat_list([s.cast(pl.Float32).alias(str(n)) for n, s in enumerate(series)]).alias(f"window_{name}")
        for name, series in windows.items()
    ]
    categories = pairs.group_by("example").agg(
        pl.concat_list([(pl.col("age_s") <= days * DAY_SECONDS).sum().cast(pl.Float32) for days in WINDOW_DAYS]).alias(
            "window_categories"
        )
    )
    scalars = frame.select(
        "example",
        ((pl.col("cut_time_s") - pl.col("last_time_s")) / DAY_SECONDS).alias("recency_days"),
        ((pl.col("cut_time_s") - pl.col("born_s")) / DAY_SECONDS).alias("tenure_days"),
        (pl.col("end") - pl.col("start")).alias("lifetime_events"),
        (pl.col("step") - step.gather(frame["start"]) + 1).alias("lifetime_steps"),
        (spend.gather(frame["end"]) - spend.gather(frame["start"])).alias("lifetime_spend"),
        *_gaps(frame, events),
    )
    visits = [  # all events are purchases
        pl.col("window_steps").alias("window_visits"),
        pl.col("recency_days").alias("visit_recency_days"),
        _absence(frame, events),
    ]
    frame = scalars.with_columns(*lists).with_columns(*visits)
    return frame.join(categories, on="example", how="left", maintain_order="left")


def _absence(frame: pl.DataFrame, events: pl.DataFrame) -> pl.Expr:
    steps = events.group_by("step", maintain_order=True).agg(pl.col("time_s").first())
    gap = steps["time_s"].diff().fill_null(0) / DAY_SECONDS
    running = (frame["cut_time_s"] - frame["last_time_s"]) / DAY_SECONDS
    last, first = frame["step"] - 1, events["step"].gather(frame["start"]) - 1
    columns = []
    for days in WINDOW_DAYS:
        total = (gap - days).clip(lower_bound=0.0).cum_sum()
        spells = total.gather(last) - total.gather(first) + (running - days).clip(lower_bound=0.0)
        columns.append(spells.cast(pl.Float32).alias(str(days)))
    return pl.concat_list(columns).alias("absence_days")


def _gaps(frame: pl.DataFrame, events: pl.DataFrame) -> list[pl.Series]:
    steps = events.group_by("step", maintain_order=True).agg(pl.col("time_s").first())
    gap = (steps["time_s"].diff().fill_null(0) / DAY_SECONDS).alias("gap")
    squares = (gap * gap).cum_sum()
    last, first = frame["step"] - 1, events["step"].gather(frame["start"]) - 1
    count = last - first
    mean = ((frame["last_time_s"] - frame["born_s"]) / DAY_SECONDS / count).fill_nan(0.0)
    square = ((squares.gather(last) - squares.gather(first)) / count).fill_nan(0.0)
    return [
        mean.alias("gap_mean_days"),
        (square - mean * mean).clip(lower_bound=0.0).sqrt().alias("gap_deviation_days"),
        (gap.gather(last) * (count > 0)).alias("gap_last_days"),
    ]


def _labels(cuts, events, pairs, log, schedule, settings) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    by_example = pl.col("next_s").min().over("example")
    newest = pl.col("age_s").min().over("example")
    in_embargo = pl.col("next_s") < pl.col("cut_time_s") + schedule.embargo_s
    nearest = pairs.filter(pl.col("next_s").is_not_null() | pl.col("age_s").is_not_null()).with_columns(
        is_next=(pl.col("next_s") == by_example) & in_embargo, is_last=pl.col("age_s") == newest
    )
    following = (
        nearest.group_by("example")
        .agg(
            pl.col("category").filter("is_next").sort().alias("next_categories"),
            (~(pl.col("is_next") & pl.col("is_last")).any()).cast(pl.Int64).alias("switched"),
            pl.col("next_s").filter("is_next").first(),
        )
        .join(cuts.select("example", "user"), on="example")
    )
    items = (
        following.filter(pl.col("next_s").is_not_null())
        .join(events.select("user", "time_s", "item"), left_on=["user", "next_s"], right_on=["user", "time_s"])
        .group_by("example")
        .agg(pl.col("item").unique().sort().alias("next_items"))
    )
    frame = following.drop("user", "next_s").join(items, on="example", how="left")
    for horizon in HORIZONS:
        frame = frame.join(
            _horizon(cuts, events, pairs, settings, log, horizon), on="example", how="full", coalesce=True
        )
    return frame


def _horizon(cuts, events, pairs, settings, log, horizon: str) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    reach_s = int(getattr(settings.horizons_days, horizon) * DAY_SECONDS)
    fresh = pl.col("age_s").is_null() | (pl.col("age_s") > settings.new_interest_days * DAY_SECONDS)
    sets = (
        pairs.filter(pl.col("next_s") < pl.col("cut_time_s") + reach_s)
        .group_by("example")
        .agg(
            pl.col("category").sort().alias(f"future_categories_{horizon}"),
            pl.col("category").filter(fresh).sort().alias(f"new_categories_{horizon}"),
        )
    )
    after = cuts.select("example", "user", "cut_time_s").join_asof(
        events.select("user", pl.col("time_s").alias("back_s")),
        left_on="cut_time_s",
        right_on="back_s",
        by="user",
        strategy="forward",
        coalesce=False,
        check_sortedness=False,
    )
    gone = (pl.col("back_s").is_null() | (pl.col("back_s") >= pl.col("cut_time_s") + reach_s)).cast(pl.Int64)
    observed = (pl.col("cut_time_s") + reach_s <= log.end_s).cast(pl.Int64)
    flags = after.select("example", observed.alias(f"horizon_observed_{horizon}"), gone.alias(f"churn_{horizon}"))
    return flags.join(sets, on="example", how="left")


def _slices(frame: pl.DataFrame) -> pl.DataFrame:
    recent = pl.col("window_steps").list.get(WINDOW_DAYS.index(28)).cast(pl.Float64)
    return frame.with_columns(
        recent.cut([0.5, 2.5, 5.5, 10.5], labels=["0", "1-2", "3-5", "6-10", "11+"])
        .cast(pl.String)
        .alias("slice_activity"),
        pl.col("tenure_days")
        .cut([28, 84, 182], labels=["<28", "28-83", "84-181", "182+"])
        .cast(pl.String)
        .alias("slice_tenure"),
        pl.col("interest_category").list.first().fill_null("").alias("slice_category"),
        pl.lit("purchase").alias("slice_action"),
        pl.lit("").alias("slice_platform"),
        pl.lit(None, pl.List(pl.String)).alias("user_attributes"),
    )


def _write(frame: pl.DataFrame, output: Path) -> int:
    encoder = ExampleEncoder()
    for split in SPLITS:
        part = frame.filter(pl.col("split") == split)
        columns = [
            (
                pl.col(field.name)
                if part.schema[field.name].base_type() is pl.List
                else pl.col(field.name).reshape((-1, 1))
            )
            .cast(pl.List(_ELEMENTS[str(field.type.value_type)]))
            .alias(field.name)
            for field in EXAMPLE_SCHEMA
        ]
        table = part.select(columns).to_arrow().cast(EXAMPLE_SCHEMA).combine_chunks()
        path = output / f"Split-{split}" / "data.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tfrecords(path, [record for batch in table.to_batches() for record in encoder.encode(batch)])
    return frame.height


_ELEMENTS = {"large_binary": pl.String, "int64": pl.Int64, "float": pl.Float32}
