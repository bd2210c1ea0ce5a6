import gzip
from pathlib import Path

from interest_migration.storage.tfrecords import write_tfrecords


def test_framing_matches_the_format_definition(tmp_path: Path):
    path = tmp_path / "data.gz"
    assert write_tfrecords(path, [b"123456789"]) == 1
    content = gzip.decompress(path.read_bytes())
    # CRC-32C of "123456789" is 0xE3069283 (RFC 3720, B.4); masked: rotate right by 15 bits, add 0xA282EAD8.
    masked = ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) % 2**32
    assert content[:8] == bytes([9, 0, 0, 0, 0, 0, 0, 0])
    assert content[12:21] == b"123456789"
    assert content[21:] == masked.to_bytes(4, "little")


def test_equal_records_give_equal_bytes_and_no_records_a_valid_empty_file(tmp_path: Path):
    for name in ("a.gz", "b.gz"):
        write_tfrecords(tmp_path / name, [b"x", b""])
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert write_tfrecords(tmp_path / "c.gz", []) == 0
    assert gzip.decompress((tmp_path / "c.gz").read_bytes()) == b""
