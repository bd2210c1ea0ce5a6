"""Exact metrics, bootstrap intervals and the comparison of a model with baselines, in plain NumPy."""
