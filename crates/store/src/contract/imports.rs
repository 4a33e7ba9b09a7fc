//! Uploads, and what they bring.

use std::time::Duration;

use domain::{
    ChannelId, ImportId, Message, Platform, Timestamp,
    import::{ImportFormat, ImportStatus},
};

use futures_util::future::try_join_all;

use super::{
    questions::MANY,
    scene::{LEASE, channel, message, named_channel},
};
use crate::{ImportEnd, NewChannel, Store};

async fn uploaded(store: &dyn Store) -> ImportId {
    let id = ImportId::random();
    store.begin_import(&id, ImportFormat::SlackExport, None, "{}").await.unwrap();
    store.add_chunk(&id, 0, b"PK").await.unwrap();
    store.add_chunk(&id, 1, b"zip").await.unwrap();
    assert!(store.claim_import(LEASE).await.unwrap().is_none(), "not accepted yet");
    let import = store.accept_import(&id, "digest").await.unwrap().unwrap();
    assert_eq!(import.status, ImportStatus::Queued);
    id
}

/// Brings messages in as a reader does.
pub(super) async fn imported(store: &dyn Store, channel: &ChannelId, messages: &[Message]) {
    let id = uploaded(store).await;
    let held = store.claim_import(LEASE).await.unwrap().unwrap();
    assert!(store.add_imported(&id, &held.token, channel, messages).await.unwrap());
}

/// Whose claim every write needs; its bytes are gone with its end.
pub async fn an_upload_is_read_by_one_reader(store: &dyn Store) {
    let channel = channel(store).await;
    let id = uploaded(store).await;
    let held = store.claim_import(LEASE).await.unwrap().unwrap();
    assert_eq!((held.import.id.clone(), held.digest.as_str()), (id.clone(), "digest"));
    assert!(store.claim_import(LEASE).await.unwrap().is_none());
    assert_eq!(store.chunk(&id, 1).await.unwrap().as_deref(), Some(&b"zip"[..]));
    assert!(store.chunk(&id, 2).await.unwrap().is_none());
    let forged = domain::ClaimToken::random();
    assert!(!store.add_imported(&id, &forged, &channel, &[message(1, "x")]).await.unwrap());
    assert!(store.add_imported(&id, &held.token, &channel, &[message(1, "x")]).await.unwrap());
    assert!(store.renew_import(&id, &held.token, LEASE).await.unwrap());
    let connection = store.channel(&channel).await.unwrap().unwrap().connection_id;
    let end =
        ImportEnd::Completed { connection, channels: vec![channel], rows: 1, row_errors: vec![] };
    assert!(store.finish_import(&id, &held.token, end.clone()).await.unwrap());
    assert!(!store.finish_import(&id, &held.token, end).await.unwrap());
    assert!(store.chunk(&id, 0).await.unwrap().is_none());
    let again = uploaded(store).await;
    let held = store.claim_import(LEASE).await.unwrap().unwrap();
    assert_eq!(store.same_import(&held).await.unwrap().unwrap().id, id);
    assert!(store.remove_import(&again).await.unwrap());
}

/// A file that kills its reader does not kill for ever.
pub async fn an_import_after_three_vanished_readers_fails(store: &dyn Store) {
    let id = uploaded(store).await;
    for _ in 0..3 {
        assert!(store.claim_import(Duration::ZERO).await.unwrap().is_some());
    }
    assert!(store.claim_import(LEASE).await.unwrap().is_none());
    let import = store.import(&id).await.unwrap().unwrap();
    assert_eq!(import.status, ImportStatus::Failed);
    assert!(import.error.is_some());
}

