//! What the scheduler measures of its turns.

use metrics::counter;

/// Counts are there before their first event: one that is not is not seen to rise by it.
pub(crate) fn begins() {
    repaired("expired_lease", 0);
    repaired("called_again", 0);
    for outcome in ["started", "skipped"] {
        counter!("atlas_schedules_fired_total", "outcome" => outcome).increment(0);
    }
    forgotten(0);
}

/// The sweep repaired so many tasks.
pub(crate) fn repaired(kind: &'static str, tasks: u64) {
    counter!("atlas_repairs_total", "kind" => kind).increment(tasks);
}

/// A schedule came due.
pub(crate) fn fired(outcome: &'static str) {
    counter!("atlas_schedules_fired_total", "outcome" => outcome).increment(1);
}

/// So many old jobs were deleted.
pub(crate) fn forgotten(jobs: u64) {
    counter!("atlas_jobs_forgotten_total").increment(jobs);
}
