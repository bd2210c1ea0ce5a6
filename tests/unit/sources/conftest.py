"""What the tests of sources share: a mapping in a line, and a reading in a line."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.files import plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.reading import read_events

Reading = tuple[list[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture
def pseudonymiser() -> Pseudonymiser:
    return Pseudonymiser(bytes(32))


@pytest.fixture
def mapping_of() -> Callable[..., SourceMapping]:
    """Builds a mapping with one stream of user `u`, time `t` (Unix seconds) and action `a`."""

    def build(fields: dict[str, Any] | None = None, top: dict[str, Any] | None = None, **stream: Any) -> SourceMapping:
        standard = {"user": "u", "time": {"column": "t", "format": "unix_s"}, "action": "a"}
        streams = [{"name": "log", "fields": {**standard, **(fields or {})}, **stream}]
        return SourceMapping.from_values({"name": "test", "streams": streams, **(top or {})}, source="test")

    return build


@pytest.fixture
def read(pseudonymiser: Pseudonymiser) -> Callable[[SourceMapping, object], Reading]:
    """Reads an input whole: events and rejects as dictionaries."""

    def read_all(mapping: SourceMapping, root: object) -> Reading:
        events, rejects = [], []
        for index, piece in enumerate(plan_pieces(mapping, str(root))):
            for good, bad in read_events(piece, index, mapping, pseudonymiser):
                good.validate(full=True)
                bad.validate(full=True)
                events += good.to_pylist()
                rejects += bad.to_pylist()
        return events, rejects

    return read_all


@pytest.fixture
def write_parquet(tmp_path: Any) -> Callable[..., Any]:
    """Writes columns to a Parquet file below `tmp_path`."""
    import pyarrow.parquet as pq

    def write(name: str, columns: dict[str, Any], **options: Any) -> Any:
        pq.write_table(pa.table(columns), tmp_path / name, **options)
        return tmp_path / name

    return write
