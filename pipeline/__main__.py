"""`python -m pipeline` is `interest-migration`."""

from pipeline.cli import main

main(prog_name="interest-migration")
