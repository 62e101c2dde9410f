-- asciiloom corpus, version 5: the index of shapes is filled in bulk after a large load, not with it.

-- Pieces that piece_art does not hold yet. A search for a shape looks at them one by one; `asciiloom index`
-- (and dedup) fills them in.
CREATE TABLE unindexed (
    piece_id INTEGER PRIMARY KEY
) STRICT;

DROP TRIGGER piece_ad;
CREATE TRIGGER piece_ad AFTER DELETE ON piece BEGIN
    INSERT INTO piece_fts (piece_fts, rowid, title, tags, description, artist)
    VALUES ('delete', old.id, old.title, old.tags, old.description, old.artist);
    INSERT INTO piece_art (piece_art, rowid, text) SELECT 'delete', old.id, old.text
    WHERE old.id NOT IN (SELECT piece_id FROM unindexed);
    DELETE FROM unindexed WHERE piece_id = old.id;
END;
DROP TRIGGER piece_text;
CREATE TRIGGER piece_text AFTER UPDATE OF text ON piece
WHEN old.id NOT IN (SELECT piece_id FROM unindexed) BEGIN
    INSERT INTO piece_art (piece_art, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO piece_art (rowid, text) VALUES (new.id, new.text);
END;
