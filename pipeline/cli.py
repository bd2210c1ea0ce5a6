"""The command `interest-migration`. Commands import TensorFlow and TFX only when they run."""

import click

from pipeline.commands.benchmark import benchmark
from pipeline.commands.check_model import check_model
from pipeline.commands.compile import compile_command
from pipeline.commands.evaluate import evaluate
from pipeline.commands.explain import explain
from pipeline.commands.gate import gate
from pipeline.commands.ingest import ingest
from pipeline.commands.map import map_samples
from pipeline.commands.models import models
from pipeline.commands.predict import predict
from pipeline.commands.privacy import privacy
from pipeline.commands.report import report
from pipeline.commands.review import review
from pipeline.commands.run import run
from pipeline.commands.runs import runs
from pipeline.commands.score import score
from pipeline.commands.serve import serve
from pipeline.commands.spans import spans
from pipeline.commands.submit import submit
from pipeline.commands.trials import trials

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="interest-migration")
def main() -> None:
    """Learns from behaviour logs how users' interests move between categories, and serves the answer.

    Exit codes: 0 done (run: pushed; gate: passed), 3 refused by a gate or by a bound on bad data, 2 bad input or
    configuration, 1 failure.
    """


main.add_command(run)
main.add_command(compile_command)
main.add_command(submit)
main.add_command(ingest)
main.add_command(map_samples)
main.add_command(evaluate)
main.add_command(benchmark)
main.add_command(explain)
main.add_command(gate)
main.add_command(check_model)
main.add_command(score)
main.add_command(review)
main.add_command(runs)
main.add_command(models)
main.add_command(report)
main.add_command(privacy)
main.add_command(spans)
main.add_command(trials)
main.add_command(serve)
main.add_command(predict)
