"""Measurements behind what the documentation claims; each prints the command's figures side by side."""
