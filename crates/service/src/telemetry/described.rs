//! What every metric of the program says: the text that `/metrics` shows with it.
//!
//! Durations are in seconds. Jobs and tasks are counted in the database by every scheduler, so that any one may
//! be asked; all else is of the process that tells it.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Names, and what they count.
const COUNTERS: [(&str, &str); 8] = [
    ("atlas_tasks_total", "Attempts at tasks, by stage and by how they ended"),
    (
        "atlas_task_failures_total",
        "Failed attempts, by stage, error code, and whether another follows",
    ),
    ("atlas_fenced_writes_total", "Writes refused because the claim was lost or the job over"),
    ("atlas_repairs_total", "What the sweep repaired: leases that ran out, calls made again"),
    ("atlas_schedules_fired_total", "Schedules that came due, by whether a sync started"),
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
    ("atlas_task_seconds", "An attempt, from its claim to its end, by stage"),
    ("atlas_task_wait_seconds", "From when a task could be taken until it was, by stage"),
    ("atlas_commit_seconds", "A transaction with results, by stage"),
    ("atlas_publish_seconds", "From a call's hand-over to the broker to its confirm"),
    ("atlas_request_seconds", "An API request, by route and outcome"),
    ("atlas_connector_call_seconds", "A request to a platform, by platform and outcome"),
    (
        "atlas_connector_wait_seconds",
        "A wait for a platform's rate limit before a request, by platform",
    ),
];

/// Names, and what they show.
const GAUGES: [(&str, &str); 5] = [
    ("atlas_jobs", "Jobs by status"),
    ("atlas_oldest_queued_job_seconds", "Age of the oldest job that nobody has begun"),
    ("atlas_oldest_running_job_seconds", "Age of the oldest job in work"),
    ("atlas_tasks", "Tasks that are neither done nor cancelled, by stage and status"),
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
