"""One small platform: a log, its mapping, a configuration and a first run."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from click.testing import CliRunner, Result
from synthetic_log import write_log
from tiny_checkpoint import write_checkpoint

from pipeline.cli import main

MAPPING = {
    "name": "small-shop",
    "streams": [
        {
            "name": "log",
            "files": "log.csv",
            "fields": {
                "user": "user",
                "time": {"column": "ts", "format": "unix_s"},
                "action": {"column": "action", "values": {"pv": "view", "buy": "purchase"}},
                "item": "item",
                "category_path": "category",
                "price": "price",
            },
        }
    ],
}
RULE = {"name": "next category beats chance", "task": "next_category", "metric": "hit_at_5", "at_least": 0.3}


@dataclass(frozen=True)
class Shop:
    """Where the small platform lives, and its first run."""

    folder: Path
    first: Result

    @property
    def versions(self) -> Path:
        return self.folder / "workspace" / "served" / "interests"


def write_yaml(path: Path, values: object) -> Path:
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def prepare_shop(folder: Path) -> None:
    """Writes everything that a run needs."""
    (folder / "data").mkdir()
    write_log(folder / "data" / "log.csv")
    write_yaml(folder / "mapping.yaml", MAPPING)
    write_yaml(folder / "gates.yaml", {"slices": ["switched"], "rules": [RULE]})
    config = {
        "name": "small-shop",
        "workspace": "workspace",
        "seed": 3,
        "data": {"mapping": "mapping.yaml", "input": "data", "shards": 2},
        "examples": {"cut_every_days": 14, "eval_cuts": 1, "test_cuts": 1, "active_days": 42, "new_interest_days": 28},
        "transform": {name: {"min_count": 1} for name in ("items", "parents", "children", "brands", "platforms")},
        "model": {"width": 16, "layers": 1, "heads": 1, "feedforward_width": 16, "max_steps": 16},
        "training": {"epochs": 3, "batch_size": 64},
        "comparison": {"resamples": 20},
        "baselines": {"churn_trees": 5, "pair_trees": 5},
        "privacy": {"min_users": 3},
        "language": {"checkpoint": str(write_checkpoint(folder / "checkpoint")), "max_tokens": 16},
        "gates": "gates.yaml",
        "serving_gate": {"examples": 32, "calls": 10, "p50_ms": 1000, "p99_ms": 10000, "memory_megabytes": 16384},
    }
    write_yaml(folder / "config.yaml", config)


def open_shop(folder: Path) -> Shop:
    prepare_shop(folder)
    return Shop(folder, call("run", "--config", folder / "config.yaml", "--json"))
