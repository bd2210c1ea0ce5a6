from pathlib import Path

import pytest

from interest_migration.data_gate.settings import FEATURES, DataGateSettings, Limits, Rejected
from interest_migration.errors import ConfigError
from interest_migration.sources.mapping import SourceMapping

SHIPPED = Path(__file__).parents[3] / "configs" / "data-gates.yaml"


def test_the_shipped_file_is_valid():
    assert DataGateSettings.from_yaml(SHIPPED).events is not None


def test_an_empty_file_still_asks_for_the_schema():
    assert DataGateSettings().anomalies == "refuse"


def test_limits_of_a_feature_its_own_the_default_or_none():
    rules = DataGateSettings.from_values(
        {
            "drift": {
                "default": {"jensen_shannon": 0.1},
                "features": {"event_price": {"l_infinity": 0.2}},
                "ignore": ["tenure_days"],
            }
        },
        source="test",
    ).drift
    assert rules is not None
    assert rules.limits("event_item") == Limits(jensen_shannon=0.1)
    assert rules.limits("event_price") == Limits(l_infinity=0.2)
    assert rules.limits("tenure_days") == Limits()


def test_reasons_are_those_of_ingestion_and_of_the_mappings_filters():
    fields = {"user": "u", "time": "t", "action": {"constant": "view"}}
    stream = {"name": "log", "fields": fields, "filters": [{"column": "agent", "drop": ["bot"], "reason": "robot"}]}
    mapping = SourceMapping.from_values({"name": "shop", "streams": [stream]}, source="test")
    Rejected(reasons={"robot": 0.1, "after_its_span": 0.1, "duplicate": 0.1}).require_reasons(mapping)
    with pytest.raises(ConfigError, match=r"expected reasons among broken_row, .*robot; not duplicates .did you mean"):
        Rejected(reasons={"duplicates": 0.1}).require_reasons(mapping)


def test_keys_of_an_example_are_no_features():
    assert "event_price" in FEATURES
    assert not {"user", "cut_time_s"} & set(FEATURES)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"drift": {"features": {"price": {}}}}, "expected features among event_item, .*; not price .did you mean"),
        ({"drift": {"ignore": ["event_pric"]}}, "did you mean event_price"),
        ({"skew": {"features": {"user": {}}}}, "expected features among"),
        ({"serving": {"logs": "x", "ignore": ["churn_short"]}}, "expected features of a request among"),
        ({"events": {"fields": {"prices": {}}}}, "expected fields among action, .*did you mean price"),
        ({"ignore_anomalies": ["nothing"]}, "expected features among user, cut_time_s"),
        ({"volume": [{"measure": "users"}]}, "received none of them"),
        ({"volume": [{"measure": "users", "at_least": 2, "at_most": 1}]}, "expected at_least <= at_most"),
        ({"volume": [{"measure": "cats", "at_least": 2}]}, "measure"),
        ({"drift": {"default": {"jensen_shannon": 2}}}, "jensen_shannon"),
        ({"drift": {"splits": ["valid"]}}, "splits"),
        ({"drifts": {}}, "Extra inputs"),
    ],
)
def test_what_does_not_fit_is_named_with_what_is_known(values: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        DataGateSettings.from_values(values, source="data-gates.yaml")
