-- How many tasks of a stage a process that is at work takes at the same time.
CREATE TABLE live_slots (
    worker TEXT NOT NULL,
    stage TEXT NOT NULL,
    slots INTEGER NOT NULL,
    live_until INTEGER NOT NULL,            -- prolonged with the process's claims
    PRIMARY KEY (worker, stage)
) STRICT, WITHOUT ROWID;
