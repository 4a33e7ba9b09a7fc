//! What a job's own row tells of its life. The same for every adapter.
//!
//! What happens to every job (accepted, begun, a stage through, ended) costs no statement of its own: the
//! row says it, written in the same transaction as what it tells.

use domain::{Happening, Job, JobEvent, JobStatus, Timestamp, job::StageStatus};

/// Events of a job that was asked for by this API key.
pub(crate) fn of_job(job: &Job, asked_by: Option<String>) -> Vec<JobEvent> {
    let created = Happening::Created { trigger: job.trigger, force: job.force, by: asked_by };
    let mut events = vec![of_whole(job.started_at, created)];
    for entry in &job.stages {
        let of_stage =
            |at, happening| JobEvent { at, stage: Some(entry.stage), seq: None, happening };
        if let Some(at) = entry.started_at {
            // A job that had nothing to do passes stages that nobody worked on.
            if entry.worker.is_some() {
                let claimed = Happening::Claimed { worker: entry.worker.clone(), attempt: 1 };
                events.push(of_stage(at, claimed));
            }
        }
        if let (Some(at), StageStatus::Completed) = (entry.ended_at, job.stage_status(entry.stage))
        {
            let processed = entry.processed;
            events.push(of_stage(at, Happening::StageCompleted { processed }));
        }
    }
    events.extend(end(job));
    events
}

/// That a user ended it is an event of its own, which says who.
fn end(job: &Job) -> Option<JobEvent> {
    let happening = match job.status {
        JobStatus::Completed => Happening::Completed {
            messages: job.processed_messages.saturating_sub(job.failing_messages),
            failing: job.failing_messages,
        },
        JobStatus::Failed => Happening::Failed {
            code: job.error.as_ref().map(|error| error.code),
            message: job.error.as_ref().map_or_else(String::new, |error| error.message.clone()),
        },
        JobStatus::Cancelled | JobStatus::Queued | JobStatus::Running => return None,
    };
    Some(of_whole(job.completed_at?, happening))
}

const fn of_whole(at: Timestamp, happening: Happening) -> JobEvent {
    JobEvent { at, stage: None, seq: None, happening }
}
