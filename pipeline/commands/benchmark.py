"""`interest-migration benchmark`: what the model earns, measured."""

import click

from pipeline.commands.benchmark_sequences import sequences


@click.group()
def benchmark() -> None:
    """Measures the model beside simple methods."""


benchmark.add_command(sequences)
