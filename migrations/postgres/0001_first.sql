-- The tables of the SQLite schema, in PostgreSQL's types. Text is compared byte by byte, as the program
-- does, whatever the server's language.
--
-- Times are microseconds since the Unix epoch, UTC. Ids are text. JSON columns hold lists that are
-- only ever read and written whole.

-- Rows in a parameter: what SQLite's function of this name makes of a list.
CREATE FUNCTION json_each(rows TEXT) RETURNS TABLE (value JSONB, atom TEXT)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT element, element #>> '{}' FROM jsonb_array_elements(rows::jsonb) AS element $$;

-- A list of texts: SQLite's aggregate of this name.
CREATE FUNCTION json_list_add(list JSONB, element TEXT) RETURNS JSONB
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT list || to_jsonb(element) $$;
CREATE FUNCTION json_list_text(list JSONB) RETURNS TEXT
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT list::text $$;
CREATE AGGREGATE json_group_array(TEXT) (
    SFUNC = json_list_add, STYPE = JSONB, INITCOND = '[]', FINALFUNC = json_list_text
);

-- One row: which programs may use this database.
CREATE TABLE compatibility (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    oldest_compatible BIGINT NOT NULL      -- schema number below which a program must not start
);
INSERT INTO compatibility VALUES (1, 1);

-- ---------------------------------------------------------------------------------------- access

