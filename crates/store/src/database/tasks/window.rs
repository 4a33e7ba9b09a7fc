//! Tasks that follow, and the window of them that a job has on the queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{JobId, Stage, TaskRef, Timestamp};
use serde::Serialize;

use super::Fenced;
use crate::{
    Result,
    database::{Session, json, query::query, row::Columns as _},
};

/// A job has so many for each slot of the stage, when that is more than the window, so that none is idle.
const A_SLOT: i64 = 1;

/// And so many when no other one waits: one in work, and one on its way while that is committed.
const A_SLOT_ALONE: i64 = 2;

/// What is known of a job's tasks of a stage.
struct Place {
    /// The last one.
    last: i64,
    /// Whether some wait outside the window.
    waits: bool,
    /// How many more the window takes.
    room: i64,
}

type Places = BTreeMap<(JobId, Stage), Place>;

#[derive(Serialize)]
struct NewTask<'t> {
    job_id: &'t JobId,
    stage: &'static str,
    seq: i64,
    input: String,
    messages: u64,
    status: &'static str,
    released_at: Option<i64>,
}

/// Inserts the tasks that follow and fills the windows; answers with what has entered them, by job.
pub(super) async fn fill(
    write: &mut Session,
    tasks: &mut [Fenced],
    window: u32,
) -> Result<BTreeMap<JobId, Vec<TaskRef>>> {
    let window = i64::from(window);
    let mut places = places(write, tasks, window).await?;
    widen(write, tasks, &mut places, window).await?;
    let mut released = Vec::new();
    insert(write, tasks, &mut places, &mut released).await?;
    let now = write.now().await?;
    for ((job, stage), place) in &places {
        if place.waits && place.room > 0 {
            released.extend(release(write, job, *stage, place.room, now).await?);
        }
    }
    released.sort();
    let mut by_job: BTreeMap<JobId, Vec<TaskRef>> = BTreeMap::new();
    for task in released {
        by_job.entry(task.job_id.clone()).or_default().push(task);
    }
    Ok(by_job)
}

/// The windows that have to do with these tasks: where one ended or one follows.
async fn places(write: &mut Session, tasks: &[Fenced], window: i64) -> Result<Places> {
    let mut wanted = BTreeSet::new();
    for task in tasks.iter().filter(|task| !task.ledger.job.status.is_terminal()) {
        let id = &task.task.job_id;
        wanted.extend(task.ended.map(|_| (id, task.task.stage)));
        wanted.extend(task.following.iter().map(|(stage, _)| (id, *stage)));
    }
    if wanted.is_empty() {
        return Ok(Places::new());
    }
    let rows = query(
        "SELECT value ->> 0 AS job_id, value ->> 1 AS stage,
             (SELECT COALESCE(MAX(seq), 0) FROM tasks
                 WHERE job_id = value ->> 0 AND stage = value ->> 1) AS last,
             (SELECT COUNT(*) FROM tasks WHERE job_id = value ->> 0 AND stage = value ->> 1
                 AND status IN ('ready', 'leased')) AS in_window,
             (SELECT COUNT(*) FROM (SELECT 1 FROM tasks
                 WHERE job_id = value ->> 0 AND stage = value ->> 1 AND status = 'waiting'
                 LIMIT 1) AS first) AS waiting
         FROM json_each($1)",
    )
    .bind(json::encode(&wanted.iter().map(|(id, stage)| (id, stage.as_str())).collect::<Vec<_>>())?)
    .fetch_all(write)
    .await?;
    rows.iter()
        .map(|row| {
            let place = Place {
                last: row.column("last")?,
                waits: row.column::<i64>("waiting")? > 0,
                room: window - row.column::<i64>("in_window")?,
            };
            Ok(((row.parsed("job_id")?, row.parsed("stage")?), place))
        })
        .collect()
}

/// Gives jobs that have more tasks than the window takes a wider one, where there are slots for it.
async fn widen(
    write: &mut Session,
    tasks: &[Fenced],
    places: &mut Places,
    window: i64,
) -> Result<()> {
    for ((job, stage), place) in places {
        let of_job = tasks.iter().filter(|task| task.task.job_id == *job);
        let follow = of_job.flat_map(|task| &task.following).filter(|(next, _)| next == stage);
        let room = usize::try_from(place.room).unwrap_or(0);
        if place.waits || follow.count() > room {
            place.room += widest(write, job, *stage).await?.max(window) - window;
        }
    }
    Ok(())
}

