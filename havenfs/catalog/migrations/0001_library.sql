-- The library as found on disk. All tables here are DERIVED: a rescan brings them back.

-- Small facts about the file itself.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,      -- 'library': a random id, the stable part of the mount's fsname
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('library', lower(hex(randomblob(8))));

-- A configured directory of originals. A source that is no longer configured keeps its rows, absent.
CREATE TABLE source (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,             -- its folder below files/
    root     BLOB NOT NULL UNIQUE,             -- absolute path
    writable INTEGER NOT NULL DEFAULT 0,       -- 0/1
    present  INTEGER NOT NULL DEFAULT 1,       -- 0: not configured now, or its disk is away; its assets are hidden
    scan     INTEGER NOT NULL DEFAULT 0        -- number of the last complete scan
) STRICT;

-- One path of a source, as last seen.
CREATE TABLE file (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL REFERENCES source(id),
    path      BLOB NOT NULL,                   -- relative to the root
    size      INTEGER NOT NULL,                -- bytes
    mtime_ns  INTEGER NOT NULL,
    device    INTEGER NOT NULL,                -- st_dev: compared, never shown; may change over a reboot
    inode     INTEGER NOT NULL,                -- st_ino
    state     TEXT NOT NULL DEFAULT 'new',     -- entities.FileState
    reason    TEXT,                            -- why skipped or failed, in words
    hash      BLOB,                            -- BLAKE3, 32 bytes; NULL until hashed
    asset_id  INTEGER REFERENCES asset(id),    -- set while 'known'; kept while a changed file waits to be hashed again
    scan      INTEGER NOT NULL DEFAULT 0,      -- number of the scan that last saw it
    UNIQUE (source_id, path)
) STRICT;
CREATE INDEX file_new ON file (mtime_ns) WHERE state = 'new';
CREATE INDEX file_trouble ON file (state) WHERE state IN ('skipped', 'failed');
CREATE INDEX file_inode ON file (inode, device);
CREATE INDEX file_hash ON file (hash);
CREATE INDEX file_asset ON file (asset_id);

-- country > region > city.
CREATE TABLE place (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    kind      TEXT NOT NULL,                   -- entities.PlaceKind
    name      TEXT NOT NULL,
    parent_id INTEGER REFERENCES place(id),
    UNIQUE (parent_id, kind, name)
) STRICT;
CREATE UNIQUE INDEX place_country ON place (name) WHERE kind = 'country';

-- One thing that a person sees.
CREATE TABLE asset (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused: a kernel handle may outlive the row
    hash         BLOB NOT NULL UNIQUE,         -- BLAKE3 of the present content, 32 bytes
    name         TEXT NOT NULL,                -- in every view; given once
    name_key     TEXT NOT NULL UNIQUE,         -- casefold(NFC(name))
    kind         TEXT NOT NULL,                -- entities.Kind
    mime         TEXT NOT NULL,
    file_id      INTEGER REFERENCES file(id),  -- primary file; NULL: no file left, hidden from every view
    taken_local  INTEGER,                      -- wall-clock seconds, as if that clock were UTC
    taken_offset INTEGER,                      -- minutes east of UTC, NULL unknown
    taken_source TEXT,                         -- entities.DateSource
    month        INTEGER AS (                  -- YYYYMM of the date; NULL: undated (none, or only an mtime)
        CASE WHEN taken_source <> 'mtime'
             THEN CAST(strftime('%Y%m', taken_local, 'unixepoch') AS INTEGER) END) STORED,
    latitude     REAL,
    longitude    REAL,
    place_id     INTEGER REFERENCES place(id), -- the city, else the finest level known
    width        INTEGER,                      -- pixels, after orientation
    height       INTEGER,
    duration_ms  INTEGER,
    camera       TEXT,
    lens         TEXT,
    iso          INTEGER,
    aperture     REAL,                         -- f-number
    focal_mm     REAL,
    exposure_s   REAL,
    rating       INTEGER,                      -- 0-5, from the file
    caption      TEXT,
    keywords     TEXT,                         -- JSON array, from the file
    screenshot   INTEGER NOT NULL DEFAULT 0,
    raw          INTEGER NOT NULL DEFAULT 0,
    live         INTEGER NOT NULL DEFAULT 0,
    thumbhash    BLOB,                         -- about 25 bytes
    phash        INTEGER,                      -- 64-bit perceptual hash, signed
    text_likeness REAL,                        -- 0..1, entities.Preview
    added        INTEGER NOT NULL              -- Unix seconds when it was first indexed
) STRICT;
CREATE INDEX asset_month ON asset (month, taken_local);
CREATE INDEX asset_place ON asset (place_id);
CREATE INDEX asset_kind ON asset (kind);
CREATE INDEX asset_file ON asset (file_id);