CREATE TABLE api_keys (
    key_id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,              -- SHA-256 of the secret; the secret itself is nowhere
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

-- ------------------------------------------------------------------------ connections and channels

CREATE TABLE connections (
    connection_id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    platform TEXT COLLATE "C" NOT NULL,
    workspace TEXT COLLATE "C" NOT NULL,                -- the platform's id of it
    created_at BIGINT NOT NULL,
    UNIQUE (platform, workspace)
);

CREATE TABLE channels (
    channel_id TEXT COLLATE "C" PRIMARY KEY,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections,
    external_id TEXT COLLATE "C" NOT NULL,              -- the platform's id of it
    name TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    watermark TEXT COLLATE "C",                         -- how far a whole walk has come; the connector's own mark
    change_seq BIGINT NOT NULL DEFAULT 0,  -- grows with every change to a message of the channel
    last_sync BIGINT,
    UNIQUE (connection_id, external_id)
);

-- ----------------------------------------------------------------------------------------- imports

CREATE TABLE imports (
    import_id TEXT COLLATE "C" PRIMARY KEY,
    format TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    wanted_connection TEXT COLLATE "C",                 -- the connection that the upload named
    connection_id TEXT COLLATE "C",
    digest TEXT COLLATE "C",                            -- SHA-256 of the file: an unchanged one is not read again
    channels TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    row_count BIGINT NOT NULL DEFAULT 0,
    row_errors TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    error TEXT COLLATE "C",
    claim_token TEXT COLLATE "C",
    lease_until BIGINT,
    attempt BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX imports_unread ON imports (created_at) WHERE status IN ('queued', 'running');

CREATE TABLE import_chunks (
    import_id TEXT COLLATE "C" NOT NULL REFERENCES imports ON DELETE CASCADE,
    n BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (import_id, n)
);

-- What exports contain, normalised once; the fetch stage reads it like a platform.
CREATE TABLE imported_messages (
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    message_id TEXT COLLATE "C" NOT NULL,
    import_seq BIGINT NOT NULL,            -- order of arrival within the channel: the watermark
    revised_at BIGINT NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (channel_id, message_id)
);
CREATE UNIQUE INDEX imported_messages_walk ON imported_messages (channel_id, import_seq);

-- ---------------------------------------------------------------------------------- jobs and tasks

CREATE TABLE jobs (
    job_id TEXT COLLATE "C" PRIMARY KEY,
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    status TEXT COLLATE "C" NOT NULL,
    force BOOLEAN NOT NULL,
    triggered_by TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    completed_at BIGINT,
    progressed_at BIGINT NOT NULL,         -- when anything last got through
    revision BIGINT NOT NULL,
    estimated_messages BIGINT,
    total_messages BIGINT NOT NULL DEFAULT 0,
    processed_messages BIGINT NOT NULL DEFAULT 0,
    failing_messages BIGINT NOT NULL DEFAULT 0,
    percentage BIGINT NOT NULL DEFAULT 0,
    open_tasks BIGINT NOT NULL,
    counts TEXT COLLATE "C" NOT NULL,
    stages TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C"
);
CREATE UNIQUE INDEX jobs_active ON jobs (channel_id) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_of_channel ON jobs (channel_id, started_at DESC, job_id DESC);
CREATE INDEX jobs_by_time ON jobs (started_at DESC, job_id DESC);

CREATE TABLE idempotency_keys (
    key_id TEXT COLLATE "C" NOT NULL,                   -- the API key that used it
    route TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    job_id TEXT COLLATE "C" NOT NULL,
    estimated_messages BIGINT,             -- as the first reply told it
    created_at BIGINT NOT NULL,
    PRIMARY KEY (key_id, route, idempotency_key)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

CREATE TABLE tasks (
    job_id TEXT COLLATE "C" NOT NULL REFERENCES jobs,
    stage TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    input TEXT COLLATE "C" NOT NULL,
    messages BIGINT NOT NULL,              -- how many it carries
    attempt BIGINT NOT NULL DEFAULT 0,     -- failed attempts since the last progress
    crashes BIGINT NOT NULL DEFAULT 0,     -- vanished workers since the last progress
    not_before BIGINT NOT NULL DEFAULT 0,
    released_at BIGINT,                    -- when it entered the window
    published_at BIGINT,                   -- when the sweep last called for it
    published BIGINT NOT NULL DEFAULT 0,   -- how often it did
    claim_token TEXT COLLATE "C",
    worker TEXT COLLATE "C",
    lease_until BIGINT,
    error TEXT COLLATE "C",
    ended_at BIGINT,
    PRIMARY KEY (job_id, stage, seq)
);
CREATE INDEX tasks_ready ON tasks (stage, not_before) WHERE status = 'ready';
CREATE INDEX tasks_leased ON tasks (lease_until) WHERE status = 'leased';
CREATE INDEX tasks_open ON tasks (job_id, stage) WHERE status IN ('ready', 'leased');
CREATE INDEX tasks_waiting ON tasks (job_id, stage, seq) WHERE status = 'waiting';

-- ---------------------------------------------------------------------------------------- messages

CREATE TABLE messages (
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    message_id TEXT COLLATE "C" NOT NULL,
    thread_id TEXT COLLATE "C",
    author_id TEXT COLLATE "C" NOT NULL,
    author_name TEXT COLLATE "C" NOT NULL,
    author_kind TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    mentions TEXT COLLATE "C" NOT NULL,
    links TEXT COLLATE "C" NOT NULL,
    reactions TEXT COLLATE "C" NOT NULL,
    attachments TEXT COLLATE "C" NOT NULL,
    permalink TEXT COLLATE "C",
    sent_at BIGINT NOT NULL,
    edited_at BIGINT,
    deleted_at BIGINT,
    revised_at BIGINT NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (channel_id, message_id)
);
CREATE INDEX messages_by_time ON messages (channel_id, sent_at, message_id);
CREATE INDEX messages_of_thread ON messages (channel_id, thread_id, sent_at, message_id)
    WHERE thread_id IS NOT NULL;
CREATE INDEX messages_outside_threads ON messages (channel_id, sent_at, message_id)
    WHERE thread_id IS NULL AND deleted_at IS NULL AND kind = 'text';

-- Messages whose current revision is not through the graph yet: a row leaves when it is.
CREATE TABLE pending_messages (
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    message_id TEXT COLLATE "C" NOT NULL,
    change_seq BIGINT NOT NULL,            -- the revision that is pending
    thread_id TEXT COLLATE "C",
    sent_at BIGINT NOT NULL,
    job_id TEXT COLLATE "C",                            -- the job that has put it into a batch
    set_aside_by TEXT COLLATE "C",                      -- the program that found it poison
    PRIMARY KEY (channel_id, message_id)
);

-- --------------------------------------------------------------------------------------- knowledge

-- A thread, a conversation or a part of one: what is extracted together and replaced together.
CREATE TABLE units (
    unit_id TEXT COLLATE "C" PRIMARY KEY,
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    root_message_id TEXT COLLATE "C" NOT NULL,
    input_hash TEXT COLLATE "C" NOT NULL,               -- of all that the extraction depends on
    as_of BIGINT NOT NULL,                 -- the channel's change_seq when its messages were read
    retired BOOLEAN NOT NULL DEFAULT FALSE,     -- its messages belong to other units now
    extraction TEXT COLLATE "C" NOT NULL                -- mentions and relationships, for the graph
);

CREATE TABLE facts (
    fact_id TEXT COLLATE "C" PRIMARY KEY,
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    unit_id TEXT COLLATE "C" NOT NULL REFERENCES units,
    kind TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C",
    importance BIGINT NOT NULL,
    quality DOUBLE PRECISION NOT NULL,
    published BOOLEAN NOT NULL,
    asserted_at BIGINT NOT NULL,
    author_id TEXT COLLATE "C",
    fact TEXT COLLATE "C" NOT NULL                      -- the whole of it, evidence aside
);
CREATE INDEX facts_of_unit ON facts (unit_id);
CREATE INDEX facts_by_time ON facts (channel_id, asserted_at, fact_id);
CREATE INDEX facts_by_kind ON facts (channel_id, kind, published, asserted_at, fact_id);

CREATE TABLE fact_evidence (
    fact_id TEXT COLLATE "C" NOT NULL REFERENCES facts ON DELETE CASCADE,
    n BIGINT NOT NULL,                     -- 0 carries the statement
    message_id TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    start_byte BIGINT NOT NULL,
    end_byte BIGINT NOT NULL,
    quote TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (fact_id, n)
);

CREATE TABLE entities (
    entity_id TEXT COLLATE "C" PRIMARY KEY,
    scope TEXT COLLATE "C" NOT NULL,                    -- platform:workspace
    type TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    UNIQUE (scope, type, key)
);

CREATE TABLE entity_mentions (
    unit_id TEXT COLLATE "C" NOT NULL REFERENCES units,
    entity_id TEXT COLLATE "C" NOT NULL,
    channel_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    mentions BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (unit_id, entity_id)
);
CREATE INDEX entity_mentions_first ON entity_mentions (entity_id, first_seen);
CREATE INDEX entity_mentions_last ON entity_mentions (entity_id, last_seen, name);
CREATE INDEX entity_mentions_of_channel ON entity_mentions (channel_id, entity_id);

-- Facts as the graph knows them; differs from `facts` only while a unit is on its way.
CREATE TABLE graph_facts (
    fact_id TEXT COLLATE "C" PRIMARY KEY,
    unit_id TEXT COLLATE "C" NOT NULL REFERENCES units,
    channel_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    published BOOLEAN NOT NULL,
    asserted_at BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL
);
CREATE INDEX graph_facts_of_unit ON graph_facts (unit_id);

CREATE TABLE fact_entities (
    fact_id TEXT COLLATE "C" NOT NULL REFERENCES graph_facts ON DELETE CASCADE,
    entity_id TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    asserted_at BIGINT NOT NULL,
    reversed BOOLEAN NOT NULL,              -- the fact gives it up
    PRIMARY KEY (fact_id, entity_id, role, reversed)
);
CREATE INDEX fact_entities_of_entity ON fact_entities (entity_id, asserted_at, fact_id);

-- Decisions that took the place of earlier ones: a function of the pair alone.
CREATE TABLE fact_links (
    newer TEXT COLLATE "C" NOT NULL REFERENCES graph_facts ON DELETE CASCADE,
    older TEXT COLLATE "C" NOT NULL REFERENCES graph_facts ON DELETE CASCADE,
    PRIMARY KEY (newer, older)
);
CREATE INDEX fact_links_of_older ON fact_links (older);

CREATE TABLE relationships (
    relationship_id TEXT COLLATE "C" PRIMARY KEY,
    channel_id TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    support BIGINT NOT NULL,               -- facts that speak for it
    valid_from BIGINT NOT NULL
);
CREATE INDEX relationships_of_channel ON relationships (channel_id, support DESC, relationship_id);
CREATE INDEX relationships_by_source ON relationships (source);
CREATE INDEX relationships_by_target ON relationships (target);

CREATE TABLE relationship_support (
    relationship_id TEXT COLLATE "C" NOT NULL,
    fact_id TEXT COLLATE "C" NOT NULL REFERENCES graph_facts ON DELETE CASCADE,
    asserted_at BIGINT NOT NULL,
    PRIMARY KEY (relationship_id, fact_id)
);
CREATE INDEX relationship_support_of_fact ON relationship_support (fact_id);

-- -------------------------------------------------------------------------------------------- wiki

CREATE TABLE wiki_marks (
    mark BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL
);
CREATE INDEX wiki_marks_of_channel ON wiki_marks (channel_id, mark);

CREATE TABLE wiki_pages (
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels,
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,                     -- fixed when the page first appears
    title TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    input_hash TEXT COLLATE "C" NOT NULL,
    fact_count BIGINT NOT NULL,
    removed BOOLEAN NOT NULL DEFAULT FALSE,     -- has nothing to show any more; keeps its address
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, kind, key),
    UNIQUE (channel_id, slug)
);

CREATE TABLE wiki_versions (
    channel_id TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    citations TEXT COLLATE "C" NOT NULL,
    fact_count BIGINT NOT NULL,
    job_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, slug, version)
);

-- --------------------------------------------------------------------------------------- schedules

CREATE TABLE schedules (
    channel_id TEXT COLLATE "C" PRIMARY KEY REFERENCES channels,
    expression TEXT COLLATE "C" NOT NULL,
    timezone TEXT COLLATE "C" NOT NULL,
    enabled BOOLEAN NOT NULL,
    next_sync BIGINT,
    last_sync BIGINT
);
CREATE INDEX schedules_due ON schedules (next_sync) WHERE enabled;

-- Every firing and what became of it; its key makes firing twice impossible.
CREATE TABLE schedule_runs (
    channel_id TEXT COLLATE "C" NOT NULL,
    due_at BIGINT NOT NULL,
    job_id TEXT COLLATE "C",                            -- none when the channel was still syncing
    fired_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, due_at)
);
