//! Every setting there is: its names, its default, and what it must be.

use domain::Stage;

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its key in the file.
    pub key: &'static str,
    /// Its variable in the environment; of a stage's setting what comes after `ATLAS_` and the stage's name.
    pub variable: &'static str,
    /// What it is when nobody says anything; empty where that is nothing.
    pub default: &'static str,
    /// What it must be.
    pub expected: &'static str,
    /// How it is told.
    pub shown: Shown,
}

/// How a value is told to whoever asks for the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Whole,
    /// Without its password.
    Address,
    /// Only that there is one.
    Secret,
}

const fn setting(
    key: &'static str,
    variable: &'static str,
    default: &'static str,
    expected: &'static str,
) -> Setting {
    Setting { key, variable, default, expected, shown: Shown::Whole }
}

const fn address(
    key: &'static str,
    variable: &'static str,
    default: &'static str,
    expected: &'static str,
) -> Setting {
    Setting { shown: Shown::Address, ..setting(key, variable, default, expected) }
}

/// The schemes of the three URLs.
pub(super) const DATABASES: &str = "sqlite:PATH or postgres://…";
pub(super) const QUEUES: &str = "memory: or amqp://…";
pub(super) const VIEWS: &str = "memory: or redis://…";

const SOCKET: &str = "an address and port such as 127.0.0.1:8480";

pub(super) const DATABASE_URL: Setting =
    address("database_url", "DATABASE_URL", "sqlite:data/atlas-sync.db", DATABASES);
pub(super) const QUEUE_URL: Setting = address("queue_url", "QUEUE_URL", "memory:", QUEUES);
pub(super) const PROGRESS_URL: Setting = address("progress_url", "PROGRESS_URL", "memory:", VIEWS);
pub(super) const PREFIX: Setting = setting(
    "prefix",
    "ATLAS_PREFIX",
    "atlas",
    "1 to 40 letters, digits, dashes, underscores or dots",
);
pub(super) const ROLES: Setting = setting(
    "roles",
    "ATLAS_ROLES",
    "all",
    "all, or a list of gateway, scheduler, fetch-worker, extract-worker, graph-worker, wiki-worker",
);
pub(super) const DATA_FOLDER: Setting =
    setting("data_folder", "ATLAS_DATA_FOLDER", "data", "a folder");
pub(super) const LISTEN: Setting = setting("listen", "ATLAS_LISTEN", "127.0.0.1:8480", SOCKET);
pub(super) const HEALTH_LISTEN: Setting =
    setting("health_listen", "ATLAS_HEALTH_LISTEN", "127.0.0.1:8481", SOCKET);
pub(super) const API_KEY_FILE: Setting =
    setting("api_key_file", "ATLAS_API_KEY_FILE", "", "a file");
pub(super) const MAX_UPLOAD_BYTES: Setting =
    setting("max_upload_bytes", "ATLAS_MAX_UPLOAD_BYTES", "2147483648", "a number of bytes from 1");
pub(super) const LOG: Setting =
    setting("log", "ATLAS_LOG", "info,sqlx=warn", "a filter such as info or info,sqlx=warn");
pub(super) const LOG_FORMAT: Setting =
    setting("log_format", "ATLAS_LOG_FORMAT", "text", "text or json");
pub(super) const SLOTS: Setting = setting("slots", "ATLAS_SLOTS", "2", "a number from 1 to 256");
pub(super) const PREFETCH: Setting = setting(
    "prefetch",
    "ATLAS_PREFETCH",
    "",
    "a number from the stage's slots to 4096; as many as slots where it is not said",
);
pub(super) const TIME_LIMIT_SECONDS: Setting = setting(
    "time_limit_seconds",
    "ATLAS_TIME_LIMIT_SECONDS",
    "600",
    "seconds from 1 to 86400; of fetching_messages from 120, since it walks for 60 s at a time",
);
pub(super) const WINDOW: Setting =
    setting("window", "ATLAS_WINDOW", "32", "a number from 1 to 10000");
pub(super) const LEASE_SECONDS: Setting =
    setting("lease_seconds", "ATLAS_LEASE_SECONDS", "10", "seconds from 3 to 3600");
pub(super) const GRACE_SECONDS: Setting =
    setting("grace_seconds", "ATLAS_GRACE_SECONDS", "20", "seconds from 0 to 600");
pub(super) const ATTEMPTS: Setting =
    setting("attempts", "ATLAS_ATTEMPTS", "5", "a number from 1 to 100");
pub(super) const BACKOFF_BASE_MILLISECONDS: Setting = setting(
    "backoff_base_milliseconds",
    "ATLAS_BACKOFF_BASE_MILLISECONDS",
    "1000",
    "milliseconds from 1 to 3600000",
);
pub(super) const BACKOFF_CAP_SECONDS: Setting =
    setting("backoff_cap_seconds", "ATLAS_BACKOFF_CAP_SECONDS", "300", "seconds from 1 to 86400");
pub(super) const STANDSTILL_HOURS: Setting =
    setting("standstill_hours", "ATLAS_STANDSTILL_HOURS", "24", "hours from 1 to 8760");
pub(super) const SWEEP_AFTER_SECONDS: Setting =
    setting("sweep_after_seconds", "ATLAS_SWEEP_AFTER_SECONDS", "10", "seconds from 1 to 3600");
pub(super) const KEEP_DAYS: Setting =
    setting("keep_days", "ATLAS_KEEP_DAYS", "30", "days from 1 to 36500");

/// The settings of a process.
pub const SETTINGS: [Setting; 24] = [
    DATABASE_URL,
    QUEUE_URL,
    PROGRESS_URL,
    PREFIX,
    ROLES,
    DATA_FOLDER,
    LISTEN,
    HEALTH_LISTEN,
    API_KEY_FILE,
    MAX_UPLOAD_BYTES,
    LOG,
    LOG_FORMAT,
    SLOTS,
    PREFETCH,
    TIME_LIMIT_SECONDS,
    WINDOW,
    LEASE_SECONDS,
    GRACE_SECONDS,
    ATTEMPTS,
    BACKOFF_BASE_MILLISECONDS,
    BACKOFF_CAP_SECONDS,
    STANDSTILL_HOURS,
    SWEEP_AFTER_SECONDS,
    KEEP_DAYS,
];

/// Those that a stage can have otherwise than the others, in a table of its name.
pub const STAGE_SETTINGS: [Setting; 3] = [SLOTS, PREFETCH, TIME_LIMIT_SECONDS];

/// The variable of a stage's own setting.
#[must_use]
pub fn stage_variable(stage: Stage, setting: &Setting) -> String {
    let name = setting.variable.trim_start_matches("ATLAS_");
    format!("ATLAS_{}_{name}", stage.as_str().to_uppercase())
}
