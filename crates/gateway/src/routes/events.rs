//! The status of a sync as it changes.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use domain::Job;
use futures_util::{Stream, stream};
use progress::Watch;
use tokio::sync::OwnedSemaphorePermit;

use super::sync::{load, rendered};
use crate::{ApiError, Gateway, error::ErrorReply, input::Params};

/// Between two comment lines, so that nothing on the way takes the stream for dead.
const COMMENT_EVERY: Duration = Duration::from_secs(15);

/// A change whose signal got lost is found in the database this soon.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The status object at each change, until the sync is over.
#[utoipa::path(get, path = "/api/sync/events", tag = "sync",
    params(("channel_id" = String, Query), ("job_id" = Option<String>, Query)),
    responses((status = 200, description = "server-sent events: `status` with the status object, `id` is its revision", content_type = "text/event-stream"),
        (status = 404, body = ErrorReply), (status = 503, body = ErrorReply)))]
pub(crate) async fn events(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let channel = params.channel()?;
    let id = match params.text("job_id")? {
        Some(id) => Some(id.parse().map_err(|_| ApiError::not_found("JOB"))?),
        None => None,
    };
    let job = load(&gateway, &channel, id.as_ref()).await?;
    let place = gateway.streams.clone().try_acquire_owned();
    let place = place.map_err(|_| ApiError::unavailable("too many event streams are open"))?;
    let watch = gateway.progress.watch(&job).await.ok();
    let state =
        Following { gateway, watch, next: Some(job), last: None, over: false, _place: place };
    let events = stream::unfold(state, |mut following| async move {
        let job = following.changed().await?;
        let event = Event::default()
            .event("status")
            .id(job.revision.to_string())
            .data(String::from_utf8_lossy(&rendered(&job)));
        Some((Ok(event), following))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(COMMENT_EVERY)))
}

/// An open stream.
struct Following {
    gateway: Gateway,
    watch: Option<Box<dyn Watch>>,
    /// The state to begin with.
    next: Option<Job>,
    /// What was told last.
    last: Option<Job>,
    over: bool,
    _place: OwnedSemaphorePermit,
}

impl Following {
    /// The next state worth telling; `None` once the sync is over, or this process.
    async fn changed(&mut self) -> Option<Job> {
        if self.over {
            return None;
        }
        let job = match self.next.take() {
            Some(first) => first,
            None => self.newer().await?,
        };
        self.over = job.status.is_terminal();
        self.last = Some(job.clone());
        Some(job)
    }

    async fn newer(&mut self) -> Option<Job> {
        let last = self.last.clone()?;
        loop {
            let seen = match &mut self.watch {
                Some(watch) => {
                    let shutdown = self.gateway.shutdown.clone();
                    tokio::select! {
                        view = watch.next() => view.ok().map(|view| (*view.job).clone()),
                        () = tokio::time::sleep(LOOK_EVERY) => None,
                        () = shutdown.cancelled() => return None,
                    }
                }
                None => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    None
                }
            };
            let job = match seen {
                Some(job) => job,
                None => self.gateway.store.job(&last.id).await.ok()??,
            };
            if job.revision > last.revision {
                return Some(job);
            }
        }
    }
}
