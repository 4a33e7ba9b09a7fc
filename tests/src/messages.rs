//! Messages and channels for the replaying connector.

use std::sync::Arc;

use domain::{
    ChannelId, Message, Platform, Timestamp,
    message::{Author, AuthorKind, MessageKind},
};
use store::{NewChannel, Store};

/// A message of `C1`: the `n`-th minute of a day, by one of two people.
#[must_use]
pub fn message(n: i64, text: &str) -> Message {
    let (id, name) = if n % 2 == 0 { ("U1", "Ann") } else { ("U2", "Bob") };
    let seconds = 1_700_000_000 + n * 60;
    Message {
        id: format!("{seconds}.000000").as_str().into(),
        thread_id: None,
        author: Author { id: id.into(), name: name.into(), kind: AuthorKind::Person },
        kind: MessageKind::Text,
        text: text.to_owned(),
        mentions: vec![],
        links: vec![],
        sent_at: Timestamp::from_micros(seconds * 1_000_000),
        edited_at: None,
        deleted_at: None,
        permalink: None,
        reactions: vec![],
        attachments: vec![],
    }
}

/// A reply to the `root`-th message.
#[must_use]
pub fn reply(n: i64, root: i64, text: &str) -> Message {
    Message { thread_id: Some(message(root, "").id), ..message(n, text) }
}

/// Registers the channel `C1`.
pub async fn channel(store: &Arc<dyn Store>) -> ChannelId {
    let connection =
        store.ensure_connection(None, Platform::Slack, "T1", "test").await.unwrap().unwrap();
    let new = NewChannel { external_id: "C1".into(), name: "general".into(), topic: String::new() };
    store.register_channels(&connection.id, &[new]).await.unwrap().remove(0).id
}
