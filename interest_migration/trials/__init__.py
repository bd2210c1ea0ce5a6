"""Experiments on what a model can do beyond its pipeline: items that it has never seen."""
