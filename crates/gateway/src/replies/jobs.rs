//! Jobs.

use domain::{
    ErrorCode, Job, JobStatus, Stage, StageProgress, SyncError, Timestamp,
    job::{Counts, StageStatus},
};
use serde::Serialize;
use utoipa::ToSchema;

/// An accepted sync.
#[derive(Serialize, ToSchema)]
pub(crate) struct Started {
    /// Always `started`.
    status: &'static str,
    job_id: String,
    channel_id: String,
    /// Messages that are expected; null when nothing is known.
    estimated_messages: Option<u64>,
    #[schema(value_type = String)]
    started_at: Timestamp,
}

impl Started {
    pub(crate) fn new(job: &Job, estimated_messages: Option<u64>) -> Self {
        Self {
            status: "started",
            job_id: job.id.to_string(),
            channel_id: job.channel_id.to_string(),
            estimated_messages,
            started_at: job.started_at,
        }
    }
}

/// How a sync stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    job_id: String,
    channel_id: String,
    /// queued, running, completed, failed or cancelled.
    #[schema(value_type = String)]
    status: JobStatus,
    progress: Progress,
    #[schema(value_type = String)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>)]
    estimated_completion: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    current_stage: Option<Stage>,
    stages: Vec<StageReply>,
    #[schema(value_type = Object)]
    counts: Counts,
    /// manual, schedule or retry.
    trigger: &'static str,
    force: bool,
    #[schema(value_type = Option<String>)]
    completed_at: Option<Timestamp>,
    #[schema(value_type = Option<Object>)]
    error: Option<SyncError>,
}

/// Syncs of all channels, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Jobs {
    pub(crate) jobs: Vec<Status>,
}

#[derive(Serialize, ToSchema)]
struct Progress {
    total_messages: u64,
    processed_messages: u64,
    failing_messages: u64,
    percentage: u8,
}

/// How a stage of a sync stands.
#[derive(Serialize, ToSchema)]
struct StageReply {
    #[schema(value_type = String)]
    name: Stage,
    /// pending, running, completed, failed or cancelled.
    #[schema(value_type = String)]
    status: StageStatus,
    processed: u64,
    total: u64,
    #[schema(value_type = Option<String>)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    completed_at: Option<Timestamp>,
    duration_seconds: Option<f64>,
    retrying: Option<RetryingReply>,
}

#[derive(Serialize, ToSchema)]
struct RetryingReply {
    #[schema(value_type = String)]
    code: ErrorCode,
    attempt: u32,
    #[schema(value_type = String)]
    next_attempt_at: Timestamp,
}

impl From<&Job> for Status {
    fn from(job: &Job) -> Self {
        Self {
            job_id: job.id.to_string(),
            channel_id: job.channel_id.to_string(),
            status: job.status,
            progress: Progress {
                total_messages: job.total_messages,
                processed_messages: job.processed_messages,
                failing_messages: job.failing_messages,
                percentage: job.percentage,
            },
            started_at: job.started_at,
            estimated_completion: job.estimated_completion(),
            current_stage: job.current_stage(),
            stages: job.stages.iter().map(|stage| StageReply::new(job, stage)).collect(),
            counts: job.counts,
            trigger: job.trigger.as_str(),
            force: job.force,
            completed_at: job.completed_at,
            error: job.error.clone(),
        }
    }
}

impl StageReply {
    fn new(job: &Job, stage: &StageProgress) -> Self {
        let status = job.stage_status(stage.stage);
        // A stage may run dry and get more: it has ended once nothing can come any more.
        let completed_at = stage.ended_at.filter(|_| status == StageStatus::Completed);
        let until = completed_at.or(job.completed_at).unwrap_or(job.as_of);
        Self {
            name: stage.stage,
            status,
            processed: stage.processed,
            total: stage.total,
            started_at: stage.started_at,
            completed_at,
            duration_seconds: stage.started_at.map(|from| rounded(until.seconds_since(from))),
            retrying: stage.retrying.as_ref().map(|retrying| RetryingReply {
                code: retrying.code,
                attempt: retrying.attempt,
                next_attempt_at: retrying.next_attempt_at,
            }),
        }
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds.max(0.0) * 1_000.0).round() / 1_000.0
}

/// A sync of the past, or the present one.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryEntry {
    job_id: String,
    channel_id: String,
    #[schema(value_type = String)]
    status: JobStatus,
    #[schema(value_type = String)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>)]
    completed_at: Option<Timestamp>,
    duration_seconds: Option<f64>,
    messages_synced: u64,
    facts_extracted: u64,
    entities_created: u64,
    #[schema(value_type = Option<Object>)]
    error: Option<SyncError>,
}

impl From<&Job> for HistoryEntry {
    fn from(job: &Job) -> Self {
        Self {
            job_id: job.id.to_string(),
            channel_id: job.channel_id.to_string(),
            status: job.status,
            started_at: job.started_at,
            completed_at: job.completed_at,
            duration_seconds: job.completed_at.map(|_| rounded(job.duration_seconds())),
            messages_synced: job.processed_messages
                - job.failing_messages.min(job.processed_messages),
            facts_extracted: job.counts.facts,
            entities_created: job.counts.entities,
            error: job.error.clone(),
        }
    }
}

/// Syncs of a channel, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct History {
    pub(crate) history: Vec<HistoryEntry>,
}

/// A cancelled sync.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cancelled {
    /// Always `cancelled`.
    pub(crate) status: &'static str,
    pub(crate) job_id: String,
    #[schema(value_type = String)]
    pub(crate) cancelled_at: Timestamp,
}
