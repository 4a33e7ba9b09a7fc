-- Where a connection's server is, for platforms that people run themselves.
ALTER TABLE connections ADD COLUMN base_url TEXT COLLATE "C";
-- What the platform last said to it, when that was a refusal.
ALTER TABLE connections ADD COLUMN error TEXT COLLATE "C";
-- Whether somebody has taken its credentials away again.
ALTER TABLE connections ADD COLUMN disconnected BOOLEAN NOT NULL DEFAULT FALSE;
-- Removed: its channels and what was made of them stay. A connection of the same workspace takes it up again.
ALTER TABLE connections ADD COLUMN deleted_at BIGINT;
-- Grows with every change of its credentials: what is said of older ones is no news.
ALTER TABLE connections ADD COLUMN credentials_version BIGINT NOT NULL DEFAULT 0;

-- Sealed with a key of their own, which is wrapped by the master key of that name.
CREATE TABLE connection_credentials (
    connection_id TEXT COLLATE "C" PRIMARY KEY REFERENCES connections,
    master_key TEXT COLLATE "C" NOT NULL,
    wrapped_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL
);

-- Whether the platform is walked, not only what was imported.
ALTER TABLE channels ADD COLUMN sync_enabled BOOLEAN NOT NULL DEFAULT FALSE;
-- How far a whole walk of the platform has come; `watermark` is that of imported messages.
ALTER TABLE channels ADD COLUMN live_watermark TEXT COLLATE "C";
