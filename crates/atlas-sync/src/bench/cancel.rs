//! How soon work stops that computes for five seconds.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use connectors::replay::Replay;
use domain::{
    Message, Timestamp,
    fact::Extraction,
    message::{Author, AuthorKind, MessageKind},
};
use extraction::scripted::{Scripted, Step};
use serde_json::{Value, json};

use super::{Bench, median, rounded};
use crate::{commands::CliError, server::Doubles};

const TIMES: usize = 9;

pub(super) async fn measure() -> Result<Value, CliError> {
    let replay = Arc::new(Replay::new(100));
    let extractor = Arc::new(Scripted::new(|_| Extraction::default()));
    let doubles = Doubles {
        connector: Some(replay.clone()),
        extractor: Some(extractor.clone()),
        ..Doubles::default()
    };
    let bench = Bench::start(doubles).await?;
    let channel = bench.channel().await?;
    replay.say(&channel, [message()]);
    let (mut replies, mut stops) = (vec![], vec![]);
    for _ in 0..TIMES {
        extractor.script([Step::Compute(Duration::from_secs(5))]);
        let body = json!({"channel_id": channel});
        let started = bench.client.send_json(reqwest::Method::POST, "/api/sync", &body).await?;
        while extractor.computing() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let begun = Instant::now();
        let body = json!({"job_id": started["job_id"]});
        bench.client.send_json(reqwest::Method::POST, "/api/sync/cancel", &body).await?;
        replies.push(begun.elapsed().as_secs_f64() * 1_000.0);
        while extractor.computing() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stops.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    bench.stop().await;
    Ok(json!({
        "reply_milliseconds": rounded(median(replies)),
        "stopped_milliseconds": rounded(median(stops)),
    }))
}

fn message() -> Message {
    Message {
        id: "1700000000.000000".into(),
        thread_id: None,
        author: Author { id: "U1".into(), name: "Ann".into(), kind: AuthorKind::Person },
        kind: MessageKind::Text,
        text: "something was said".to_owned(),
        mentions: vec![],
        links: vec![],
        sent_at: Timestamp::from_micros(1_700_000_000_000_000),
        edited_at: None,
        deleted_at: None,
        permalink: None,
        reactions: vec![],
        attachments: vec![],
    }
}
