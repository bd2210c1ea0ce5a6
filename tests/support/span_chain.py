"""Local runs over the spans of the small platform, which several end-to-end tests look at."""

from dataclasses import dataclass
from pathlib import Path

from click.testing import Result
from small_shop import call
from span_shop import change_rows, open_span_shop, week

WEEKS = 28


@dataclass(frozen=True)
class Chain:
    """Runs in order: a first span, the second with a drift in it, the second as it should be, and that once more."""

    folder: Path
    first: Result
    drifted: Result
    second: Result
    again: Result

    @property
    def runs(self) -> list[Path]:
        return sorted((self.folder / "workspace" / "runs").iterdir())

    @property
    def versions(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "workspace" / "served" / "interests").iterdir())


def run_chain(folder: Path) -> Chain:
    """Makes the runs."""
    config = open_span_shop(folder, WEEKS)
    newest = folder / "data" / "events" / str(week(WEEKS - 1)) / "log.csv"
    good = newest.read_bytes()
    first = call("run", "--config", config, "--span", week(WEEKS - 2), "--json")
    change_rows(newest, lambda row: {**row, "price": str(float(row["price"]) * 20)})
    drifted = call("run", "--config", config, "--latest", "--json")
    newest.write_bytes(good)
    return Chain(
        folder, first, drifted, call("run", "--config", config, "--json"), call("run", "--config", config, "--json")
    )
