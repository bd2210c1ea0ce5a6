"""schemas/schema.pbtxt is the feature table in TFMD's words."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

import schemas
from schemas.features import RAW_FEATURES, FeatureSpec, Role, Shape

SCHEMA = text_format.Parse(
    (Path(schemas.__file__).parent / "schema.pbtxt").read_text(encoding="utf-8"), schema_pb2.Schema()
)
FEATURES = {feature.name: feature for feature in SCHEMA.feature}

BIT = {"min": 0, "max": 1}
NOT_NEGATIVE = {"min": 0.0, "disallow_nan": True, "disallow_inf": True}
INT_DOMAINS = {
    "event_age_seconds": {"min": 1},
    "event_session": {"min": 0},
    "switched": BIT,
    "horizon_observed_short": BIT,
    "horizon_observed_long": BIT,
    "churn_short": BIT,
    "churn_long": BIT,
}
STRING_DOMAINS = {
    "slice_activity": ["0", "1-2", "3-5", "6-10", "11+"],
    "slice_tenure": ["<28", "28-83", "84-181", "182+"],
}
NAMED_DOMAINS = {"event_action": "action", "slice_action": "action"}


def test_names_and_order() -> None:
    assert [feature.name for feature in SCHEMA.feature] == [spec.name for spec in RAW_FEATURES]


@pytest.mark.parametrize("spec", RAW_FEATURES, ids=lambda spec: spec.name)
def test_type_presence_and_number_of_values(spec: FeatureSpec) -> None:
    feature = FEATURES[spec.name]
    kinds = {"string": schema_pb2.BYTES, "int64": schema_pb2.INT, "float32": schema_pb2.FLOAT}
    assert feature.type == kinds[spec.dtype]
    assert feature.presence.min_fraction == (0.0 if spec.optional else 1.0)
    assert feature.presence.min_count == (0 if spec.optional else 1)
    assert feature.WhichOneof("shape_type") == ("shape" if is_fixed(spec) else "value_count")
    if is_fixed(spec):
        assert [dim.size for dim in feature.shape.dim] == ([8] if spec.shape is Shape.WINDOWS else [])
    else:
        limits = {Shape.SCALAR: (1, 1), Shape.EVENTS: (1, 0), Shape.INTERESTS: (0, 0), Shape.SET: (0, 0)}
        assert (feature.value_count.min, feature.value_count.max) == limits[spec.shape]


@pytest.mark.parametrize("spec", RAW_FEATURES, ids=lambda spec: spec.name)
def test_only_inputs_are_expected_in_serving(spec: FeatureSpec) -> None:
    expected = [] if spec.role is Role.INPUT else ["SERVING"]
    assert list(FEATURES[spec.name].not_in_environment) == expected


@pytest.mark.parametrize("spec", RAW_FEATURES, ids=lambda spec: spec.name)
def test_domains(spec: FeatureSpec) -> None:
    feature = FEATURES[spec.name]
    assert fields_of(feature.int_domain) == INT_DOMAINS.get(spec.name, {})
    assert list(feature.string_domain.value) == STRING_DOMAINS.get(spec.name, [])
    assert feature.domain == NAMED_DOMAINS.get(spec.name, "")
    lowest = {"event_price": -1.0, "interest_count": 1.0}.get(spec.name, 0.0)
    assert fields_of(feature.float_domain) == ({**NOT_NEGATIVE, "min": lowest} if spec.dtype == "float32" else {})


def test_domain_of_actions_is_the_event_contract() -> None:
    (domain,) = SCHEMA.string_domain
    assert domain.name == "action"
    assert list(domain.value) == ["view", "click", "cart", "favourite", "purchase", "review", "search", "message"]


def test_lists_are_ragged_in_transform() -> None:
    assert SCHEMA.represent_variable_length_as_ragged
    assert list(SCHEMA.default_environment) == ["TRAINING", "SERVING"]


def is_fixed(spec: FeatureSpec) -> bool:
    """Whether every example has the same number of values, which a dense tensor needs."""
    return spec.shape is Shape.WINDOWS or (spec.shape is Shape.SCALAR and not spec.optional)


def fields_of(domain: schema_pb2.IntDomain | schema_pb2.FloatDomain) -> dict[str, float | bool]:
    return {field.name: value for field, value in domain.ListFields()}
