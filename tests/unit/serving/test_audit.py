import pytest

from interest_migration.errors import DataError
from interest_migration.serving.audit import AUDIT_FILE, AuditEntry, read_audit, record, served_before


def entry(action: str, before: int | None, after: int | None, model: str = "interests") -> AuditEntry:
    return AuditEntry("2026-01-02T03:04:05Z", "Ada", action, model, "why not", {"serves": before}, {"serves": after})


def test_entries_are_kept_in_order_and_told_by_model(tmp_path):
    entries = [entry("push", None, 1), entry("push", None, 1, "other"), entry("pin", 1, 1)]
    for one in entries:
        record(tmp_path / "served", one)
    assert read_audit(tmp_path / "served") == entries
    assert read_audit(tmp_path / "served", "interests") == [entries[0], entries[2]]
    assert read_audit(tmp_path / "absent") == []


def test_a_damaged_log_is_an_error_with_its_line(tmp_path):
    record(tmp_path, entry("push", None, 1))
    with (tmp_path / AUDIT_FILE).open("a") as file:
        file.write('{"at": "today"}\n')
    with pytest.raises(DataError, match=r"expected an entry of the audit log in line 2 of .*models\.audit\.jsonl"):
        read_audit(tmp_path)


@pytest.mark.parametrize(
    ("history", "now", "before"),
    [
        ([], 3, []),
        ([("push", None, 1), ("push", 1, 2), ("push", 2, 3)], 3, [1, 2]),
        ([("push", 1, 2), ("pin", 2, 2), ("push", 2, 2)], 2, [1]),
        ([("push", 1, 2), ("push", 2, 3), ("rollback", 3, 2)], 2, [1]),
        ([("push", 1, 2), ("rollback", 2, 1), ("promote", 1, 3)], 3, [1]),
        ([("push", 1, 2), ("push", 2, 3), ("rollback", 3, 2), ("rollback", 2, 1)], 1, []),
        ([("pin", 3, 2)], 2, [3]),
        ([("push", 1, 2)], 5, [1, 2]),  # changed by hand
    ],
)
def test_a_rollback_forgets_what_it_took_back(history, now, before):
    assert served_before([entry(*step) for step in history], now) == before
