-- asciiloom corpus, version 9: a licence is a fact of the piece, and what it allows one of the licence.

CREATE TABLE licence (
    name            TEXT PRIMARY KEY,
    spdx            INTEGER NOT NULL CHECK (spdx IN (0, 1)),
    redistributable INTEGER CHECK (redistributable IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX piece_licence ON piece (licence) WHERE licence IS NOT NULL;

-- The licence of a source was what its first piece stated, and said nothing of the others. One that no piece
-- of the source stated was written there by hand, for all of them: those that state nothing have it.
UPDATE piece SET licence = (SELECT licence FROM source WHERE source.id = piece.source_id)
WHERE licence IS NULL
AND source_id IN (
    SELECT id FROM source WHERE licence IS NOT NULL AND (id, licence) NOT IN (
        SELECT source_id, licence FROM origin WHERE licence IS NOT NULL
        UNION SELECT source_id, licence FROM piece WHERE licence IS NOT NULL
    )
)
AND id NOT IN (SELECT piece_id FROM change WHERE field = 'licence');
ALTER TABLE source DROP COLUMN redistributable;
ALTER TABLE source DROP COLUMN licence;

-- Then, by asciiloom (store/names.py): a piece keeps the SPDX expression of its licence, each origin what was
-- stated there, and every licence that a piece has gets its row.
