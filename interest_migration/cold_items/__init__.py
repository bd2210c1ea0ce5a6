"""Experiment: how well a model ranks items that it has never seen."""
