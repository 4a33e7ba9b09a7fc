use domain::{JobEvent, JobId, SyncError, Trigger, job::Counts};

use super::*;

/// 10:30:00 on some day.
const START: i64 = 1_776_076_200_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(START + second * 1_000_000)
}

fn told(status: JobStatus, standing: Vec<Standing>) -> Explanation {
    let over = status.is_terminal().then(|| at(12));
    let job = Job {
        id: JobId::random(),
        channel_id: "C1".into(),
        status,
        force: false,
        trigger: Trigger::Manual,
        started_at: at(0),
        completed_at: over,
        as_of: at(60),
        revision: 1,
        estimated_messages: None,
        total_messages: 10,
        processed_messages: 10,
        failing_messages: 0,
        percentage: 50,
        open_tasks: 1,
        stages: Vec::new(),
        counts: Counts::default(),
        error: None,
    };
    Explanation { job, events: Vec::new(), left_out: false, standing }
}

fn standing(stage: Stage) -> Standing {
    Standing {
        stage,
        waiting: 0,
        ready: 0,
        ready_since: None,
        leased: 0,
        postponed: 0,
        next_attempt_at: None,
        code: None,
    }
}

fn ready(stage: Stage, ready: u64, since: i64) -> Standing {
    Standing { ready, ready_since: Some(at(since)), ..standing(stage) }
}

#[test]
fn work_that_nobody_takes_names_the_worker_to_look_for() {
    let told = told(JobStatus::Running, vec![ready(Stage::ExtractingFacts, 3, 20)]);
    assert_eq!(
        of(&told),
        "3 batches of extracting_facts are ready, but no worker has taken one for 40 s: is an \
         extract-worker running, and not busy with other syncs?"
    );
}

#[test]
fn what_is_in_work_is_told_beside_what_is_stuck() {
    let busy = Standing { leased: 2, waiting: 5, ..standing(Stage::ExtractingFacts) };
    let stuck = ready(Stage::BuildingGraph, 1, 0);
    let both = told(JobStatus::Running, vec![busy.clone(), stuck]);
    assert_eq!(
        of(&both),
        "1 batch of building_graph is ready, but no worker has taken one for 60 s: is a graph-worker \
         running, and not busy with other syncs?; in work are 2 batches of extracting_facts, 5 more \
         behind"
    );
    let well = told(JobStatus::Running, vec![busy, ready(Stage::BuildingGraph, 1, 59)]);
    assert_eq!(of(&well), "is being worked on: 2 batches of extracting_facts, 5 more behind");
}

#[test]
fn a_wait_has_its_end_and_its_reason() {
    let waiting = |code| Standing {
        postponed: 1,
        next_attempt_at: Some(at(120)),
        code: Some(code),
        ..standing(Stage::FetchingMessages)
    };
    assert_eq!(
        of(&told(JobStatus::Running, vec![waiting(ErrorCode::RateLimit)])),
        "waits until 10:32:00 UTC for the platform's rate limit (fetching_messages)"
    );
    assert_eq!(
        of(&told(JobStatus::Running, vec![waiting(ErrorCode::PlatformError)])),
        "waits until 10:32:00 UTC to try fetching_messages again after PLATFORM_ERROR"
    );
}

#[test]
fn a_job_that_is_over_says_how_it_ended() {
    assert_eq!(of(&told(JobStatus::Completed, vec![])), "completed in 12 s");
    let mut failed = told(JobStatus::Failed, vec![]);
    failed.job.error = Some(SyncError::new(ErrorCode::AuthError, "the token was revoked"));
    assert_eq!(of(&failed), "failed after 12 s: AUTH_ERROR: the token was revoked");
    let mut cancelled = told(JobStatus::Cancelled, vec![]);
    let happening = Happening::Cancelled { by: Some("ann".into()) };
    cancelled.events.push(JobEvent { at: at(12), stage: None, seq: None, happening });
    assert_eq!(of(&cancelled), "cancelled by ann after 12 s");
}

#[test]
fn a_queued_job_says_whether_a_worker_is_missing() {
    let fresh = told(JobStatus::Queued, vec![ready(Stage::FetchingMessages, 1, 59)]);
    assert_eq!(of(&fresh), "1 part of fetching_messages is ready and about to be taken");
    let old = told(JobStatus::Queued, vec![ready(Stage::FetchingMessages, 1, 0)]);
    assert!(of(&old).contains("is a fetch-worker running"), "{}", of(&old));
}
