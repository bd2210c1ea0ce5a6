"""Log files as bad as they come, which know how many rows they have. A file follows from its seed."""

import bz2
import gzip
import io
import json
import lzma
import random
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NAMES: Final = ("u", "t", "a", "i", "c", "p", "q", "s", "x")
FIELDS: Final = {
    "user": "u",
    "time": {"column": "t", "format": "unix_s"},
    "action": {"column": "a", "values": {"pv": "view"}, "ignore": ["ping"]},
    "item": "i",
    "category_path": {"column": "c", "separator": "/"},
    "price": {"total_column": "p"},
    "quantity": "q",
    "session": "s",
    "extras": ["x"],
}
GOOD: Final = ("7", "1500000000", "view", "9", "a/b", "1.5", "2", "s1", "z")
COMPRESSIONS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    ".lz4": lambda data: pa.compress(data, "lz4", asbytes=True),
}
_ODD: Final = (
    *(
        "",
        " ",
        "0",
        "-1",
        "NaN",
        "inf",
        "-Infinity",
        "1e309",
        "1e-320",
        "9" * 30,
        "9" * 400,
        "0x10",
        "1_000",
        "1,5",
        "NULL",
    ),
    *("2017-01-01", "1500000000000", "-9223372036854775808", "9223372036854775807", "9223372036854775808"),
    *(
        "\x00",
        "a\x00b",
        "\ufeff",
        "\ufdd0",
        "\u2028",
        "é",
        "中文",
        "😀",
        "\x1b[31m",
        "\x85",
        "\x0c",
        "ping",
        "PV",
        "zap",
    ),
    *("=1+1", "'; drop table", "<a>", "\\", "\\N", "/", "a/ /b", "a > b", "x" * 300),
)
_QUOTED: Final = ("a,b", "a\nb", "a\r\nb", "a\rb", '"', '""', 'say "hi"', ",", "\n", "\t")


@dataclass(frozen=True, repr=False)
class DirtyFile:
    """One file.

    Attributes:
      name: Its name, with suffixes.
      data: Its bytes.
      rows: Rows in it, where that is well defined, else None.
      at_least: Rows that are whole and stand before the damage; they must be found unless the file is refused.
      refused: Whether the only right answer is an error; None if both answers will do.
    """

    name: str
    data: bytes
    rows: int | None
    at_least: int = 0
    refused: bool | None = False

    def __repr__(self) -> str:
        start = f"{len(self.data)} bytes that begin with {self.data[:150]!r}"
        return f"DirtyFile({self.name}, rows={self.rows}, refused={self.refused}, {start})"


def _cells(draw: random.Random, dirt: float, odd: tuple[str, ...]) -> list[str]:
    return [draw.choice(odd) if draw.random() < dirt else good for good in GOOD]


def make_csv(seed: int) -> DirtyFile:
    """CSV and TSV."""
    chance = random.Random(seed)
    suffix, delimiter = chance.choice([(".csv", ","), (".tsv", "\t")])
    end = chance.choice(["\n", "\r\n", "\r"])
    dirt = chance.choice([0.0, 0.05, 0.5])
    shape = chance.choice(["whole", "whole", "whole", "ragged", "blank lines", "header again", "no line end"])
    names = list(NAMES) + chance.choices(["y", "z", "", "y", "u "], (9, 9, 9, 9, 1), k=chance.choice([0, 0, 1, 3]))
    if chance.random() < 0.5:
        chance.shuffle(names)
    lost = chance.choice([None] * 9 + ["u"])
    kept = [name for name in names if name != lost]

    needless = chance.choice([0.0, 0.1])

    def record(cells: list[str]) -> str:
        quote = [any(mark in cell for mark in '",\r\n\t') or chance.random() < needless for cell in cells]
        return delimiter.join(
            '"' + cell.replace('"', '""') + '"' if quoted else cell for cell, quoted in zip(cells, quote, strict=True)
        )

    count = chance.choice([0, 1, 2, 7, 40])
    records = []
    for _ in range(count):
        values = dict(zip(NAMES, _cells(chance, dirt, (*_ODD, *_QUOTED)), strict=True))
        records.append(record([values.get(name, "w") for name in kept]))
        if shape == "ragged" and chance.random() < 0.3:
            records[-1] += delimiter * chance.randint(1, 3)
        if shape == "header again" and chance.random() < 0.2:
            records.append(record(kept))
    lines = [record(kept), *records]
    gaps = [end * (2 if shape == "blank lines" and chance.random() < 0.3 else 1) for _ in lines]
    if shape == "no line end":
        gaps[-1] = ""
    text = chance.choice(["", "", "\ufeff"]) + "".join(line + gap for line, gap in zip(lines, gaps, strict=True))
    refused = [name.strip() for name in kept].count("u") != 1
    whole = DirtyFile(f"log{suffix}", text.encode(), len(records), len(records), refused)
    return _damaged(chance, whole, list(COMPRESSIONS), lines)


