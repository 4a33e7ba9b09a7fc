//! Keys by which clients make asking twice the same as asking once.

use std::time::Duration;

use domain::{Job, Timestamp};

use crate::{
    Idempotency, Result, Triggered,
    database::{Session, jobs::load, query::query, row::Columns as _},
};

/// How long a client's key stands for its first request.
const KEY_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

impl Idempotency {
    pub(super) fn is_under_the_key_of(&self, other: &Self) -> bool {
        let place = |of: &Self| (of.key_id.clone(), of.route, of.key.clone());
        place(self) == place(other)
    }
}

/// What the request under a key was answered before.
pub(super) async fn replayed(
    write: &mut Session,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Option<Triggered>> {
    let Some(idempotency) = idempotency else { return Ok(None) };
    let oldest = now.micros() - i64::try_from(KEY_LIFE.as_micros()).unwrap_or(i64::MAX);
    query("DELETE FROM idempotency_keys WHERE created_at < $1")
        .bind(oldest)
        .execute(&mut *write)
        .await?;
    let row = query(
        "SELECT request_hash, job_id, estimated_messages FROM idempotency_keys
         WHERE key_id = $1 AND route = $2 AND idempotency_key = $3",
    )
    .bind(idempotency.key_id.as_str())
    .bind(idempotency.route)
    .bind(&idempotency.key)
    .fetch_optional(&mut *write)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.column::<&str>("request_hash")? != idempotency.request_hash {
        return Ok(Some(Triggered::KeyReused));
    }
    let estimate = row.column::<Option<i64>>("estimated_messages")?.map(i64::cast_unsigned);
    let job = load(write, &row.parsed("job_id")?, now).await?;
    Ok(job.map(|job| Triggered::Replayed(job, estimate)))
}

pub(super) async fn remember(
    write: &mut Session,
    idempotency: Option<&Idempotency>,
    job: &Job,
) -> Result<()> {
    let Some(idempotency) = idempotency else { return Ok(()) };
    query("INSERT INTO idempotency_keys VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(idempotency.key_id.as_str())
        .bind(idempotency.route)
        .bind(&idempotency.key)
        .bind(&idempotency.request_hash)
        .bind(job.id.as_str())
        .bind(job.estimated_messages.map(u64::cast_signed))
        .bind(job.started_at.micros())
        .execute(write)
        .await?;
    Ok(())
}
