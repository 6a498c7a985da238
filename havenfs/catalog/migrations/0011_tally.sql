-- How many there are of what a status tells: counting a million assets takes eight seconds of processor time, and a status is
-- asked for every second while somebody looks. DERIVED, by the triggers below, so that no writer can forget.

-- Paths of a source.
CREATE TABLE file_tally (
    source_id INTEGER NOT NULL,
    state     TEXT NOT NULL,                   -- entities.FileState
    number    INTEGER NOT NULL,
    PRIMARY KEY (source_id, state)
) STRICT, WITHOUT ROWID;

-- Assets, by the source of their primary file.
CREATE TABLE asset_tally (
    source_id INTEGER NOT NULL,                -- 0: no file left
    kind      TEXT NOT NULL,                   -- entities.Kind
    primary_  INTEGER NOT NULL,                -- 1: stands for itself or for its stack; 0: a mate, shown nowhere
    number    INTEGER NOT NULL,
    PRIMARY KEY (source_id, kind, primary_)
) STRICT, WITHOUT ROWID;

-- Stages of assets.
CREATE TABLE job_tally (
    source_id INTEGER NOT NULL,                -- as in asset_tally
    kind      TEXT NOT NULL,                   -- of the asset
    stage     TEXT NOT NULL,
    state     TEXT NOT NULL,
    number    INTEGER NOT NULL,
    PRIMARY KEY (source_id, kind, stage, state)
) STRICT, WITHOUT ROWID;

-- Stages that came to an end, second by second; the last two minutes at least.
CREATE TABLE pace (
    stage    TEXT NOT NULL,
    finished INTEGER NOT NULL,                 -- Unix seconds
    number   INTEGER NOT NULL,
    PRIMARY KEY (stage, finished)
) STRICT, WITHOUT ROWID;

