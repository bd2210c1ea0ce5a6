"""Training: input, schedule, the loop over epochs with resume and early stopping, and the record of a run."""
