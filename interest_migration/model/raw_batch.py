"""A batch of parsed raw examples as dense tensors that can be edited, and back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import tensorflow as tf

from interest_migration.transform.steps import step_index
from schemas.features import EVENT_AGE, EVENT_SESSION, INTEREST_CATEGORY, RAW_FEATURES, WINDOW_DAYS, Role, Shape

Tensors = dict[str, Any]
_INPUTS: Final = tuple(spec for spec in RAW_FEATURES if spec.role is Role.INPUT)
_EVENTS: Final = tuple(spec.name for spec in _INPUTS if spec.shape is Shape.EVENTS)
_INTERESTS: Final = tuple(spec.name for spec in _INPUTS if spec.shape is Shape.INTERESTS)

_DTYPES: Final = {spec.name: tf.as_dtype(spec.dtype) for spec in _INPUTS}
_WIDTHS: Final = {
    spec.name: len(WINDOW_DAYS) if spec.shape is Shape.WINDOWS else 1
    for spec in _INPUTS
    if spec.name not in (*_EVENTS, *_INTERESTS)
}


@dataclass(frozen=True)
class RawBatch:
    """Raw inputs of N examples, or of `[B, V]` variants of B examples; below, `...` is N or B, V.

    Attributes:
      events: Feature -> `[..., E]`, old to new.
      kept: `[..., E]` bool, which of them are events; those that are not may lie anywhere.
      interests: Feature -> `[..., K]`.
      rows: `[..., K]` bool, which of them are rows of the profile.
      numbers: Feature -> `[..., 1]` or `[..., W]`.
    """

    events: Tensors
    kept: tf.Tensor
    interests: Tensors
    rows: tf.Tensor
    numbers: Tensors

    def parts(self) -> tuple[Any, ...]:
        """Returns what the constructor takes, in its order: a compiled function takes no dataclass."""
        return self.events, self.kept, self.interests, self.rows, self.numbers

    def flat(self) -> "RawBatch":
        """Returns `[B, V]` variants as N = B * V examples."""
        return self._each(lambda value: tf.reshape(value, tf.concat([[-1], tf.shape(value)[2:]], axis=0)))

    def repeated(self, times: int) -> "RawBatch":
        """Returns N * times examples, copies beside each other."""
        return self._each(lambda value: tf.repeat(value, times, axis=0))

    def taken(self, places: tf.Tensor) -> "RawBatch":
        """Returns M of N examples, at `[M]` places."""
        return self._each(lambda value: tf.gather(value, places))

    def _each(self, change: Callable[[tf.Tensor], tf.Tensor]) -> "RawBatch":
        events, interests, numbers = (
            {name: change(value) for name, value in part.items()}
            for part in (self.events, self.interests, self.numbers)
        )
        return RawBatch(events, change(self.kept), interests, change(self.rows), numbers)


def compile_once(function: Callable[..., Any]) -> Any:
    """Returns the function of the parts of N examples, compiled: it is in a graph once, however often it is called."""

    def specs(names: Iterable[str], widths: Mapping[str, int]) -> dict[str, tf.TensorSpec]:
        return {name: tf.TensorSpec([None, widths.get(name)], _DTYPES[name], name=name) for name in names}

    marks = tf.TensorSpec([None, None], tf.bool)
    parts = (specs(_EVENTS, {}), marks, specs(_INTERESTS, {}), marks, specs(_WIDTHS, _WIDTHS))
    return tf.function(function, autograph=False).get_concrete_function(*parts)


def from_raw(raw: Mapping[str, Any]) -> RawBatch:
    """Returns parsed raw examples, feature name -> fixed, ragged or sparse values, as dense tensors."""
    lists = {name: _ragged(raw[name]) for name in (*_EVENTS, *_INTERESTS)}
    return RawBatch(
        events={name: lists[name].to_tensor() for name in _EVENTS},
        kept=tf.sequence_mask(lists[EVENT_AGE].row_lengths()),
        interests={name: lists[name].to_tensor() for name in _INTERESTS},
        rows=tf.sequence_mask(lists[INTEREST_CATEGORY].row_lengths()),
        numbers={name: tf.reshape(raw[name], [-1, width]) for name, width in _WIDTHS.items()},
    )


def to_raw(batch: RawBatch, parsers: Mapping[str, Any]) -> Tensors:
    """Returns N examples in the form that `parsers` read: what `from_raw` was given, if nothing was edited.

    Sessions are counted anew, since all events of one may be gone.
    """
    lists = {name: tf.ragged.boolean_mask(value, batch.kept) for name, value in batch.events.items()}
    lists[EVENT_SESSION] = step_index(lists[EVENT_SESSION])
    lists |= {name: tf.ragged.boolean_mask(value, batch.rows) for name, value in batch.interests.items()}
    numbers = {name: tf.reshape(value, [-1, *parsers[name].shape]) for name, value in batch.numbers.items()}
    return numbers | {name: _as_parsed(value, parsers[name]) for name, value in lists.items()}


def _ragged(value: Any) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_sparse(value) if isinstance(value, tf.SparseTensor) else value


def _as_parsed(value: tf.RaggedTensor, parser: Any) -> Any:
    if isinstance(parser, tf.io.RaggedFeature):
        return value.with_row_splits_dtype(parser.row_splits_dtype)
    return value.to_sparse()
