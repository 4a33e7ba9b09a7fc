//! Channels, their messages, and totals.

use axum::{Json, extract::State};
use domain::{ChannelId, MessageId, Timestamp};
use http::StatusCode;

use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Id, Ids, Params},
    paging::{Asked, page},
    replies::channels::{ChannelReply, Channels, MessageReply, Messages, Stats},
};

/// Channels, by id.
#[utoipa::path(get, path = "/api/channels", tag = "channels",
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, body = Channels)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Channels>, ApiError> {
    let asked = Asked::<ChannelId>::read(&params)?;
    let channels = gateway.store.channels(asked.after.as_ref(), asked.fetch()).await?;
    let (channels, next_cursor) = page(channels, asked.limit, |c| c.channel.id.clone());
    Ok(Json(Channels { channels: channels.iter().map(ChannelReply::from).collect(), next_cursor }))
}

/// A channel.
#[utoipa::path(get, path = "/api/channels/{id}", tag = "channels", params(("id" = String, Path)),
    responses((status = 200, body = ChannelReply), (status = 404, body = ErrorReply)))]
pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<Json<ChannelReply>, ApiError> {
    let summary = gateway.store.channel_summary(&ChannelId::from(id)).await?;
    let summary = summary.ok_or_else(|| ApiError::not_found("CHANNEL"))?;
    Ok(Json(ChannelReply::from(&summary)))
}

/// Messages of a channel, newest first.
#[utoipa::path(get, path = "/api/channels/{id}/messages", tag = "channels",
    params(("id" = String, Path), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Messages), (status = 404, body = ErrorReply)))]
pub(crate) async fn messages(
    State(gateway): State<Gateway>,
    Id(id): Id,
    params: Params,
) -> Result<Json<Messages>, ApiError> {
    let channel = ChannelId::from(id);
    let asked = Asked::<(Timestamp, MessageId)>::read(&params)?;
    require(&gateway, &channel).await?;
    let (limit, fetch) = (asked.limit, asked.fetch());
    let found = gateway.store.messages(&channel, asked.after, fetch).await?;
    let (found, next_cursor) = page(found, limit, |m| (m.sent_at, m.id.clone()));
    Ok(Json(Messages {
        messages: found.into_iter().map(MessageReply::from).collect(),
        next_cursor,
    }))
}

/// A message.
#[utoipa::path(get, path = "/api/channels/{id}/messages/{message_id}", tag = "channels",
    params(("id" = String, Path), ("message_id" = String, Path)),
    responses((status = 200, body = MessageReply), (status = 404, body = ErrorReply)))]
pub(crate) async fn message(
    State(gateway): State<Gateway>,
    Ids(id, message): Ids,
) -> Result<Json<MessageReply>, ApiError> {
    let channel = ChannelId::from(id);
    require(&gateway, &channel).await?;
    let found = gateway.store.message(&channel, &MessageId::from(message)).await?;
    Ok(Json(MessageReply::from(found.ok_or_else(|| ApiError::not_found("MESSAGE"))?)))
}

/// Forget all that was stored and made of a channel. What was imported stays: a sync brings it back.
#[utoipa::path(delete, path = "/api/channels/{id}/data", tag = "channels", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
pub(crate) async fn erase(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let channel = ChannelId::from(id);
    require(&gateway, &channel).await?;
    match gateway.store.erase_channel(&channel).await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(active) => Err(ApiError::sync_in_progress(&active)),
    }
}

/// Refuses what is about a channel that does not exist.
pub(crate) async fn require(
    gateway: &Gateway,
    channel: &ChannelId,
) -> Result<domain::Channel, ApiError> {
    gateway.store.channel(channel).await?.ok_or_else(|| ApiError::not_found("CHANNEL"))
}

/// Totals over everything.
#[utoipa::path(get, path = "/api/stats", tag = "stats", responses((status = 200, body = Stats)))]
pub(crate) async fn stats(State(gateway): State<Gateway>) -> Result<Json<Stats>, ApiError> {
    Ok(Json(Stats::from(gateway.store.totals().await?)))
}
