"""Contract actions from a source's own words."""

from collections.abc import Sequence

import pyarrow as pa

from interest_migration.privacy.identifiers import canonical_ids
from interest_migration.sources.distinct import encode, null_mask, spread, text_or_null
from interest_migration.sources.fields import ActionField
from interest_migration.sources.rejects import Reason, Verdict


def parse_actions(
    values: pa.Array, field: ActionField, null_values: Sequence[str], verdict: Verdict
) -> pa.DictionaryArray:
    """Translates each row's word; rows without a contract action are rejected.

    Args:
      values: `[N]` words.
      field: Vocabulary.
      null_values: Texts that mean "no value".
      verdict: Receives `missing_action`, `ignored_action` and `unknown_action`.

    Returns:
      `[N]` dictionary of contract actions, null where rejected.

    Example:
      values {pv: view}, ignore [ping]; ["PV", "ping", "zap", null]
      -> ["view", null, null, null], the last three rejected as ignored, unknown and missing.
    """
    vocabulary = field.vocabulary
    ignored_words = {word.strip().casefold() for word in field.ignore}
    encoded = encode(values)
    texts = text_or_null(encoded.dictionary, null_values, canonical_ids)
    words = [word and word.casefold() for word in texts.to_pylist()]
    translated = pa.array([None if word in ignored_words else vocabulary.get(word) for word in words], pa.string())
    ignored = [word in ignored_words for word in words]
    unknown = [word is not None and word not in ignored_words and word not in vocabulary for word in words]
    missing = [word is None for word in words]
    verdict.reject(
        spread(missing, encoded) | null_mask(encoded.indices), Reason.MISSING_ACTION, f"{field.column}: empty"
    )
    verdict.reject(spread(ignored, encoded), Reason.IGNORED_ACTION, f"{field.column}: listed in `ignore`")
    verdict.reject(spread(unknown, encoded), Reason.UNKNOWN_ACTION, f"{field.column}: a word that is not in `values`")
    actions = translated.dictionary_encode()
    return pa.DictionaryArray.from_arrays(actions.indices.take(encoded.indices), actions.dictionary)
