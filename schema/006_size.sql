-- asciiloom corpus, version 6: sizes in a table of their own, so narrow that a search for words that fit in a
-- size looks at hundreds of thousands of them in milliseconds.

CREATE TABLE size (
    piece_id INTEGER PRIMARY KEY REFERENCES piece (id) ON DELETE CASCADE,
    width    INTEGER NOT NULL,
    height   INTEGER NOT NULL
) STRICT;
INSERT INTO size SELECT id, width, height FROM piece;

DROP TRIGGER piece_ai;
CREATE TRIGGER piece_ai AFTER INSERT ON piece BEGIN
    INSERT INTO piece_fts (rowid, title, tags, description, artist)
    VALUES (new.id, new.title, new.tags, new.description, new.artist);
    INSERT INTO piece_art (rowid, text) VALUES (new.id, new.text);
    INSERT INTO size VALUES (new.id, new.width, new.height);
END;
CREATE TRIGGER piece_size_au AFTER UPDATE OF width, height ON piece BEGIN
    UPDATE size SET width = new.width, height = new.height WHERE piece_id = new.id;
END;
