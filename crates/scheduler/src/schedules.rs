//! Starting what is due.

use domain::{
    Timestamp,
    schedule::{Cron, Schedule, offset},
};
use store::Triggered;
use tracing::{Instrument as _, info, info_span, warn};

use crate::{Scheduler, measure};

/// Schedules fired in one turn.
const AT_ONCE: u32 = 100;

impl Scheduler {
    /// Fires what is due. Times that were missed while nothing ran are run once: the next time is
    /// computed from now on.
    pub(crate) async fn fire_due(&self) -> store::Result<()> {
        let now = self.store.now().await?;
        for schedule in self.store.due_schedules(AT_ONCE).await? {
            let Some(due) = schedule.next_sync else { continue };
            // Spread, so that not all that is due on the hour starts on the hour.
            if now < due.plus(offset(&schedule.channel_id)) {
                continue;
            }
            let span =
                info_span!("schedule", otel.kind = "internal", channel = %schedule.channel_id);
            self.fire(&schedule, due, now).instrument(span).await?;
        }
        Ok(())
    }

    async fn fire(&self, schedule: &Schedule, due: Timestamp, now: Timestamp) -> store::Result<()> {
        let next = next_time(schedule, now);
        let trace = trace_context::current();
        let fired = self.store.fire_schedule(&schedule.channel_id, due, next, trace).await?;
        if let Some(triggered) = fired {
            self.fired(schedule, triggered).await;
        }
        Ok(())
    }

    async fn fired(&self, schedule: &Schedule, triggered: Triggered) {
        let channel = &schedule.channel_id;
        match triggered {
            Triggered::Started(job, tasks) => {
                info!(%channel, job = %job.id, "a scheduled sync begins");
                measure::fired("started");
                self.announce(&[job], &tasks).await;
            }
            Triggered::InProgress(job) => {
                warn!(%channel, %job, "a scheduled sync is skipped: the last one still runs");
                measure::fired("skipped");
            }
            Triggered::NotChosen(connection) => {
                warn!(%channel, %connection, "a scheduled sync is skipped: the channel is not chosen");
                metrics::counter!("atlas_schedules_fired_total", "outcome" => "skipped")
                    .increment(1);
            }
            Triggered::Replayed(..) | Triggered::KeyReused | Triggered::ChannelNotFound => {}
        }
    }
}

/// `None`, and so no further firing, for what an older program accepted and this one does not.
fn next_time(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    match Cron::parse(&schedule.expression, &schedule.timezone, now) {
        Ok(cron) => cron.next_after(now),
        Err(error) => {
            warn!(channel = %schedule.channel_id, %error, "a schedule fires no more: set it again");
            None
        }
    }
}
