//! Schedules.

use axum::{Json, extract::State};
use domain::{
    Timestamp,
    schedule::{Cron, Schedule},
};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Fields, Params},
    replies::schedules::{ScheduleReply, Schedules},
};

/// When a channel is to be synchronised by itself.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document; Fields reads it")]
pub(crate) struct ScheduleRequest {
    channel_id: String,
    /// Five POSIX cron fields.
    schedule: String,
    #[serde(default)]
    enabled: Option<bool>,
    /// An IANA name; UTC when left out.
    #[serde(default)]
    timezone: Option<String>,
}

/// Schedules, by channel.
#[utoipa::path(get, path = "/api/sync/schedules", tag = "schedules", params(("channel_id" = Option<String>, Query)),
    responses((status = 200, body = Schedules)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Schedules>, ApiError> {
    let schedules = gateway.store.schedules(params.optional_channel()?.as_ref()).await?;
    Ok(Json(Schedules { schedules: schedules.into_iter().map(ScheduleReply::from).collect() }))
}

/// Create or replace a channel's schedule.
#[utoipa::path(put, path = "/api/sync/schedules", tag = "schedules", request_body = ScheduleRequest,
    responses((status = 200, body = ScheduleReply), (status = 404, body = ErrorReply), (status = 422, body = ErrorReply)))]
pub(crate) async fn set(
    State(gateway): State<Gateway>,
    fields: Fields,
) -> Result<Json<ScheduleReply>, ApiError> {
    let channel_id = fields.channel()?;
    let expression = fields.text("schedule")?;
    let timezone = fields.optional_text("timezone")?.unwrap_or_else(|| "UTC".to_owned());
    let enabled = fields.flag("enabled", true)?;
    let now = gateway.store.now().await?;
    let (cron, expression, timezone) = parse(expression, timezone, now).await?;
    let start = gateway.store.walk_start(&channel_id).await?;
    let start = start.ok_or_else(|| ApiError::not_found("CHANNEL"))?;
    if start.not_chosen {
        // It would be skipped each time.
        return Err(ApiError::not_chosen(&start.channel.connection_id));
    }
    let wanted = Schedule {
        channel_id,
        expression,
        timezone,
        enabled,
        next_sync: cron.next_after(now).filter(|_| enabled),
        last_sync: None,
    };
    let stored = gateway.store.set_schedule(&wanted).await?;
    let stored = stored.ok_or_else(|| ApiError::not_found("CHANNEL"))?;
    Ok(Json(ScheduleReply::from(stored)))
}

/// Off the async threads: to see that an expression never fires takes a tenth of a second.
pub(super) async fn parse(
    expression: String,
    timezone: String,
    now: Timestamp,
) -> Result<(Cron, String, String), ApiError> {
    let parsed = tokio::task::spawn_blocking(move || {
        (Cron::parse(&expression, &timezone, now), expression, timezone)
    });
    let (cron, expression, timezone) = parsed.await.map_err(|_| ApiError::internal())?;
    Ok((cron.map_err(ApiError::invalid_schedule)?, expression, timezone))
}

/// Remove a channel's schedule.
#[utoipa::path(delete, path = "/api/sync/schedules", tag = "schedules", params(("channel_id" = String, Query)),
    responses((status = 204), (status = 404, body = ErrorReply)))]
pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<StatusCode, ApiError> {
    match gateway.store.remove_schedule(&params.channel()?).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("SCHEDULE")),
    }
}
