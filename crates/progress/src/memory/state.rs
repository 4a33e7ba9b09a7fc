//! What is shown, and who watches.

use std::collections::{HashMap, VecDeque};

use domain::{ChannelId, JobId, Timestamp};
use tokio::{sync::watch, time::Instant};

use crate::View;

/// A view and until when it is believed. Afterwards it stays, unseen, to keep older ones away.
#[derive(Debug)]
struct Shown {
    view: View,
    until: Instant,
}

/// All that the memory adapter knows; bounded by `capacity` jobs and by those who watch.
#[derive(Debug)]
pub(super) struct State {
    shown: HashMap<JobId, Shown>,
    /// Each channel's newest job, all of them in `shown`. By the database's clock, then by id.
    newest: HashMap<ChannelId, (Timestamp, JobId)>,
    /// The keys of `shown`, in the order in which they came.
    order: VecDeque<JobId>,
    watches: HashMap<JobId, watch::Sender<Option<View>>>,
    capacity: usize,
}

impl State {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            shown: HashMap::new(),
            newest: HashMap::new(),
            order: VecDeque::new(),
            watches: HashMap::new(),
            capacity: capacity.max(1),
        }
    }

    /// Shows a view until a point in time, unless a newer one was shown.
    pub(super) fn show(&mut self, view: View, until: Instant) {
        let job = &view.job;
        match self.shown.get_mut(&job.id) {
            Some(known) if is_older(&view, &known.view) => return,
            Some(known) => *known = Shown { view: view.clone(), until },
            None => {
                self.make_room();
                self.order.push_back(job.id.clone());
                self.shown.insert(job.id.clone(), Shown { view: view.clone(), until });
            }
        }
        self.note_newest(&view);
        self.tell(view);
    }

    pub(super) fn view(&self, id: &JobId, now: Instant) -> Option<View> {
        self.shown.get(id).filter(|shown| now < shown.until).map(|shown| shown.view.clone())
    }

    pub(super) fn newest(&self, channel: &ChannelId, now: Instant) -> Option<View> {
        let (_, id) = self.newest.get(channel)?;
        self.view(id, now)
    }

    /// A receiver of a job's views, which holds the current one if there is one.
    pub(super) fn watch(&mut self, id: &JobId, now: Instant) -> watch::Receiver<Option<View>> {
        let current = self.view(id, now);
        self.watches.entry(id.clone()).or_insert_with(|| watch::Sender::new(current)).subscribe()
    }

    /// Forgets a job's watches when the last of them has gone.
    pub(super) fn unwatch(&mut self, id: &JobId) {
        if self.watches.get(id).is_some_and(watch::Sender::is_closed) {
            self.watches.remove(id);
        }
    }

    /// How many jobs are watched.
    #[cfg(test)]
    pub(super) fn watched(&self) -> usize {
        self.watches.len()
    }

    fn make_room(&mut self) {
        while self.shown.len() >= self.capacity {
            let Some(oldest) = self.order.pop_front() else { return };
            let Some(gone) = self.shown.remove(&oldest) else { continue };
            let channel = &gone.view.job.channel_id;
            if self.newest.get(channel).is_some_and(|(_, id)| *id == oldest) {
                self.newest.remove(channel);
            }
        }
    }

    fn note_newest(&mut self, view: &View) {
        let job = &view.job;
        match self.newest.get_mut(&job.channel_id) {
            Some((started, id)) if (*started, &*id) >= (job.started_at, &job.id) => {}
            Some(known) => *known = (job.started_at, job.id.clone()),
            None => {
                self.newest.insert(job.channel_id.clone(), (job.started_at, job.id.clone()));
            }
        }
    }

    fn tell(&self, view: View) {
        if let Some(sender) = self.watches.get(&view.job.id) {
            sender.send_if_modified(|last| {
                let news = last.as_ref().is_none_or(|last| last.job.revision < view.job.revision);
                if news {
                    *last = Some(view);
                }
                news
            });
        }
    }
}

/// Of two views with the same revision the later read is as good or better.
fn is_older(view: &View, known: &View) -> bool {
    (view.job.revision, view.job.as_of) < (known.job.revision, known.job.as_of)
}
