-- Where single streams of a channel (a thread, a sweep) stand, in their connector's own words.
CREATE TABLE channel_marks (
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    stream TEXT COLLATE "C" NOT NULL,
    mark TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (channel_id, stream)
);

-- What the running walk of a channel has seen in the windows that it compares.
CREATE TABLE walk_sightings (
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    message_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (channel_id, message_id)
);

-- Deleted because a whole walk has not seen it: it comes back when it is seen again.
ALTER TABLE messages ADD COLUMN missing BOOLEAN NOT NULL DEFAULT FALSE;
