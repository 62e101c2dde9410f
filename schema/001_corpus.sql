-- asciiloom corpus, version 1. Documented table by table in README.md beside this file.
-- PRAGMA application_id = 1094798413 ('AALM') and user_version are set by the migrator.

CREATE TABLE source (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    licence         TEXT,
    redistributable INTEGER CHECK (redistributable IN (0, 1)),
    url             TEXT,
    note            TEXT
) STRICT;

CREATE TABLE ingest (
    id        INTEGER PRIMARY KEY,
    started   TEXT NOT NULL,
    finished  TEXT,
    inputs    TEXT NOT NULL CHECK (json_valid(inputs)),
    version   TEXT NOT NULL,
    read      INTEGER NOT NULL DEFAULT 0,
    new       INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    rejected  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE piece (
    id          INTEGER PRIMARY KEY,
    hash        TEXT NOT NULL UNIQUE,
    bare_hash   TEXT NOT NULL,
    mirror_hash TEXT NOT NULL,
    text        TEXT NOT NULL,
    title       TEXT,
    description TEXT,
    artist      TEXT,
    tags        TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    kind        TEXT NOT NULL DEFAULT 'art',
    charset     TEXT NOT NULL,
    is_grid     INTEGER NOT NULL CHECK (is_grid IN (0, 1)),
    width       INTEGER NOT NULL CHECK (width > 0),
    height      INTEGER NOT NULL CHECK (height > 0),
    chars       INTEGER NOT NULL CHECK (chars > 0),
    ink         INTEGER NOT NULL CHECK (ink > 0),
    glyphs      INTEGER NOT NULL CHECK (glyphs > 0),
    quality     REAL NOT NULL DEFAULT 1.0,
    source_id   INTEGER NOT NULL REFERENCES source (id),
    licence     TEXT,
    sequence    TEXT,
    cluster_id  INTEGER,
    canonical   INTEGER NOT NULL DEFAULT 1 CHECK (canonical IN (0, 1)),
    split       TEXT CHECK (split IN ('train', 'validation', 'test')),
    ingest_id   INTEGER NOT NULL REFERENCES ingest (id)
) STRICT;
CREATE INDEX piece_bare ON piece (bare_hash);
CREATE INDEX piece_mirror ON piece (mirror_hash);
CREATE INDEX piece_size ON piece (width, height);
CREATE INDEX piece_source ON piece (source_id);
CREATE INDEX piece_cluster ON piece (cluster_id);
CREATE INDEX piece_split ON piece (split, canonical);

CREATE TABLE original (
    id    INTEGER PRIMARY KEY,
    hash  TEXT NOT NULL UNIQUE,
    size  INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE origin (
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
    UNIQUE (source_id, path, locator, piece_id)
) STRICT;
CREATE INDEX origin_piece ON origin (piece_id);

CREATE TABLE tag (
    piece_id INTEGER NOT NULL REFERENCES piece (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    PRIMARY KEY (piece_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_name ON tag (name, piece_id);

CREATE TABLE credit (
    piece_id INTEGER NOT NULL REFERENCES piece (id) ON DELETE CASCADE,
    row      INTEGER NOT NULL,
    col      INTEGER NOT NULL,
    length   INTEGER NOT NULL,
    text     TEXT NOT NULL,
    artist   TEXT NOT NULL,
    PRIMARY KEY (piece_id, row, col)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejection (
    id        INTEGER PRIMARY KEY,
    ingest_id INTEGER NOT NULL REFERENCES ingest (id),
    source_id INTEGER NOT NULL REFERENCES source (id),
    path      TEXT NOT NULL,
    locator   TEXT NOT NULL,
    reason    TEXT NOT NULL,
    detail    TEXT NOT NULL,
    UNIQUE (source_id, path, locator, reason)
) STRICT;

CREATE TABLE signature (
    piece_id INTEGER PRIMARY KEY REFERENCES piece (id) ON DELETE CASCADE,
    version  INTEGER NOT NULL,
    blocks   BLOB,
    flat     BLOB
) STRICT;

-- No foreign key: a cascade would need a second index as large as the table. Rows of deleted
-- pieces are ignored by the join to signature and swept by the next dedup.
CREATE TABLE band (
    bucket   INTEGER NOT NULL,
    piece_id INTEGER NOT NULL,
    PRIMARY KEY (bucket, piece_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE twin (
    a         INTEGER NOT NULL REFERENCES piece (id) ON DELETE CASCADE,
    b         INTEGER NOT NULL REFERENCES piece (id) ON DELETE CASCADE,
    verdict   TEXT NOT NULL CHECK (verdict IN ('same', 'variant')),
    evidence  TEXT NOT NULL,
    agreement REAL NOT NULL,
    jaccard   REAL NOT NULL,
    reviewed  INTEGER NOT NULL DEFAULT 0 CHECK (reviewed IN (0, 1)),
    PRIMARY KEY (a, b),
    CHECK (a < b)
) STRICT, WITHOUT ROWID;
CREATE INDEX twin_b ON twin (b);

-- Words: title, tags, description and artist of every piece. Written as sqlite-utils and Datasette look for it
-- (content="piece"), so that they search pieces by it; the index below is not to be found that way.
CREATE VIRTUAL TABLE piece_fts USING fts5 (
    title, tags, description, artist,
    content="piece", content_rowid = 'id', tokenize = 'porter unicode61'
);
-- Shapes: every run of three characters of the art itself. detail=none keeps only which piece
-- holds which trigram (a tenth of the size); queries AND the trigrams and recheck with instr().
CREATE VIRTUAL TABLE piece_art USING fts5 (
    text,
    content = 'piece', content_rowid = 'id', tokenize = 'trigram case_sensitive 1',
    detail = none, columnsize = 0
);

CREATE TRIGGER piece_ai AFTER INSERT ON piece BEGIN
    INSERT INTO piece_fts (rowid, title, tags, description, artist)
    VALUES (new.id, new.title, new.tags, new.description, new.artist);
    INSERT INTO piece_art (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER piece_ad AFTER DELETE ON piece BEGIN
    INSERT INTO piece_fts (piece_fts, rowid, title, tags, description, artist)
    VALUES ('delete', old.id, old.title, old.tags, old.description, old.artist);
    INSERT INTO piece_art (piece_art, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER piece_au AFTER UPDATE OF title, tags, description, artist ON piece BEGIN
    INSERT INTO piece_fts (piece_fts, rowid, title, tags, description, artist)
    VALUES ('delete', old.id, old.title, old.tags, old.description, old.artist);
    INSERT INTO piece_fts (rowid, title, tags, description, artist)
    VALUES (new.id, new.title, new.tags, new.description, new.artist);
END;
CREATE TRIGGER piece_text AFTER UPDATE OF text ON piece BEGIN
    INSERT INTO piece_art (piece_art, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO piece_art (rowid, text) VALUES (new.id, new.text);
END;
-- tag is the truth; piece.tags is its JSON image, so that any tool can read, facet and index it.
-- The WHEN clauses make the triggers free for a bulk load that writes both.
CREATE TRIGGER tag_ai AFTER INSERT ON tag
WHEN NOT EXISTS (
    SELECT 1 FROM piece, json_each(piece.tags) AS j
    WHERE piece.id = new.piece_id AND j.value = new.name
) BEGIN
    UPDATE piece SET tags = (
        SELECT json_group_array(name) FROM tag WHERE piece_id = new.piece_id
    ) WHERE id = new.piece_id;
END;
CREATE TRIGGER tag_ad AFTER DELETE ON tag BEGIN
    UPDATE piece SET tags = (
        SELECT json_group_array(name) FROM tag WHERE piece_id = old.piece_id
    ) WHERE id = old.piece_id;
END;
CREATE TRIGGER tag_au AFTER UPDATE ON tag BEGIN
    UPDATE piece SET tags = (
        SELECT json_group_array(name) FROM tag WHERE piece_id = piece.id
    ) WHERE id IN (old.piece_id, new.piece_id);
END;
