"""Near-twins in a corpus: kept signatures, verdicts, clusters, splits."""
