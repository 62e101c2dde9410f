-- asciiloom corpus, version 4: what people decide, and how to take it back.

-- Pieces that a person took out: kept with all they have, but in no selection.
CREATE TABLE withdrawn (
    piece_id INTEGER PRIMARY KEY REFERENCES piece (id) ON DELETE CASCADE,
    reason   TEXT NOT NULL,
    made     TEXT NOT NULL
) STRICT;

CREATE TABLE edit (
    id      INTEGER PRIMARY KEY,
    made    TEXT NOT NULL,
    command TEXT NOT NULL,
    pieces  INTEGER NOT NULL,
    undone  INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1))
) STRICT;
CREATE TABLE change (
    edit_id  INTEGER NOT NULL REFERENCES edit (id) ON DELETE CASCADE,
    piece_id INTEGER NOT NULL,
    field    TEXT NOT NULL,
    before   TEXT NOT NULL CHECK (json_valid(before)),
    after    TEXT NOT NULL CHECK (json_valid(after)),
    PRIMARY KEY (edit_id, piece_id, field)
) STRICT, WITHOUT ROWID;

-- Pieces whose signature is of another text: the next dedup signs them again. Whoever changes a text or
-- deletes a piece, with whatever tool, gets this.
CREATE TABLE stale (
    piece_id INTEGER PRIMARY KEY
) STRICT;
CREATE TRIGGER piece_stale_text AFTER UPDATE OF text ON piece BEGIN
    INSERT OR IGNORE INTO stale VALUES (new.id);
    DELETE FROM twin WHERE a = new.id;
    DELETE FROM twin WHERE b = new.id;
    UPDATE piece SET cluster_id = NULL WHERE id = new.id;
END;
CREATE TRIGGER piece_stale_gone AFTER DELETE ON piece BEGIN
    INSERT OR IGNORE INTO stale VALUES (old.id);
END;
