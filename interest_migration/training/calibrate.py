"""Calibrates a trained model on training users that it was not fitted to.

Of churn, blends of the network's logits with the trees' are tried: the held-out users are halved, a scaling is fitted
to either half, and the share of the trees whose scalings leave the other halves the lowest log loss is taken. The
scaling itself is then fitted to both halves. Examples count half for every `calibration_half_life_days` before the
newest cut, since base rates drift and the model is asked about what comes after it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.errors import DataError
from interest_migration.model.churn_trees import blend
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.probability_calibration import CALIBRATED
from interest_migration.model.scatter import members
from interest_migration.training.held_out import EVERYBODY, UserRange
from interest_migration.training.input import ExampleSource
from interest_migration.training.platt import LogitCounts, Scaling, calibration_error, fit, log_loss
from interest_migration.training.settings import TrainingSettings
from schemas.features import AGGREGATES, CHURN, CUT_TIME, FUTURE_CATEGORIES, HORIZON_OBSERVED, HORIZONS, label_name

FEWEST_EXAMPLES: Final = 200
"""With fewer held-out examples, nobody is held out; with fewer known labels, an output is not calibrated."""
SHARES: Final = (0.0, 0.5, 1.0)
"""Shares of the trees in a churn score that are tried; some hundred held-out users tell no finer ones apart."""
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class HeldOut:
    """The halves of the users that are kept from fitting.

    Attributes:
      fitted: The users that the model is fitted to.
      halves: Examples of the others; empty if nobody is held out.
      note: Why nobody is, if so.
    """

    fitted: UserRange
    halves: Sequence[ExampleSource] = ()
    note: str = ""


@dataclass
class _Evidence:
    """What one half of the users says about one output."""

    weighted: LogitCounts = field(default_factory=LogitCounts.none)
    plain: LogitCounts = field(default_factory=LogitCounts.none)
    examples: int = 0

    def add(self, logits: npt.NDArray[Any], positives: npt.NDArray[np.bool_], weights: npt.NDArray[Any]) -> None:
        """Counts `[B]` or `[B, V]` logits of examples with weights `[B]`."""
        self.examples += len(logits)
        spread = np.broadcast_to(weights.reshape(-1, *[1] * (logits.ndim - 1)), logits.shape).ravel()
        self.weighted += LogitCounts.of(logits.ravel(), positives.ravel(), spread)
        self.plain += LogitCounts.of(logits.ravel(), positives.ravel(), np.ones(logits.size))


def hold_out(
    paths: Sequence[str], settings: TrainingSettings, read: Callable[[UserRange], ExampleSource] | None = None
) -> HeldOut:
    """Reads the examples of the users that are kept from fitting.

    Args:
      paths: Files of the train split.
      settings: `calibration_share` says how many users.
      read: Returns the examples of some users; by default all of theirs in the files.
    """
    read = read or (lambda users: ExampleSource(paths, settings, users))
    share = settings.calibration_share
    if not share:
        return HeldOut(EVERYBODY, note="training.calibration_share is 0")
    halves = []
    for users in (UserRange(0, share / 2), UserRange(share / 2, share)):
        try:
            halves.append(read(users))
        except DataError:
            continue
    examples = sum(half.count for half in halves)
    if len(halves) < 2 or examples < FEWEST_EXAMPLES:
        return HeldOut(
            EVERYBODY, note=f"expected at least {FEWEST_EXAMPLES} examples of held-out users, received {examples}"
        )
    return HeldOut(UserRange(share, 1), halves)


def calibrate(model: InterestModel, held_out: HeldOut, settings: TrainingSettings) -> dict[str, Any]:
    """Fits the model's calibration, and returns what `training.json` holds of it.

    Args:
      model: A trained model, whose calibration is the identity and whose blends have no share of the trees yet.
      held_out: Users that it was not fitted to.
      settings: How to train.
    """
    if not held_out.halves:
        return {"note": held_out.note, "outputs": {}}
    halves = [_gather(model, source, settings) for source in held_out.halves]
    fitted = {name: _choose([half[name] for half in halves]) for name in CALIBRATED}
    model.calibration.assign(
        {name: found.scaling.slope for name, found in fitted.items()},
        {name: found.scaling.bias for name, found in fitted.items()},
    )
    model.churn_trees.share.assign([fitted[f"churn_{horizon}"].share for horizon in HORIZONS])
    return {
        "note": "",
        "examples": sum(source.count for source in held_out.halves),
        "half_life_days": settings.calibration_half_life_days,
        "outputs": {name: _record([half[name] for half in halves], found) for name, found in fitted.items()},
    }


@dataclass(frozen=True)
class _Fitted:
    """Share of the trees and scaling of one output, the crossed loss, and why there is no scaling, if so."""

    share: float
    scaling: Scaling
    loss: float
    note: str = ""


def _gather(
    model: InterestModel, source: ExampleSource, settings: TrainingSettings
) -> dict[str, dict[float, _Evidence]]:
    """Returns output -> share of the trees -> evidence."""
    found: dict[str, dict[float, _Evidence]] = {name: {} for name in CALIBRATED}
    batches = source.batches()
    shares = [SHARES if grown else SHARES[:1] for grown in model.churn_trees.grown()]
    score = tf.function(
        lambda batch: _outputs(model, batch, shares), input_signature=[batches.element_spec], autograph=False
    )
    for batch in batches:
        days = (int(model.newest_cut.numpy()) - batch[CUT_TIME].numpy()) / _DAY_SECONDS
        weights = 0.5 ** (np.maximum(days, 0) / settings.calibration_half_life_days)
        for name, (candidates, positives, known) in score(batch).items():
            rows = known.numpy()
            for share, logits in zip(SHARES, candidates, strict=False):
                evidence = found[name].setdefault(share, _Evidence())
                evidence.add(logits.numpy()[rows], positives.numpy()[rows], weights[rows])
    return found


def _outputs(
    model: InterestModel, batch: dict[str, Any], shares: Sequence[Sequence[float]]
) -> dict[str, tuple[Any, Any, Any]]:
    """Returns output -> logits by share of the trees, positives, and which examples know their label."""
    outputs, found = model(batch, training=False), {}
    trees = model.churn_trees(batch[AGGREGATES])
    for column, horizon in enumerate(HORIZONS):
        churned, name = batch[label_name(CHURN[horizon])], f"churn_{horizon}"
        blends = [blend(outputs[name], trees[:, column], share) for share in shares[column]]
        found[name] = (blends, churned == 1, (churned == 0) | (churned == 1))
        positives = members(batch[label_name(FUTURE_CATEGORIES[horizon])], model.sizes.categories)
        name = f"propensity_{horizon}"
        found[name] = ([outputs[name]], positives, batch[label_name(HORIZON_OBSERVED[horizon])] == 1)
    return found


def _choose(halves: Sequence[Mapping[float, _Evidence]]) -> _Fitted:
    return min((_fit(share, [half[share] for half in halves]) for share in halves[0]), key=lambda found: found.loss)


def _fit(share: float, halves: Sequence[_Evidence]) -> _Fitted:
    first, second = halves
    examples, together = first.examples + second.examples, first.plain + second.plain
    if examples < FEWEST_EXAMPLES:
        note = f"expected at least {FEWEST_EXAMPLES} known labels, received {examples}"
        return _Fitted(share, Scaling(), math.inf, note)
    if not (together.positives.any() and together.negatives.any()):
        return _Fitted(share, Scaling(), math.inf, "expected both classes, received one")
    crossed = log_loss(second.weighted, fit(first.weighted)) + log_loss(first.weighted, fit(second.weighted))
    scaling = fit(first.weighted + second.weighted)
    note = "" if scaling != Scaling() else "the logits do not rise with the share of positives"
    return _Fitted(share, scaling, crossed, note)


def _record(halves: Sequence[Mapping[float, _Evidence]], found: _Fitted) -> dict[str, Any]:
    first, second = (half[found.share] for half in halves)
    counts = first.plain + second.plain
    known = first.examples + second.examples > 0
    return {
        "share_of_trees": found.share,
        "slope": found.scaling.slope,
        "bias": found.scaling.bias,
        "examples": first.examples + second.examples,
        "error_before": calibration_error(counts, Scaling()) if known else None,
        "error_after": calibration_error(counts, found.scaling) if known else None,
        "note": found.note,
    }
