"""Models where a server finds them: numbered versions on disk."""
