//! What an app is shown, and the walks through it.

use async_trait::async_trait;
use domain::Channel;

use super::{
    api::{Home, Question, Workspace, refusal},
    dialect::Refusal,
    history::{Asked, extrapolated},
    pace::Method,
    reply::{self, Channels, Info},
    scopes, threads,
    walk::{Step, Walk, Watermark},
};
use crate::{
    Account, Connector, ConnectorError, Identity, Known, MAX_CHANNELS, OfferedChannel, Page,
    PageRequest, mark, text,
};

/// Channels of one page of the list: the most that Slack gives.
const CHANNELS: usize = 999;

/// Longest topic of a channel, in characters.
const MAX_TOPIC: usize = 500;

fn id(channel: &Channel) -> Result<&str, ConnectorError> {
    let id = channel.external_id.as_str();
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let unknown = || ConnectorError::ChannelNotFound("its id is none that Slack gives".into());
    fits.then_some(id).ok_or_else(unknown)
}

impl Workspace {
    /// The channel, and the time by Slack's clock.
    async fn info(&self, home: &Home, id: &str) -> Result<(reply::Channel, i64), ConnectorError> {
        let form = vec![("channel", id.to_owned()), ("include_num_members", "false".to_owned())];
        let reply = self.send(&Question { method: Method::Channel, form, home }).await?;
        if let Some(refusal) = refusal(&reply)? {
            return Err(refusal.error());
        }
        let now = reply.served_at().unwrap_or(reply.asked_at).micros();
        Ok((reply.json::<Info>()?.channel, now))
    }

    async fn first_page(
        &self,
        channel: &str,
        watermark: Option<&str>,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let before = watermark.and_then(Watermark::read);
        let home = match &before {
            Some(before) => before.home.clone(),
            None => self.home().await?,
        };
        let (info, now) = self.info(&home, channel).await?;
        self.pace.known(before.as_ref().is_some_and(|before| before.slow));
        let mut walk = Walk::begin(before, home, now, self.pace.is_slow());
        walk.created = created(&info);
        if walk.since.is_none() {
            walk.counted = self.counted(&walk.home, channel).await;
        }
        let mut marks = threads::in_turn(&walk, known).await?;
        let page = self.top(channel, walk, known).await?;
        marks.extend(page.marks);
        Ok(Page { marks, ..page })
    }

    async fn step(
        &self,
        channel: &str,
        walk: Walk,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        match walk.step.clone() {
            Step::Top { .. } => self.top(channel, walk, known).await,
            Step::Sweep { cursor } => self.sweep(channel, walk, cursor, known).await,
            Step::Threads { after, failures } => {
                self.threads(channel, &walk, after, failures, known).await
            }
            Step::Thread { visit } => self.thread(channel, &walk, visit).await,
        }
    }

    async fn list(&self, home: &Home, kinds: &str) -> Result<Vec<OfferedChannel>, ConnectorError> {
        let mut offered = Vec::new();
        let mut cursor = String::new();
        // Pages may be short, or empty: only the cursor tells that there are no more.
        for _ in 0..MAX_CHANNELS {
            let form = self.of_team(vec![
                ("types", kinds.to_owned()),
                ("exclude_archived", "true".to_owned()),
                ("limit", CHANNELS.to_string()),
                ("cursor", cursor),
            ]);
            let question = Question { method: Method::Channels, form, home };
            let page = self.ask::<Channels>(&question).await?.map_err(Refusal::error)?;
            offered.extend(page.channels.into_iter().filter_map(offer));
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() || offered.len() >= MAX_CHANNELS {
                break;
            }
        }
        offered.truncate(MAX_CHANNELS);
        Ok(offered)
    }
}

fn created(channel: &reply::Channel) -> i64 {
    channel.created.clamp(0, i64::from(u32::MAX)) * 1_000_000
}

fn offer(channel: reply::Channel) -> Option<OfferedChannel> {
    if channel.is_im || channel.is_mpim {
        return None;
    }
    let external_id = text::id(&channel.id)?;
    let about = [&channel.topic.value, &channel.purpose.value];
    Some(OfferedChannel {
        name: text::shown(&channel.name).unwrap_or_else(|| external_id.clone()),
        topic: about.into_iter().find_map(|about| text::line(about, MAX_TOPIC)).unwrap_or_default(),
        is_private: channel.is_private,
        member_count: channel.num_members,
        external_id,
    })
}

#[async_trait]
impl Connector for Workspace {
    async fn page(&self, request: &PageRequest, known: &dyn Known) -> Result<Page, ConnectorError> {
        let channel = id(&request.channel)?;
        match &request.cursor {
            Some(cursor) => self.step(channel, mark::read(cursor)?, known).await,
            None => self.first_page(channel, request.watermark.as_deref(), known).await,
        }
    }

    /// Slack counts messages for people who may search; for others there are as many in the whole time as in
    /// that of the newest page.
    async fn total(&self, channel: &Channel) -> Result<Option<u64>, ConnectorError> {
        let channel = id(channel)?;
        let home = self.home().await?;
        let counted = self.counted(&home, channel).await;
        if counted.is_some() || self.pace.is_slow() {
            return Ok(counted);
        }
        let (info, now) = self.info(&home, channel).await?;
        let walk = Walk::begin(None, home, now, false);
        let asked = Asked { from: 0, to: now, cursor: None };
        let reply = self.history(channel, &walk, asked).await?.map_err(Refusal::error)?;
        let listing = self.listing(channel, &walk.home, self.page(&reply)?, (0, now)).await?;
        let seen = listing.ids.len() as u64;
        Ok(match (listing.next, listing.extent) {
            (Some(_), Some(extent)) => {
                Some(extrapolated(seen, now - extent.first, now - created(&info)))
            }
            _ => Some(seen),
        })
    }
}

#[async_trait]
impl Account for Workspace {
    async fn identity(&self) -> Result<Identity, ConnectorError> {
        let (me, _, reply) = self.me().await?;
        scopes::check(reply.header("x-oauth-scopes"))?;
        // A token of an organisation is used for one of its workspaces.
        if me.is_enterprise_install && self.team.is_none() {
            return Err(ConnectorError::Auth(
                "the token is of a whole organisation: name one of its workspaces as team (T…)"
                    .into(),
            ));
        }
        let workspace = self.team.as_deref().and_then(text::id).or(text::id(&me.team_id));
        let workspace = workspace.unwrap_or_default();
        Ok(Identity {
            workspace_name: text::shown(&me.team).unwrap_or_else(|| workspace.clone()),
            account: text::shown(&me.user).unwrap_or_else(|| me.user_id.clone()),
            workspace,
        })
    }

    async fn channels(&self) -> Result<Vec<OfferedChannel>, ConnectorError> {
        let home = self.home().await?;
        match self.list(&home, "public_channel,private_channel").await {
            // A token need not be allowed to see private ones.
            Err(ConnectorError::Auth(_)) => self.list(&home, "public_channel").await,
            channels => channels,
        }
    }
}
