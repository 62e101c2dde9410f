"""What people decide about a corpus and how it is looked after: edits, review, check and repair, statistics."""
