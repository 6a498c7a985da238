-- What people correct holds everywhere: `asset` has what is shown, sorted and searched, as before; what the file says stands aside
-- meanwhile. And which sidecars do not say yet what was decided. All tables here are DERIVED: from the files and the GIVEN tables.

-- What files say, of each asset of which people have said otherwise: as the columns of `asset` of these names.
CREATE TABLE as_found (
    asset_id         INTEGER PRIMARY KEY REFERENCES asset(id) ON DELETE CASCADE,
    taken_local      INTEGER,
    taken_offset     INTEGER,
    taken_source     TEXT,
    taken_confidence REAL,
    latitude         REAL,
    longitude        REAL,
    place_id         INTEGER REFERENCES place(id),
    rating           INTEGER,
    caption          TEXT
) STRICT;

-- In which place a position lies that people gave. Until it is here, an asset with that position lies in none.
CREATE TABLE located (
    latitude  REAL NOT NULL,
    longitude REAL NOT NULL,
    centre    INTEGER NOT NULL,                -- as given_position.centre
    place_id  INTEGER REFERENCES place(id),    -- NULL: in none, at sea
    PRIMARY KEY (latitude, longitude, centre)
) STRICT, WITHOUT ROWID;
CREATE INDEX given_position_at ON given_position (latitude, longitude, centre);

-- Assets of which something else may hold now. Filled by the triggers below, so that no writer can forget; emptied by
-- catalog.corrections at the end of the same transaction.
CREATE TABLE amended (
    asset_id INTEGER PRIMARY KEY
) STRICT;

-- Contents whose sidecars are behind. Filled by the triggers below, emptied as they are written.
CREATE TABLE unsaid (
    hash  BLOB PRIMARY KEY,
    since INTEGER NOT NULL                     -- Unix seconds of the last decision about it; in the future: not to be tried before
) STRICT, WITHOUT ROWID;
CREATE INDEX unsaid_since ON unsaid (since);

