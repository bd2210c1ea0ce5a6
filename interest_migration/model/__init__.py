"""The trajectory model: layers, heads, losses, and its exported form."""
