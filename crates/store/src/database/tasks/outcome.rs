//! Tasks that did not succeed.

use std::time::Duration;

use domain::{
    ErrorCode, Happening, JobStatus, Stage, SyncError, TaskStatus, batch::Seed, job::Retrying,
};

use super::Fenced;
use crate::{
    Result,
    database::{Session, json, query::query, row::Columns as _},
};

/// Names this program in what it sets aside.
pub(super) const PROGRAM: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn retry(
    write: &mut Session,
    fenced: &mut Fenced,
    error: &SyncError,
    delay: Duration,
    uses_attempt: bool,
) -> Result<()> {
    let next_attempt_at = fenced.ledger.now().plus(delay);
    // Not on the queue: the sweep calls for it when it is due.
    let row = query(
        "UPDATE tasks SET status = 'ready', claim_token = NULL, worker = NULL, lease_until = NULL,
             not_before = $4, attempt = attempt + $5, error = $6, released_at = NULL,
             published_at = NULL, published = 0
         WHERE job_id = $1 AND stage = $2 AND seq = $3 RETURNING attempt",
    )
    .bind(fenced.task.job_id.as_str())
    .bind(fenced.task.stage.as_str())
    .bind(fenced.task.seq)
    .bind(next_attempt_at.micros())
    .bind(i64::from(uses_attempt))
    .bind(json::encode(error)?)
    .fetch_one(&mut *write)
    .await?;
    let attempt = row.number::<u32>("attempt")? + 1;
    let (code, message) = (error.code, error.message.clone());
    let happening = match code {
        ErrorCode::RateLimit => Happening::Waited { message, until: next_attempt_at },
        _ => Happening::Retried { code, message, attempt, next_attempt_at },
    };
    fenced.record(write, &happening).await?;
    let retrying = Retrying { code: error.code, attempt, next_attempt_at };
    fenced.ledger.retrying(fenced.task.stage, retrying);
    Ok(())
}

pub(super) async fn give_up(
    write: &mut Session,
    fenced: &mut Fenced,
    error: &SyncError,
) -> Result<()> {
    note_error(write, fenced, error).await?;
    let (code, message) = (error.code, error.message.clone());
    let messages = fenced.input.messages();
    fenced.record(write, &Happening::GivenUp { code, message, messages }).await?;
    end_unsuccessful(fenced, TaskStatus::Failed, error);
    Ok(())
}

/// Sets a task aside that kills its workers.
pub(super) async fn poison(write: &mut Session, fenced: &mut Fenced) -> Result<()> {
    let error = SyncError {
        details: domain::error::ErrorDetails {
            failing_message_id: fenced.seeds().first().map(|seed| seed.message_id.clone()),
            ..Default::default()
        },
        ..SyncError::new(
            domain::ErrorCode::InternalError,
            "its worker vanished three times over this work: it is set aside, see the server's log \
             around these times, and ask for a retry once the cause is gone",
        )
    };
    note_error(write, fenced, &error).await?;
    count_crash(write, fenced).await?;
    set_aside(write, fenced).await?;
    fenced.record(write, &Happening::SetAside { messages: fenced.input.messages() }).await?;
    end_unsuccessful(fenced, TaskStatus::Poison, &error);
    Ok(())
}

async fn note_error(write: &mut Session, fenced: &Fenced, error: &SyncError) -> Result<()> {
    query(
        "UPDATE tasks SET error = $4, attempt = attempt + 1
         WHERE job_id = $1 AND stage = $2 AND seq = $3",
    )
    .bind(fenced.task.job_id.as_str())
    .bind(fenced.task.stage.as_str())
    .bind(fenced.task.seq)
    .bind(json::encode(error)?)
    .execute(write)
    .await?;
    Ok(())
}

/// The worker that has just vanished is told of as well.
async fn count_crash(write: &mut Session, fenced: &Fenced) -> Result<()> {
    query("UPDATE tasks SET crashes = crashes + 1 WHERE job_id = $1 AND stage = $2 AND seq = $3")
        .bind(fenced.task.job_id.as_str())
        .bind(fenced.task.stage.as_str())
        .bind(fenced.task.seq)
        .execute(write)
        .await?;
    Ok(())
}

async fn set_aside(write: &mut Session, fenced: &Fenced) -> Result<()> {
    let ids: Vec<_> = fenced.seeds().iter().map(|Seed { message_id, .. }| message_id).collect();
    query(
        "UPDATE pending_messages SET set_aside_by = $2
         WHERE channel_id = $1 AND message_id IN (SELECT atom FROM json_each($3))",
    )
    .bind(fenced.channel.as_str())
    .bind(PROGRAM)
    .bind(json::encode(&ids)?)
    .execute(write)
    .await?;
    Ok(())
}

/// A batch counts as failing, and its messages stay pending for the next job; without its walk or its
/// wiki a job cannot succeed.
fn end_unsuccessful(fenced: &mut Fenced, status: TaskStatus, error: &SyncError) {
    fenced.end(status);
    match fenced.task.stage {
        Stage::ExtractingFacts | Stage::BuildingGraph => {
            fenced.ledger.given_up(fenced.seeds().len() as u64);
        }
        Stage::FetchingMessages | Stage::GeneratingWiki => {
            fenced.ledger.end(JobStatus::Failed, Some(error.clone()));
        }
    }
}
