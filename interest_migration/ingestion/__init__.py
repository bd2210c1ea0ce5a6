"""What ingestion hands from step to step, and what it reports."""
