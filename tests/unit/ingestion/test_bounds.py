import re
from pathlib import Path

import pytest

from interest_migration.errors import ConfigError, RefusedError
from interest_migration.ingestion.bounds import BY_INTENT, REASONS, RejectBounds
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.sources.mapping import SourceMapping

FIELDS = {"user": "u", "time": "t", "action": "a"}
FILTERS = [{"column": "agent", "drop_pattern": "bot", "reason": "robot"}]
MAPPING = SourceMapping.from_values(
    {"name": "m", "streams": [{"name": "s", "fields": FIELDS, "filters": FILTERS}]}, source="test"
)


def summary(**rejected: int) -> IngestSummary:
    return IngestSummary(rows_read=1000, rows_used=1000 - sum(rejected.values()), rejected=rejected)


def refused(bounds: RejectBounds, counts: IngestSummary) -> bool:
    try:
        bounds.check(counts)
    except RefusedError:
        return True
    return False


def test_a_share_beyond_the_bound_is_refused_with_reasons_most_frequent_first():
    message = (
        "data refused: 30.1 % of the rows read are bad (bad_time 30.0 %, missing_user 0.1000 %), accepted are 30.0 %"
    )
    with pytest.raises(RefusedError, match=re.escape(message)):
        RejectBounds(max_share=0.3).check(summary(missing_user=1, bad_time=300))


def test_a_share_at_the_bound_is_accepted():
    assert not refused(RejectBounds(max_share=0.3), summary(bad_time=300))
    assert refused(RejectBounds(max_share=0.2999), summary(bad_time=300))
    assert not refused(RejectBounds(max_share=0), summary())
    assert not refused(RejectBounds(max_share=0), IngestSummary())


def test_rows_set_aside_by_intent_do_not_count():
    RejectBounds(max_share=0).check(summary(**dict.fromkeys(BY_INTENT, 200)))
    assert set(REASONS) > BY_INTENT


def test_a_reason_that_a_filter_of_the_mapping_gives_is_by_intent_and_can_have_a_bound():
    RejectBounds(max_share=0).check(summary(robot=900))
    bounds = RejectBounds(max_share_by_reason={"robot": 0.5, "bad_time": 0.5})
    bounds.require_reasons(MAPPING)
    with pytest.raises(RefusedError, match=r"90\.0 % of the rows read are robot"):
        bounds.check(summary(robot=900))
    with pytest.raises(ConfigError, match=r"expected reasons among broken_row.*, hot_user, robot, received bad_tme"):
        RejectBounds(max_share_by_reason={"bad_tme": 0.5}).require_reasons(MAPPING)


def test_a_reason_with_its_own_bound_counts_there_only():
    bounds = RejectBounds(max_share=0.1, max_share_by_reason={"quantity_not_positive": 0.4, "duplicate": 0.05})
    bounds.check(summary(quantity_not_positive=400, duplicate=50, bad_time=100))
    with pytest.raises(RefusedError, match=r"41.0 % of the rows read are quantity_not_positive, accepted are 40.0 %\."):
        bounds.check(summary(quantity_not_positive=410))
    with pytest.raises(RefusedError, match=r"6\.0 % of the rows read are duplicate, accepted are 5\.0 %"):
        bounds.check(summary(duplicate=60))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_share": 1.5}, "max_share"),
        ({"max_share_by_reason": {"bad_time": 2}}, "expected shares from 0 to 1"),
    ],
)
def test_bounds_that_make_no_sense(values: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        RejectBounds.from_values(values, source="test")


def test_every_reason_is_on_the_page_of_dead_letters():
    page = (Path(__file__).parents[3] / "docs" / "dead_letters.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `.*\| (?:yes|by intent) \|$", page, re.MULTILINE)
    bad = {reason: row.endswith("| yes |") for row in rows for reason in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    assert bad == {reason: reason not in BY_INTENT for reason in REASONS}
