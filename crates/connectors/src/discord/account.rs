//! What a bot is shown, and the walks through it.

use async_trait::async_trait;
use domain::Channel;

use super::{
    api::Bot,
    raw::{RawChannel, RawGuild, RawSearch, RawUser},
    snowflake,
    walk::{Walk, Watermark},
};
use crate::{
    Account, Connector, ConnectorError, Identity, Known, MAX_CHANNELS, OfferedChannel, Page,
    PageRequest, mark, text,
};

/// Text, announcements, forums and media: what has messages or threads.
const READ: [u64; 4] = [0, 5, 15, 16];

/// Longest topic of a channel, in characters.
const MAX_TOPIC: usize = 500;

fn id(channel: &Channel) -> Result<&str, ConnectorError> {
    let id = channel.external_id.as_str();
    snowflake::read(id)
        .map(|_| id)
        .ok_or_else(|| ConnectorError::ChannelNotFound("its id is none that Discord gives".into()))
}

impl Bot {
    async fn server(&self) -> Result<RawGuild, ConnectorError> {
        let call = self.get("users/@me/guilds", "guilds", "").query(&[("limit", "200")]);
        let mut guilds: Vec<RawGuild> = self.send(call).await?.json()?;
        match &self.guild {
            Some(wanted) => guilds.retain(|guild| guild.id == *wanted),
            None if guilds.len() > 1 => {
                return Err(ConnectorError::Auth(
                    "the bot is in several servers: enter the id of one of them as guild".into(),
                ));
            }
            None => {}
        }
        guilds
            .pop()
            .filter(|guild| snowflake::read(&guild.id).is_some())
            .ok_or_else(|| ConnectorError::Auth("the bot is not in the server: invite it".into()))
    }

    /// What Discord's search counts in a channel; nothing while its index is not ready.
    async fn count(&self, guild: &str, channel: &str) -> Result<Option<u64>, ConnectorError> {
        let path = format!("guilds/{guild}/messages/search");
        let call =
            self.get(&path, "search", guild).query(&[("channel_id", channel), ("limit", "1")]);
        match self.send(call).await {
            Ok(reply) => Ok(reply.json::<RawSearch>()?.total_results),
            Err(error @ ConnectorError::Auth(_)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    async fn first_page(
        &self,
        channel: &str,
        since: Option<i64>,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let (raw, now) = self.channel(channel).await?;
        if snowflake::read(&raw.guild_id).is_none() || !READ.contains(&raw.r#type) {
            return Err(ConnectorError::ChannelNotFound(
                "it is no text channel or forum of a server".into(),
            ));
        }
        let estimate = match since {
            Some(_) => None,
            None => self.count(&raw.guild_id, channel).await?,
        };
        let walk = Walk::begin(&raw, since, now);
        let page = self.step(channel, walk, known).await?;
        Ok(Page { estimate, ..page })
    }
}

#[async_trait]
impl Connector for Bot {
    async fn page(&self, request: &PageRequest, known: &dyn Known) -> Result<Page, ConnectorError> {
        let channel = id(&request.channel)?;
        if let Some(cursor) = &request.cursor {
            return self.step(channel, mark::read(cursor)?, known).await;
        }
        let mark: Option<Watermark> = request.watermark.as_deref().map(mark::read).transpose()?;
        self.first_page(channel, mark.map(|mark| mark.began), known).await
    }

    async fn total(&self, channel: &Channel) -> Result<Option<u64>, ConnectorError> {
        let id = id(channel)?;
        let (raw, _) = self.channel(id).await?;
        self.count(&raw.guild_id, id).await
    }
}

#[async_trait]
impl Account for Bot {
    async fn identity(&self) -> Result<Identity, ConnectorError> {
        let me: RawUser = self.send(self.get("users/@me", "me", "")).await?.json()?;
        let guild = self.server().await?;
        Ok(Identity {
            workspace_name: text::shown(&guild.name).unwrap_or_else(|| guild.id.clone()),
            workspace: guild.id,
            account: text::shown(&me.username).unwrap_or(me.id),
        })
    }

    async fn channels(&self) -> Result<Vec<OfferedChannel>, ConnectorError> {
        let guild = self.server().await?.id;
        let path = format!("guilds/{guild}/channels");
        let channels: Vec<RawChannel> =
            self.send(self.get(&path, "guild-channels", &guild)).await?.json()?;
        let readable = channels.into_iter().filter(|channel| READ.contains(&channel.r#type));
        Ok(readable.filter_map(|channel| offer(&guild, channel)).take(MAX_CHANNELS).collect())
    }
}

fn offer(guild: &str, channel: RawChannel) -> Option<OfferedChannel> {
    snowflake::read(&channel.id)?;
    // Everybody's role has the id of the server.
    let view = 1_u64 << 10;
    let of_all = channel.permission_overwrites.iter().find(|overwrite| overwrite.id == guild);
    let denied = of_all.and_then(|of_all| of_all.deny.parse::<u64>().ok()).unwrap_or_default();
    Some(OfferedChannel {
        name: text::shown(&channel.name).unwrap_or_else(|| channel.id.clone()),
        topic: text::line(&channel.topic, MAX_TOPIC).unwrap_or_default(),
        is_private: denied & view != 0,
        member_count: None,
        external_id: channel.id,
    })
}
