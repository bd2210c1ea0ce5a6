"""Vocabularies without values that too few users have.

TFT's `vocabulary` counts occurrences, of which one user can make many, and cannot be told which values to leave out.
So the filter is put where TFT drops infrequent values: before the most frequent ones are chosen and written.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
from tensorflow_transform.beam import analyzer_impls

from components.ingestion import VALUE_USERS
from interest_migration.errors import DataError
from interest_migration.privacy.minimum_users import add_counts, enough_users
from interest_migration.transform.vocabularies import COUNTED


def read_values(examples: Path, min_users: int) -> dict[str, frozenset[bytes]]:
    """Returns vocabulary -> the values that enough users of the train split have.

    Args:
      examples: Folder of an ingestion that counted users.
      min_users: Fewest distinct users.

    Raises:
      DataError: If users were not counted.
    """
    values = {}
    for vocabulary in COUNTED:
        files = sorted((examples / VALUE_USERS / vocabulary).glob("*.parquet"))
        if not files:
            raise DataError(f"expected counts of users in {examples / VALUE_USERS}, found none; run ingestion again")
        counts = add_counts([pq.read_table(file) for file in files])
        values[vocabulary] = frozenset(enough_users(counts, min_users).to_pylist())
    return values


@contextmanager
def only_values(allowed: Mapping[str, frozenset[bytes]]) -> Iterator[None]:
    """Vocabularies that are analysed in the context hold allowed values only.

    Args:
      allowed: Name of the vocabulary, which is also its `name` in `tft.vocabulary` -> values.
    """
    node = analyzer_impls._VocabularyPruneImpl
    expand, init = node.expand, node.__init__

    def remember(self: Any, operation: Any, extra_args: Any) -> None:
        init(self, operation, extra_args)
        self.vocabulary = operation.label.partition("[")[2].split("/")[0].rstrip("]")  # VocabularyPrune[items]

    def filter_first(self: Any, inputs: Any) -> Any:
        (counts,) = inputs
        values = allowed[self.vocabulary]
        kept = counts | "EnoughUsers" >> beam.Filter(lambda entry, values: entry[1] in values, values)
        return expand(self, (kept,))

    node.__init__, node.expand = remember, filter_first
    try:
        yield
    finally:
        node.__init__, node.expand = init, expand
