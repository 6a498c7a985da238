-- How the pixels of a picture are turned in its file: regions of faces count in the upright picture here, and in the stored one in
-- sidecars.
ALTER TABLE asset ADD COLUMN orientation INTEGER; -- 1-8, as EXIF's tag 0x0112; NULL: not known, and sidecars name persons without regions
CREATE TRIGGER orientation_known AFTER UPDATE OF orientation ON asset WHEN old.orientation IS NOT new.orientation BEGIN
    INSERT OR REPLACE INTO unsaid SELECT new.hash, unixepoch() WHERE EXISTS (SELECT 1 FROM face_said WHERE hash = new.hash);
END;