def make_jsonl(seed: int) -> DirtyFile:
    """JSON lines."""
    chance = random.Random(seed)
    end = chance.choice(["\n", "\r\n"])
    dirt = chance.choice([0.0, 0.05, 0.5])
    names = chance.sample(NAMES, len(NAMES))
    numbers = chance.random() < 0.5
    odd_lines = chance.random() < 0.5
    lines = []
    for _ in range(chance.choice([1, 7, 60])):
        values: dict[str, Any] = dict(zip(NAMES, _cells(chance, dirt, (*_ODD, *_QUOTED)), strict=True))
        if numbers:
            values = {
                name: int(value) if value.isdigit() and len(value) < 19 else value for name, value in values.items()
            }
        for name in names:
            if chance.random() < dirt:
                values[name] = chance.choice(_JSON)
        chosen = [name for name in names if chance.random() > dirt / 4]
        line = json.dumps({name: values[name] for name in chosen}, ensure_ascii=chance.random() < 0.5)
        lines.append(chance.choice(_JSON_LINES) if odd_lines and chance.random() < 0.2 else line)
        if chance.random() < 0.1:
            lines.append(chance.choice(["", " ", "\t \x0c"]))
    text = chance.choice(["", "", "\ufeff"]) + end.join(lines)
    # Without an example of a key that is needed, or without one object, the file is refused.
    certain = False if dirt == 0 and not odd_lines else None
    file = DirtyFile("log.jsonl", text.encode(errors="surrogatepass"), None, 0, certain)
    return _damaged(chance, file, list(COMPRESSIONS))


_JSON: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1.5, 1e308, 10**30, 2**63, -(2**63), float("nan"), float("inf"), float("-inf"), "", "\ud800"),
    *(
        [],
        [1],
        ["a", "b"],
        ["a", None, "c"],
        [[["a"]]],
        {},
        {"k": 1},
        {"k": {"k": [1]}},
        [{"k": None}],
        "1e5",
        "x" * 3000,
    ),
)
_JSON_LINES: Final = (
    *(
        "null",
        "1",
        '"text"',
        "[]",
        "[1, 2]",
        "{}",
        "{",
        "}",
        "{]",
        '{"u": }',
        '{"u" 1}',
        "nul",
        "NaN",
        "{'u': 1}",
        "//",
    ),
    *('{"u": 1, "u": 2, "t": 1, "a": "view"}', '{"u": 1} {"u": 2}', '{"u": 1},', "[" * 5_000, '{"x":' * 3_000),
    *(
        '{"u": ' + "9" * 5000 + "}",
        '{"u": "\\ud800", "t": 1}',
        '{"u": "\\u0000"}',
        '{"": 1}',
        "\x00",
        "\x00" * 30,
        "\ufdd0",
    ),
)


def make_parquet(seed: int) -> DirtyFile:
    """Parquet with any type in any column."""
    chance = random.Random(seed)
    count = chance.choice([0, 1, 3, 50])
    columns = {name: _as_strings(good, count) for name, good in zip(NAMES, GOOD, strict=True)}
    odd = [(chance.choice(NAMES), chance.choice(list(_TYPES))) for _ in range(chance.choice([0, 1, 1, 2, 4]))]
    for name, kind in odd:
        columns[name] = _TYPES[kind](chance, count)
    names = chance.sample(list(columns), len(columns))
    lost = chance.choice([None] * 9 + ["u", "everything"])
    kept = [] if lost == "everything" else [name for name in names if name != lost]
    table = pa.table({name: columns[name] for name in kept})
    if kept and (chance.random() < 0.5):
        table = table.append_column("other", chance.choice(list(_TYPES.values()))(chance, count))
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        row_group_size=chance.choice([1, 2, 1000]),
        compression=chance.choice(["none", "snappy", "gzip", "zstd", "lz4"]),
        use_dictionary=(chance.random() < 0.5),
        use_deprecated_int96_timestamps=(chance.random() < 0.5),
        version=chance.choice(["1.0", "2.6"]),
        data_page_version=chance.choice(["1.0", "2.0"]),
    )
    refused = True if lost else (False if not odd else None)
    return _damaged(chance, DirtyFile("log.parquet", sink.getvalue(), count, count, refused), [""])


def _as_strings(value: str, count: int) -> pa.Array:
    return pa.array([value] * count, pa.string())


def _typed(kind: pa.DataType, *values: Any) -> Callable[[random.Random, int], pa.Array]:
    return lambda chance, count: pa.array([chance.choice([*values, None]) for _ in range(count)], kind)


