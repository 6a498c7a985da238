-- Which faces are of one person, as far as vectors say. All tables here are DERIVED: clustering brings them back from the faces
-- and from what people have said about them, which is kept elsewhere.

-- Faces of one person.
CREATE TABLE cluster (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,-- what an unnamed one is called; goes on with most of its faces; never reused
    person    TEXT,                            -- UID of the person that somebody has said it is; NULL: unnamed
    size      INTEGER NOT NULL DEFAULT 0,      -- faces, of assets that are not visible too; kept by the triggers below
    exemplars BLOB NOT NULL                    -- int8, as face_vector.vector, one after the other: what its faces are like
) STRICT;
CREATE UNIQUE INDEX cluster_person ON cluster (person) WHERE person IS NOT NULL;
CREATE INDEX cluster_unnamed ON cluster (size, id) WHERE person IS NULL;

-- Where each face with a vector belongs.
CREATE TABLE face_cluster (
    face_id    INTEGER PRIMARY KEY REFERENCES face(id) ON DELETE CASCADE,
    cluster_id INTEGER REFERENCES cluster(id) ON DELETE SET NULL,-- NULL: it belongs nowhere yet
    confidence REAL NOT NULL,                  -- 0..1; 1: a person has said so; 0 where it belongs nowhere
    fresh      INTEGER NOT NULL DEFAULT 1      -- 0: not compared since its vector was made; until then the rest answers
) STRICT;
CREATE INDEX face_cluster_members ON face_cluster (cluster_id, confidence DESC, face_id);
CREATE INDEX face_cluster_stale ON face_cluster (face_id) WHERE fresh = 0;

-- How the above was made. One row, from the first pass over all faces on.
CREATE TABLE clustering (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    algorithm   INTEGER NOT NULL,              -- identity.VERSION
    model       TEXT NOT NULL,                 -- ModelId of the vectors
    same_person REAL NOT NULL,                 -- cosine: identity.Rules.same_person, as the pass found it
    strangers   REAL NOT NULL,                 -- cosine: identity.Rules.strangers
    settings    TEXT NOT NULL,                 -- what the owner had set: another value makes all of it anew
    faces       INTEGER NOT NULL,              -- that the last pass looked at
    changed     INTEGER NOT NULL,              -- faces that came, went or were moved by a decision since
    finished    INTEGER NOT NULL               -- seconds since 1970, of the last pass
) STRICT;

-- What a model has just looked at waits for being compared.
CREATE TRIGGER face_vector_renewed AFTER INSERT ON face_vector BEGIN
    INSERT INTO face_cluster (face_id, cluster_id, confidence, fresh) VALUES (new.face_id, NULL, 0, 0)
        ON CONFLICT (face_id) DO UPDATE SET fresh = 0;
    UPDATE clustering SET changed = changed + 1;
END;
CREATE TRIGGER face_cluster_moved AFTER UPDATE OF cluster_id ON face_cluster WHEN old.cluster_id IS NOT new.cluster_id BEGIN
    UPDATE cluster SET size = size - 1 WHERE id = old.cluster_id;
    UPDATE cluster SET size = size + 1 WHERE id = new.cluster_id;
    UPDATE clustering SET changed = changed + 1 WHERE old.fresh = 1;  -- a new one has been counted
END;
CREATE TRIGGER face_cluster_gone AFTER DELETE ON face_cluster BEGIN
    UPDATE cluster SET size = size - 1 WHERE id = old.cluster_id;
    DELETE FROM cluster WHERE id = old.cluster_id AND size = 0;
    UPDATE clustering SET changed = changed + 1;
END;

INSERT INTO face_cluster (face_id, cluster_id, confidence, fresh) SELECT face_id, NULL, 0, 0 FROM face_vector;
