//! Connections to live platforms.

mod channels;
mod entered;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{ConnectionId, ErrorCode, Job, Platform, SyncError};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use store::{Added, ConnectionChange, ConnectionSummary, NewConnection};
use tracing::warn;
use utoipa::ToSchema;

pub(crate) use self::channels::{__path_choose, __path_offered, choose, offered};
use self::entered::{account_of, credentials, identify, known_platform, server};
use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Fields, Id, Params},
    paging::{Asked, page},
    replies::connections::{ConnectionList, ConnectionReply, Validity},
};

/// A connection that is to be made, or changed.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document; Fields reads it")]
pub(crate) struct ConnectionRequest {
    /// slack, matrix, mattermost, discord or teams; cannot be changed.
    platform: String,
    /// The workspace's own when left out.
    #[serde(default)]
    name: Option<String>,
    /// What the platform asks for; never told again. When a connection is changed, null takes it away.
    #[schema(value_type = Object)]
    credentials: serde_json::Value,
    /// The server, for platforms that people run themselves.
    #[serde(default)]
    base_url: Option<String>,
}

/// Connections, by id.
#[utoipa::path(get, path = "/api/connections", tag = "connections",
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, body = ConnectionList)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<ConnectionList>, ApiError> {
    let asked = Asked::<ConnectionId>::read(&params)?;
    let found = gateway.store.connections(asked.after.as_ref(), asked.fetch()).await?;
    let (found, next_cursor) = page(found, asked.limit, |c| c.connection.id.clone());
    let connections = found.into_iter().map(ConnectionReply::from).collect();
    Ok(Json(ConnectionList { connections, next_cursor }))
}

/// Connect a workspace. The platform is asked first whether it takes the credentials.
#[utoipa::path(post, path = "/api/connections", tag = "connections", request_body = ConnectionRequest,
    responses((status = 201, body = ConnectionReply), (status = 409, body = ErrorReply), (status = 422, body = ErrorReply), (status = 503, body = ErrorReply)))]
pub(crate) async fn add(
    State(gateway): State<Gateway>,
    fields: Fields,
) -> Result<Response, ApiError> {
    fields.only(&["platform", "name", "credentials", "base_url"])?;
    let platform: Platform = fields
        .parsed("platform", "slack, matrix, mattermost, discord or teams")?
        .ok_or_else(|| ApiError::invalid("platform", "platform is required"))?;
    let needs = known_platform(platform)?;
    let credentials = credentials(&fields, needs)?
        .ok_or_else(|| ApiError::invalid("credentials", "credentials is required"))?;
    let base_url = server(&gateway, &fields, needs)?;
    let name = fields.optional_text("name")?;
    let entered = connections::Entered { platform, base_url: base_url.clone(), credentials };
    let identity = identify(&gateway, entered.clone(), &ConnectionId::random()).await?;
    let vacant = gateway.store.vacant_connection(platform, &identity.workspace).await?;
    let id = vacant.unwrap_or_else(ConnectionId::random);
    let new = NewConnection {
        credentials: account_of(&gateway, &id, platform, &entered.credentials)?,
        id,
        name: name.unwrap_or(identity.workspace_name),
        platform,
        workspace: identity.workspace,
        base_url: base_url.map(String::from),
    };
    match gateway.store.add_connection(&new).await? {
        Added::Added(connection) => {
            let reply = ConnectionReply::from(summary(&gateway, &connection.id).await?);
            let mut response = (StatusCode::CREATED, Json(reply)).into_response();
            let place = format!("/api/connections/{}", connection.id);
            if let Ok(place) = HeaderValue::from_str(&place) {
                response.headers_mut().insert(header::LOCATION, place);
            }
            Ok(response)
        }
        Added::Exists(id) => Err(ApiError::connection_exists(&id)),
    }
}

/// A connection.
#[utoipa::path(get, path = "/api/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = ConnectionReply), (status = 404, body = ErrorReply)))]
pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<Json<ConnectionReply>, ApiError> {
    Ok(Json(ConnectionReply::from(summary(&gateway, &connection_id(&id)?).await?)))
}

/// Change a connection: its name, its credentials (`null` takes them away and ends its syncs), and with new
/// credentials its server.
#[utoipa::path(put, path = "/api/connections/{id}", tag = "connections", request_body = ConnectionRequest,
    params(("id" = String, Path)),
    responses((status = 200, body = ConnectionReply), (status = 404, body = ErrorReply), (status = 422, body = ErrorReply), (status = 503, body = ErrorReply)))]