-- Persons and folders that have another name or place: the sidecars of all that is in them are behind.
CREATE TABLE unsaid_name (
    uid TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER given_date_added AFTER INSERT ON given_date BEGIN
    INSERT OR IGNORE INTO amended SELECT id FROM asset WHERE hash = new.hash;
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;
CREATE TRIGGER given_date_removed AFTER DELETE ON given_date BEGIN
    INSERT OR IGNORE INTO amended SELECT id FROM asset WHERE hash = old.hash;
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
    INSERT OR REPLACE INTO unsaid VALUES (old.hash, unixepoch());
END;
CREATE TRIGGER given_position_added AFTER INSERT ON given_position BEGIN
    INSERT OR IGNORE INTO amended SELECT id FROM asset WHERE hash = new.hash;
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;
CREATE TRIGGER given_position_removed AFTER DELETE ON given_position BEGIN
    INSERT OR IGNORE INTO amended SELECT id FROM asset WHERE hash = old.hash;
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
    INSERT OR REPLACE INTO unsaid VALUES (old.hash, unixepoch());
END;
CREATE TRIGGER given_rating_added AFTER INSERT ON given_rating BEGIN
    INSERT OR IGNORE INTO amended SELECT id FROM asset WHERE hash = new.hash;
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;
CREATE TRIGGER given_rating_removed AFTER DELETE ON given_rating BEGIN
    INSERT OR IGNORE INTO amended SELECT id FROM asset WHERE hash = old.hash;
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
    INSERT OR REPLACE INTO unsaid VALUES (old.hash, unixepoch());
END;
CREATE TRIGGER given_caption_added AFTER INSERT ON given_caption BEGIN
    INSERT OR IGNORE INTO amended SELECT id FROM asset WHERE hash = new.hash;
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;
CREATE TRIGGER given_caption_removed AFTER DELETE ON given_caption BEGIN
    INSERT OR IGNORE INTO amended SELECT id FROM asset WHERE hash = old.hash;
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
    INSERT OR REPLACE INTO unsaid VALUES (old.hash, unixepoch());
END;
CREATE TRIGGER located_added AFTER INSERT ON located BEGIN
    INSERT OR IGNORE INTO amended SELECT a.id FROM given_position g JOIN asset a ON a.hash = g.hash
     WHERE g.latitude = new.latitude AND g.longitude = new.longitude AND g.centre = new.centre;
END;

-- What was decided before its content was scanned; and content that has taken the place of another.
CREATE TRIGGER asset_amended_new AFTER INSERT ON asset
WHEN EXISTS (SELECT 1 FROM given_date WHERE hash = new.hash) OR EXISTS (SELECT 1 FROM given_position WHERE hash = new.hash)
  OR EXISTS (SELECT 1 FROM given_rating WHERE hash = new.hash) OR EXISTS (SELECT 1 FROM given_caption WHERE hash = new.hash) BEGIN
    INSERT OR IGNORE INTO amended VALUES (new.id);
END;
CREATE TRIGGER asset_amended AFTER UPDATE OF hash ON asset BEGIN
    INSERT OR IGNORE INTO amended VALUES (new.id);
END;

-- The other decisions that sidecars tell.
CREATE TRIGGER face_said_unsaid AFTER INSERT ON face_said BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;
CREATE TRIGGER face_said_unsaid_gone AFTER DELETE ON face_said BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (old.hash, unixepoch());
END;
CREATE TRIGGER person_tag_unsaid AFTER INSERT ON person_tag BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;
CREATE TRIGGER person_tag_unsaid_gone AFTER DELETE ON person_tag BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (old.hash, unixepoch());
END;
CREATE TRIGGER member_unsaid AFTER INSERT ON member BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;
CREATE TRIGGER member_unsaid_gone AFTER DELETE ON member BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (old.hash, unixepoch());
END;
CREATE TRIGGER favorite_unsaid AFTER INSERT ON favorite BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;
CREATE TRIGGER favorite_unsaid_gone AFTER DELETE ON favorite BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (old.hash, unixepoch());
END;
-- A row is changed by removing it and writing it anew.
CREATE TRIGGER person_unsaid AFTER INSERT ON person BEGIN
    INSERT OR IGNORE INTO unsaid_name VALUES (new.uid);
END;
CREATE TRIGGER collection_unsaid AFTER INSERT ON collection BEGIN
    INSERT OR IGNORE INTO unsaid_name VALUES (new.uid);
END;
-- A file of content that was decided about has come, or has left its sidecar behind.
CREATE TRIGGER file_unsaid AFTER UPDATE OF asset_id, source_id, path ON file
WHEN new.hash IS NOT NULL AND new.asset_id IS NOT NULL
 AND (new.asset_id IS NOT old.asset_id OR new.source_id <> old.source_id OR new.path <> old.path)
 AND (EXISTS (SELECT 1 FROM member WHERE hash = new.hash) OR EXISTS (SELECT 1 FROM favorite WHERE hash = new.hash)
   OR EXISTS (SELECT 1 FROM face_said WHERE hash = new.hash) OR EXISTS (SELECT 1 FROM person_tag WHERE hash = new.hash)
   OR EXISTS (SELECT 1 FROM given_date WHERE hash = new.hash) OR EXISTS (SELECT 1 FROM given_position WHERE hash = new.hash)
   OR EXISTS (SELECT 1 FROM given_rating WHERE hash = new.hash) OR EXISTS (SELECT 1 FROM given_caption WHERE hash = new.hash)) BEGIN
    INSERT OR REPLACE INTO unsaid VALUES (new.hash, unixepoch());
END;

-- What was decided before this version.
INSERT INTO amended
    SELECT a.id FROM given_date g JOIN asset a ON a.hash = g.hash UNION
    SELECT a.id FROM given_position g JOIN asset a ON a.hash = g.hash UNION
    SELECT a.id FROM given_rating g JOIN asset a ON a.hash = g.hash UNION
    SELECT a.id FROM given_caption g JOIN asset a ON a.hash = g.hash;
INSERT INTO unsaid
    SELECT hash, unixepoch() FROM given_date UNION SELECT hash, unixepoch() FROM given_position UNION
    SELECT hash, unixepoch() FROM given_rating UNION SELECT hash, unixepoch() FROM given_caption UNION
    SELECT hash, unixepoch() FROM member UNION SELECT hash, unixepoch() FROM favorite UNION
    SELECT hash, unixepoch() FROM face_said UNION SELECT hash, unixepoch() FROM person_tag;
