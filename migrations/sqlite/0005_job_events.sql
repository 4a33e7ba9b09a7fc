-- What a job has been through beyond what its own row tells: failures, waits, repairs. At most a fixed
-- number a job; gone with it.
CREATE TABLE job_events (
    event INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
    at INTEGER NOT NULL,
    stage TEXT,
    seq INTEGER,
    happening TEXT NOT NULL
) STRICT;
CREATE INDEX job_events_of_job ON job_events (job_id, event);

ALTER TABLE jobs ADD COLUMN asked_by TEXT;  -- the API key that asked for it
