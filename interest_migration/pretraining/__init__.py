"""Pretraining: a model learns from trajectories alone before it sees a label."""
