//! Refusals: the contract's error object under a matching status.

use std::any::Any;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use store::StoreError;
use utoipa::ToSchema;

/// A refused request.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Value,
    retry_after: Option<u64>,
}

/// The error object.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorReply {
    error: ErrorObject,
}

#[derive(Serialize, ToSchema)]
struct ErrorObject {
    /// What kind of refusal it is.
    code: String,
    /// What happened and what to do.
    message: String,
    /// What else is known.
    #[schema(value_type = Object)]
    details: Value,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let (message, details) = (message.into(), json!({}));
        Self { status, code, message, details, retry_after: None }
    }

    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_REQUEST", message);
        Self { details: json!({ "field": field }), ..error }
    }

    pub(crate) fn not_json() -> Self {
        let message = "the body is not a JSON object: send one with Content-Type: application/json";
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "INVALID_REQUEST", message)
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
    }

    pub(crate) fn unauthorized() -> Self {
        let message = "no valid API key: send one as Authorization: Bearer KEY";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
    }

    /// `kind` is the upper-case name of what was not found.
    pub(crate) fn not_found(kind: &str) -> Self {
        let (code, message) = match kind {
            "CHANNEL" => {
                ("CHANNEL_NOT_FOUND", "there is no such channel: GET /api/channels lists them")
            }
            "JOB" => ("JOB_NOT_FOUND", "there is no such job of this channel"),
            "FACT" => ("FACT_NOT_FOUND", "there is no such fact"),
            "ENTITY" => ("ENTITY_NOT_FOUND", "there is no such entity"),
            "PAGE" => {
                ("PAGE_NOT_FOUND", "there is no such page: GET /api/wiki/structure lists them")
            }
            "MESSAGE" => ("MESSAGE_NOT_FOUND", "there is no such message, or it was deleted"),
            "IMPORT" => ("IMPORT_NOT_FOUND", "there is no such import"),
            "SCHEDULE" => ("SCHEDULE_NOT_FOUND", "this channel has no schedule"),
            "CONNECTION" => ("CONNECTION_NOT_FOUND", "there is no such connection"),
            _ => ("NOT_FOUND", "there is nothing at this address: see /docs"),
        };
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// A channel that there is, but not for a sync.
    pub(crate) fn not_chosen(id: &domain::ConnectionId) -> Self {
        let message =
            format!("this channel is not synchronised: choose it among the channels of {id}");
        let error = Self::new(StatusCode::NOT_FOUND, "CHANNEL_NOT_FOUND", message);
        Self { details: json!({ "connection_id": id }), ..error }
    }

    pub(crate) fn connection_exists(id: &domain::ConnectionId) -> Self {
        let message = format!(
            "this workspace is connected already: give {id} new credentials, or remove it first"
        );
        let error = Self::new(StatusCode::CONFLICT, "CONNECTION_EXISTS", message);
        Self { details: json!({ "connection_id": id }), ..error }
    }

    /// The platform's limit, not ours.
    pub(crate) fn platform_busy(retry_after: Option<u64>) -> Self {
        let message = "the platform asks to slow down: try again later";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT", message);
        let details = json!({ "retry_after": retry_after });
        Self { details, retry_after: retry_after.or(Some(2)), ..error }
    }

    pub(crate) fn sync_in_progress(job: &domain::JobId) -> Self {
        let message = "this channel is being synchronised: wait for that job or cancel it";
        let error = Self::new(StatusCode::CONFLICT, "SYNC_IN_PROGRESS", message);
        Self { details: json!({ "job_id": job }), ..error }
    }

    pub(crate) fn sync_not_running(status: domain::JobStatus) -> Self {
        let message = format!("the job has ended already: it is {}", status.as_str());
        let error = Self::new(StatusCode::CONFLICT, "SYNC_NOT_RUNNING", message);
        Self { details: json!({ "status": status }), ..error }
    }

    pub(crate) fn key_reused() -> Self {
        let message = "this Idempotency-Key was used for another request: use a new one";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED", message)
    }

    pub(crate) fn invalid_schedule(reason: impl std::fmt::Display) -> Self {
        let reason = reason.to_string();
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_SCHEDULE", reason.clone());
        Self { details: json!({ "reason": reason }), ..error }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message);
        Self { retry_after: Some(2), ..error }
    }

    pub(crate) fn internal() -> Self {
        let message = "something failed on our side: the server's log says what";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Full(_) => {
                tracing::warn!(%error, "the database does not answer");
                Self::unavailable("the database cannot take this at the moment: try again")
            }
            error => {
                tracing::error!(?error, "a request failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, code, message, details, retry_after } = self;
        let error = ErrorObject { code: code.to_owned(), message, details };
        let mut response = (status, Json(ErrorReply { error })).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

pub(crate) async fn no_such_route() -> ApiError {
    ApiError::not_found("")
}

pub(crate) async fn no_such_method() -> ApiError {
    let message = "this address does not take that method: see /docs";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "INVALID_REQUEST", message)
}

pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::internal().into_response()
}
