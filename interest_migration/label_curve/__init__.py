"""How good a model gets with few labels, with and without pretraining."""
