"""Simple methods, fitted on the training split and scored on the same examples as the model."""
