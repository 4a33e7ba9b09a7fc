-- Whether an imported message says that it was deleted: asked for on every import, and not to be read
-- out of its JSON.
ALTER TABLE imported_messages ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
UPDATE imported_messages SET deleted = (message ->> 'deleted_at' IS NOT NULL);
