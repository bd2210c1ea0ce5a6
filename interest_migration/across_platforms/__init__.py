"""Experiment: how well a model that was trained on one platform serves the users of another by texts alone."""
