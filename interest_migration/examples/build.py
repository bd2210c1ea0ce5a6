"""From a shard of events to examples: where features and labels come together, for training and for serving."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import ContractError
from interest_migration.examples.aggregates import aggregate_past
from interest_migration.examples.cuts import Cuts, choose_cuts
from interest_migration.examples.history import list_history
from interest_migration.examples.interests import list_interests
from interest_migration.examples.labels import LabelRules, label_future
from interest_migration.examples.lists import EXAMPLE_SCHEMA, INPUT_SCHEMA, Columns, scalar_column
from interest_migration.examples.log import TimeRange
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import ShardEvents, prepare_shard
from interest_migration.examples.slices import assign_slices
from interest_migration.examples.splits import SPLITS, plan_cuts
from interest_migration.examples.touches import Pairs, collect_touches, pair_with_categories
from interest_migration.examples.visits import list_visits
from schemas.features import CUT_TIME, USER


def build_examples(
    shard: ShardEvents, log: TimeRange, settings: ExampleSettings, attributes: pa.ListArray | None = None
) -> dict[str, pa.RecordBatch]:
    """Makes all examples of a shard.

    Args:
      shard: Events from `prepare_shard`, with the same settings.
      log: Time that the whole log covers, the same for every shard.
      settings: Definition of examples.
      attributes: `[U]` lists of 'name=value' in the order of `shard.users`, or None if nothing is declared.

    Returns:
      'train', 'eval' and 'test' -> examples in `EXAMPLE_SCHEMA`, sorted by user and cut time; no rows where a split has
      no example in this shard.

    Raises:
      DataError: If the log is too short for the three splits.
      ContractError: If there is not one row of attributes for each user.
    """
    if attributes is not None and len(attributes) != len(shard.users):
        raise ContractError(f"expected attributes of {len(shard.users)} users, received {len(attributes)} rows")
    schedule = plan_cuts(log, settings)
    rules = LabelRules(log, schedule, settings)
    touches = collect_touches(shard, settings)
    examples: dict[str, pa.RecordBatch] = {}
    for split in SPLITS:
        cuts = choose_cuts(shard, schedule.windows[split], settings, split)
        pairs = pair_with_categories(cuts, touches)
        columns = {
            **_list_inputs(cuts, pairs, settings),
            **assign_slices(cuts, pairs, attributes),
            **label_future(cuts, pairs, rules),
        }
        examples[split] = _to_batch(columns, EXAMPLE_SCHEMA)
    return examples


def build_features(events: pa.RecordBatch | pa.Table, cut_time_s: int, settings: ExampleSettings) -> pa.RecordBatch:
    """Makes the model's inputs for users as they stand at one moment: what a serving client sends.

    The same code as for training. From a bounded buffer of a user's newest events come the same `event_*` features, and
    the same aggregates and interests as far back as the buffer reaches. Needs NumPy and Arrow only.

    Args:
      events: Events of one or more users, columns of `schemas.events`; those at or after the cut are ignored.
      cut_time_s: The moment, usually now; Unix seconds UTC.
      settings: The settings that the model was trained with.

    Returns:
      Keys and inputs in `INPUT_SCHEMA`, a row for each user with an event before the cut, sorted by user.
    """
    past = events.filter(pc.less(events["time_s"], cut_time_s))
    everyone = settings.model_copy(update={"bot_limits": ()})  # whoever asks gets an answer
    shard, _ = prepare_shard(past if isinstance(past, pa.Table) else [past], everyone)
    users = np.arange(len(shard.users))
    cuts = Cuts(shard, users, np.full(len(users), cut_time_s))
    pairs = pair_with_categories(cuts, collect_touches(shard, settings))
    return _to_batch(_list_inputs(cuts, pairs, settings), INPUT_SCHEMA)


def _list_inputs(cuts: Cuts, pairs: Pairs, settings: ExampleSettings) -> Columns:
    return {
        USER: scalar_column(cuts.shard.users.take(pa.array(cuts.user))),
        CUT_TIME: scalar_column(pa.array(cuts.time_s)),
        **list_history(cuts, settings.max_events),
        **list_interests(cuts, pairs, settings.max_interests),
        **aggregate_past(cuts, pairs),
        **list_visits(cuts, settings),
    }


def _to_batch(columns: Columns, schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)
