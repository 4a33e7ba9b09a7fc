//! A sync after a hundred new messages: what it costs after few stored ones, and after many.

use std::{io::BufReader, ops::ControlFlow, path::Path, sync::Arc};

use connectors::{
    import::{Export as _, Report},
    replay::Replay,
    slack::{Limits, SlackExport},
};
use domain::{ChannelId, Message};
use serde_json::{Value, json};

use super::{Bench, median, rounded, seconds};
use crate::{commands::CliError, server::Doubles};

/// Messages that are new each time.
const NEW: usize = 100;

/// Syncs of new messages.
const TIMES: usize = 25;

/// Messages stored before, in the small case.
const FEW: usize = 2_000;

pub(super) async fn measure(export: &Path) -> Result<Value, CliError> {
    let messages = messages(export)?;
    let stored = messages.len().saturating_sub(NEW * TIMES);
    let (before, new) = messages.split_at(stored);
    let few = &before[before.len().saturating_sub(FEW)..];
    let after_few = Case::start(few).await?;
    let after_many = Case::start(before).await?;
    let (mut few_times, mut many_times) = (Vec::new(), Vec::new());
    // The same new messages in both cases, in turns: what else the machine does meets both alike.
    for slice in new.chunks(NEW) {
        few_times.push(after_few.sync(slice).await?);
        many_times.push(after_many.sync(slice).await?);
    }
    after_few.bench.stop().await;
    after_many.bench.stop().await;
    let (few_time, many_time) = (median(few_times), median(many_times));
    Ok(json!({
        "after_messages": [few.len(), before.len()],
        "milliseconds": [rounded(few_time * 1_000.0), rounded(many_time * 1_000.0)],
        "ratio": rounded(many_time / few_time),
    }))
}

fn messages(export: &Path) -> Result<Vec<Message>, CliError> {
    let failed = |error: connectors::ImportError| CliError::failed(error.to_string());
    let file = BufReader::new(std::fs::File::open(export)?);
    let mut export = SlackExport::open(file, Limits::default()).map_err(failed)?;
    let mut messages = Vec::new();
    let mut first = |channel, batch: Vec<Message>| {
        if channel > 0 {
            return ControlFlow::Break(());
        }
        messages.extend(batch);
        ControlFlow::Continue(())
    };
    export.read_all(&mut Report::default(), &mut first).map_err(failed)?;
    messages.sort_by(|a, b| (a.sent_at, &a.id).cmp(&(b.sent_at, &b.id)));
    Ok(messages)
}

/// A server whose channel has been synced with so many messages.
struct Case {
    bench: Bench,
    replay: Arc<Replay>,
    channel: ChannelId,
}

impl Case {
    async fn start(stored: &[Message]) -> Result<Self, CliError> {
        let replay = Arc::new(Replay::new(500));
        let doubles = Doubles { connector: Some(replay.clone()), ..Doubles::default() };
        let bench = Bench::start(doubles).await?;
        let channel = bench.channel().await?;
        replay.say(&channel, stored.to_vec());
        bench.sync(channel.as_str()).await?;
        Ok(Self { bench, replay, channel })
    }

    /// The time of a sync of new messages.
    async fn sync(&self, new: &[Message]) -> Result<f64, CliError> {
        self.replay.say(&self.channel, new.to_vec());
        Ok(seconds(&self.bench.sync(self.channel.as_str()).await?))
    }
}
