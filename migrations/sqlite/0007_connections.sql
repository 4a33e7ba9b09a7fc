-- Where a connection's server is, for platforms that people run themselves.
ALTER TABLE connections ADD COLUMN base_url TEXT;
-- What the platform last said to it, when that was a refusal.
ALTER TABLE connections ADD COLUMN error TEXT;
-- Whether somebody has taken its credentials away again.
ALTER TABLE connections ADD COLUMN disconnected INTEGER NOT NULL DEFAULT 0;
-- Removed: its channels and what was made of them stay. A connection of the same workspace takes it up again.
ALTER TABLE connections ADD COLUMN deleted_at INTEGER;
-- Grows with every change of its credentials: what is said of older ones is no news.
ALTER TABLE connections ADD COLUMN credentials_version INTEGER NOT NULL DEFAULT 0;

-- Sealed with a key of their own, which is wrapped by the master key of that name.
CREATE TABLE connection_credentials (
    connection_id TEXT PRIMARY KEY REFERENCES connections,
    master_key TEXT NOT NULL,
    wrapped_key BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- Whether the platform is walked, not only what was imported.
ALTER TABLE channels ADD COLUMN sync_enabled INTEGER NOT NULL DEFAULT 0;
-- How far a whole walk of the platform has come; `watermark` is that of imported messages.
ALTER TABLE channels ADD COLUMN live_watermark TEXT;