/// How many tasks of a job a stage's workers keep busy with.
async fn widest(write: &mut Session, job: &JobId, stage: Stage) -> Result<i64> {
    let now = write.now().await?;
    let row = query(
        "SELECT CAST(COALESCE(SUM(slots), 0) AS BIGINT) AS slots,
             (SELECT COUNT(*) FROM (SELECT 1 FROM tasks
                 WHERE stage = $1 AND status = 'ready' AND job_id <> $2 LIMIT 1) AS first) AS others
         FROM live_slots WHERE stage = $1 AND live_until > $3",
    )
    .bind(stage.as_str())
    .bind(job.as_str())
    .bind(now.micros())
    .fetch_one(write)
    .await?;
    let a_slot = match row.column::<i64>("others")? {
        0 => A_SLOT_ALONE,
        _ => A_SLOT,
    };
    Ok(a_slot * row.column::<i64>("slots")?)
}

/// Notes the slots of a process; forgets those of processes that are gone.
pub(super) async fn tell_slots(
    write: &mut Session,
    worker: &str,
    slots: &[(Stage, usize)],
    lease: Duration,
) -> Result<()> {
    let now = write.now().await?;
    let slots: Vec<_> = slots.iter().map(|(stage, slots)| (stage.as_str(), slots)).collect();
    query(
        "INSERT INTO live_slots (worker, stage, slots, live_until)
         SELECT $1, value ->> 0, CAST(value ->> 1 AS BIGINT), $3 FROM json_each($2) WHERE TRUE
         ORDER BY value ->> 0
         ON CONFLICT (worker, stage) DO UPDATE SET slots = excluded.slots,
             live_until = excluded.live_until",
    )
    .bind(worker)
    .bind(json::encode(&slots)?)
    .bind(now.plus(lease).micros())
    .execute(&mut *write)
    .await?;
    query("DELETE FROM live_slots WHERE live_until < $1").bind(now.micros()).execute(write).await?;
    Ok(())
}

/// Inserts the tasks that follow, in order: into the window while there is room, and none waits.
async fn insert(
    write: &mut Session,
    tasks: &[Fenced],
    places: &mut Places,
    released: &mut Vec<TaskRef>,
) -> Result<()> {
    let mut rows = Vec::new();
    for task in tasks {
        let (job_id, now) = (&task.task.job_id, task.ledger.now());
        for (stage, input) in &task.following {
            // None for a job that is over.
            let Some(place) = places.get_mut(&(job_id.clone(), *stage)) else { continue };
            place.last += 1;
            let enters = !place.waits && place.room > 0;
            if enters {
                place.room -= 1;
                released.push(TaskRef { job_id: job_id.clone(), stage: *stage, seq: place.last });
            } else {
                place.waits = true;
            }
            rows.push(NewTask {
                job_id,
                stage: stage.as_str(),
                seq: place.last,
                input: json::encode(input)?,
                messages: input.messages(),
                status: if enters { "ready" } else { "waiting" },
                released_at: enters.then(|| now.micros()),
            });
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    query(
        "INSERT INTO tasks (job_id, stage, seq, status, input, messages, released_at)
         SELECT value ->> 'job_id', value ->> 'stage', CAST(value ->> 'seq' AS BIGINT),
             value ->> 'status', value ->> 'input', CAST(value ->> 'messages' AS BIGINT),
             CAST(value ->> 'released_at' AS BIGINT)
         FROM json_each($1)",
    )
    .bind(json::encode(&rows)?)
    .execute(write)
    .await?;
    Ok(())
}

/// Lets tasks that wait into the window.
async fn release(
    write: &mut Session,
    job: &JobId,
    stage: Stage,
    room: i64,
    now: Timestamp,
) -> Result<Vec<TaskRef>> {
    let rows = query(
        "UPDATE tasks SET status = 'ready', released_at = $3
         WHERE job_id = $1 AND stage = $2 AND status = 'waiting' AND seq IN (
             SELECT seq FROM tasks WHERE job_id = $1 AND stage = $2 AND status = 'waiting'
             ORDER BY seq LIMIT $4)
         RETURNING seq",
    )
    .bind(job.as_str())
    .bind(stage.as_str())
    .bind(now.micros())
    .bind(room)
    .fetch_all(write)
    .await?;
    rows.iter()
        .map(|row| Ok(TaskRef { job_id: job.clone(), stage, seq: row.column("seq")? }))
        .collect()
}
