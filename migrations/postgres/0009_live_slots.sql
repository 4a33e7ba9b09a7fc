-- How many tasks of a stage a process that is at work takes at the same time.
CREATE TABLE live_slots (
    worker TEXT COLLATE "C" NOT NULL,
    stage TEXT COLLATE "C" NOT NULL,
    slots BIGINT NOT NULL,
    live_until BIGINT NOT NULL,             -- prolonged with the process's claims
    PRIMARY KEY (worker, stage)
);
