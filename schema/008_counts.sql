-- asciiloom corpus, version 8: one rejection may stand for many rows that failed for the same reason.

ALTER TABLE rejection ADD COLUMN count INTEGER NOT NULL DEFAULT 1 CHECK (count >= 1);
