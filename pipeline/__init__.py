"""Configuration, one graph for every runner, runners and the command line."""
