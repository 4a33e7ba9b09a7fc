//! What every adapter of the store must do.
//!
//! Plain functions, each on a fresh store; [`contract!`](crate::contract!) makes tests of them.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

pub mod access;
pub mod connections;
pub mod explaining;
pub mod imports;
pub mod jobs;
pub mod knowledge;
pub mod limits;
pub mod questions;
mod scene;
pub mod schedules;
mod schema;
pub mod tasks;
pub mod together;
pub mod walks;
pub mod windows;

pub use schema::Schema;

/// Makes a test of every rule. The expression makes a fresh store, with whatever has to outlive it, and
/// may await.
#[macro_export]
macro_rules! contract {
    ($fresh:expr) => {
        $crate::contract!(@each $fresh; access:
            a_key_is_found_by_its_hash_until_it_is_revoked,
        );
        $crate::contract!(@each $fresh; jobs:
            a_channel_has_one_active_job,
            the_same_request_under_the_same_key_is_the_same_job,
            a_cancelled_job_stays_cancelled,
            jobs_are_listed_newest_first,
            of_two_requests_at_the_same_instant_one_starts,
            old_jobs_are_forgotten_but_the_newest_of_a_channel,
            a_census_tells_how_many_jobs_and_tasks_stand_where,
        );
        $crate::contract!(@each $fresh; tasks:
            a_task_is_claimed_once,
            a_commit_needs_the_claim,
            a_worker_that_stalled_writes_nothing,
            nothing_is_written_for_a_cancelled_job,
            a_failed_attempt_waits_and_comes_again,
            a_batch_that_is_given_up_counts_as_failing_and_stays_pending,
            what_failed_is_listed_until_it_is_tried_again,
            what_could_not_be_decoded_is_counted_until_it_is_forgotten,
            a_task_that_kills_three_workers_is_set_aside,
            a_lost_call_is_made_again_with_growing_pauses,
            a_window_of_tasks_is_released_at_a_time,
            a_job_that_is_alone_fills_the_slots_there_are,
            a_heartbeat_tells_which_claims_are_lost,
            everything_is_taken_back_at_a_start,
        );
        $crate::contract!(@each $fresh; together:
            tasks_that_are_claimed_together_are_claimed_once_each,
            each_task_of_many_tells_its_wait_and_the_trace_of_its_job,
            each_task_of_many_has_its_own_fence,
            an_effect_that_cannot_be_written_does_not_stop_others,
        );
        $crate::contract!(@each $fresh; questions:
            requests_for_jobs_at_the_same_time_are_told_apart,
            what_stages_ask_at_the_same_time_is_answered_to_each,
            batches_that_are_read_at_the_same_time_touch_their_own_units,
            wikis_that_are_looked_at_at_the_same_time_tell_their_own_pages,
        );
        $crate::contract!(@each $fresh; walks:
            only_newer_revisions_replace,
            a_deletion_stands_until_something_newer_is_said,
            a_message_with_replies_is_the_first_of_its_thread,
            a_changed_message_touches_its_neighbours_only,
            a_message_in_between_joins_two_conversations,
            a_long_thread_is_read_in_parts,
            what_a_cancelled_job_left_is_taken_up_by_the_next,
        );
        $crate::contract!(@each $fresh; windows:
            what_a_whole_window_has_not_seen_is_deleted,
            every_walk_sees_for_itself,
            a_missing_message_comes_back_when_it_is_seen_again,
            a_window_is_of_one_stream,
            a_mark_moves_with_its_page,
        );
        $crate::contract!(@each $fresh; connections:
            a_connection_holds_its_sealed_credentials,
            a_workspace_has_one_connection,
            the_connection_of_imports_is_taken_up,
            what_the_platform_refuses_is_said_of_these_credentials_only,
            chosen_channels_are_walked_and_no_others,
            what_is_neither_chosen_nor_imported_is_not_synchronised,
            imports_are_walked_first_and_then_the_platform,
            a_task_that_goes_on_at_the_platform_stays_there,
            what_the_platform_tells_stands_against_an_export_of_the_same_revision,
            a_removed_connection_ends_its_jobs_and_leaves_its_channels,
            a_connection_without_credentials_is_disconnected,
            credentials_are_rewrapped_by_another_master_key,
        );
        $crate::contract!(@each $fresh; knowledge:
            a_fact_that_is_no_longer_found_is_gone,
            a_search_finds_a_text_whatever_its_case,
            an_extraction_of_older_messages_does_not_replace_a_newer_one,
            a_later_decision_supersedes_whatever_comes_in_first,
            an_entity_knows_its_first_and_last_message_and_newest_name,
            a_page_has_a_new_version_only_when_its_text_changed,
        );
        $crate::contract!(@each $fresh; explaining:
            a_job_that_went_well_tells_who_asked_for_it_and_who_did_it,
            failures_and_waits_are_told,
            repairs_are_told,
            who_asked_and_who_cancelled_is_told_until_the_job_is_forgotten,
            events_are_kept_with_a_cap,
        );
        $crate::contract!(@each $fresh; imports:
            an_upload_is_read_by_one_reader,
            an_import_after_three_vanished_readers_fails,
            an_upload_that_was_cut_off_is_gone_with_the_next_start,
            a_newer_export_adds_and_updates,
            imported_messages_that_are_read_at_the_same_time_are_told_apart,
            a_channel_id_that_is_taken_is_told_apart_by_its_connection,
        );
        $crate::contract!(@each $fresh; schedules:
            a_due_schedule_fires_once,
            a_schedule_of_a_busy_channel_starts_nothing,
        );
    };
    (@each $fresh:expr; $module:ident: $($name:ident),* $(,)?) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test]
                async fn $name() {
                    let (store, _kept) = $fresh;
                    $crate::contract::$module::$name(&store).await;
                }
            )*
        }
    };
}
