-- asciiloom corpus, version 3: near-twins of a million pieces. Signatures and buckets are columns of a
-- whole run, read as arrays, where a row each would be 64 million rows; scores of every pair that
-- was measured are kept, so that the lines between them can be moved without measuring again.

DROP TABLE band;
DROP TABLE signature;
-- Both hashes are columns of `band` now; an index of random text was the dearest part of an insert.
DROP INDEX piece_bare;
DROP INDEX piece_mirror;

CREATE TABLE signature (
    id      INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    pieces  BLOB NOT NULL,
    blocks  BLOB NOT NULL,
    flat    BLOB NOT NULL
) STRICT;
CREATE TABLE band (
    id      INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL REFERENCES signature (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    buckets BLOB NOT NULL,
    UNIQUE (name, run)
) STRICT;

DROP TABLE twin;
CREATE TABLE twin (
    a         INTEGER NOT NULL REFERENCES piece (id) ON DELETE CASCADE,
    b         INTEGER NOT NULL REFERENCES piece (id) ON DELETE CASCADE,
    verdict   TEXT NOT NULL CHECK (verdict IN ('same', 'variant', 'apart')),
    evidence  TEXT NOT NULL,
    agreement REAL NOT NULL,
    contained REAL NOT NULL,
    jaccard   REAL NOT NULL,
    ink       INTEGER NOT NULL,
    bits      REAL NOT NULL,
    banners   INTEGER NOT NULL CHECK (banners IN (0, 1)),
    reviewed  INTEGER NOT NULL DEFAULT 0 CHECK (reviewed IN (0, 1)),
    PRIMARY KEY (a, b),
    CHECK (a < b)
) STRICT, WITHOUT ROWID;
CREATE INDEX twin_b ON twin (b);
CREATE INDEX twin_review ON twin (verdict, reviewed, agreement);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

CREATE INDEX piece_sequence ON piece (sequence) WHERE sequence IS NOT NULL;
-- Without a cluster a piece is one that dedup has yet to look at.
UPDATE piece SET cluster_id = NULL WHERE cluster_id IS NOT NULL;
