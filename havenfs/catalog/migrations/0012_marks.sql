-- By what a source's disk is known again (originals.presence), as of the last scan; NULL: not yet looked at.
ALTER TABLE source ADD COLUMN device INTEGER;     -- st_dev of the root
ALTER TABLE source ADD COLUMN inode INTEGER;      -- st_ino of the root
ALTER TABLE source ADD COLUMN filesystem INTEGER; -- f_fsid; 0: it has none
