-- Faces in photos and videos. All tables here are DERIVED: they come back from the originals. What people decide about a
-- face hangs on its asset and region, never on a row or a vector of these.

-- A part of a picture in which a model found a face.
CREATE TABLE face (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,-- kept when another model finds a face in the same place; never reused
    asset_id  INTEGER NOT NULL REFERENCES asset(id) ON DELETE CASCADE,
    frame_ms  INTEGER NOT NULL DEFAULT 0,      -- position in a video
    x0        REAL NOT NULL,                   -- left, top, right, bottom: shares of the upright picture, 0..1
    y0        REAL NOT NULL,
    x1        REAL NOT NULL,
    y1        REAL NOT NULL,
    points    TEXT NOT NULL,                   -- JSON array of 10 shares: x, y of both eyes, nose, corners of the mouth
    score     REAL NOT NULL,                   -- 0..1, how sure the detector is
    size      INTEGER NOT NULL,                -- shorter side in px of the 1440 px picture
    sharpness REAL NOT NULL,                   -- 0..1
    frontal   REAL NOT NULL,                   -- 0..1, 0 in profile
    quality   REAL NOT NULL                    -- 0..1, entities.Face.quality: who may found a cluster
) STRICT;
CREATE INDEX face_asset ON face (asset_id);

-- What a model makes of that face. One vector each, of the model that looked last: compared only within one model.
CREATE TABLE face_vector (
    face_id  INTEGER PRIMARY KEY REFERENCES face(id) ON DELETE CASCADE,
    model_id INTEGER NOT NULL REFERENCES model(id),
    vector   BLOB NOT NULL                     -- int8, as embedding.vector
) STRICT;
CREATE INDEX face_vector_model ON face_vector (model_id, face_id);

-- The most faces in the picture, or in one frame of the video; NULL: not looked for yet, or not to be looked for.
ALTER TABLE asset ADD COLUMN faces INTEGER;
CREATE TRIGGER faces_counted AFTER UPDATE OF faces ON asset WHEN old.faces IS NOT new.faces BEGIN
    INSERT INTO change (asset_id) VALUES (new.id);
END;

-- What was indexed before has its faces looked for, in the order in which it was.
INSERT INTO job (asset_id, stage, priority) SELECT asset_id, 'faces', priority FROM job WHERE stage = 'embed';