-- Work still to do or done, one row a stage. The queue itself: durable, newest first.
CREATE TABLE job (
    asset_id INTEGER NOT NULL REFERENCES asset(id) ON DELETE CASCADE,
    stage    TEXT NOT NULL,                    -- entities.Stage
    state    TEXT NOT NULL DEFAULT 'queued',   -- entities.JobState
    priority INTEGER NOT NULL DEFAULT 0,       -- larger first; the file's mtime in seconds
    crashes  INTEGER NOT NULL DEFAULT 0,       -- workers that died on it; 2 quarantine the content
    model    TEXT,                             -- entities.ModelId that did it, for stages with a model
    reason   TEXT,                             -- why skipped or failed, in words
    finished INTEGER,                          -- Unix seconds
    PRIMARY KEY (asset_id, stage)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_queue ON job (stage, priority DESC, asset_id) WHERE state = 'queued';
CREATE INDEX job_trouble ON job (state) WHERE state = 'failed';

-- One model that has made vectors here.
CREATE TABLE model (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT NOT NULL UNIQUE,            -- entities.ModelId
    dimension INTEGER NOT NULL
) STRICT;

-- The canonical vectors; one vec0 table a model, made by catalog.vectors, is the index over them.
CREATE TABLE embedding (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,-- the rowid in the model's vec0 table
    asset_id INTEGER NOT NULL REFERENCES asset(id) ON DELETE CASCADE,
    model_id INTEGER NOT NULL REFERENCES model(id),
    frame_ms INTEGER NOT NULL DEFAULT 0,       -- position in a video
    vector   BLOB NOT NULL,                    -- int8, scaled so that its largest component is +-127: compare by angle
    UNIQUE (asset_id, model_id, frame_ms)
) STRICT;

-- Words, rowid = asset id: names and places, captions and keywords, OCR, documents.
CREATE VIRTUAL TABLE words USING fts5 (
    name, place, caption, ocr, document, tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
);

-- What was typed into search/, for its listing. The one thing here that people wrote: losing it costs nothing.
CREATE TABLE recent_query (
    text TEXT PRIMARY KEY,
    used INTEGER NOT NULL                      -- Unix milliseconds
) STRICT, WITHOUT ROWID;

-- What changed, for whoever caches: kept by the triggers below, so that no writer can forget. `seq` is the
-- generation of the library. before/after are JSON objects of what decides where an asset stands in the tree, NULL
-- while it is not visible. A row with neither says that what searches answer has changed.
CREATE TABLE change (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    asset_id INTEGER,
    before   TEXT,                             -- {"name","kind","month","place","file","raw","live","screenshot"}
    after    TEXT
) STRICT;

CREATE TRIGGER asset_added AFTER INSERT ON asset WHEN new.file_id IS NOT NULL BEGIN
    INSERT INTO change (asset_id, after) VALUES (new.id, json_object(
        'name', new.name, 'kind', new.kind, 'month', new.month, 'place', new.place_id, 'file', new.file_id,
        'raw', new.raw, 'live', new.live, 'screenshot', new.screenshot));
END;
CREATE TRIGGER asset_changed
AFTER UPDATE OF name, kind, taken_local, taken_source, place_id, file_id, raw, live, screenshot, hash ON asset
WHEN old.file_id IS NOT NULL OR new.file_id IS NOT NULL BEGIN
    INSERT INTO change (asset_id, before, after) VALUES (new.id,
        CASE WHEN old.file_id IS NOT NULL THEN json_object(
            'name', old.name, 'kind', old.kind, 'month', old.month, 'place', old.place_id, 'file', old.file_id,
            'raw', old.raw, 'live', old.live, 'screenshot', old.screenshot) END,
        CASE WHEN new.file_id IS NOT NULL THEN json_object(
            'name', new.name, 'kind', new.kind, 'month', new.month, 'place', new.place_id, 'file', new.file_id,
            'raw', new.raw, 'live', new.live, 'screenshot', new.screenshot) END);
END;
CREATE TRIGGER asset_removed AFTER DELETE ON asset WHEN old.file_id IS NOT NULL BEGIN
    INSERT INTO change (asset_id, before) VALUES (old.id, json_object(
        'name', old.name, 'kind', old.kind, 'month', old.month, 'place', old.place_id, 'file', old.file_id,
        'raw', old.raw, 'live', old.live, 'screenshot', old.screenshot));
END;
CREATE TRIGGER file_changed AFTER UPDATE OF size, mtime_ns, device, inode, path ON file
WHEN new.asset_id IS NOT NULL BEGIN
    INSERT INTO change (asset_id, before, after)
    SELECT id, json_object('name', name, 'kind', kind, 'month', month, 'place', place_id, 'file', file_id,
                           'raw', raw, 'live', live, 'screenshot', screenshot),
               json_object('name', name, 'kind', kind, 'month', month, 'place', place_id, 'file', file_id,
                           'raw', raw, 'live', live, 'screenshot', screenshot)
      FROM asset WHERE id = new.asset_id AND file_id = new.id;
END;
CREATE TRIGGER embedding_added AFTER INSERT ON embedding BEGIN
    INSERT INTO change (asset_id) VALUES (new.asset_id);
END;
CREATE TRIGGER source_changed AFTER UPDATE OF present ON source WHEN old.present <> new.present BEGIN
    INSERT INTO change (asset_id, before, after)
    SELECT a.id,
        CASE WHEN old.present THEN json_object(
            'name', a.name, 'kind', a.kind, 'month', a.month, 'place', a.place_id, 'file', a.file_id,
            'raw', a.raw, 'live', a.live, 'screenshot', a.screenshot) END,
        CASE WHEN new.present THEN json_object(
            'name', a.name, 'kind', a.kind, 'month', a.month, 'place', a.place_id, 'file', a.file_id,
            'raw', a.raw, 'live', a.live, 'screenshot', a.screenshot) END
      FROM asset a JOIN file f ON f.id = a.file_id WHERE f.source_id = new.id;
END;

-- What every view shows: assets with a file that is there.
CREATE VIEW visible AS
SELECT a.*, f.source_id, f.path, f.size, f.mtime_ns, f.device, f.inode
  FROM asset a JOIN file f ON f.id = a.file_id JOIN source s ON s.id = f.source_id
 WHERE s.present;
