-- The trace that a job belongs to: what the sweep calls for again goes on in it.
ALTER TABLE jobs ADD COLUMN trace TEXT COLLATE "C";
