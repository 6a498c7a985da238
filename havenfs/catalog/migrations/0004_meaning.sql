-- What pictures are beyond their facts: how sure their dates are, where they may have been taken, copies of one another. All tables here are DERIVED: indexing brings them back.

ALTER TABLE asset ADD COLUMN taken_confidence REAL;  -- 0..1, extract.moments; NULL: undated, or found before this column

-- By time, for what was taken just before and after.
CREATE INDEX asset_taken ON asset (taken_local) WHERE taken_local IS NOT NULL;

-- Where a picture without a position was probably taken. Nothing takes it for a fact until a person has said so.
CREATE TABLE position_suggestion (
    asset_id   INTEGER PRIMARY KEY REFERENCES asset(id) ON DELETE CASCADE,
    latitude   REAL NOT NULL,
    longitude  REAL NOT NULL,
    place_id   INTEGER REFERENCES place(id),   -- that of the nearer neighbour
    confidence REAL NOT NULL,                  -- 0..1
    reason     TEXT NOT NULL                   -- in words, for people
) STRICT;

-- What finds and proves a copy besides asset.phash. A row for each photo that was looked at.
CREATE TABLE look (
    asset_id INTEGER PRIMARY KEY REFERENCES asset(id) ON DELETE CASCADE,
    inner    INTEGER NOT NULL,                 -- perceptual hash without the border: what a crop's whole hash equals
    grid     BLOB NOT NULL                     -- grey levels of 16 x 16 cells, row by row
) STRICT;

-- 64 bits in four parts: hashes that differ in at most 7 bits differ in at most one bit of one part.
-- With the whole hash beside it: else each of a few thousand candidates is a read of its row, 12 ms in a million.
CREATE INDEX asset_phash_0 ON asset (phash & 65535, phash) WHERE phash IS NOT NULL;
CREATE INDEX asset_phash_1 ON asset (phash >> 16 & 65535, phash) WHERE phash IS NOT NULL;
CREATE INDEX asset_phash_2 ON asset (phash >> 32 & 65535, phash) WHERE phash IS NOT NULL;
CREATE INDEX asset_phash_3 ON asset (phash >> 48 & 65535, phash) WHERE phash IS NOT NULL;
CREATE INDEX look_inner_0 ON look (inner & 65535, inner);
CREATE INDEX look_inner_1 ON look (inner >> 16 & 65535, inner);
CREATE INDEX look_inner_2 ON look (inner >> 32 & 65535, inner);
CREATE INDEX look_inner_3 ON look (inner >> 48 & 65535, inner);

-- Copies of one picture that differ in their bytes. Files of equal bytes are one asset already.
CREATE TABLE duplicate (
    asset_id INTEGER PRIMARY KEY REFERENCES asset(id) ON DELETE CASCADE,
    group_id INTEGER NOT NULL                  -- the smallest asset_id of the group, which has at least two
) STRICT;
CREATE INDEX duplicate_group ON duplicate (group_id);

CREATE TRIGGER duplicate_added AFTER INSERT ON duplicate BEGIN
    INSERT INTO change (asset_id) VALUES (new.asset_id);
END;
CREATE TRIGGER duplicate_removed AFTER DELETE ON duplicate BEGIN
    INSERT INTO change (asset_id) VALUES (old.asset_id);
END;

-- The words that pictures are tagged with, as vectors. One row: of the model and list in use.
CREATE TABLE tag_words (
    made_by   TEXT PRIMARY KEY,                -- ModelId and list: <model>+<digest of the list>
    dimension INTEGER NOT NULL,
    vectors   BLOB NOT NULL                    -- float32, little-endian, a row for each sentence of retrieval.tagging
) STRICT, WITHOUT ROWID;

-- What a model takes a picture for. A suggestion until a person has said so; job.model of stage 'tags' says which model.
CREATE TABLE suggested_tag (
    asset_id INTEGER NOT NULL REFERENCES asset(id) ON DELETE CASCADE,
    tag      TEXT NOT NULL,                    -- a name in models/taxonomy.toml
    score    REAL NOT NULL,                    -- 0..1
    PRIMARY KEY (asset_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX suggested_tag_tag ON suggested_tag (tag, asset_id);

INSERT INTO job (asset_id, stage, priority)
SELECT asset_id, 'tags', priority FROM job WHERE stage = 'embed';

-- What is known of a text besides its words.
CREATE TABLE reading (
    asset_id INTEGER PRIMARY KEY REFERENCES asset(id) ON DELETE CASCADE,
    language TEXT,                             -- ISO 639-1; NULL: cannot be told
    keywords TEXT,                             -- JSON array, best first
    boxes    BLOB                              -- entities.Text.boxes: where the words of words.ocr stand; NULL: no picture
) STRICT;
CREATE INDEX reading_language ON reading (language) WHERE language IS NOT NULL;

-- How many assets each word of the index occurs in.
CREATE VIRTUAL TABLE words_seen USING fts5vocab(words, 'row');