/// What did not change stays where it was; what did lies behind the watermark.
pub async fn a_newer_export_adds_and_updates(store: &dyn Store) {
    let channel = channel(store).await;
    let id = uploaded(store).await;
    let held = store.claim_import(LEASE).await.unwrap().unwrap();
    let add = async |messages: Vec<Message>| {
        assert!(store.add_imported(&id, &held.token, &channel, &messages).await.unwrap());
    };
    add(vec![message(2, "b"), message(1, "a")]).await;
    let first = store.imported_after(&channel, 0, 10).await.unwrap();
    assert_eq!(first.messages.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let edited =
        Message { edited_at: Some(Timestamp::from_micros(900_000_000)), ..message(1, "a2") };
    add(vec![edited, message(2, "b"), message(3, "c")]).await;
    add(vec![message(1, "a")]).await;
    let news = store.imported_after(&channel, first.last_seq, 10).await.unwrap();
    assert_eq!(news.messages.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["a2", "c"]);
    assert_eq!(store.count_imported_after(&channel, first.last_seq).await.unwrap(), 2);
    assert_eq!(store.count_imported_after(&channel, 0).await.unwrap(), 3);
}

/// Each from its own place, also two of one channel.
pub async fn imported_messages_that_are_read_at_the_same_time_are_told_apart(store: &dyn Store) {
    let id = uploaded(store).await;
    let held = store.claim_import(LEASE).await.unwrap().unwrap();
    let mut asked = Vec::new();
    for n in 0..MANY {
        let channel = named_channel(store, &format!("C{n:02}")).await;
        let said: Vec<_> = (0..=n % 4).map(|minute| message(minute * 600, "said")).collect();
        assert!(store.add_imported(&id, &held.token, &channel, &said).await.unwrap());
        asked.extend([(channel.clone(), n % 4 + 1, 0), (channel, n % 4, 1)]);
    }
    asked.push(("C99".into(), 0, 0));
    let pages = asked.iter().map(|(channel, _, seq)| store.imported_after(channel, *seq, 2));
    let pages = try_join_all(pages).await.unwrap();
    let counts = asked.iter().map(|(channel, _, seq)| store.count_imported_after(channel, *seq));
    let counts = try_join_all(counts).await.unwrap();
    for (((_, left, seq), page), count) in asked.iter().zip(pages).zip(counts) {
        assert_eq!(count, left.unsigned_abs());
        assert_eq!(page.last_seq, seq + (*left).min(2));
        let read = page.messages.iter().map(|message| &message.id);
        let expected = (*seq..page.last_seq).map(|n| message(n * 600, "").id);
        assert!(read.eq(&expected.collect::<Vec<_>>()), "{page:?}");
    }
}

/// The platform's own id while nobody else has it.
pub async fn a_channel_id_that_is_taken_is_told_apart_by_its_connection(store: &dyn Store) {
    let first = channel(store).await;
    assert_eq!(first.as_str(), "C1");
    let other = store.ensure_connection(None, Platform::Slack, "T2", "two").await.unwrap().unwrap();
    let new = |name: &str| NewChannel {
        external_id: "C1".into(),
        name: name.into(),
        topic: String::new(),
    };
    let second = store.register_channels(&other.id, &[new("x")]).await.unwrap().remove(0);
    assert_eq!(second.id.as_str(), format!("{}~C1", other.id));
    let renamed = store.register_channels(&other.id, &[new("y")]).await.unwrap().remove(0);
    assert_eq!((renamed.id, renamed.name.as_str()), (second.id, "y"));
    let same =
        store.ensure_connection(None, Platform::Slack, "T2", "other").await.unwrap().unwrap();
    assert_eq!(same.id, other.id);
}

/// It was not accepted, so nobody counts on it.
pub async fn an_upload_that_was_cut_off_is_gone_with_the_next_start(store: &dyn Store) {
    let id = ImportId::random();
    store.begin_import(&id, ImportFormat::SlackExport, None, "{}").await.unwrap();
    store.add_chunk(&id, 0, b"PK").await.unwrap();
    let kept = uploaded(store).await;
    store.claim_import(LEASE).await.unwrap().unwrap();
    store.take_back_all().await.unwrap();
    assert!(store.import(&id).await.unwrap().is_none());
    assert!(store.chunk(&id, 0).await.unwrap().is_none());
    assert_eq!(store.claim_import(LEASE).await.unwrap().unwrap().import.id, kept);
}