_TYPES: Final[dict[str, Callable[[random.Random, int], pa.Array]]] = {
    **{str(kind): _typed(kind, 0, 1, 7) for kind in (pa.int8(), pa.uint16(), pa.int32(), pa.uint64())},
    "uint64, large": _typed(pa.uint64(), 2**64 - 1, 2**63),
    "int64": _typed(pa.int64(), 1500000000, -(2**63), 2**63 - 1, 0),
    "half": lambda chance, count: pa.array(
        np.array([chance.choice([1.5, -0.0, 65504]) for _ in range(count)], np.float16)
    ),
    "float": _typed(pa.float32(), 1.5, float("nan"), float("inf"), -0.0),
    "double": _typed(pa.float64(), 1.5e9, float("nan"), float("-inf"), 1e308, 2.0**60),
    "bool": _typed(pa.bool_(), True, False),
    "decimal": lambda chance, count: pa.array([chance.choice([None, 1, 10**9]) for _ in range(count)]).cast(
        pa.decimal128(38, 3)
    ),
    "decimal256": lambda chance, count: pa.array([chance.choice([None, 5]) for _ in range(count)], pa.int64()).cast(
        pa.decimal256(70, 10)
    ),
    **{
        str(kind): _typed(kind, 0, 1_500_000_000, -1)
        for kind in (pa.timestamp("s"), pa.timestamp("ms", "Europe/Paris"))
    },
    **{str(kind): _typed(kind, 0, 10**18) for kind in (pa.timestamp("ns"), pa.timestamp("ns", "+05:30"))},
    "timestamp[us], extreme": _typed(pa.timestamp("us"), 2**62, -(2**62)),
    "date32": _typed(pa.date32(), 17000, -800_000, 2_932_896),
    "date64": _typed(pa.date64(), 86_400_000),
    "time32": _typed(pa.time32("ms"), 1, 86_399_999),
    "time64": _typed(pa.time64("ns"), 1),
    "duration": _typed(pa.duration("s"), 1, -1),
    "text": _typed(pa.string(), *_ODD, *_QUOTED),
    "large text": _typed(pa.large_string(), *_ODD),
    "binary": _typed(pa.binary(), b"", b"7", b"\xff\xfe", b"caf\xe9", b"\x00", "é".encode()),
    "large binary": _typed(pa.large_binary(), b"7", b"\xc3"),
    "fixed binary": _typed(pa.binary(3), b"abc", b"\xff\xff\xff"),
    "dictionary": lambda chance, count: _typed(pa.string(), *GOOD, "", "zap")(chance, count).dictionary_encode(),
    "dictionary of binary": lambda chance, count: _typed(pa.binary(), b"7", b"\xff")(chance, count).dictionary_encode(),
    "null": lambda chance, count: pa.nulls(count),
    "list": _typed(pa.list_(pa.string()), [], ["a"], ["a", None, ""], ["x"] * 50),
    "list of bytes": _typed(pa.list_(pa.binary()), [b"a", b"\xff"], [b"b"], []),
    "list of durations": _typed(pa.list_(pa.duration("s")), [1]),
    "list of numbers": _typed(pa.list_(pa.int64()), [1], [None]),
    "large list": _typed(pa.large_list(pa.string()), ["a"]),
    "fixed list": lambda chance, count: pa.array([[1, chance.randint(0, 9)]] * count, pa.list_(pa.int32(), 2)),
    "list of lists": _typed(pa.list_(pa.list_(pa.string())), [["a"], []]),
    "struct": _typed(pa.struct([("k", pa.int64()), ("v", pa.string())]), {"k": 1, "v": "a"}),
    "map": _typed(pa.map_(pa.string(), pa.int64()), [("k", 1)], []),
}


_DAMAGES: Final = ("cut", "cut", "flip", "quote", "other encoding", "wide", "nul", "empty", "noise")


def _damaged(
    chance: random.Random, whole: DirtyFile, compressions: list[str], lines: list[str] | None = None
) -> DirtyFile:
    """Damages the text, compresses it, and damages that."""
    data = whole.data
    damage = chance.choice([*["none"] * 9, *_DAMAGES])
    place = chance.randint(0, len(data))
    before = 0
    if damage == "cut":
        data = data[:place]
        before = _whole_lines(data, lines)
    elif damage == "flip":
        data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
    elif damage == "quote":
        data = data[:place] + b'"' + data[place:]
    elif damage == "other encoding":
        data = data[:place] + "é".encode("latin-1") + data[place:]
    elif damage == "wide":
        data = data[:place] + "7,é\n".encode("utf-16") + data[place:]
    elif damage == "nul":
        data = data[:place] + b"\x00" * chance.choice([1, 300]) + data[place:]
    elif damage == "empty":
        data = b""
    elif damage == "noise":
        data = chance.randbytes(chance.randint(0, 200)) + data[place:]
    whole = replace(whole, data=data, refused=None, rows=None, at_least=before) if data != whole.data else whole
    if whole.name == "log.jsonl":
        whole = replace(whole, rows=sum(bool(line.strip()) for line in data.removeprefix(BOM_UTF8).split(b"\n")))
    suffix = chance.choice(compressions)
    packed = COMPRESSIONS[suffix](data)
    if suffix and data and chance.random() < 0.1:
        return replace(whole, name=whole.name + suffix, data=packed[: chance.randrange(len(packed))], refused=True)
    return replace(whole, name=whole.name + suffix, data=packed)


def _whole_lines(data: bytes, lines: list[str] | None) -> int:
    """Rows of which the end of line is still there too."""
    text, found, rest = data.decode(errors="ignore"), 0, 0
    for line in (lines or [])[1:]:
        rest = text.find(line, rest)
        if rest < 0 or rest + len(line) >= len(text):
            break
        rest += len(line)
        found += 1
    return found
