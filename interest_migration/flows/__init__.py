"""Where interests flow: what users turn to next, beyond chance, newly, and over time."""
