-- What a job has been through beyond what its own row tells: failures, waits, repairs. At most a fixed
-- number a job; gone with it.
CREATE TABLE job_events (
    event BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id TEXT COLLATE "C" NOT NULL REFERENCES jobs ON DELETE CASCADE,
    at BIGINT NOT NULL,
    stage TEXT COLLATE "C",
    seq BIGINT,
    happening TEXT COLLATE "C" NOT NULL
);
CREATE INDEX job_events_of_job ON job_events (job_id, event);

ALTER TABLE jobs ADD COLUMN asked_by TEXT COLLATE "C";  -- the API key that asked for it
