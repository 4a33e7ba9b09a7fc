//! An account at a server.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::Channel;

use super::{
    api::{PAGE, Server},
    list::Listed,
    message,
    raw::{RawChannel, RawConfig, RawPosts, RawTeam, RawUser},
    walk::{MARGIN, OVERLAP, Seen, Walk, Watermark},
};
use crate::{
    Account, Connector, ConnectorError, Identity, Known, MAX_CHANNELS, Next, OfferedChannel, Page,
    PageRequest, Stream, Window, http::Reply, mark, text,
};

/// Changes that the server lists at most; as many mean that there may be more.
const MOST_CHANGES: usize = 1_000;

/// Longest topic of a channel, in characters.
const MAX_TOPIC: usize = 500;

impl Server {
    /// What is new and changed since the watermark, by the server's list of changes.
    async fn increment(&self, channel: &str, known: Watermark) -> Result<Page, ConnectorError> {
        let (state, now) = self.channel(channel).await?;
        let since = (known.changed - OVERLAP).max(0);
        let path = format!("channels/{channel}/posts");
        let call = self.get(&path).query(&[("since", since.to_string())]);
        let reply = self.of_channel(call).await?;
        let list = Listed::of(reply.json()?);
        let whole = Walk { from: 0, began: now, changed: now, before: None, page: 0 };
        let next = if list.changes >= MOST_CHANGES {
            // There may be more, and nothing tells which: compare everything.
            Next::Cursor(mark::written(&whole)?)
        } else if state.last_post_at > since && list.newest < state.last_post_at {
            // The list lacks a post that the channel has: its word on changes is not taken.
            let from = (known.posted - OVERLAP).max(0);
            Next::Cursor(mark::written(&Walk { from, changed: known.changed, ..whole })?)
        } else {
            // An empty list may be a false one: what it should have had is asked for again.
            let changed = if list.changes == 0 { known.changed } else { now };
            let mark = Watermark { changed, posted: now };
            Next::End(Some(mark::written(&mark)?))
        };
        let messages = self.messages(&list.posts).await?;
        Ok(Page { estimate: Some(messages.len() as u64), ..Page::new(messages, next) })
    }

    async fn step(&self, channel: &str, walk: &Walk) -> Result<Page, ConnectorError> {
        let reply = self.timeline(channel, walk).await?;
        let raw: RawPosts<'_> = reply.json()?;
        let is_first = raw.prev_post_id.as_ref().is_some_and(|id| id.as_str() == Some(""));
        let hidden_to = raw.first_inaccessible_post_time;
        let is_full = raw.order.len() >= PAGE;
        let list = Listed::of(raw);
        let posts = list.timeline().filter_map(|post| Some((id(&post.id)?, post.create_at)));
        let next = walk.behind(&Seen { posts: posts.collect(), is_first, is_full });
        if let Some(next) = &next {
            self.look_ahead(channel, next)?;
        }
        let mut page = Page::new(self.messages(&list.posts).await?, Next::End(None));
        page.sightings = page.messages.iter().map(|message| message.id.clone()).collect();
        page.next = match next {
            Some(next) => Next::Cursor(mark::written(&next)?),
            None => {
                // What the server's plan hides has not been deleted.
                let from = walk.from.max(hidden_to + 1);
                let (from, to) = (message::time(from), message::time(walk.began - MARGIN));
                page.walked = vec![Window { of: Stream::Everything, from, to }];
                let mark = Watermark { changed: walk.changed, posted: walk.began };
                Next::End(Some(mark::written(&mark)?))
            }
        };
        Ok(page)
    }
}

/// An id as the server makes them: it may stand in a path.
fn id(id: &str) -> Option<&str> {
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some(id)
}

fn channel_id(channel: &Channel) -> Result<&str, ConnectorError> {
    id(&channel.external_id).ok_or_else(|| {
        ConnectorError::ChannelNotFound("its id is none that Mattermost gives".into())
    })
}

#[async_trait]
impl Connector for Server {
    async fn page(&self, request: &PageRequest, _: &dyn Known) -> Result<Page, ConnectorError> {
        let channel = channel_id(&request.channel)?;
        if let Some(cursor) = &request.cursor {
            return self.step(channel, &mark::read(cursor)?).await;
        }
        if let Some(mark) = &request.watermark {
            return self.increment(channel, mark::read(mark)?).await;
        }
        let (state, now) = self.channel(channel).await?;
        let walk = Walk { from: 0, began: now, changed: now, before: None, page: 0 };
        let page = self.step(channel, &walk).await?;
        Ok(Page { estimate: u64::try_from(state.total_msg_count).ok(), ..page })
    }

    async fn total(&self, channel: &Channel) -> Result<Option<u64>, ConnectorError> {
        let (state, _) = self.channel(channel_id(channel)?).await?;
        Ok(u64::try_from(state.total_msg_count).ok())
    }
}

#[async_trait]
impl Account for Server {
    async fn identity(&self) -> Result<Identity, ConnectorError> {
        let me: RawUser = about_us(self.send(self.get("users/me")).await)?.json()?;
        let config = self.send(self.get("config/client").query(&[("format", "old")])).await;
        let config: RawConfig = config.and_then(|reply| reply.json()).unwrap_or_default();
        let base = self.http.base();
        let host = base.host_str().unwrap_or_default().to_owned();
        // Post ids are unique on a server, whatever its address is just now.
        let workspace =
            text::id(&config.diagnostic_id).unwrap_or_else(|| base.origin().ascii_serialization());
        let account = text::shown(&me.username).ok_or_else(|| {
            ConnectorError::Platform("no Mattermost server answers at this address".into())
        })?;
        let workspace_name = text::shown(&config.site_name).unwrap_or(host);
        Ok(Identity { workspace, workspace_name, account })
    }

    async fn channels(&self) -> Result<Vec<OfferedChannel>, ConnectorError> {
        let teams: Vec<RawTeam> = about_us(self.send(self.get("users/me/teams")).await)?.json()?;
        let mut seen = BTreeSet::new();
        let mut offered = Vec::new();
        for team in teams.iter().filter_map(|team| id(&team.id)) {
            let call = self.get(&format!("users/me/teams/{team}/channels"));
            let channels: Vec<RawChannel> = about_us(self.send(call).await)?.json()?;
            // Groups come with every team.
            let new = channels.into_iter().filter(|channel| seen.insert(channel.id.clone()));
            offered.extend(new.filter_map(offer));
        }
        offered.truncate(MAX_CHANNELS);
        Ok(offered)
    }
}

/// Conversations of two people are nobody else's channel, and archived ones have nothing to say.
fn offer(channel: RawChannel) -> Option<OfferedChannel> {
    if channel.kind == "D" || channel.delete_at > 0 {
        return None;
    }
    let external_id = id(&channel.id)?.to_owned();
    let named = [&channel.display_name, &channel.name];
    let name = named.into_iter().find_map(|name| text::shown(name));
    let about = [&channel.purpose, &channel.header];
    Some(OfferedChannel {
        name: name.unwrap_or_else(|| external_id.clone()),
        topic: about.into_iter().find_map(|about| text::line(about, MAX_TOPIC)).unwrap_or_default(),
        is_private: channel.kind != "O",
        member_count: None,
        external_id,
    })
}

/// What is refused here is refused to the account, not for a channel.
fn about_us(reply: Result<Reply, ConnectorError>) -> Result<Reply, ConnectorError> {
    reply.map_err(|error| match error {
        ConnectorError::ChannelNotFound(_) => ConnectorError::Platform(
            "no Mattermost server answers at this address, or not to this account".into(),
        ),
        error => error,
    })
}
