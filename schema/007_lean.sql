-- asciiloom corpus, version 7: fewer and smaller indexes to keep while pieces come in by the thousand.

-- The places of a piece lie side by side: the index that keeps them distinct is also the one by piece.
CREATE TABLE origin_new (
    id          INTEGER PRIMARY KEY,
    piece_id    INTEGER NOT NULL REFERENCES piece (id) ON DELETE CASCADE,
    source_id   INTEGER NOT NULL REFERENCES source (id),
    ingest_id   INTEGER NOT NULL REFERENCES ingest (id),
    path        TEXT NOT NULL,
    locator     TEXT NOT NULL,
    title       TEXT,
    artist      TEXT,
    licence     TEXT,
    encoding    TEXT NOT NULL,
    steps       TEXT NOT NULL CHECK (json_valid(steps)),
    original_id INTEGER REFERENCES original (id),
    UNIQUE (piece_id, source_id, path, locator)
) STRICT;
INSERT INTO origin_new SELECT * FROM origin;
DROP TABLE origin;
ALTER TABLE origin_new RENAME TO origin;
-- Whose bytes may go with a piece that is deleted.
CREATE INDEX origin_original ON origin (original_id) WHERE original_id IS NOT NULL;

-- A piece has no split before its first dedup.
DROP INDEX piece_split;
CREATE INDEX piece_split ON piece (split, canonical) WHERE split IS NOT NULL;
