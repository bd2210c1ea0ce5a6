"""What a person sees: progress on standard error, while the libraries' messages go to a log file."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO

from pipeline.steps import Step


@contextmanager
def divert_output(log: Path) -> Iterator[TextIO]:
    """Sends everything written to standard output and error, by C++ code too, to a file.

    Args:
      log: The file; it is appended to.

    Yields:
      A stream that still reaches the terminal's standard error.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    with log.open("a", encoding="utf-8") as file, os.fdopen(os.dup(2), "w", buffering=1) as terminal:
        try:
            for number in kept:
                os.dup2(file.fileno(), number)
            with redirect_stdout(_stream(1)), redirect_stderr(_stream(2)):
                yield terminal
        finally:
            for number, copy in kept.items():
                os.dup2(copy, number)
                os.close(copy)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the libraries' messages from the terminal; errors are raised all the same."""
    with tempfile.TemporaryDirectory() as folder, divert_output(Path(folder) / "messages.txt"):
        yield


def _stream(number: int) -> TextIO:
    """Returns a stream that nobody closes: loggers that are set up meanwhile keep it, and reach the terminal later."""
    return io.TextIOWrapper(io.FileIO(number, "w", closefd=False), encoding="utf-8", write_through=True)


class Progress:
    """One line per step: `[ 4/10] StatisticsGen ... 5.9 s`.

    Args:
      terminal: Where it is written.
      count: Number of steps.
      ended: Receives the steps that have ended.
    """

    def __init__(self, terminal: TextIO, count: int, ended: list[Step] | None = None) -> None:
        self._terminal, self._count, self._number = terminal, count, 0
        self._ended = [] if ended is None else ended

    def start(self, name: str) -> None:
        """Begins the line of a step."""
        self._number += 1
        self._write(f"[{self._number:>2}/{self._count}] {name} ... ")

    def end(self, step: Step) -> None:
        """Ends it."""
        self._ended.append(step)
        self._write("reused\n" if step.cached else f"{step.seconds:.1f} s\n")

    def fail(self) -> None:
        """Ends the line of a step that failed."""
        self._write("failed\n")

    def _write(self, text: str) -> None:
        self._terminal.write(text)
        self._terminal.flush()
