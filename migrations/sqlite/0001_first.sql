-- Times are microseconds since the Unix epoch, UTC. Ids are text. JSON columns hold lists that are
-- only ever read and written whole.

-- One row: which programs may use this database.
CREATE TABLE compatibility (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    oldest_compatible INTEGER NOT NULL      -- schema number below which a program must not start
) STRICT;
INSERT INTO compatibility VALUES (1, 1);

-- ---------------------------------------------------------------------------------------- access

CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,              -- SHA-256 of the secret; the secret itself is nowhere
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

-- ------------------------------------------------------------------------ connections and channels

CREATE TABLE connections (
    connection_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,                -- the platform's id of it
    created_at INTEGER NOT NULL,
    UNIQUE (platform, workspace)
) STRICT;

CREATE TABLE channels (
    channel_id TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections,
    external_id TEXT NOT NULL,              -- the platform's id of it
    name TEXT NOT NULL,
    topic TEXT NOT NULL,
    watermark TEXT,                         -- how far a whole walk has come; the connector's own mark
    change_seq INTEGER NOT NULL DEFAULT 0,  -- grows with every change to a message of the channel
    last_sync INTEGER,
    UNIQUE (connection_id, external_id)
) STRICT;

-- ----------------------------------------------------------------------------------------- imports

CREATE TABLE imports (
    import_id TEXT PRIMARY KEY,
    format TEXT NOT NULL,
    status TEXT NOT NULL,
    wanted_connection TEXT,                 -- the connection that the upload named
    connection_id TEXT,
    digest TEXT,                            -- SHA-256 of the file: an unchanged one is not read again
    channels TEXT NOT NULL DEFAULT '[]',
    row_count INTEGER NOT NULL DEFAULT 0,
    row_errors TEXT NOT NULL DEFAULT '[]',
    error TEXT,
    claim_token TEXT,
    lease_until INTEGER,
    attempt INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX imports_unread ON imports (created_at) WHERE status IN ('queued', 'running');

CREATE TABLE import_chunks (
    import_id TEXT NOT NULL REFERENCES imports ON DELETE CASCADE,
    n INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (import_id, n)
) STRICT, WITHOUT ROWID;

-- What exports contain, normalised once; the fetch stage reads it like a platform.
CREATE TABLE imported_messages (
    channel_id TEXT NOT NULL REFERENCES channels,
    message_id TEXT NOT NULL,
    import_seq INTEGER NOT NULL,            -- order of arrival within the channel: the watermark
    revised_at INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (channel_id, message_id)
) STRICT;
CREATE UNIQUE INDEX imported_messages_walk ON imported_messages (channel_id, import_seq);

-- ---------------------------------------------------------------------------------- jobs and tasks

CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels,
    status TEXT NOT NULL,
    force INTEGER NOT NULL,
    triggered_by TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    completed_at INTEGER,
    progressed_at INTEGER NOT NULL,         -- when anything last got through
    revision INTEGER NOT NULL,
    estimated_messages INTEGER,
    total_messages INTEGER NOT NULL DEFAULT 0,
    processed_messages INTEGER NOT NULL DEFAULT 0,
    failing_messages INTEGER NOT NULL DEFAULT 0,
    percentage INTEGER NOT NULL DEFAULT 0,
    open_tasks INTEGER NOT NULL,
    counts TEXT NOT NULL,
    stages TEXT NOT NULL,
    error TEXT
) STRICT;
CREATE UNIQUE INDEX jobs_active ON jobs (channel_id) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_of_channel ON jobs (channel_id, started_at DESC, job_id DESC);
CREATE INDEX jobs_by_time ON jobs (started_at DESC, job_id DESC);

