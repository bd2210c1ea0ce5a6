"""Scores of whole user bases: what the command `score` does."""

from pathlib import Path
from typing import TYPE_CHECKING

from interest_migration.serving.facts import read_facts
from interest_migration.serving.scoring import plan_shards

if TYPE_CHECKING:
    from interest_migration.serving.scoring import ScoreCounts


def score_examples(model: Path, files: list[Path], output: Path, beam_args: list[str]) -> "ScoreCounts":
    """Scores files of raw examples.

    Raises:
      DataError: If there is no file, or one is damaged.
    """
    shards = plan_shards(files, output)
    from components.scoring import score_shards

    return score_shards(model, shards, output, beam_args)


def score_log(
    model: Path, config_file: Path, input_root: str | None, at_s: int | None, output: Path, beam_args: list[str]
) -> "ScoreCounts":
    """Scores every user of a log as he stands at one moment, by the definition of examples that the model knows.

    Args:
      model: Folder of the exported model.
      config_file: Tells mapping, pseudonym key, erasure list and number of shards.
      input_root: The log; by default that of the configuration.
      at_s: The moment, Unix seconds; by default a second after the newest event.
      output: Receives `features`, `rows_set_aside` and the scores.
      beam_args: Beam options.

    Raises:
      ConfigError: If the configuration does not fit.
      DataError: If the log or the model cannot be read.
    """
    from interest_migration.privacy.keys import load_key
    from pipeline.config import load_config
    from pipeline.run import read_plan

    read = read_plan(load_config(config_file, (), input_root))
    config = read.config
    settings = read_facts(model).examples.model_copy(update={"item_texts": False})
    from components.ingestion import Plan
    from components.scoring import LAST_EVENT, build_inputs

    plan = Plan(
        mapping=read.mapping.model_dump_json(),
        settings=settings.model_dump_json(),
        input_root=str(config.data.input),
        key=load_key(config.key_file),
        shards=config.data.shards,
        examples=str(output / "features"),
        rejects=str(output / "rows_set_aside"),
        spill=str(output / "spill"),
        erasure_list=str(config.data.erasure_list or ""),
        partitions=read.spans.selection.model_dump_json() if read.spans else "",
    )
    files = build_inputs(plan, LAST_EVENT if at_s is None else at_s, beam_args)
    return score_examples(model, files, output, beam_args)
