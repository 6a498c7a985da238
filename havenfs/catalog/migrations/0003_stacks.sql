-- Stacks: files that are one thing to a person (a RAW and its JPEG, a live photo and its film, a burst, an edited copy).
-- All of it DERIVED: from names, dates and what cameras write; made up anew by catalog.stacks wherever a file moved.

ALTER TABLE asset ADD COLUMN primary_id INTEGER REFERENCES asset(id) ON DELETE SET NULL;
    -- the asset that the views show in its place; NULL: it stands for itself
ALTER TABLE asset ADD COLUMN role TEXT;                              -- entities.Role: what it is to that one; NULL: nothing
ALTER TABLE asset ADD COLUMN with_raw INTEGER NOT NULL DEFAULT 0;    -- 0/1: a mate is a camera's raw file
ALTER TABLE asset ADD COLUMN with_film INTEGER NOT NULL DEFAULT 0;   -- 0/1: a mate is the film of this live photo
ALTER TABLE asset ADD COLUMN content_id TEXT;  -- Apple's ContentIdentifier: the same in a live photo and in its film
ALTER TABLE asset ADD COLUMN burst_id TEXT;    -- what the camera wrote into each frame of one burst
ALTER TABLE asset ADD COLUMN adjusted TEXT;    -- the program whose edits an .aae beside it describes; they are not applied
ALTER TABLE asset ADD COLUMN hdr TEXT;         -- of a video: 'pq' or 'hlg', its transfer function (ITU-R BT.2100); NULL: neither
CREATE INDEX asset_mates ON asset (primary_id) WHERE primary_id IS NOT NULL;
CREATE INDEX asset_content ON asset (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX asset_burst ON asset (burst_id) WHERE burst_id IS NOT NULL;

-- Assets whose stack may be another one now. Filled by the triggers below, so that no writer can forget; emptied by
-- catalog.stacks at the end of the same transaction.
CREATE TABLE loose (
    asset_id INTEGER PRIMARY KEY
) STRICT;

-- Sidecars that came, changed or went: what they say must be read again. Filled and emptied in the same way.
CREATE TABLE stirred (
    source_id INTEGER NOT NULL,
    path      BLOB NOT NULL,                   -- relative to the source's root
    PRIMARY KEY (source_id, path)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER asset_loose_new AFTER INSERT ON asset BEGIN
    INSERT OR IGNORE INTO loose VALUES (new.id);
END;
CREATE TRIGGER asset_loose AFTER UPDATE OF
    file_id, kind, mime, raw, duration_ms, camera, taken_local, taken_source, content_id, burst_id ON asset BEGIN
    INSERT OR IGNORE INTO loose VALUES (new.id);
END;
CREATE TRIGGER asset_loose_gone BEFORE DELETE ON asset BEGIN
    INSERT OR IGNORE INTO loose SELECT id FROM asset WHERE primary_id = old.id OR id = old.primary_id;
END;
CREATE TRIGGER file_loose AFTER UPDATE OF asset_id, source_id, path ON file BEGIN
    INSERT OR IGNORE INTO loose SELECT old.asset_id WHERE old.asset_id IS NOT NULL;
    INSERT OR IGNORE INTO loose SELECT new.asset_id WHERE new.asset_id IS NOT NULL;
END;
CREATE TRIGGER file_loose_gone AFTER DELETE ON file WHEN old.asset_id IS NOT NULL BEGIN
    INSERT OR IGNORE INTO loose VALUES (old.asset_id);
END;

CREATE TRIGGER sidecar_new AFTER INSERT ON file
WHEN lower(substr(CAST(new.path AS TEXT), -4)) IN ('.xmp', '.aae', 'json') BEGIN
    INSERT OR IGNORE INTO stirred VALUES (new.source_id, new.path);
END;
CREATE TRIGGER sidecar_changed AFTER UPDATE OF source_id, path, size, mtime_ns ON file
WHEN lower(substr(CAST(new.path AS TEXT), -4)) IN ('.xmp', '.aae', 'json')
  OR lower(substr(CAST(old.path AS TEXT), -4)) IN ('.xmp', '.aae', 'json') BEGIN
    INSERT OR IGNORE INTO stirred VALUES (old.source_id, old.path);
    INSERT OR IGNORE INTO stirred VALUES (new.source_id, new.path);
END;
CREATE TRIGGER sidecar_gone AFTER DELETE ON file
WHEN lower(substr(CAST(old.path AS TEXT), -4)) IN ('.xmp', '.aae', 'json') BEGIN
    INSERT OR IGNORE INTO stirred VALUES (old.source_id, old.path);
END;

-- What every view shows: assets with a file that is there, one a stack; and what lies below them.
DROP VIEW visible;
CREATE VIEW present AS
SELECT a.*, f.source_id, f.path, f.size, f.mtime_ns, f.device, f.inode
  FROM asset a JOIN file f ON f.id = a.file_id JOIN source s ON s.id = f.source_id
 WHERE s.present;
CREATE VIEW visible AS
SELECT a.*, f.source_id, f.path, f.size, f.mtime_ns, f.device, f.inode
  FROM asset a JOIN file f ON f.id = a.file_id JOIN source s ON s.id = f.source_id
 WHERE s.present AND a.primary_id IS NULL;

-- The triggers of `change` once more: a mate stands nowhere in the tree, and what happens to its bytes is told with its
-- primary's standing, so that who shows the stack looks again.
DROP TRIGGER asset_added;
DROP TRIGGER asset_changed;
DROP TRIGGER asset_removed;
DROP TRIGGER file_changed;
DROP TRIGGER source_changed;
CREATE TRIGGER asset_added AFTER INSERT ON asset WHEN new.file_id IS NOT NULL AND new.primary_id IS NULL BEGIN
    INSERT INTO change (asset_id, after) VALUES (new.id, json_object(
        'name', new.name, 'kind', new.kind, 'month', new.month, 'place', new.place_id, 'file', new.file_id,
        'raw', new.raw OR new.with_raw, 'live', new.live OR new.with_film, 'screenshot', new.screenshot));
END;
CREATE TRIGGER asset_changed AFTER UPDATE OF
    name, kind, taken_local, taken_source, place_id, file_id, raw, live, screenshot, hash, primary_id, with_raw, with_film
ON asset
WHEN (old.file_id IS NOT NULL AND old.primary_id IS NULL) OR (new.file_id IS NOT NULL AND new.primary_id IS NULL) BEGIN
    INSERT INTO change (asset_id, before, after) VALUES (new.id,
        CASE WHEN old.file_id IS NOT NULL AND old.primary_id IS NULL THEN json_object(
            'name', old.name, 'kind', old.kind, 'month', old.month, 'place', old.place_id, 'file', old.file_id,
            'raw', old.raw OR old.with_raw, 'live', old.live OR old.with_film, 'screenshot', old.screenshot) END,
        CASE WHEN new.file_id IS NOT NULL AND new.primary_id IS NULL THEN json_object(
            'name', new.name, 'kind', new.kind, 'month', new.month, 'place', new.place_id, 'file', new.file_id,
            'raw', new.raw OR new.with_raw, 'live', new.live OR new.with_film, 'screenshot', new.screenshot) END);
END;
CREATE TRIGGER asset_removed AFTER DELETE ON asset WHEN old.file_id IS NOT NULL AND old.primary_id IS NULL BEGIN
    INSERT INTO change (asset_id, before) VALUES (old.id, json_object(
        'name', old.name, 'kind', old.kind, 'month', old.month, 'place', old.place_id, 'file', old.file_id,
        'raw', old.raw OR old.with_raw, 'live', old.live OR old.with_film, 'screenshot', old.screenshot));
END;
CREATE TRIGGER file_changed AFTER UPDATE OF size, mtime_ns, device, inode, path ON file
WHEN new.asset_id IS NOT NULL BEGIN
    INSERT INTO change (asset_id, before, after)
    SELECT a.id, json_object('name', p.name, 'kind', p.kind, 'month', p.month, 'place', p.place_id, 'file', p.file_id,
               'raw', p.raw OR p.with_raw, 'live', p.live OR p.with_film, 'screenshot', p.screenshot),
           json_object('name', p.name, 'kind', p.kind, 'month', p.month, 'place', p.place_id, 'file', p.file_id,
               'raw', p.raw OR p.with_raw, 'live', p.live OR p.with_film, 'screenshot', p.screenshot)
      FROM asset a JOIN asset p ON p.id = ifnull(a.primary_id, a.id)
     WHERE a.id = new.asset_id AND a.file_id = new.id AND p.file_id IS NOT NULL;
END;
CREATE TRIGGER source_changed AFTER UPDATE OF present ON source WHEN old.present <> new.present BEGIN
    INSERT INTO change (asset_id, before, after)
    SELECT a.id,
        CASE WHEN old.present THEN json_object(
            'name', a.name, 'kind', a.kind, 'month', a.month, 'place', a.place_id, 'file', a.file_id,
            'raw', a.raw OR a.with_raw, 'live', a.live OR a.with_film, 'screenshot', a.screenshot) END,
        CASE WHEN new.present THEN json_object(
            'name', a.name, 'kind', a.kind, 'month', a.month, 'place', a.place_id, 'file', a.file_id,
            'raw', a.raw OR a.with_raw, 'live', a.live OR a.with_film, 'screenshot', a.screenshot) END
      FROM asset a JOIN file f ON f.id = a.file_id WHERE f.source_id = new.id AND a.primary_id IS NULL;
END;

-- What cameras say of stacks was not read before.
UPDATE job SET state = 'queued', crashes = 0, reason = NULL, finished = NULL
 WHERE stage = 'metadata' AND state <> 'queued'
   AND asset_id IN (SELECT id FROM asset WHERE kind IN ('photo', 'video'));