-- Assets with suggested tags.
CREATE TABLE tagged_tally (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO file_tally SELECT source_id, state, count(*) FROM file GROUP BY 1, 2;
INSERT INTO asset_tally SELECT ifnull(f.source_id, 0), a.kind, a.primary_id IS NULL, count(*)
  FROM asset a LEFT JOIN file f ON f.id = a.file_id GROUP BY 1, 2, 3;
INSERT INTO job_tally SELECT ifnull(f.source_id, 0), a.kind, j.stage, j.state, count(*)
  FROM job j JOIN asset a ON a.id = j.asset_id LEFT JOIN file f ON f.id = a.file_id GROUP BY 1, 2, 3, 4;
INSERT INTO tagged_tally SELECT 1, count(DISTINCT asset_id) FROM suggested_tag;

CREATE TRIGGER file_counted AFTER INSERT ON file BEGIN
    INSERT INTO file_tally VALUES (new.source_id, new.state, 1) ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER file_recounted AFTER UPDATE OF state, source_id ON file
WHEN old.state <> new.state OR old.source_id <> new.source_id BEGIN
    UPDATE file_tally SET number = number - 1 WHERE source_id = old.source_id AND state = old.state;
    INSERT INTO file_tally VALUES (new.source_id, new.state, 1) ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER file_uncounted AFTER DELETE ON file BEGIN
    UPDATE file_tally SET number = number - 1 WHERE source_id = old.source_id AND state = old.state;
END;

-- What a primary file takes along to another source.
CREATE TRIGGER file_moved AFTER UPDATE OF source_id ON file WHEN old.source_id <> new.source_id BEGIN
    INSERT INTO asset_tally SELECT s.id, a.kind, a.primary_id IS NULL, s.sign
      FROM asset a, (SELECT old.source_id AS id, -1 AS sign UNION ALL SELECT new.source_id, 1) s
     WHERE a.file_id = new.id ON CONFLICT DO UPDATE SET number = number + excluded.number;
    INSERT INTO job_tally SELECT s.id, a.kind, j.stage, j.state, s.sign
      FROM asset a JOIN job j ON j.asset_id = a.id,
           (SELECT old.source_id AS id, -1 AS sign UNION ALL SELECT new.source_id, 1) s
     WHERE a.file_id = new.id ON CONFLICT DO UPDATE SET number = number + excluded.number;
END;

CREATE TRIGGER asset_counted AFTER INSERT ON asset BEGIN
    INSERT INTO asset_tally
    VALUES (ifnull((SELECT source_id FROM file WHERE id = new.file_id), 0), new.kind, new.primary_id IS NULL, 1)
    ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER asset_recounted AFTER UPDATE OF file_id, kind, primary_id ON asset
WHEN old.file_id IS NOT new.file_id OR old.kind <> new.kind OR old.primary_id IS NOT new.primary_id BEGIN
    INSERT INTO asset_tally
    VALUES (ifnull((SELECT source_id FROM file WHERE id = old.file_id), 0), old.kind, old.primary_id IS NULL, -1),
           (ifnull((SELECT source_id FROM file WHERE id = new.file_id), 0), new.kind, new.primary_id IS NULL, 1)
    ON CONFLICT DO UPDATE SET number = number + excluded.number;
    INSERT INTO job_tally SELECT ifnull((SELECT source_id FROM file WHERE id = old.file_id), 0), old.kind, stage, state, -1
      FROM job WHERE asset_id = old.id ON CONFLICT DO UPDATE SET number = number - 1;
    INSERT INTO job_tally SELECT ifnull((SELECT source_id FROM file WHERE id = new.file_id), 0), new.kind, stage, state, 1
      FROM job WHERE asset_id = new.id ON CONFLICT DO UPDATE SET number = number + 1;
END;
-- Before, and with its jobs: when they go after it, nobody knows any more whose they were.
CREATE TRIGGER asset_uncounted BEFORE DELETE ON asset BEGIN
    INSERT INTO asset_tally
    VALUES (ifnull((SELECT source_id FROM file WHERE id = old.file_id), 0), old.kind, old.primary_id IS NULL, -1)
    ON CONFLICT DO UPDATE SET number = number - 1;
    INSERT INTO job_tally SELECT ifnull((SELECT source_id FROM file WHERE id = old.file_id), 0), old.kind, stage, state, -1
      FROM job WHERE asset_id = old.id ON CONFLICT DO UPDATE SET number = number - 1;
END;

CREATE TRIGGER job_counted AFTER INSERT ON job BEGIN
    INSERT INTO job_tally SELECT ifnull(f.source_id, 0), a.kind, new.stage, new.state, 1
      FROM asset a LEFT JOIN file f ON f.id = a.file_id WHERE a.id = new.asset_id
        ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER job_recounted AFTER UPDATE OF state ON job WHEN old.state <> new.state BEGIN
    INSERT INTO job_tally SELECT ifnull(f.source_id, 0), a.kind, new.stage, s.state, s.sign
      FROM asset a LEFT JOIN file f ON f.id = a.file_id,
           (SELECT old.state AS state, -1 AS sign UNION ALL SELECT new.state, 1) s
     WHERE a.id = new.asset_id ON CONFLICT DO UPDATE SET number = number + excluded.number;
END;
CREATE TRIGGER job_uncounted AFTER DELETE ON job BEGIN
    INSERT INTO job_tally SELECT ifnull(f.source_id, 0), a.kind, old.stage, old.state, -1
      FROM asset a LEFT JOIN file f ON f.id = a.file_id WHERE a.id = old.asset_id
        ON CONFLICT DO UPDATE SET number = number - 1;
END;
CREATE TRIGGER job_finished AFTER UPDATE OF finished ON job
WHEN new.finished IS NOT NULL AND old.finished IS NOT new.finished BEGIN
    INSERT INTO pace VALUES (new.stage, new.finished, 1) ON CONFLICT DO UPDATE SET number = number + 1;
    DELETE FROM pace WHERE stage = new.stage AND finished < new.finished - 120;
END;

CREATE TRIGGER tag_counted AFTER INSERT ON suggested_tag
WHEN (SELECT count(*) FROM (SELECT 1 FROM suggested_tag WHERE asset_id = new.asset_id LIMIT 2)) = 1 BEGIN
    UPDATE tagged_tally SET number = number + 1;
END;
CREATE TRIGGER tag_uncounted AFTER DELETE ON suggested_tag
WHEN NOT EXISTS (SELECT 1 FROM suggested_tag WHERE asset_id = old.asset_id) BEGIN
    UPDATE tagged_tally SET number = number - 1;
END;
