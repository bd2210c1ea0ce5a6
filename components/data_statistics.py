"""Statistics of TensorFlow Data Validation as the distributions that the data gate compares."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from interest_migration.data_gate.distributions import MISSING, Distribution, Histogram
from interest_migration.data_gate.evidence import Anomaly, Features
from interest_migration.errors import DataError
from schemas.features import USER

_STATISTICS = "FeatureStats.pb"
_ANOMALIES = "SchemaDiff.pb"


def read_statistics(folder: str, split: str) -> Features:
    """Reads the statistics of one split, as StatisticsGen writes them.

    Raises:
      DataError: If they are missing or damaged.
    """
    path = Path(folder) / f"Split-{split}" / _STATISTICS
    try:
        statistics = tfdv.load_stats_binary(str(path))
    except Exception as error:
        raise DataError(f"expected statistics in {path}, received: {error}") from error
    return to_features(statistics)


def read_anomalies(folder: str, split: str) -> list[Anomaly]:
    """Reads what ExampleValidator found in one split.

    Raises:
      DataError: If its file is missing or damaged.
    """
    path = Path(folder) / f"Split-{split}" / _ANOMALIES
    found = anomalies_pb2.Anomalies()
    try:
        found.ParseFromString(path.read_bytes())
    except Exception as error:
        raise DataError(f"expected anomalies in {path}, received: {error}") from error
    anomalies = [Anomaly(split, name, info.description) for name, info in sorted(found.anomaly_info.items())]
    if found.HasField("dataset_anomaly_info"):
        anomalies.append(Anomaly(split, "", found.dataset_anomaly_info.description))
    if found.data_missing:
        anomalies.append(Anomaly(split, "", "there are no examples"))
    return anomalies


def to_features(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> Features:
    """Returns one distribution per feature of the first data set."""
    dataset = statistics.datasets[0]
    by_name = {feature.path.step[0]: feature for feature in dataset.features}
    users = by_name[USER].string_stats.unique if USER in by_name else dataset.num_examples
    return {
        name: _distribution(feature, float(dataset.num_examples), float(users))
        for name, feature in by_name.items()
        if name != USER
    }


def _distribution(feature: Any, examples: float, users: float) -> Distribution:
    """One feature; `users` are those of the whole split."""
    is_text = feature.HasField("string_stats")
    details = feature.string_stats if is_text else feature.num_stats
    common = details.common_stats
    missing = common.num_missing / examples if examples else 1.0
    size = users / _unevenness(common)
    base = {MISSING: missing} if missing else {}
    if missing == 1 or not common.tot_num_values:
        return Distribution({MISSING: 1.0}, size)
    if not is_text and _is_binary(feature):
        ones = details.mean * (1 - missing)
        return Distribution({**base, "0": 1 - missing - ones, "1": ones}, size)
    if not is_text:
        return Distribution(base, size, histogram=_quantiles(details))
    total = common.tot_num_values / (1 - missing)
    buckets = details.rank_histogram.buckets
    shares = {bucket.label: bucket.sample_count / total for bucket in buckets}
    listed_all = len(buckets) >= details.unique
    rest = 0.0 if listed_all else max(0.0, 1 - missing - sum(shares.values()))
    return Distribution({**base, **shares}, size, rest, 0.0 if listed_all else min(shares.values()))


def _unevenness(common: Any) -> float:
    """Returns E[n^2] / E[n]^2 of the values per example: 1 where all have as many, more where a few have most."""
    buckets = common.num_values_histogram.buckets
    weights = np.array([bucket.sample_count for bucket in buckets])
    middles = np.array([(bucket.low_value + bucket.high_value) / 2 for bucket in buckets])
    if not weights.sum() or not (weights @ middles):
        return 1.0
    return float((weights @ middles**2) * weights.sum() / (weights @ middles) ** 2)


def _is_binary(feature: Any) -> bool:
    stats = feature.num_stats
    return feature.type == statistics_pb2.FeatureNameStatistics.INT and stats.min >= 0 and stats.max <= 1


def _quantiles(stats: Any) -> Histogram:
    """TFDV writes two histograms; that of the quantiles has ranges of equal weight."""
    wanted = statistics_pb2.Histogram.QUANTILES
    buckets = next(histogram.buckets for histogram in stats.histograms if histogram.type == wanted)
    mass = np.array([bucket.sample_count for bucket in buckets])
    low, high = (np.array([getattr(bucket, name) for bucket in buckets]) for name in ("low_value", "high_value"))
    return Histogram(low, high, mass / mass.sum())
