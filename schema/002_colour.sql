-- asciiloom corpus, version 2: what readers of native formats know beyond text and artist.

ALTER TABLE piece ADD COLUMN made TEXT;
ALTER TABLE piece ADD COLUMN crew TEXT;
ALTER TABLE piece ADD COLUMN flags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(flags));

CREATE TABLE colour (
    piece_id INTEGER PRIMARY KEY REFERENCES piece (id) ON DELETE CASCADE,
    plane    BLOB NOT NULL
) STRICT;
