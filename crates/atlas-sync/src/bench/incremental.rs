//! A sync after a hundred new messages: what it costs after few stored ones, and after many.

use std::{io::BufReader, ops::ControlFlow, path::Path, sync::Arc};

use connectors::{
    replay::Replay,
    slack::{Export, Limits, Report},
};
use domain::Message;
use serde_json::{Value, json};

use super::{Bench, median, rounded, seconds};
use crate::{commands::CliError, server::Doubles};

/// Messages that are new each time.
const NEW: usize = 100;

/// Syncs of new messages.
const TIMES: usize = 9;

/// Messages stored before, in the small case.
const FEW: usize = 2_000;

pub(super) async fn measure(export: &Path) -> Result<Value, CliError> {
    let messages = messages(export)?;
    let stored = messages.len().saturating_sub(NEW * TIMES);
    // The same new messages in both cases.
    let (before, new) = messages.split_at(stored);
    let few = before.len().saturating_sub(FEW);
    let after_few = after(&before[few..], new).await?;
    let after_many = after(before, new).await?;
    Ok(json!({
        "after_messages": [before.len().min(FEW), before.len()],
        "milliseconds": [rounded(after_few * 1_000.0), rounded(after_many * 1_000.0)],
        "ratio": rounded(after_many / after_few),
    }))
}

fn messages(export: &Path) -> Result<Vec<Message>, CliError> {
    let failed = |error: connectors::ImportError| CliError::failed(error.to_string());
    let file = BufReader::new(std::fs::File::open(export)?);
    let mut export = Export::open(file, Limits::default()).map_err(failed)?;
    let mut messages = Vec::new();
    if let Some(channel) = export.channels().first().cloned() {
        let sink = |batch: Vec<Message>| {
            messages.extend(batch);
            ControlFlow::Continue(())
        };
        export.read(&channel, &mut Report::default(), sink).map_err(failed)?;
    }
    messages.sort_by(|a, b| (a.sent_at, &a.id).cmp(&(b.sent_at, &b.id)));
    Ok(messages)
}

/// The median time of syncs of new messages, with so many stored before.
async fn after(stored: &[Message], new: &[Message]) -> Result<f64, CliError> {
    let replay = Arc::new(Replay::new(500));
    let doubles = Doubles { connector: Some(replay.clone()), ..Doubles::default() };
    let bench = Bench::start(doubles).await?;
    let channel = bench.channel().await?;
    replay.say(&channel, stored.to_vec());
    bench.sync(channel.as_str()).await?;
    let mut times = Vec::new();
    for slice in new.chunks(NEW) {
        replay.say(&channel, slice.to_vec());
        times.push(seconds(&bench.sync(channel.as_str()).await?));
    }
    bench.stop().await;
    Ok(median(times))
}