CREATE TABLE idempotency_keys (
    key_id TEXT NOT NULL,                   -- the API key that used it
    route TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    job_id TEXT NOT NULL,
    estimated_messages INTEGER,             -- as the first reply told it
    created_at INTEGER NOT NULL,
    PRIMARY KEY (key_id, route, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

CREATE TABLE tasks (
    job_id TEXT NOT NULL REFERENCES jobs,
    stage TEXT NOT NULL,
    seq INTEGER NOT NULL,
    status TEXT NOT NULL,
    input TEXT NOT NULL,
    messages INTEGER NOT NULL,              -- how many it carries
    attempt INTEGER NOT NULL DEFAULT 0,     -- failed attempts since the last progress
    crashes INTEGER NOT NULL DEFAULT 0,     -- vanished workers since the last progress
    not_before INTEGER NOT NULL DEFAULT 0,
    released_at INTEGER,                    -- when it entered the window
    published_at INTEGER,                   -- when the sweep last called for it
    published INTEGER NOT NULL DEFAULT 0,   -- how often it did
    claim_token TEXT,
    worker TEXT,
    lease_until INTEGER,
    error TEXT,
    ended_at INTEGER,
    PRIMARY KEY (job_id, stage, seq)
) STRICT;
CREATE INDEX tasks_ready ON tasks (stage, not_before) WHERE status = 'ready';
CREATE INDEX tasks_leased ON tasks (lease_until) WHERE status = 'leased';
CREATE INDEX tasks_open ON tasks (job_id, stage) WHERE status IN ('ready', 'leased');
CREATE INDEX tasks_waiting ON tasks (job_id, stage, seq) WHERE status = 'waiting';

-- ---------------------------------------------------------------------------------------- messages

CREATE TABLE messages (
    channel_id TEXT NOT NULL REFERENCES channels,
    message_id TEXT NOT NULL,
    thread_id TEXT,
    author_id TEXT NOT NULL,
    author_name TEXT NOT NULL,
    author_kind TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    mentions TEXT NOT NULL,
    links TEXT NOT NULL,
    reactions TEXT NOT NULL,
    attachments TEXT NOT NULL,
    permalink TEXT,
    sent_at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER,
    revised_at INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    PRIMARY KEY (channel_id, message_id)
) STRICT;
CREATE INDEX messages_by_time ON messages (channel_id, sent_at, message_id);
CREATE INDEX messages_of_thread ON messages (channel_id, thread_id, sent_at, message_id)
    WHERE thread_id IS NOT NULL;
CREATE INDEX messages_outside_threads ON messages (channel_id, sent_at, message_id)
    WHERE thread_id IS NULL AND deleted_at IS NULL AND kind = 'text';

-- Messages whose current revision is not through the graph yet: a row leaves when it is.
CREATE TABLE pending_messages (
    channel_id TEXT NOT NULL REFERENCES channels,
    message_id TEXT NOT NULL,
    change_seq INTEGER NOT NULL,            -- the revision that is pending
    thread_id TEXT,
    sent_at INTEGER NOT NULL,
    job_id TEXT,                            -- the job that has put it into a batch
    set_aside_by TEXT,                      -- the program that found it poison
    PRIMARY KEY (channel_id, message_id)
) STRICT, WITHOUT ROWID;

-- --------------------------------------------------------------------------------------- knowledge

-- A thread, a conversation or a part of one: what is extracted together and replaced together.
CREATE TABLE units (
    unit_id TEXT PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels,
    root_message_id TEXT NOT NULL,
    input_hash TEXT NOT NULL,               -- of all that the extraction depends on
    as_of INTEGER NOT NULL,                 -- the channel's change_seq when its messages were read
    retired INTEGER NOT NULL DEFAULT 0,     -- its messages belong to other units now
    extraction TEXT NOT NULL                -- mentions and relationships, for the graph
) STRICT;

CREATE TABLE facts (
    fact_id TEXT PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels,
    unit_id TEXT NOT NULL REFERENCES units,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    status TEXT,
    importance INTEGER NOT NULL,
    quality REAL NOT NULL,
    published INTEGER NOT NULL,
    asserted_at INTEGER NOT NULL,
    author_id TEXT,
    fact TEXT NOT NULL                      -- the whole of it, evidence aside
) STRICT;
CREATE INDEX facts_of_unit ON facts (unit_id);
CREATE INDEX facts_by_time ON facts (channel_id, asserted_at, fact_id);
CREATE INDEX facts_by_kind ON facts (channel_id, kind, published, asserted_at, fact_id);

CREATE TABLE fact_evidence (
    fact_id TEXT NOT NULL REFERENCES facts ON DELETE CASCADE,
    n INTEGER NOT NULL,                     -- 0 carries the statement
    message_id TEXT NOT NULL,
    role TEXT NOT NULL,
    start_byte INTEGER NOT NULL,
    end_byte INTEGER NOT NULL,
    quote TEXT NOT NULL,
    PRIMARY KEY (fact_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE entities (
    entity_id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,                    -- platform:workspace
    type TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    UNIQUE (scope, type, key)
) STRICT;

CREATE TABLE entity_mentions (
    unit_id TEXT NOT NULL REFERENCES units,
    entity_id TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    name TEXT NOT NULL,
    mentions INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (unit_id, entity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entity_mentions_first ON entity_mentions (entity_id, first_seen);
CREATE INDEX entity_mentions_last ON entity_mentions (entity_id, last_seen, name);
CREATE INDEX entity_mentions_of_channel ON entity_mentions (channel_id, entity_id);

-- Facts as the graph knows them; differs from `facts` only while a unit is on its way.
CREATE TABLE graph_facts (
    fact_id TEXT PRIMARY KEY,
    unit_id TEXT NOT NULL REFERENCES units,
    channel_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    published INTEGER NOT NULL,
    asserted_at INTEGER NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE INDEX graph_facts_of_unit ON graph_facts (unit_id);

CREATE TABLE fact_entities (
    fact_id TEXT NOT NULL REFERENCES graph_facts ON DELETE CASCADE,
    entity_id TEXT NOT NULL,
    role TEXT NOT NULL,
    asserted_at INTEGER NOT NULL,
    reversed INTEGER NOT NULL,              -- the fact gives it up
    PRIMARY KEY (fact_id, entity_id, role, reversed)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_entities_of_entity ON fact_entities (entity_id, asserted_at, fact_id);

-- Decisions that took the place of earlier ones: a function of the pair alone.
CREATE TABLE fact_links (
    newer TEXT NOT NULL REFERENCES graph_facts ON DELETE CASCADE,
    older TEXT NOT NULL REFERENCES graph_facts ON DELETE CASCADE,
    PRIMARY KEY (newer, older)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_links_of_older ON fact_links (older);

CREATE TABLE relationships (
    relationship_id TEXT PRIMARY KEY,
    channel_id TEXT NOT NULL,
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    target TEXT NOT NULL,
    support INTEGER NOT NULL,               -- facts that speak for it
    valid_from INTEGER NOT NULL
) STRICT;
CREATE INDEX relationships_of_channel ON relationships (channel_id, support DESC, relationship_id);
CREATE INDEX relationships_by_source ON relationships (source);
CREATE INDEX relationships_by_target ON relationships (target);

CREATE TABLE relationship_support (
    relationship_id TEXT NOT NULL,
    fact_id TEXT NOT NULL REFERENCES graph_facts ON DELETE CASCADE,
    asserted_at INTEGER NOT NULL,
    PRIMARY KEY (relationship_id, fact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX relationship_support_of_fact ON relationship_support (fact_id);

-- -------------------------------------------------------------------------------------------- wiki

CREATE TABLE wiki_marks (
    mark INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL
) STRICT;
CREATE INDEX wiki_marks_of_channel ON wiki_marks (channel_id, mark);

CREATE TABLE wiki_pages (
    channel_id TEXT NOT NULL REFERENCES channels,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    slug TEXT NOT NULL,                     -- fixed when the page first appears
    title TEXT NOT NULL,
    version INTEGER NOT NULL,
    input_hash TEXT NOT NULL,
    fact_count INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,     -- has nothing to show any more; keeps its address
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (channel_id, kind, key),
    UNIQUE (channel_id, slug)
) STRICT;

CREATE TABLE wiki_versions (
    channel_id TEXT NOT NULL,
    slug TEXT NOT NULL,
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    citations TEXT NOT NULL,
    fact_count INTEGER NOT NULL,
    job_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (channel_id, slug, version)
) STRICT;

-- --------------------------------------------------------------------------------------- schedules

CREATE TABLE schedules (
    channel_id TEXT PRIMARY KEY REFERENCES channels,
    expression TEXT NOT NULL,
    timezone TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    next_sync INTEGER,
    last_sync INTEGER
) STRICT;
CREATE INDEX schedules_due ON schedules (next_sync) WHERE enabled = 1;

-- Every firing and what became of it; its key makes firing twice impossible.
CREATE TABLE schedule_runs (
    channel_id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    job_id TEXT,                            -- none when the channel was still syncing
    fired_at INTEGER NOT NULL,
    PRIMARY KEY (channel_id, due_at)
) STRICT, WITHOUT ROWID;
