"""Gates: rules on metrics, what must be measured for them, and the verdict in words."""
