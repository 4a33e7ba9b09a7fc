//! Bounds that an operator has set, of stores that were opened with them.

use std::time::Duration;

use domain::{ErrorCode, JobStatus, Stage};

use super::scene::{channel, message, of_stage, started, walked};
use crate::{Limits, Store};

/// What the rules here are about.
pub const LIMITS: Limits = Limits { window: 3, standstill: Duration::ZERO };

/// No more is released than that.
pub async fn a_window_that_is_set_is_kept(store: &dyn Store) {
    let channel = channel(store).await;
    let many = (0..250 * 10).map(|n| message(n * 30, "x")).collect();
    let (_, after) = walked(store, &channel, many).await;
    assert_eq!(of_stage(&after, Stage::ExtractingFacts).len(), 3);
    assert!(after.job.open_tasks >= 10);
}

/// With what its operator is to look at.
pub async fn a_job_that_stands_still_for_too_long_fails(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, _) = started(store, &channel).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let failed = store.expire_leases().await.unwrap().jobs;
    assert_eq!(failed.iter().map(|job| &job.id).collect::<Vec<_>>(), [&job.id]);
    assert_eq!(failed[0].status, JobStatus::Failed);
    let error = failed[0].error.clone().unwrap();
    assert_eq!(error.code, ErrorCode::InternalError);
    assert!(error.message.contains("nothing has moved for 0 hours"), "{}", error.message);
}
