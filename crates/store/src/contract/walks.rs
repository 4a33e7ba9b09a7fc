//! Messages, and the conversations they touch.

use domain::{Message, Stage, Timestamp, batch::Seed, task::TaskInput};

use super::scene::{channel, claimed, message, of_stage, walked};
use crate::{Committed, Store, TouchedUnits};

async fn texts(store: &dyn Store, channel: &domain::ChannelId) -> Vec<String> {
    let messages = store.messages(channel, None, 10).await.unwrap();
    messages.into_iter().map(|message| message.text).collect()
}

async fn cancelled(store: &dyn Store, committed: &Committed) {
    store.cancel(&committed.job.id, None).await.unwrap();
}

/// What the batches of a walk touch, the units' messages by id.
async fn touched(
    store: &dyn Store,
    channel: &domain::ChannelId,
    committed: &Committed,
) -> (TouchedUnits, Vec<Vec<String>>) {
    let mut seeds: Vec<Seed> = Vec::new();
    for task in of_stage(committed, Stage::ExtractingFacts) {
        let TaskInput::Extract { seeds: some } = claimed(store, &task).await.input else {
            panic!()
        };
        seeds.extend(some);
    }
    let touched = store.touched_units(channel, &seeds).await.unwrap();
    let ids = |messages: &[Message]| messages.iter().map(|m| m.id.to_string()).collect::<Vec<_>>();
    let mut units: Vec<_> =
        touched.units.iter().map(|unit| ids(&unit.conversation.messages)).collect();
    units.sort();
    (touched, units)
}

/// Pages come late and twice.
pub async fn only_newer_revisions_replace(store: &dyn Store) {
    let channel = channel(store).await;
    let edited =
        Message { edited_at: Some(Timestamp::from_micros(600_000_000)), ..message(1, "new") };
    let (_, after) = walked(store, &channel, vec![message(1, "old"), edited.clone()]).await;
    assert_eq!(
        (after.job.total_messages, texts(store, &channel).await),
        (1, vec!["new".to_owned()])
    );
    cancelled(store, &after).await;
    let (_, after) = walked(store, &channel, vec![message(1, "old")]).await;
    assert_eq!(texts(store, &channel).await, ["new"]);
    assert_eq!(after.job.total_messages, 1, "left over, not changed");
}

/// An old copy does not bring back what was deleted.
pub async fn a_deletion_stands_until_something_newer_is_said(store: &dyn Store) {
    let channel = channel(store).await;
    let at = message(1, "").sent_at;
    let gone = Message { deleted_at: Some(at), ..message(1, "") };
    let edited = |text: &str, minute: i64| Message {
        edited_at: Some(Timestamp::from_micros(minute * 60_000_000)),
        ..message(1, text)
    };
    for (said, expected) in [
        (edited("said", 2), vec!["said"]),
        (gone, vec![]),
        (message(1, "before"), vec![]),
        (edited("after all", 9), vec!["after all"]),
    ] {
        let (_, after) = walked(store, &channel, vec![said]).await;
        assert_eq!(texts(store, &channel).await, expected);
        cancelled(store, &after).await;
    }
}

/// Whatever the platform says of it, and in whichever order they come.
pub async fn a_message_with_replies_is_the_first_of_its_thread(store: &dyn Store) {
    let channel = channel(store).await;
    let reply = |minute, root: i64| Message {
        thread_id: Some(message(root, "").id),
        ..message(minute, "re")
    };
    let (_, after) = walked(store, &channel, vec![message(1, "a"), reply(5, 1), reply(6, 2)]).await;
    cancelled(store, &after).await;
    let (_, after) = walked(store, &channel, vec![message(2, "b")]).await;
    for minute in [1, 2] {
        let root = store.message(&channel, &message(minute, "").id).await.unwrap().unwrap();
        assert_eq!(root.thread_id, Some(root.id));
    }
    let (_, units) = touched(store, &channel, &after).await;
    assert_eq!(units, [["000001", "000005"], ["000002", "000006"]]);
}

/// The cost of an edit is that of its neighbourhood.
pub async fn a_changed_message_touches_its_neighbours_only(store: &dyn Store) {
    let channel = channel(store).await;
    // Conversations of two, an hour apart.
    let all =
        (0..50).flat_map(|hour| [message(hour * 60, "a"), message(hour * 60 + 1, "b")]).collect();
    let (_, after) = walked(store, &channel, all).await;
    let (_, units) = touched(store, &channel, &after).await;
    assert_eq!(units.len(), 50);
    store.cancel(&after.job.id, None).await.unwrap();
    let place = message(20 * 60, "x");
    let found = store
        .touched_units(&channel, &[Seed { message_id: place.id, change_seq: 1 }])
        .await
        .unwrap();
    let roots: Vec<_> = found.units.iter().map(|unit| unit.conversation.root.to_string()).collect();
    assert!(roots.contains(&"001200".to_owned()), "{roots:?}");
    assert!(roots.len() <= 20, "{}", roots.len());
}

/// And the second of them is retired.
pub async fn a_message_in_between_joins_two_conversations(store: &dyn Store) {
    let channel = channel(store).await;
    super::scene::through(store, &channel, vec![message(0, "a"), message(30, "b")], |_| {
        Default::default()
    })
    .await;
    let (_, after) = walked(store, &channel, vec![message(15, "c")]).await;
    let (found, units) = touched(store, &channel, &after).await;
    assert_eq!(units, [["000000", "000015", "000030"]]);
    assert_eq!(found.retired.len(), 1);
    assert!(found.units[0].input_hash.is_some());
}

/// Each later part with the thread's first message to understand it by.
pub async fn a_long_thread_is_read_in_parts(store: &dyn Store) {
    let channel = channel(store).await;
    let root = message(0, "how?");
    let reply = |minute| Message { thread_id: Some(root.id.clone()), ..message(minute, "so") };
    let all = std::iter::once(root.clone()).chain((1..2_000).map(reply)).collect();
    let (_, after) = walked(store, &channel, all).await;
    let (found, units) = touched(store, &channel, &after).await;
    assert_eq!(units.iter().map(Vec::len).sum::<usize>(), 2_000);
    assert!(units.len() > 4, "{}", units.len());
    for unit in &found.units {
        let context: Vec<_> = unit.conversation.context.iter().map(|m| &m.text).collect();
        let first = unit.conversation.root == root.id;
        assert_eq!(context, if first { vec![] } else { vec!["how?"] });
    }
    cancelled(store, &after).await;
    let last = Seed { message_id: message(1_999, "").id, change_seq: 1 };
    let found = store.touched_units(&channel, &[last]).await.unwrap();
    assert!(found.units.len() <= 3, "{}", found.units.len());
}

/// Nothing is forgotten.
pub async fn what_a_cancelled_job_left_is_taken_up_by_the_next(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, after) = walked(store, &channel, (0..5_000).map(|n| message(n, "x")).collect()).await;
    cancelled(store, &after).await;
    let (_, after) = walked(store, &channel, vec![]).await;
    assert_eq!(after.job.total_messages, 5_000);
}
