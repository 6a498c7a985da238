-- What people decide. All tables here are GIVEN: the journal (docs/journal.md) brings them back, row by row, and nothing else can.
-- Keys are content hashes and uids, never row ids; there is no reference to `asset`, so that what was decided about a content
-- waits here until a file with that content appears, and stays when the last one goes.

-- A person. Clusters of faces that nobody has named have no row.
CREATE TABLE person (
    uid      TEXT PRIMARY KEY,                 -- random, given once: survives every renaming
    name     TEXT,                             -- NULL: a cluster that is ignored without ever having had a name
    name_key TEXT UNIQUE,                      -- casefold(NFC(name))
    ignored  INTEGER NOT NULL                  -- 0/1: shown in people/_ignored only
) STRICT, WITHOUT ROWID;

-- Whether the face in a region of a picture is a person's. At most one person is said to be it; any number are said not to be.
CREATE TABLE face_said (
    hash     BLOB NOT NULL,                    -- BLAKE3 of the content, 32 bytes; so in every table here
    frame_ms INTEGER NOT NULL,                 -- entities.Region: position in a video, then shares of the upright picture
    x0       REAL NOT NULL,
    y0       REAL NOT NULL,
    x1       REAL NOT NULL,
    y1       REAL NOT NULL,
    person   TEXT NOT NULL REFERENCES person(uid) DEFERRABLE INITIALLY DEFERRED,
    is_it    INTEGER NOT NULL,                 -- 1: it is; 0: it is not
    PRIMARY KEY (hash, frame_ms, x0, y0, x1, y1, person)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX face_said_one ON face_said (hash, frame_ms, x0, y0, x1, y1) WHERE is_it;
CREATE INDEX face_said_person ON face_said (person);

-- Whether a person is in a picture as a whole, where no face says so.
CREATE TABLE person_tag (
    hash    BLOB NOT NULL,
    person  TEXT NOT NULL REFERENCES person(uid) DEFERRABLE INITIALLY DEFERRED,
    is_in   INTEGER NOT NULL,                  -- 1: is in it; 0: is not, whatever faces say
    PRIMARY KEY (hash, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_tag_person ON person_tag (person);

-- Albums and tags: folders that people fill. Both nest.
CREATE TABLE collection (
    uid      TEXT PRIMARY KEY,                 -- random, given once
    kind     TEXT NOT NULL,                    -- 'album' or 'tag'
    parent   TEXT REFERENCES collection(uid) DEFERRABLE INITIALLY DEFERRED,  -- NULL: at the top
    name     TEXT NOT NULL,
    name_key TEXT NOT NULL                     -- casefold(NFC(name))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX collection_name ON collection (kind, ifnull(parent, ''), name_key);
CREATE INDEX collection_parent ON collection (parent);

CREATE TABLE member (
    collection TEXT NOT NULL REFERENCES collection(uid) DEFERRABLE INITIALLY DEFERRED,
    hash       BLOB NOT NULL,
    PRIMARY KEY (collection, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_hash ON member (hash);

-- A suggested tag that somebody said no to.
CREATE TABLE tag_refused (
    hash BLOB NOT NULL,
    tag  TEXT NOT NULL,                        -- suggested_tag.tag
    PRIMARY KEY (hash, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE favorite (
    hash BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What people set in place of what the file says.
CREATE TABLE given_rating (
    hash  BLOB PRIMARY KEY,
    stars INTEGER NOT NULL                     -- 0-5
) STRICT, WITHOUT ROWID;
CREATE TABLE given_caption (
    hash BLOB PRIMARY KEY,
    body TEXT NOT NULL                         -- '': none, whatever the file says
) STRICT, WITHOUT ROWID;
CREATE TABLE given_date (
    hash         BLOB PRIMARY KEY,
    taken_local  INTEGER NOT NULL,             -- as asset.taken_local
    taken_offset INTEGER                       -- minutes east of UTC; NULL unknown
) STRICT, WITHOUT ROWID;
CREATE TABLE given_position (
    hash      BLOB PRIMARY KEY,
    latitude  REAL NOT NULL,                   -- degrees, WGS 84
    longitude REAL NOT NULL,
    centre    INTEGER NOT NULL                 -- 1: only the city is known, and this is its centre
) STRICT, WITHOUT ROWID;

CREATE TABLE saved_search (
    name_key TEXT PRIMARY KEY,                 -- casefold(NFC(name))
    name     TEXT NOT NULL,
    query    TEXT NOT NULL                     -- in the search language, as it was written
) STRICT, WITHOUT ROWID;

-- Two contents that somebody said are no copies of each other.
CREATE TABLE not_duplicate (
    first  BLOB NOT NULL,                      -- the smaller hash
    second BLOB NOT NULL,
    PRIMARY KEY (first, second)
) STRICT, WITHOUT ROWID;
CREATE INDEX not_duplicate_second ON not_duplicate (second);

-- What was moved to the trash and is still there.
CREATE TABLE trashed (
    uid    TEXT PRIMARY KEY,                   -- random; the name of its bytes in the trash
    hash   BLOB NOT NULL,
    source TEXT NOT NULL,                      -- source.name
    path   BLOB NOT NULL,                      -- where it was, relative to the source's root
    at_ms  INTEGER NOT NULL,                   -- Unix milliseconds
    owner  TEXT NOT NULL                       -- who moved it there
) STRICT, WITHOUT ROWID;
CREATE INDEX trashed_hash ON trashed (hash);

-- A file was edited in place: decisions about the old content were copied to the new one.
CREATE TABLE succession (
    old BLOB NOT NULL,
    new BLOB NOT NULL,
    PRIMARY KEY (old, new)
) STRICT, WITHOUT ROWID;

-- The decisions themselves, newest last: what undo lists and takes back, and how a replay knows what it has seen.
CREATE TABLE operation (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- order of commits, in this file only
    id      TEXT NOT NULL UNIQUE,              -- 16 random hexadecimal digits; the same in the journal
    at_ms   INTEGER NOT NULL,                  -- Unix milliseconds
    by      TEXT,                              -- who; NULL: nobody, HavenFS followed an edited file
    kind    TEXT NOT NULL,                     -- the class of havenfs.decisions.values
    words   TEXT NOT NULL,                     -- for people
    assets  INTEGER NOT NULL,                  -- how many contents it touched
    reverts TEXT,                              -- the operation that it took back
    changes TEXT NOT NULL                      -- JSON: [table, key, before, after] of each row; backwards it is the inverse
) STRICT;
CREATE INDEX operation_reverts ON operation (reverts) WHERE reverts IS NOT NULL;

-- Committed, and not known to be in the journal yet. Empty but for the milliseconds between the two.
CREATE TABLE outbox (
    seq  INTEGER PRIMARY KEY REFERENCES operation(seq)
) STRICT;

-- Whoever caches searches or folders is told which assets decisions moved.
CREATE TRIGGER member_added AFTER INSERT ON member BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
END;
CREATE TRIGGER member_removed AFTER DELETE ON member BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
END;
CREATE TRIGGER favorite_added AFTER INSERT ON favorite BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
END;
CREATE TRIGGER favorite_removed AFTER DELETE ON favorite BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
END;
CREATE TRIGGER face_said_added AFTER INSERT ON face_said BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
END;
CREATE TRIGGER face_said_removed AFTER DELETE ON face_said BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
END;
CREATE TRIGGER person_tag_added AFTER INSERT ON person_tag BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = new.hash;
END;
CREATE TRIGGER person_tag_removed AFTER DELETE ON person_tag BEGIN
    INSERT INTO change (asset_id) SELECT id FROM asset WHERE hash = old.hash;
END;
