-- Messages of the queue that nobody could decode. The same one again counts as that.
CREATE TABLE dead_letters (
    dead_letter_id TEXT PRIMARY KEY,
    stage TEXT,  -- whose queue it came from, where that is known
    body TEXT NOT NULL,  -- its beginning
    times INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_time ON dead_letters (last_at);
