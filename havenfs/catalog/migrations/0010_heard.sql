-- What a sidecar and the decisions here agreed on last, where the sidecar has no note of ours that says so: it is not touched for
-- the sake of one. By this, what another program removes is told from what it never knew of. DERIVED: without it both sides' words
-- are kept.
CREATE TABLE heard (
    file_id INTEGER PRIMARY KEY REFERENCES file(id) ON DELETE CASCADE, -- the original that the sidecar is about
    hash    BLOB NOT NULL,                     -- its content then; of another one nothing is agreed
    marks   TEXT NOT NULL                      -- as haven:Written in sidecars (extract.own)
) STRICT;
