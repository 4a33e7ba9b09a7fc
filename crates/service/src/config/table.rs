//! The table of all settings. Whatever reads, checks, tells or documents one takes it from here.

use super::setting::{Group, Setting};

/// Makes of each row a constant, by which it is read, and of all rows the table.
macro_rules! table {
    ($($title:literal { $($name:ident = $setting:expr;)* })*) => {
        $($(pub(super) const $name: Setting = $setting;)*)*

        /// Every setting there is.
        pub const TABLE: &[Group] =
            &[$(Group { title: $title, settings: &[$($name),*] }),*];
    };
}

table! {
    "where things are" {
        DATABASE_URL = Setting::text(
            "database_url", "DATABASE_URL", "sqlite:data/atlas-sync.db",
            "sqlite:PATH or postgres://…",
            "Where the truth is kept: a file, or a server for many processes.",
        ).address();
        QUEUE_URL = Setting::text(
            "queue_url", "QUEUE_URL", "memory:", "memory: or amqp://…",
            "The wake-up call: this process's memory, or RabbitMQ.",
        ).address();
        PROGRESS_URL = Setting::text(
            "progress_url", "PROGRESS_URL", "memory:", "memory: or redis://…",
            "The live view: this process's memory, or Redis.",
        ).address();
        PREFIX = Setting::text(
            "prefix", "ATLAS_PREFIX", "atlas",
            "1 to 80 letters, digits, dashes, underscores or dots",
            "What names of queues and keys begin with, so that installations can share servers. The \
             same in all processes of one.",
        );
        DATA_FOLDER = Setting::text(
            "data_folder", "ATLAS_DATA_FOLDER", "data", "a folder",
            "Where a first key is left when the database is not a file.",
        );
    }
    "what this process does" {
        ROLES = Setting::text(
            "roles", "ATLAS_ROLES", "all",
            "all, or a list of gateway, scheduler, fetch-worker, extract-worker, graph-worker, \
             wiki-worker",
            "What of the service runs in it. A program of one role (atlas-gateway and so on) has that \
             one, whatever this says.",
        );
        LISTEN = Setting::text(
            "listen", "ATLAS_LISTEN", "127.0.0.1:8480",
            "an address and port such as 127.0.0.1:8480",
            "Where the API answers. Another address than loopback needs an API key first.",
        );
        HEALTH_LISTEN = Setting::text(
            "health_listen", "ATLAS_HEALTH_LISTEN", "127.0.0.1:8481",
            "an address and port such as 127.0.0.1:8481",
            "Where /health/live, /health/ready and /metrics answer.",
        );
        API_KEY_FILE = Setting::text(
            "api_key_file", "ATLAS_API_KEY_FILE", "", "a file",
            "A file with a first API key, such as a container's secret.",
        );
        MAX_UPLOAD_BYTES = Setting::number(
            "max_upload_bytes", "ATLAS_MAX_UPLOAD_BYTES", "2147483648",
            ("a number of bytes", 1, 1 << 40),
            "Largest upload.",
        );
        LOG = Setting::text(
            "log", "ATLAS_LOG", "info,sqlx=warn", "a filter such as info or info,sqlx=warn",
            "What is logged, to standard error, as filters of `tracing` are written.",
        );
        LOG_FORMAT = Setting::text(
            "log_format", "ATLAS_LOG_FORMAT", "text", "text or json",
            "For people, or an object a line.",
        );
        TRACES_TO = Setting::text(
            "traces_to", "OTEL_EXPORTER_OTLP_ENDPOINT", "", "http://… or https://…",
            "The collector that traces are sent to (OTLP over HTTP), such as http://localhost:4318. None \
             are made without.",
        ).address();
    }
    "how platforms are called: read by the gateway and the fetch-workers" {
        ALLOWED_HOSTS = Setting::text(
            "allowed_hosts", "ATLAS_ALLOWED_HOSTS", "",
            "hosts with commas between them, such as chat.example.org,10.0.0.5:8065",
            "Servers that may be called although they are in a private network, or without TLS.",
        );
        HTTP_PROXY = Setting::text(
            "http_proxy", "ATLAS_HTTP_PROXY", "", "the address of a proxy, http://HOST:PORT",
            "A proxy for all calls to platforms; else none is used.",
        ).address();
        MASTER_KEY_FILE = Setting::text(
            "master_key_file", "ATLAS_MASTER_KEY_FILE", "", "a file",
            "A file with the key that credentials of platforms are sealed with: 64 hexadecimal \
             digits. Without one an embedded service makes its own, beside its data.",
        );
        MASTER_KEY = Setting::text(
            "master_key", "ATLAS_MASTER_KEY", "",
            "64 hexadecimal digits; of several keys, with spaces between them, the first seals",
            "The key itself, where it is in no file. Better in the environment than here.",
        ).secret();
    }
    "how work is done: for all stages, unless a table below says otherwise of one" {
        SLOTS = Setting::number(
            "slots", "ATLAS_SLOTS", "2", ("a number", 1, 256),
            "Tasks that a process works on at the same time.",
        ).by_stage();
        PREFETCH = Setting::number(
            "prefetch", "ATLAS_PREFETCH", "", ("a number not below the slots,", 1, 4_096),
            "Calls that the queue hands to a process before earlier ones are answered, so that the \
             next one is there when a slot is free. As many as slots where it is not said; more than \
             needed keeps work from processes that are idle.",
        ).by_stage();
        TIME_LIMIT_SECONDS = Setting::number(
            "time_limit_seconds", "ATLAS_TIME_LIMIT_SECONDS", "600",
            ("seconds (at least 120 for fetching_messages)", 1, 86_400),
            "Longest time for one attempt at a task; then it counts as failed. One of fetching messages \
             walks for up to 60 s by itself.",
        ).by_stage();
    }
    "how large jobs are kept in bounds: the same in all processes" {
        WINDOW = Setting::number(
            "window", "ATLAS_WINDOW", "4", ("a number", 1, 10_000),
            "Tasks of a job and stage that are on the queue or in work; the rest wait, so that a large \
             channel does not stand before a small one. Where a stage has more slots it is one a slot, and \
             two while no other job waits.",
        );
        STANDSTILL_HOURS = Setting::number(
            "standstill_hours", "ATLAS_STANDSTILL_HOURS", "24", ("hours", 1, 8_760),
            "A job without any progress for this long fails, whatever its tasks are waiting for.",
        );
    }
    "what happens after failures: likewise" {
        ATTEMPTS = Setting::number(
            "attempts", "ATLAS_ATTEMPTS", "5", ("a number", 1, 100),
            "Attempts without progress after which a task is given up. A rate limit uses none.",
        ).by_stage();
        BACKOFF_BASE_MILLISECONDS = Setting::number(
            "backoff_base_milliseconds", "ATLAS_BACKOFF_BASE_MILLISECONDS", "1000",
            ("milliseconds", 1, 3_600_000),
            "Longest wait after the first attempt. It doubles with each that follows, and the real \
             wait is a random part of it; what a platform asks for wins.",
        ).by_stage();
        BACKOFF_CAP_SECONDS = Setting::number(
            "backoff_cap_seconds", "ATLAS_BACKOFF_CAP_SECONDS", "300",
            ("seconds, not below the base,", 1, 86_400),
            "Longest wait after any attempt.",
        ).by_stage();
    }
    "claims, and their end" {
        LEASE_SECONDS = Setting::number(
            "lease_seconds", "ATLAS_LEASE_SECONDS", "10", ("seconds", 3, 3_600),
            "How long a claim lives without a sign of life: after a crash the work is taken up again \
             this much later.",
        );
        GRACE_SECONDS = Setting::number(
            "grace_seconds", "ATLAS_GRACE_SECONDS", "20", ("seconds", 0, 600),
            "How long running work may go on after a shutdown has begun; then it is given back. What \
             stops processes has to wait a little longer than this.",
        );
    }
    "what the scheduler does" {
        SWEEP_AFTER_SECONDS = Setting::number(
            "sweep_after_seconds", "ATLAS_SWEEP_AFTER_SECONDS", "10", ("seconds", 1, 3_600),
            "How long a released task may lie before the scheduler looks whether its call was lost.",
        );
        KEEP_DAYS = Setting::number(
            "keep_days", "ATLAS_KEEP_DAYS", "30", ("days", 1, 36_500),
            "How long an ended job, its tasks and events are kept; the newest hundred of a channel \
             stay whatever.",
        );
    }
}
