//! What an app is shown.

use async_trait::async_trait;
use domain::Channel;

use super::{
    graph::Graph,
    raw::{RawChannel, RawGroup, RawList},
    walk::{Place, Walk, Watermark},
};
use crate::{
    Account, Connector, ConnectorError, Identity, Known, MAX_CHANNELS, OfferedChannel, Page,
    PageRequest, mark, text,
};

/// Pages of teams that are read.
const MAX_PAGES: usize = 1_000;

/// Longest description of a channel, in characters.
const MAX_TOPIC: usize = 500;

/// Of an id: letters, digits and what Microsoft puts between them; percent-encoded where a path needs that.
fn part(id: &str) -> Option<String> {
    let of_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ':');
    let fits = (1..=200).contains(&id.len()) && id.chars().all(of_id) && !id.contains("..");
    fits.then(|| id.replace(':', "%3A").replace('@', "%40"))
}

fn place(channel: &Channel) -> Result<Place, ConnectorError> {
    let parts = channel.external_id.split_once(':');
    let parts = parts.and_then(|(team, channel)| Some((part(team)?, part(channel)?)));
    let (team, channel) = parts.ok_or_else(|| {
        ConnectorError::ChannelNotFound("its id is not that of a team and a channel".into())
    })?;
    Ok(Place { messages: format!("teams/{team}/channels/{channel}/messages") })
}

/// Graph counts no messages.
#[async_trait]
impl Connector for Graph {
    async fn page(&self, request: &PageRequest, known: &dyn Known) -> Result<Page, ConnectorError> {
        let place = place(&request.channel)?;
        let walk = match (&request.cursor, &request.watermark) {
            (Some(cursor), _) => mark::read(cursor)?,
            (None, Some(watermark)) => Walk::changes(mark::read::<Watermark>(watermark)?),
            (None, None) => Walk::whole(),
        };
        self.step(&place, walk, known).await
    }
}

#[async_trait]
impl Account for Graph {
    /// A sign-in proves the credentials; the tenant's name is shown where the app may see it.
    async fn identity(&self) -> Result<Identity, ConnectorError> {
        self.signed_in(true).await?;
        let tenants = self.get::<RawList<RawGroup>>("organization?$select=id,displayName").await;
        let tenant = match tenants {
            Ok(tenants) => tenants.value.into_iter().next().unwrap_or_default(),
            Err(ConnectorError::ChannelNotFound(_) | ConnectorError::Request(_)) => {
                RawGroup::default()
            }
            Err(error) => return Err(error),
        };
        let id = text::id(&tenant.id).unwrap_or_else(|| self.tenant.clone());
        Ok(Identity {
            workspace_name: text::shown(&tenant.display_name).unwrap_or_else(|| id.clone()),
            workspace: id,
            account: self.client.clone(),
        })
    }

    async fn channels(&self) -> Result<Vec<OfferedChannel>, ConnectorError> {
        let mut offered = Vec::new();
        let mut path = "teams?$select=id,displayName".to_owned();
        for _ in 0..MAX_PAGES {
            let teams: RawList<RawGroup> = about_app(self.get(&path).await)?;
            for team in &teams.value {
                offered.extend(self.of_team(team).await?);
            }
            if teams.next.is_empty() || offered.len() >= MAX_CHANNELS {
                break;
            }
            path = teams.next;
        }
        offered.truncate(MAX_CHANNELS);
        Ok(offered)
    }
}

impl Graph {
    async fn of_team(&self, team: &RawGroup) -> Result<Vec<OfferedChannel>, ConnectorError> {
        let Some(id) = part(&team.id) else { return Ok(Vec::new()) };
        let list = self.get::<RawList<RawChannel>>(&format!("teams/{id}/channels")).await;
        match list {
            Ok(list) => {
                Ok(list.value.into_iter().filter_map(|channel| offer(team, channel)).collect())
            }
            // A team that the app is not installed in.
            Err(ConnectorError::ChannelNotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn offer(team: &RawGroup, channel: RawChannel) -> Option<OfferedChannel> {
    part(&channel.id)?;
    let name = format!("{} / {}", team.display_name, channel.display_name);
    Some(OfferedChannel {
        external_id: format!("{}:{}", team.id, channel.id),
        name: text::shown(&name)?,
        topic: text::line(&channel.description, MAX_TOPIC).unwrap_or_default(),
        is_private: matches!(channel.membership_type.as_str(), "private" | "shared"),
        member_count: None,
    })
}

/// What is refused here is refused to the app, not for a channel.
fn about_app<T>(reply: Result<T, ConnectorError>) -> Result<T, ConnectorError> {
    reply.map_err(|error| match error {
        ConnectorError::ChannelNotFound(_) => ConnectorError::Auth(
            "grant the app Team.ReadBasic.All and Channel.ReadBasic.All with admin consent".into(),
        ),
        error => error,
    })
}
