//! Cutting changed messages into batches, along the borders of threads and conversations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MessageId, Timestamp, conversation};

/// Messages of one batch; a conversation that is longer is shared out.
pub const MAX_SEEDS: usize = 250;

/// A message whose current revision is not through the graph yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seed {
    /// The message.
    #[serde(rename = "m")]
    pub message_id: MessageId,
    /// The revision of it that this batch takes through; a newer one stays pending.
    #[serde(rename = "s")]
    pub change_seq: i64,
}

/// A changed message and where it stands in its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The message.
    pub seed: Seed,
    /// The thread it is in.
    pub thread_id: Option<MessageId>,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// Cuts pending messages into batches of about [`MAX_SEEDS`], oldest first.
#[must_use]
pub fn cut(mut pending: Vec<Pending>) -> Vec<Vec<Seed>> {
    pending.sort_by(|a, b| (a.sent_at, &a.seed).cmp(&(b.sent_at, &b.seed)));
    let mut batches: Vec<Vec<Seed>> = Vec::new();
    let mut batch = Vec::new();
    for group in groups(pending) {
        if !batch.is_empty() && batch.len() + group.len() > MAX_SEEDS {
            batches.push(std::mem::take(&mut batch));
        }
        for seed in group {
            if batch.len() == MAX_SEEDS {
                batches.push(std::mem::take(&mut batch));
            }
            batch.push(seed);
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Threads and conversations among sorted messages, in order of their first message.
fn groups(pending: Vec<Pending>) -> Vec<Vec<Seed>> {
    let mut groups: Vec<Vec<Seed>> = Vec::new();
    let mut threads: BTreeMap<MessageId, usize> = BTreeMap::new();
    let mut open: Option<(usize, Timestamp)> = None;
    for Pending { seed, thread_id, sent_at } in pending {
        let next = groups.len();
        let group = match thread_id {
            Some(thread) => *threads.entry(thread).or_insert(next),
            None => {
                let before = open.map(|(_, at)| at);
                let begins = conversation::begins_conversation(before, &seed.message_id, sent_at);
                let group = open.filter(|_| !begins).map_or(next, |(group, _)| group);
                open = Some((group, sent_at));
                group
            }
        };
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(seed);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(id: &str, thread: Option<&str>, minute: i64) -> Pending {
        Pending {
            seed: Seed { message_id: id.into(), change_seq: 1 },
            thread_id: thread.map(Into::into),
            sent_at: Timestamp::from_micros(minute * 60_000_000),
        }
    }

    fn ids(batch: &[Seed]) -> Vec<&str> {
        batch.iter().map(|seed| seed.message_id.as_str()).collect()
    }

    #[test]
    fn a_thread_stays_in_one_batch_although_others_talk_in_between() {
        let all = vec![
            pending("a", Some("a"), 0),
            pending("b", None, 1),
            pending("c", Some("a"), 500),
            pending("d", None, 900),
        ];
        assert_eq!(cut(all).iter().map(|b| ids(b)).collect::<Vec<_>>(), [["a", "c", "b", "d"]]);
    }

    #[test]
    fn every_message_is_in_exactly_one_batch_of_bounded_size() {
        let all: Vec<_> = (0..2_000)
            .map(|n| pending(&format!("{n:05}"), (n % 3 == 0).then_some("00000"), n))
            .collect();
        let batches = cut(all);
        assert!(batches.iter().all(|batch| batch.len() <= MAX_SEEDS));
        let mut seen: Vec<_> = batches.iter().flat_map(|batch| ids(batch)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 2_000);
    }

    #[test]
    fn the_order_of_arrival_does_not_show() {
        let all: Vec<_> = (0..600).map(|n| pending(&format!("{n:05}"), None, n * 7)).collect();
        let mut reversed = all.clone();
        reversed.reverse();
        assert_eq!(cut(all), cut(reversed));
    }
}
