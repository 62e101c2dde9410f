"""From readers to rows: measured batches, worker processes, the one writer, the log."""
