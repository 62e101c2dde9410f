-- asciiloom corpus, version 10: whose names are one person's, and titles in the order in which they are found.

-- The authority: a person, and every name of that person, each under a key without case, dots and quotes.
CREATE TABLE artist (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE alias (
    key       TEXT PRIMARY KEY,
    spelling  TEXT NOT NULL,
    artist_id INTEGER NOT NULL REFERENCES artist (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_artist ON alias (artist_id);
INSERT INTO artist (id, name) VALUES
    (1, 'Joan G. Stark'), (2, 'Hayley Jane Wakenshaw'), (3, 'Veronica Karlsson'), (4, 'Normand Veilleux'),
    (5, 'Shanaka Dias'), (6, 'ejm'), (7, 'Valkyrie');
INSERT INTO alias (key, spelling, artist_id) VALUES
    ('joan g stark', 'Joan G. Stark', 1), ('jgs', 'jgs', 1), ('joan stark', 'Joan Stark', 1),
    ('hayley jane wakenshaw', 'Hayley Jane Wakenshaw', 2), ('hjw', 'hjw', 2),
    ('hayley wakenshaw', 'Hayley Wakenshaw', 2),
    ('veronica karlsson', 'Veronica Karlsson', 3), ('vk', 'VK', 3),
    ('normand veilleux', 'Normand Veilleux', 4), ('veilleux', 'Veilleux', 4),
    ('shanaka dias', 'Shanaka Dias', 5), ('snd', 'snd', 5),
    ('ejm', 'ejm', 6), ('ejm96', 'ejm96', 6), ('ejm97', 'ejm97', 6), ('ejm98', 'ejm98', 6),
    ('valkyrie', 'Valkyrie', 7), ('valky', 'Valky', 7);

-- What a piece says of its artist, and the keys of all who are named there.
CREATE TABLE byline (
    text TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (text, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX byline_name ON byline (name, text);
CREATE INDEX piece_artist ON piece (artist) WHERE artist IS NOT NULL;
-- Whoever edits a piece, with whatever tool, is found under what was written.
CREATE TRIGGER piece_byline AFTER UPDATE OF artist ON piece
WHEN new.artist IS NOT NULL AND NOT EXISTS (SELECT 1 FROM byline WHERE text = new.artist) BEGIN
    INSERT INTO byline VALUES (new.artist, lower(new.artist));
END;

-- Titles, each under its length above 40 bits and its piece below: what holds a word comes out of the index
-- in the order in which it is shown, the shortest title first, however many there are.
CREATE VIEW titled AS
SELECT (min(length(title), 1023) << 40) + id AS place, title FROM piece WHERE title IS NOT NULL;
CREATE VIRTUAL TABLE piece_title USING fts5 (
    title,
    content = 'titled', content_rowid = 'place', tokenize = 'porter unicode61', columnsize = 0
);
INSERT INTO piece_title (rowid, title) SELECT place, title FROM titled ORDER BY place;
CREATE TRIGGER piece_title_ai AFTER INSERT ON piece WHEN new.title IS NOT NULL BEGIN
    INSERT INTO piece_title (rowid, title)
    VALUES ((min(length(new.title), 1023) << 40) + new.id, new.title);
END;
CREATE TRIGGER piece_title_ad AFTER DELETE ON piece WHEN old.title IS NOT NULL BEGIN
    INSERT INTO piece_title (piece_title, rowid, title)
    VALUES ('delete', (min(length(old.title), 1023) << 40) + old.id, old.title);
END;
CREATE TRIGGER piece_title_au AFTER UPDATE OF title ON piece BEGIN
    INSERT INTO piece_title (piece_title, rowid, title)
    SELECT 'delete', (min(length(old.title), 1023) << 40) + old.id, old.title
    WHERE old.title IS NOT NULL;
    INSERT INTO piece_title (rowid, title)
    SELECT (min(length(new.title), 1023) << 40) + new.id, new.title
    WHERE new.title IS NOT NULL;
END;

-- Then, by asciiloom (store/names.py): a piece with a signature in it, of which nothing else says whose it is, is
-- the signer's; not where a person decided about it. And every byline gets its rows.
