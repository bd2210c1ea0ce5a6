"""Search for hyperparameters: the ranges, their values in a configuration, the account of the trials."""
