-- Filing what stands in the inbox: what people said about it, and what is proposed.

-- GIVEN: this content does not belong into that folder, whatever it looks like.
CREATE TABLE filing_refused (
    hash   BLOB NOT NULL,                      -- BLAKE3 of the content, 32 bytes
    source TEXT NOT NULL,                      -- source.name
    path   BLOB NOT NULL,                      -- of the folder, relative to the source's root; empty: the root
    PRIMARY KEY (hash, source, path)
) STRICT, WITHOUT ROWID;

-- GIVEN: a file was moved out of the inbox. A row for each file that went along (a RAW, a film, a sidecar).
-- Taking the decision back removes the rows and moves the files back.
CREATE TABLE filed (
    uid       TEXT NOT NULL,                   -- random; the same for files that were moved together
    number    INTEGER NOT NULL,                -- 0: the one that was meant
    hash      BLOB NOT NULL,                   -- of the content; of a sidecar: of the picture that it is about
    source    TEXT NOT NULL,                   -- source.name
    path      BLOB NOT NULL,                   -- where it was, relative to the source's root
    to_source TEXT NOT NULL,
    to_path   BLOB NOT NULL,                   -- where it was moved to
    PRIMARY KEY (uid, number)
) STRICT, WITHOUT ROWID;

-- DERIVED: where an asset in the inbox may belong. Made by havenfs.sorting, at most three an asset.
CREATE TABLE proposal (
    asset_id   INTEGER NOT NULL REFERENCES asset(id) ON DELETE CASCADE,
    rank       INTEGER NOT NULL,               -- 0: the best
    source_id  INTEGER NOT NULL REFERENCES source(id),
    path       BLOB NOT NULL,                  -- of the folder, relative to the source's root
    fresh      INTEGER NOT NULL,               -- 0/1: the folder is not there yet
    confidence REAL NOT NULL,                  -- 0..1; 1: a rule of the owner says so
    reasons    TEXT NOT NULL,                  -- JSON array, in words for people, the best first
    rule       TEXT,                           -- name of the owner's rule; NULL: learned from the folders
    PRIMARY KEY (asset_id, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX proposal_place ON proposal (source_id, path);

CREATE TRIGGER filing_refused_added AFTER INSERT ON filing_refused BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
END;
CREATE TRIGGER filing_refused_removed AFTER DELETE ON filing_refused BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
END;
