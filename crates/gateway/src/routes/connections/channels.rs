//! The channels that a platform offers, and those that are chosen.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::State};
use connectors::{MAX_CHANNELS, OfferedChannel};
use domain::{Channel, ConnectionId};
use serde::Deserialize;
use store::{NewChannel, Plan};
use utoipa::ToSchema;

use super::{
    connection_id,
    entered::{in_time, known_platform, refusal},
    summary,
};
use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Fields, Id, Params},
    paging::{Asked, page},
    replies::connections::{OfferedList, OfferedReply},
    routes::schedules,
};

/// The channels that are to be synchronised.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document; Fields reads it")]
pub(crate) struct ChoiceRequest {
    /// Their ids; all others of the connection are no longer synchronised.
    #[serde(default)]
    channel_ids: Vec<String>,
    /// All that the platform offers at this moment.
    #[serde(default)]
    sync_all: bool,
    /// Five POSIX cron fields, for each of them.
    #[serde(default)]
    schedule: Option<String>,
    /// An IANA name; UTC when left out.
    #[serde(default)]
    timezone: Option<String>,
}

/// What a connection's platform offers, and what of it is known already.
struct Offer {
    offered: std::sync::Arc<Vec<OfferedChannel>>,
    known: BTreeMap<String, (Channel, bool)>,
}

impl Offer {
    async fn of(gateway: &Gateway, id: &ConnectionId) -> Result<Self, ApiError> {
        known_platform(summary(gateway, id).await?.connection.platform)?;
        let offered = in_time(gateway.accounts.offered(id)).await.map_err(refusal)?;
        let known = gateway.store.connection_channels(id).await?;
        let known = known.into_iter().map(|(c, live)| (c.external_id.clone(), (c, live))).collect();
        Ok(Self { offered, known })
    }

    fn id(&self, channel: &OfferedChannel) -> String {
        let known = self.known.get(&channel.external_id);
        known.map_or_else(|| channel.external_id.clone(), |(known, _)| known.id.to_string())
    }

    fn reply(&self, channel: &OfferedChannel) -> OfferedReply {
        let chosen = self.known.get(&channel.external_id).is_some_and(|(_, live)| *live);
        OfferedReply::new(channel, self.id(channel), chosen)
    }

    /// The offered channels of these ids; ours or the platform's.
    fn chosen(&self, ids: &[String]) -> Result<Vec<&OfferedChannel>, ApiError> {
        let by_id: BTreeMap<String, &OfferedChannel> = self
            .offered
            .iter()
            .flat_map(|c| [(c.external_id.clone(), c), (self.id(c), c)])
            .collect();
        let wanted: BTreeSet<&String> = ids.iter().collect();
        let find = |id: &&String| {
            by_id.get(*id).copied().ok_or_else(|| {
                let shown: String = id.chars().take(64).collect();
                ApiError::invalid(
                    "channel_ids",
                    format!("{shown} is not offered: GET the connection's channels lists what is"),
                )
            })
        };
        let mut chosen = wanted.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        chosen.dedup_by(|a, b| a.external_id == b.external_id);
        Ok(chosen)
    }
}

/// The channels that the platform shows to a connection, by the platform's id.
#[utoipa::path(get, path = "/api/connections/{id}/channels", tag = "connections",
    params(("id" = String, Path), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = OfferedList), (status = 404, body = ErrorReply), (status = 503, body = ErrorReply)))]
pub(crate) async fn offered(
    State(gateway): State<Gateway>,
    Id(id): Id,
    params: Params,
) -> Result<Json<OfferedList>, ApiError> {
    let asked = Asked::<String>::read(&params)?;
    let offer = Offer::of(&gateway, &connection_id(&id)?).await?;
    let after = asked.after.as_deref().unwrap_or_default();
    let begin = offer.offered.partition_point(|channel| channel.external_id.as_str() <= after);
    let some = offer.offered[begin..].iter().take(asked.fetch() as usize).collect::<Vec<_>>();
    let (some, next_cursor) = page(some, asked.limit, |channel| channel.external_id.clone());
    let channels = some.into_iter().map(|channel| offer.reply(channel)).collect();
    Ok(Json(OfferedList { channels, next_cursor }))
}

/// Choose the channels that are synchronised; with a schedule, each of them by itself.
#[utoipa::path(put, path = "/api/connections/{id}/channels", tag = "connections", request_body = ChoiceRequest,
    params(("id" = String, Path)),
    responses((status = 200, body = OfferedList), (status = 404, body = ErrorReply), (status = 422, body = ErrorReply), (status = 503, body = ErrorReply)))]
pub(crate) async fn choose(
    State(gateway): State<Gateway>,
    Id(id): Id,
    fields: Fields,
) -> Result<Json<OfferedList>, ApiError> {
    fields.only(&["channel_ids", "sync_all", "schedule", "timezone"])?;
    let id = connection_id(&id)?;
    let ids = fields.optional_texts("channel_ids", MAX_CHANNELS)?;
    let all = fields.flag("sync_all", false)?;
    if ids.is_none() && !all {
        return Err(ApiError::invalid("channel_ids", "give channel_ids, or sync_all"));
    }
    let plan = plan(&gateway, &fields).await?;
    let offer = Offer::of(&gateway, &id).await?;
    let chosen = match all {
        true => offer.offered.iter().collect(),
        false => offer.chosen(&ids.unwrap_or_default())?,
    };
    let new: Vec<NewChannel> = chosen
        .iter()
        .map(|channel| NewChannel {
            external_id: channel.external_id.clone(),
            name: channel.name.clone(),
            topic: channel.topic.clone(),
        })
        .collect();
    let stored = gateway.store.choose_channels(&id, &new, plan.as_ref()).await?;
    let channels = chosen
        .into_iter()
        .zip(stored)
        .map(|(channel, stored)| OfferedReply::new(channel, stored.id.to_string(), true))
        .collect();
    Ok(Json(OfferedList { channels, next_cursor: None }))
}

async fn plan(gateway: &Gateway, fields: &Fields) -> Result<Option<Plan>, ApiError> {
    let timezone = fields.optional_text("timezone")?.unwrap_or_else(|| "UTC".to_owned());
    let Some(expression) = fields.optional_text("schedule")? else { return Ok(None) };
    let now = gateway.store.now().await?;
    let (cron, expression, timezone) = schedules::parse(expression, timezone, now).await?;
    Ok(Some(Plan { expression, timezone, next_sync: cron.next_after(now) }))
}