pub(crate) async fn change(
    State(gateway): State<Gateway>,
    Id(id): Id,
    fields: Fields,
) -> Result<Json<ConnectionReply>, ApiError> {
    fields.only(&["platform", "name", "credentials", "base_url"])?;
    let id = connection_id(&id)?;
    let connection = summary(&gateway, &id).await?.connection;
    let platform = fields.parsed::<Platform>("platform", "the connection's")?;
    if platform.is_some_and(|platform| platform != connection.platform) {
        return Err(ApiError::invalid("platform", "a connection stays at its platform"));
    }
    if fields.is_null("credentials") {
        let why = "the connection's credentials were taken away: give it new ones";
        let error = SyncError::new(ErrorCode::AuthError, why);
        let ended = gateway.store.disconnect(&id, &error).await?;
        stop(&gateway, ended).await?;
    }
    let mut change = ConnectionChange { name: fields.optional_text("name")?, ..Default::default() };
    if fields.has("credentials") {
        let needs = known_platform(connection.platform)?;
        let given = credentials(&fields, needs)?.unwrap_or_default();
        let new_url =
            fields.has("base_url").then(|| server(&gateway, &fields, needs)).transpose()?;
        let old_url = connection.base_url.as_deref().and_then(|url| url.parse().ok());
        let base_url = new_url.unwrap_or(old_url);
        let entered = connections::Entered {
            platform: connection.platform,
            base_url: base_url.clone(),
            credentials: given,
        };
        let identity = identify(&gateway, entered.clone(), &id).await?;
        if identity.workspace != connection.workspace {
            return Err(ApiError::invalid(
                "credentials",
                format!(
                    "these credentials belong to {}: make a connection of its own for that",
                    identity.workspace_name
                ),
            ));
        }
        change.credentials =
            Some(account_of(&gateway, &id, connection.platform, &entered.credentials)?);
        change.base_url = base_url.map(String::from);
    } else if fields.has("base_url") {
        // Credentials go to nobody but the server that they were entered for.
        return Err(ApiError::invalid("base_url", "base_url changes together with credentials"));
    }
    let changed = gateway.store.change_connection(&id, &change).await?;
    changed.ok_or_else(|| ApiError::not_found("CONNECTION"))?;
    Ok(Json(ConnectionReply::from(summary(&gateway, &id).await?)))
}

/// Remove a connection: its credentials and its schedules are gone, its running syncs end. What was brought
/// through it stays with its channels, until that is erased.
#[utoipa::path(delete, path = "/api/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorReply)))]
pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let why = "the connection was removed: connect the workspace again to go on";
    let error = SyncError::new(ErrorCode::AuthError, why);
    let ended = gateway.store.remove_connection(&connection_id(&id)?, &error).await?;
    stop(&gateway, ended).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask the platform whether it takes the connection's credentials.
#[utoipa::path(post, path = "/api/connections/{id}/validate", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = Validity), (status = 404, body = ErrorReply)))]
pub(crate) async fn validate(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<Json<Validity>, ApiError> {
    let id = connection_id(&id)?;
    let connection = summary(&gateway, &id).await?.connection;
    known_platform(connection.platform)?;
    let outcome = entered::in_time(gateway.accounts.validate(&id)).await;
    Ok(Json(match outcome {
        Ok(()) => Validity { valid: true, error: None },
        Err(error) => {
            let error = domain::Classify::sync_error(&error);
            Validity { valid: false, error: Some(error.into()) }
        }
    }))
}

/// Stops the work of jobs that have ended by what was done to their connection.
async fn stop(gateway: &Gateway, ended: Option<Vec<Job>>) -> Result<(), ApiError> {
    for job in ended.ok_or_else(|| ApiError::not_found("CONNECTION"))? {
        if let Err(error) = gateway.progress.cancel(&job.id).await {
            warn!(%error, "workers learn of the end by their next heartbeat");
        }
        gateway.announce(&job, &[]).await;
    }
    Ok(())
}

fn connection_id(id: &str) -> Result<ConnectionId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("CONNECTION"))
}

async fn summary(gateway: &Gateway, id: &ConnectionId) -> Result<ConnectionSummary, ApiError> {
    let summary = gateway.store.connection_summary(id).await?;
    summary.ok_or_else(|| ApiError::not_found("CONNECTION"))
}
