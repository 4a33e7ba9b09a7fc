//! One call, from its delivery to its acknowledgement.

use std::{sync::Arc, time::Instant};

use domain::{
    Failure, Retry,
    task::{ALONE_AFTER, Claim, ClaimedTask, TaskInput},
};
use queue::Delivery;
use store::Effect;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, debug, error_span, field::Empty, warn};

use crate::{Context, measure, outcome, runner::Shared};

/// How an attempt ended, as the metrics name it.
enum Ended {
    Done,
    Retried,
    GivenUp,
    /// Somebody else has it, or nobody needs it any more.
    Refused,
    /// Cancelled, or its claim lost: nothing was written.
    Dropped,
    GivenBack,
}

impl Ended {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::GivenUp => "given_up",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
            Self::GivenBack => "given_back",
        }
    }
}

/// Answers a call.
pub(crate) async fn answer(shared: Arc<Shared>, delivery: Delivery) {
    let stage = shared.stage.stage();
    let begun = Instant::now();
    match answer_task(&shared, &delivery).await {
        Ok(ended) => {
            let is_attempt = !matches!(ended, Ended::Refused);
            measure::ended(stage, ended.as_str(), is_attempt.then(|| begun.elapsed()));
            if let Err(error) = delivery.ack().await {
                debug!(%error, "not acknowledged: the call comes again and will be refused");
            }
        }
        Err(error) => {
            warn!(task = %delivery.task, %error, "the database does not answer: the call is given back");
            tokio::select! {
                () = tokio::time::sleep(shared.settings.pause) => {}
                () = shared.closing.cancelled() => {}
            }
            drop(delivery);
        }
    }
}

async fn answer_task(shared: &Shared, delivery: &Delivery) -> store::Result<Ended> {
    let lease = shared.claims.lease();
    let store = &shared.ports.store;
    let Some((task, job)) = store.claim(&delivery.task, &shared.settings.worker, lease).await?
    else {
        return Ok(Ended::Refused);
    };
    measure::taken(delivery.task.stage, task.waited);
    if let Err(error) = shared.ports.progress.show(&job).await {
        debug!(%error, "the live view is behind");
    }
    if task.input == TaskInput::Unknown {
        warn!(task = %delivery.task, "a newer release wrote this task: left to its workers");
        return give_back(shared, &task.claim).await;
    }
    let span = span(delivery, &task);
    let ended = work(shared, task).instrument(span.clone()).await;
    match &ended {
        Ok(ended) => {
            span.record("outcome", ended.as_str());
            span.in_scope(|| debug!("the task has ended"));
            if matches!(ended, Ended::Retried | Ended::GivenUp) {
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(_) => {
            span.record("otel.status_code", "ERROR");
        }
    }
    ended
}

/// What every line of the log about a task says of it, whatever the filter lets through; and a part of
/// the trace that called for it. A claim is named by a digest: its token is what lets its holder write.
fn span(delivery: &Delivery, task: &ClaimedTask) -> Span {
    let span = error_span!(
        "task",
        otel.name = delivery.task.stage.as_str(),
        otel.kind = "consumer",
        otel.status_code = Empty,
        job = %delivery.task.job_id,
        channel = %task.channel_id,
        stage = %delivery.task.stage,
        task = delivery.task.seq,
        claim = task.claim.token.digest(),
        attempt = task.attempt,
        outcome = Empty,
        trace_id = Empty,
    );
    if let Some(trace) = delivery.trace.as_ref().or(task.trace.as_ref()) {
        trace_context::continue_in(&span, trace);
    }
    trace_context::tell(&span);
    span
}

async fn give_back(shared: &Shared, claim: &Claim) -> store::Result<Ended> {
    shared.ports.store.give_back(claim).await?;
    Ok(Ended::GivenBack)
}

/// A task during which two workers vanished is the only one in its process: should it take this one
/// with it as well, no other suffers.
async fn work(shared: &Shared, task: ClaimedTask) -> store::Result<Ended> {
    if task.crashes >= ALONE_AFTER {
        let _alone = shared.alone.write().await;
        run(shared, task).await
    } else {
        let _among_others = shared.alone.read().await;
        run(shared, task).await
    }
}

async fn run(shared: &Shared, task: ClaimedTask) -> store::Result<Ended> {
    let stop = CancellationToken::new();
    let held = shared.claims.hold(&task.claim, stop.clone());
    let context = Context::new(
        shared.ports.clone(),
        task.claim.clone(),
        stop.clone(),
        shared.closing.clone(),
    );
    let mut running = start(shared, &task, &context);
    let result = tokio::select! {
        biased;
        () = stop.cancelled() => Err(Interruption::Pointless),
        () = shared.out_of_time.cancelled() => Err(Interruption::Shutdown),
        result = &mut running => Ok(finished(result)),
        () = tokio::time::sleep(shared.settings.time_limit) => Ok(Err(Failure::internal(
            format!("the work took longer than {} s", shared.settings.time_limit.as_secs()),
            Retry::Backoff,
        ))),
    };
    running.abort();
    // A computation off the async threads sees this.
    let pointless = stop.is_cancelled();
    stop.cancel();
    let ended = match result {
        Err(Interruption::Shutdown) => give_back(shared, &task.claim).await,
        Err(Interruption::Pointless) => Ok(Ended::Dropped),
        Ok(_) if pointless => Ok(Ended::Dropped),
        Ok(Ok(effect)) => write(shared, &context, &task, effect).await,
        Ok(Err(failure)) => fail(shared, &context, &task, &failure).await,
    };
    drop(held);
    ended
}

enum Interruption {
    Pointless,
    Shutdown,
}

/// On a task of its own, so that a panic ends nothing else and dropping it drops the work.
fn start(
    shared: &Shared,
    task: &ClaimedTask,
    context: &Context,
) -> JoinHandle<Result<Effect, Failure>> {
    let (stage, task, context) = (shared.stage.clone(), task.clone(), context.clone());
    tokio::spawn(async move { stage.run(&task, &context).await }.in_current_span())
}

fn finished(
    result: Result<Result<Effect, Failure>, tokio::task::JoinError>,
) -> Result<Effect, Failure> {
    result.unwrap_or_else(|panicked| {
        warn!(%panicked, "the stage panicked");
        Err(Failure::internal("the work broke off with an internal error", Retry::Backoff))
    })
}

async fn write(
    shared: &Shared,
    context: &Context,
    task: &ClaimedTask,
    effect: Effect,
) -> store::Result<Ended> {
    match context.write(effect).await {
        Ok(Some(_)) => Ok(Ended::Done),
        Ok(None) => Ok(Ended::Dropped),
        Err(failure) => fail(shared, context, task, &failure).await,
    }
}

async fn fail(
    shared: &Shared,
    context: &Context,
    task: &ClaimedTask,
    failure: &Failure,
) -> store::Result<Ended> {
    let effect = outcome::of_failure(failure, task, &shared.settings.retries, rand::random());
    let ended = match &effect {
        Effect::GiveUp { .. } => Ended::GivenUp,
        _ => Ended::Retried,
    };
    warn!(%failure, outcome = ended.as_str(), "the attempt failed");
    match context.write(effect).await {
        Ok(Some(_)) => {
            measure::failed(task.claim.task.stage, failure.error.code, ended.as_str());
            Ok(ended)
        }
        Ok(None) => Ok(Ended::Dropped),
        Err(failure) => {
            // The lease runs out and the task is found again.
            warn!(%failure, "not even the failure could be stored");
            Ok(Ended::Dropped)
        }
    }
}
