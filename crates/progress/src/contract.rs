//! What every live view must do.
//!
//! Plain functions, each on a fresh view; [`contract!`](crate::contract!) makes tests of them.

#![expect(clippy::unwrap_used, reason = "these are tests")]

pub mod limits;
pub mod views;

use domain::{Job, JobId, JobStatus, Stage, StageProgress, Timestamp, Trigger, job::Counts};

/// Makes a test of every rule. The expression makes a fresh view and may await.
#[macro_export]
macro_rules! contract {
    ($fresh:expr) => {
        $crate::contract!(@each $fresh; views:
            what_is_shown_is_seen,
            an_older_revision_never_replaces_a_newer_one,
            the_newest_job_of_a_channel_is_found,
            a_body_is_made_once_a_revision,
            a_watcher_sees_the_state_it_came_to_and_the_last_one,
            a_cancel_reaches_everybody_who_listens,
        );
        $crate::contract!(@each $fresh; limits:
            a_burst_is_given_and_then_the_rate,
            turns_under_different_names_are_counted_apart,
            of_many_at_once_no_more_than_the_burst_get_a_turn,
            pauses_are_not_added_up,
            no_burst_follows_a_pause,
            a_known_rate_stays_what_it_is,
            a_pause_halves_a_learned_rate_once_for_all_calls_sent_before,
            turns_are_given_one_by_one_while_the_rate_is_slower_than_at_first,
            what_a_rate_lost_is_won_back_within_bounds,
        );
    };
    (@each $fresh:expr; $subject:ident: $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                $crate::contract::$subject::$name(&$fresh).await;
            }
        )*
    };
}

/// A job of a channel at a revision.
#[must_use]
pub fn job(channel: &str, revision: i64) -> Job {
    let at = Timestamp::from_micros(1_000_000 + revision);
    let stage = |stage| StageProgress {
        stage,
        processed: 0,
        total: 0,
        open_tasks: 0,
        started_at: None,
        worker: None,
        ended_at: None,
        retrying: None,
    };
    Job {
        id: JobId::random(),
        channel_id: channel.into(),
        status: JobStatus::Running,
        force: false,
        trigger: Trigger::Manual,
        started_at: at,
        completed_at: None,
        as_of: at,
        revision,
        estimated_messages: None,
        total_messages: 0,
        processed_messages: 0,
        failing_messages: 0,
        percentage: 0,
        open_tasks: 1,
        stages: Stage::ALL.map(stage).to_vec(),
        counts: Counts::default(),
        error: None,
    }
}
