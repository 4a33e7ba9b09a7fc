//! What every metric of the program says: the text that `/metrics` shows with it.
//!
//! Durations are in seconds. Jobs and tasks are counted in the database by every scheduler, so that any one may
//! be asked; all else is of the process that tells it.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Names, and what they count.
const COUNTERS: [(&str, &str); 8] = [
    (
        "atlas_tasks_total",
        "Calls for tasks, by stage and outcome: done, retried, given_up; dropped (claim lost or job over); \
         given_back (shutdown); refused (nothing to do, no attempt)",
    ),
    (
        "atlas_task_failures_total",
        "Failed attempts, by stage, error code and outcome: retried or given_up",
    ),
    ("atlas_fenced_writes_total", "Writes refused because the claim was lost or the job over"),
    (
        "atlas_repairs_total",
        "Tasks that the sweep repaired, by kind: expired_lease (its worker vanished), called_again (nobody took it)",
    ),
    (
        "atlas_schedules_fired_total",
        "Schedules that came due, by outcome: started, or skipped because the last sync still ran",
    ),
    ("atlas_jobs_forgotten_total", "Jobs that ended long ago and were deleted"),
    (
        "atlas_publish_unconfirmed_total",
        "Calls that the broker did not keep; the sweep makes them again",
    ),
    (
        "atlas_messages_set_aside_total",
        "Messages in a queue that are no call, now in the dead-letter queue",
    ),
];

/// Names, and what they measure.
const HISTOGRAMS: [(&str, &str); 7] = [
    ("atlas_task_seconds", "An attempt at a task, from its call to its end, by stage"),
    (
        "atlas_task_wait_seconds",
        "From when a task could have been taken until a worker took it, by stage",
    ),
    ("atlas_commit_seconds", "A transaction with results of a task, by stage"),
    ("atlas_publish_seconds", "From a call's hand-over to the broker to its confirm"),
    ("atlas_request_seconds", "An API request, by route and status"),
    (
        "atlas_connector_call_seconds",
        "A request to a platform, by platform and outcome (ok or an error code)",
    ),
    (
        "atlas_connector_wait_seconds",
        "A wait for a platform's rate limit before a request, by platform; requests that did not wait are not counted",
    ),
];

/// Names, and what they show.
const GAUGES: [(&str, &str); 5] = [
    ("atlas_jobs", "Jobs in the database, by status"),
    (
        "atlas_oldest_queued_job_seconds",
        "Age of the oldest job that no worker has begun; 0 when there is none",
    ),
    (
        "atlas_oldest_running_job_seconds",
        "Age of the oldest job that is running; 0 when there is none",
    ),
    (
        "atlas_tasks",
        "Tasks in the database that are neither done nor cancelled, by stage and status: waiting (for a place in \
         the window), ready, postponed (to be tried again later), leased, failed, poison",
    ),
    ("atlas_build_info", "Always 1; says the version of the program"),
];

/// Tells it to the recorder of this process.
pub(super) fn describe() {
    for (name, text) in COUNTERS {
        describe_counter!(name, text);
    }
    for (name, text) in HISTOGRAMS {
        describe_histogram!(name, Unit::Seconds, text);
    }
    for (name, text) in GAUGES {
        describe_gauge!(name, text);
    }
}
