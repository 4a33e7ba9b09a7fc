-- Messages of the queue that nobody could decode. The same one again counts as that.
CREATE TABLE dead_letters (
    dead_letter_id TEXT COLLATE "C" PRIMARY KEY,
    stage TEXT COLLATE "C",  -- whose queue it came from, where that is known
    body TEXT COLLATE "C" NOT NULL,  -- its beginning
    times BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);
CREATE INDEX dead_letters_by_time ON dead_letters (last_at);
