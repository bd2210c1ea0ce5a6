"""The partitions that there are, and which of them a run reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from os import walk
from pathlib import Path
from typing import Final

from interest_migration.errors import DataError
from interest_migration.sources.partition_settings import PartitionSettings, Selection
from interest_migration.sources.paths import resolve_root

_NAMED: Final = 10
"""So many spans are named in a message; the others are counted."""


@dataclass(frozen=True)
class Partition:
    """One span of data.

    Attributes:
      span: Its number.
      places: Its folders or files below the input, sorted.
      files: Number of data files.
      size_bytes: Their size.
      complete: Whether every place has the marker that the settings ask for, if they do.
    """

    span: int
    places: tuple[str, ...]
    files: int
    size_bytes: int
    complete: bool


def list_partitions(input_root: str, settings: PartitionSettings) -> list[Partition]:
    """Returns all partitions below the input, ascending.

    Raises:
      DataError: If the input is no folder, a name holds no date of the calendar, or a marker is asked of files.
    """
    root = resolve_root(input_root)
    if root.chosen:
        raise DataError(f"expected a folder as input, since data.partitions is set, received {input_root}")
    places: dict[int, set[str]] = {}
    sizes: dict[int, list[int]] = {}
    for path, is_folder in _entries(Path(root.folder)):
        found = settings.spans_of.find(path)
        if found is None:
            continue
        span, place = found
        places.setdefault(span, set()).add(place)
        if not is_folder and _is_data(path.removeprefix(place)):
            sizes.setdefault(span, []).append((Path(root.folder) / path).stat().st_size)
    return [
        Partition(
            span,
            tuple(sorted(places[span])),
            len(sizes.get(span, [])),
            sum(sizes.get(span, [])),
            all(_is_complete(Path(root.folder) / place, settings) for place in places[span]),
        )
        for span in sorted(places)
    ]


def choose_span(partitions: Iterable[Partition], settings: PartitionSettings, wanted: int | None) -> int:
    """Returns the wanted span, or the newest complete one.

    Raises:
      DataError: If it is not there or not complete.
    """
    by_span = {partition.span: partition for partition in partitions}
    complete = [span for span, partition in by_span.items() if partition.complete]
    if wanted is None:
        if not complete:
            what = f"{len(by_span)} without {settings.complete_marker}" if by_span else "none"
            raise DataError(f"expected partitions {settings.pattern} below the input, received {what}")
        return max(complete)
    if wanted not in by_span:
        near = sorted(by_span, key=lambda span: abs(span - wanted))[:3]
        raise DataError(
            f"expected a partition {settings.spans_of.name(wanted)}, received none; nearest: "
            f"{name_spans(settings, sorted(near)) or 'there are none'}"
        )
    if not by_span[wanted].complete:
        raise DataError(
            f"expected {settings.complete_marker} in {', '.join(by_span[wanted].places)}, received none: "
            "the partition is still being written"
        )
    return wanted


def select_window(partitions: Iterable[Partition], settings: PartitionSettings, span: int) -> Selection:
    """Returns the complete partitions of the window that ends with a span; nothing newer is in it.

    Raises:
      DataError: If the span's own partition holds no data.
    """
    by_span = {partition.span: partition for partition in partitions}
    if not by_span[span].size_bytes:
        raise DataError(
            f"expected data in {', '.join(by_span[span].places)}, received {by_span[span].files} data files without a "
            "byte; wait for the data, or name an earlier span with --span"
        )
    first = _first_of_window(settings, span)
    return settings.select(number for number in _complete_spans(by_span.values(), span) if number >= first)


def find_gaps(partitions: Iterable[Partition], settings: PartitionSettings, span: int) -> tuple[int, ...]:
    """Returns the spans inside the window that are missing or not complete, where data lie on both sides of the gap.

    Example:
      Spans 3, 4, 7 -> 5, 6. Weekly, spans 7, 14, 28 -> 21.
    """
    spans = _complete_spans(partitions, span)
    gaps = [
        number for before, after in pairwise(spans) for number in range(before + settings.step, after, settings.step)
    ]
    first = _first_of_window(settings, span)
    return tuple(number for number in gaps if number >= first)


def name_spans(settings: PartitionSettings | Selection, spans: Iterable[int]) -> str:
    """Returns spans in words: `2024-01-30 (span 19752), 2024-01-31 (span 19753)`; of many the first."""
    numbers = list(spans)
    names = ", ".join(settings.spans_of.name(span) for span in numbers[:_NAMED])
    return names + (f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else "")


def _complete_spans(partitions: Iterable[Partition], last: int) -> list[int]:
    return [partition.span for partition in partitions if partition.complete and partition.span <= last]


def _first_of_window(settings: PartitionSettings, span: int) -> float:
    return -inf if settings.window_spans is None else span - settings.step * (settings.window_spans - 1)


def _entries(folder: Path) -> Iterable[tuple[str, bool]]:
    """Yields (path below the folder, whether it is a folder)."""
    for place, folders, files in walk(folder, followlinks=True):
        relative = Path(place).relative_to(folder)
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            yield (relative / name).as_posix(), True
        for name in files:
            yield (relative / name).as_posix(), False


def _is_data(inside: str) -> bool:
    """Hidden files and markers such as `_SUCCESS` are no data."""
    return not any(part.startswith((".", "_")) for part in inside.split("/"))


def _is_complete(place: Path, settings: PartitionSettings) -> bool:
    if settings.complete_marker is None:
        return True
    if place.is_file():
        raise DataError(
            f"{place}: expected partitions that are folders, since complete_marker is "
            f"{settings.complete_marker!r}, received a file; leave complete_marker out"
        )
    return (place / settings.complete_marker).is_file()
