"""Rows: JSONL, JSON, CSV, Parquet, Arrow, data sets of the hub, and titled pieces in one text file."""
