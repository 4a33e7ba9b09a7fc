//! The calls that are made.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use domain::Message;

use super::{
    dialect::Mattermost,
    message,
    people::Directory,
    raw::{RawChannel, RawPost},
    walk::Walk,
};
use crate::{
    Access, ConnectorError,
    http::{Ahead, Bucket, Call, Http, Reply},
    mark,
};

/// Posts of one page: the most that the server gives.
pub(super) const PAGE: usize = 200;

/// Calls in a second to a server that does not say what it allows: its own default is not to limit.
const PER_SECOND: u32 = 50;

/// Calls in a second to a server that limits, as it does by default once that is switched on.
const PER_SECOND_LIMITED: u32 = 10;

pub(super) struct Server {
    pub(super) http: Http,
    base: String,
    bucket: String,
    /// How many calls the server allows at once; 0 while it does not say.
    allowed: AtomicU32,
    directory: Directory,
    /// Pages of the timeline that are on their way.
    ahead: Ahead<Reply>,
}

impl Server {
    pub(super) fn open(access: &Access) -> Result<Self, ConnectorError> {
        let token = access.needed("token")?;
        let http = Http::open(access, None, &format!("Bearer {token}"), Arc::new(Mattermost))?;
        let base = http.base().as_str().trim_end_matches('/').to_owned();
        let bucket = format!("mattermost:{}", access.connection);
        let (allowed, directory, ahead) = (AtomicU32::new(0), Directory::new(), Ahead::default());
        Ok(Self { http, base, bucket, allowed, directory, ahead })
    }

    pub(super) fn get(&self, path: &str) -> Call {
        self.http.get(&format!("api/v4/{path}")).bucket(self.bucket())
    }

    /// The server counts by token.
    fn bucket(&self) -> Bucket {
        let (calls, burst) = match self.allowed.load(Ordering::Relaxed) {
            0 => (PER_SECOND, 2 * PER_SECOND),
            allowed => (PER_SECOND_LIMITED, allowed),
        };
        Bucket::new(self.bucket.clone(), calls, Duration::from_secs(1), burst)
    }

    pub(super) async fn send(&self, call: Call) -> Result<Reply, ConnectorError> {
        let reply = call.send().await?;
        let told = reply.header("x-ratelimit-limit").and_then(|limit| limit.trim().parse().ok());
        if let Some(allowed) = told {
            self.allowed.store(allowed, Ordering::Relaxed);
        }
        Ok(reply)
    }

    /// A call about a channel. When that is refused, who we are tells whether the channel is meant, or we.
    pub(super) async fn of_channel(&self, call: Call) -> Result<Reply, ConnectorError> {
        match self.send(call).await {
            Err(error @ ConnectorError::ChannelNotFound(_)) => {
                match self.send(self.get("users/me")).await {
                    Err(refused @ ConnectorError::Auth(_)) => Err(refused),
                    _ => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    /// The channel as it is now, and when that was by the server's clock.
    pub(super) async fn channel(&self, id: &str) -> Result<(RawChannel, i64), ConnectorError> {
        let reply = self.of_channel(self.get(&format!("channels/{id}"))).await?;
        let at = reply.served_at().unwrap_or(reply.asked_at).micros() / 1_000;
        Ok((reply.json()?, at))
    }

    /// A page of the timeline.
    pub(super) async fn timeline(
        &self,
        channel: &str,
        walk: &Walk,
    ) -> Result<Reply, ConnectorError> {
        let now = self.of_channel(self.posts(channel, walk));
        self.ahead.wanted(&named(channel, walk)?, now).await
    }

    /// Asks for a page that will be wanted next, so that the server works on it while we work on the one before.
    pub(super) fn look_ahead(&self, channel: &str, walk: &Walk) -> Result<(), ConnectorError> {
        self.ahead.ask(named(channel, walk)?, self.posts(channel, walk).send());
        Ok(())
    }

    fn posts(&self, channel: &str, walk: &Walk) -> Call {
        let mut query = vec![
            ("per_page", PAGE.to_string()),
            ("page", walk.page.to_string()),
            ("skipFetchThreads", "true".to_owned()),
        ];
        query.extend(walk.before.clone().map(|before| ("before", before)));
        self.get(&format!("channels/{channel}/posts")).query(&query)
    }

    pub(super) async fn messages(&self, posts: &[RawPost]) -> Result<Vec<Message>, ConnectorError> {
        let (ids, names) = message::people_of(posts.iter());
        let post = |path: &str| self.http.post(&format!("api/v4/{path}")).bucket(self.bucket());
        let people = self.directory.look_up(ids, names, post).await?;
        let of = |post: &RawPost| message::message(post, &people, &self.base);
        let mut messages: Vec<Message> = posts.iter().filter_map(of).collect();
        let roots: BTreeSet<_> = messages.iter().filter_map(|m| m.thread_id.clone()).collect();
        for message in &mut messages {
            if message.thread_id.is_none() && roots.contains(&message.id) {
                message.thread_id = Some(message.id.clone());
            }
        }
        Ok(messages)
    }
}

/// A page of a walk.
fn named(channel: &str, walk: &Walk) -> Result<String, ConnectorError> {
    Ok(format!("{channel} {}", mark::written(walk)?))
}
