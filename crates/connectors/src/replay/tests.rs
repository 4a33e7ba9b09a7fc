use std::{sync::Arc, task::Poll, time::Duration};

use domain::{
    ConnectionId, Platform, Timestamp,
    message::{Author, AuthorKind, MessageKind},
};

use super::*;
use crate::contract::Mirror;

fn channel() -> Channel {
    Channel {
        id: "C1".into(),
        connection_id: ConnectionId::random(),
        platform: Platform::Slack,
        external_id: "C1".into(),
        name: "general".into(),
        topic: String::new(),
        last_sync: None,
    }
}

fn known() -> Mirror {
    Mirror::new(channel())
}

fn said(n: i64, text: &str) -> Message {
    Message {
        id: n.to_string().into(),
        thread_id: None,
        author: Author { id: "U1".into(), name: "Ann".into(), kind: AuthorKind::Person },
        kind: MessageKind::Text,
        text: text.to_owned(),
        mentions: Vec::new(),
        links: Vec::new(),
        sent_at: Timestamp::from_micros(n),
        edited_at: None,
        deleted_at: None,
        permalink: None,
        reactions: Vec::new(),
        attachments: Vec::new(),
    }
}

fn first(channel: &Channel) -> PageRequest {
    PageRequest { channel: channel.clone(), watermark: None, cursor: None }
}

/// Walks to the end: the texts of each page, and the watermark.
async fn walk(replay: &Replay, watermark: Option<String>) -> (Vec<Vec<String>>, Option<String>) {
    let mut request = PageRequest { watermark, ..first(&channel()) };
    let mut pages = Vec::new();
    loop {
        let page = replay.page(&request, &known()).await.unwrap();
        pages.push(page.messages.into_iter().map(|message| message.text).collect());
        match page.next {
            Next::Cursor(cursor) => request.cursor = Some(cursor),
            Next::End(mark) => return (pages, mark),
        }
    }
}

#[tokio::test]
async fn a_walk_has_pages_and_the_next_one_only_what_is_new_or_changed() {
    let replay = Replay::new(2);
    replay.say(&channel().id, [said(1, "a"), said(2, "b"), said(3, "c")]);
    let (pages, mark) = walk(&replay, None).await;
    assert_eq!(pages, [vec!["a", "b"], vec!["c"]]);
    assert_eq!(replay.estimate(&channel(), mark.as_deref()).await, Ok(Some(0)));
    assert_eq!(walk(&replay, mark.clone()).await.0, [Vec::<String>::new()]);
    replay.say(&channel().id, [said(1, "a, edited"), said(4, "d")]);
    assert_eq!(replay.estimate(&channel(), mark.as_deref()).await, Ok(Some(2)));
    assert_eq!(walk(&replay, mark).await.0, [vec!["a, edited", "d"]]);
    assert_eq!(replay.pages_served(), 4);
}

#[tokio::test]
async fn the_estimate_covers_the_whole_walk_on_every_page() {
    let replay = Replay::new(1);
    replay.say(&channel().id, [said(1, "a"), said(2, "b")]);
    let request = PageRequest { cursor: Some("1".into()), ..first(&channel()) };
    assert_eq!(replay.page(&request, &known()).await.unwrap().estimate, Some(2));
}

#[tokio::test]
async fn a_scripted_failure_comes_as_often_as_scripted() {
    let replay = Replay::new(10);
    let limit = ConnectorError::RateLimit { retry_after: Duration::from_secs(7) };
    replay.script([Step::Fail(limit.clone()), Step::Fail(limit.clone())]);
    for _ in 0..2 {
        assert_eq!(replay.page(&first(&channel()), &known()).await, Err(limit.clone()));
    }
    assert!(replay.page(&first(&channel()), &known()).await.is_ok());
    assert_eq!(replay.pages_served(), 1);
}

#[tokio::test]
async fn a_hanging_page_waits_for_its_release_and_can_be_dropped() {
    let replay = Arc::new(Replay::new(10));
    replay.script([Step::Hang, Step::Hang]);
    let request = first(&channel());
    let nothing = known();
    let mut dropped = replay.page(&request, &nothing);
    let polled = std::future::poll_fn(|context| Poll::Ready(dropped.as_mut().poll(context))).await;
    assert!(polled.is_pending());
    drop(dropped);
    let hanging = tokio::spawn({
        let replay = Arc::clone(&replay);
        async move { replay.page(&first(&channel()), &known()).await }
    });
    replay.release();
    assert!(hanging.await.unwrap().is_ok());
    assert_eq!(replay.pages_served(), 1);
}

#[tokio::test]
async fn a_mark_of_somebody_else_is_refused() {
    let request = PageRequest { watermark: Some("soon".into()), ..first(&channel()) };
    assert_eq!(Replay::new(1).page(&request, &known()).await, Err(ConnectorError::InvalidMark));
}
