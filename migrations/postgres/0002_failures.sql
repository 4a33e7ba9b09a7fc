-- What was given up or set aside, to be shown and tried again on request.
CREATE INDEX tasks_failed ON tasks (ended_at) WHERE status IN ('failed', 'poison');
