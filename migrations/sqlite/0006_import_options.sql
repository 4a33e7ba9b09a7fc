-- What an upload says about its file (columns, time zone, its name), as it was sent.
ALTER TABLE imports ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
